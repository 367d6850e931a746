/* tap_record.h
 * `-z fieldedge,DB[,filter]`: records every packet (that passes the filter) into a database.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_TAP_RECORD_H
#define FIELDEDGE_TAP_RECORD_H

/* Registers the statistic.  Call when dissectors hand off. */
void tap_record_register(void);

#endif
