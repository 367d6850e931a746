/* prefixes.c
 * A list of prefixes, searched from front to back: a site has a handful.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "prefixes.h"

#include <arpa/inet.h>
#include <string.h>

struct prefix {
    guint8 address[16];
    size_t length; /* of the address, 4 or 16 */
    guint bits;
};

struct prefixes {
    GArray *list; /* of struct prefix */
};

struct prefixes *prefixes_new(void)
{
    struct prefixes *prefixes = g_new0(struct prefixes, 1);

    prefixes->list = g_array_new(FALSE, FALSE, sizeof(struct prefix));
    return prefixes;
}

static bool parse(const char *text, struct prefix *prefix)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);
    guint64 bits;

    if (parts[0] == NULL)
        return false;
    if (inet_pton(AF_INET, parts[0], prefix->address) == 1)
        prefix->length = 4;
    else if (inet_pton(AF_INET6, parts[0], prefix->address) == 1)
        prefix->length = 16;
    else
        return false;
    prefix->bits = (guint)prefix->length * 8;
    if (parts[1] == NULL)
        return true;
    if (!g_ascii_string_to_unsigned(parts[1], 10, 0, prefix->bits, &bits, NULL))
        return false;
    prefix->bits = (guint)bits;
    return true;
}

void prefixes_add(struct prefixes *prefixes, const char *list)
{
    g_auto(GStrv) parts = g_strsplit_set(list, ", \t\n", -1);
    struct prefix prefix;

    for (char **part = parts; *part != NULL; part++) {
        if (parse(*part, &prefix))
            g_array_append_val(prefixes->list, prefix);
    }
}

static bool contains(const struct prefix *prefix, const guint8 *address, size_t length)
{
    guint whole = prefix->bits / 8, rest = prefix->bits % 8;

    if (prefix->length != length || memcmp(prefix->address, address, whole) != 0)
        return false;
    return rest == 0 || (prefix->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}

bool prefixes_contain(const struct prefixes *prefixes, const guint8 *address, size_t length)
{
    static const guint8 mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    if (length == 16 && memcmp(address, mapped, sizeof mapped) == 0) {
        address += sizeof mapped;
        length = 4;
    }
    for (guint i = 0; i < prefixes->list->len; i++) {
        if (contains(&g_array_index(prefixes->list, struct prefix, i), address, length))
            return true;
    }
    return false;
}

void prefixes_free(struct prefixes *prefixes)
{
    if (prefixes == NULL)
        return;
    g_array_unref(prefixes->list);
    g_free(prefixes);
}
