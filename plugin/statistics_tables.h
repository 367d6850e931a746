/* statistics_tables.h
 * Wireshark's Statistics ▸ FieldEdge …: applications, hosts, host pairs, intervals and periods in
 * windows that sort, copy and save as CSV.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_STATISTICS_TABLES_H
#define FIELDEDGE_STATISTICS_TABLES_H

/* Registers the windows.  Call when dissectors hand off, in Wireshark alone: in tshark the same
 * names belong to tap_record.c. */
void statistics_tables_register(void);

#endif
