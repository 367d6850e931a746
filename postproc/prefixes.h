/* prefixes.h
 * The local networks of a capture as it was recorded, "10.0.0.0/8,fc00::/7": is an address inside?
 * A part that does not parse matches nothing; the recorder checked the list when it wrote it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_PREFIXES_H
#define FIELDEDGE_PREFIXES_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct prefixes;

struct prefixes *prefixes_new(void);

/* Adds a list of prefixes separated by commas or blanks. */
void prefixes_add(struct prefixes *prefixes, const char *list);

/* For 4 or 16 bytes in network order; any other length is in no prefix.  An IPv4 address inside an
 * IPv6 one (::ffff:10.0.0.1) is looked up as IPv4. */
bool prefixes_contain(const struct prefixes *prefixes, const guint8 *address, size_t length);
void prefixes_free(struct prefixes *prefixes);

#endif
