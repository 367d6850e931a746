/* statistics_record.h
 * Wireshark's Statistics ▸ FieldEdge Record to Database…: asks for a file and a filter, reads the
 * capture again and records it, once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_STATISTICS_RECORD_H
#define FIELDEDGE_STATISTICS_RECORD_H

/* Registers the entry in the menu.  Call when dissectors hand off, in Wireshark alone. */
void statistics_record_register(void);

#endif
