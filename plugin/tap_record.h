/* tap_record.h
 * `-z fieldedge,DB[,filter]`: records every packet (that passes the filter) into a database.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_TAP_RECORD_H
#define FIELDEDGE_TAP_RECORD_H

#include "plugin/record/recorder.h"

/* Registers the statistic.  Call when dissectors hand off. */
void tap_record_register(void);

/* Opens a recorder with the preferences as they are now; NULL with *error (g_free it). */
recorder *tap_record_open(const char *database, bool is_in_memory, const char *filter,
                          char **error);

/* Says on standard error what went wrong; tshark will not exit with 0. */
void tap_record_fail(const char *sentence);

#endif
