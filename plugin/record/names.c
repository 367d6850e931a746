/* names.c: see names.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/names.h"

#include <glib.h>
#include <string.h>

struct names {
    GHashTable *table; /* owned packet_address -> owned text */
};

names *names_new(void)
{
    names *all = g_new0(names, 1);
    all->table = g_hash_table_new_full(packet_address_hash, packet_address_equal, g_free, g_free);
    return all;
}

void names_free(names *all)
{
    if (all == NULL)
        return;
    g_hash_table_destroy(all->table);
    g_free(all);
}

void name_copy(char to[PACKET_NAME_MAX + 1], const char *from)
{
    size_t length = strnlen(from, PACKET_NAME_MAX);
    char *valid = g_utf8_make_valid(from, (gssize)length);
    size_t whole = strlen(valid);
    if (whole > PACKET_NAME_MAX)
        whole = (size_t)(g_utf8_find_prev_char(valid, valid + PACKET_NAME_MAX + 1) - valid);
    memcpy(to, valid, whole);
    to[whole] = '\0';
    g_free(valid);
}

bool names_learn(names *all, const struct packet_address *address, const char *name)
{
    char copy[PACKET_NAME_MAX + 1];
    name_copy(copy, name);
    const char *known = g_hash_table_lookup(all->table, address);
    if (known != NULL && strcmp(known, copy) == 0)
        return false;
    if (g_hash_table_size(all->table) >= NAMES_MAX)
        g_hash_table_remove_all(all->table);
    g_hash_table_replace(all->table, g_memdup2(address, sizeof *address), g_strdup(copy));
    return true;
}

const char *names_find(const names *all, const struct packet_address *address)
{
    return g_hash_table_lookup(all->table, address);
}
