/* packet_address.c: addresses as keys and as text, see packet_facts.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/packet_facts.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

unsigned packet_address_hash(const void *address)
{
    const struct packet_address *a = address;
    guint hash = a->length;
    for (unsigned i = 0; i < a->length; i++)
        hash = hash * 31 + a->bytes[i];
    return hash;
}

int packet_address_equal(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct packet_address)) == 0;
}

void packet_address_text(const struct packet_address *address, char text[PACKET_ADDRESS_TEXT_MAX])
{
    if (address->length == 4 || address->length == 16) {
        inet_ntop(address->length == 4 ? AF_INET : AF_INET6, address->bytes, text,
                  PACKET_ADDRESS_TEXT_MAX);
        return;
    }
    g_strlcpy(text, address->length == 0 ? "unknown" : "", PACKET_ADDRESS_TEXT_MAX);
    for (unsigned i = 0; i < address->length; i++)
        g_snprintf(text + (i > 0 ? i * 3 - 1 : 0), 4, i > 0 ? ":%02x" : "%02x", address->bytes[i]);
}
