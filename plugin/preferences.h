/* preferences.h
 * Preferences ▸ Protocols ▸ FieldEdge, and `-o` on the command line: the site's local networks, its
 * own ports and names, payload hashes, fields.
 *
 *   -o fieldedge.local_networks:10.0.0.0/8,2001:db8::/32
 *   -o fieldedge.payload_hashes:FALSE
 *   -o fieldedge.fields:TRUE
 *   -o 'uat:fieldedge_ports:"TCP","50000-50010","PUMP_STATION"'
 *
 * Order of calls: preferences_register() when protocols register; the rest when a statistic starts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_PREFERENCES_H
#define FIELDEDGE_PREFERENCES_H

#include "plugin/record/classify.h"

/* Registers the protocol too and returns its id.  applied is called when preferences have changed.
 */
int preferences_register(void (*applied)(void));

/* What can't be used as it is: a sentence (g_free it), NULL if all can. */
char *preferences_problem(void);

const char *preferences_local_networks(void);
bool preferences_payload_hashes(void);
bool preferences_fields(void);

/* The site's table; *count lines.  NULL and *error (g_free it) if a line can't be used. */
struct classify_site_port *preferences_site_ports(size_t *count, char **error);

#endif
