/* locality.h
 * Which traffic never crosses the WAN: a set of IPv4 and IPv6 prefixes and the rule on top of it.
 *
 * Order of calls: locality_parse() once, locality_is_local() a conversation, locality_free().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_LOCALITY_H
#define FIELDEDGE_LOCALITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Private (RFC 1918), link-local (RFC 3927, RFC 4291), unique-local (RFC 4193) and loopback. */
#define LOCALITY_DEFAULT                                                                           \
    "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,127.0.0.0/8,"                          \
    "fc00::/7,fe80::/10,::1/128"

typedef struct locality locality;

/* Parses a list of prefixes separated by commas and/or blanks ("10.0.0.0/8, 2001:db8::/32"; an
 * address without a length is one host; an IPv4-mapped IPv6 prefix is an IPv4 one).  Returns NULL
 * and sets *error to a sentence that names the bad part and what to write (g_free it):
 *
 *     "10.0.0.1/8" has bits set beyond its length: write 10.0.0.0/8, or 10.0.0.1 for this one host
 *     "10.0.0.0/33" has no valid length: write a number from 0 to 32 after the slash
 *
 * The empty list is allowed: then only hosts without an address are local. */
locality *locality_parse(const char *text, char **error);
void locality_free(locality *set);

/* True if the address (4 or 16 bytes, network order) is inside a prefix of the set.  An IPv4-mapped
 * IPv6 address is looked up as IPv4.  Other lengths are in no prefix. */
bool locality_contains(const locality *set, const uint8_t *address, size_t length);

/* The rule: both ends in local networks; or one end local and the other multicast or broadcast.
 * Multicast is 224.0.0.0/4 and ff00::/8, broadcast 255.255.255.255; such an address is never a
 * local end itself, even if a prefix holds it.  The unspecified address (0.0.0.0, ::) is a host of
 * this site that has no address yet (RFC 1122): local.  length is 4 or 16 for both.  With
 * LOCALITY_DEFAULT:
 *
 *     10.1.2.3         172.31.0.1        local
 *     192.168.1.2      239.255.255.250   local      one end local, the other multicast
 *     0.0.0.0          255.255.255.255   local      DHCP
 *     192.168.1.2      8.8.8.8           not local
 *     8.8.8.8          224.0.0.1         not local
 *     224.0.0.1        239.1.1.1         not local  no end is a host of this site
 */
bool locality_is_local(const locality *set, const uint8_t *source, const uint8_t *destination,
                       size_t length);

#endif
