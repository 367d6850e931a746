/* locality.c
 * Prefixes sorted by address, and the rule on top of them; locality.h has the contract.
 *
 * An IPv4 address is written as IPv6, below ::ffff:0:0/96, so one comparison serves both; the two
 * lists are apart, or ::/0 would hold IPv4.  A prefix inside another one is dropped, so the
 * prefixes of a list are disjoint ranges, and a binary search for the last range that begins at or
 * before an address finds the only one that can hold it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/locality.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

enum { LOCALITY_PART_MAX = 64 }; /* bytes of a prefix as text; the longest IPv6 one has 49 */

/* An address as a number. */
struct address {
    uint64_t high, low;
};

/* The addresses first to last. */
struct range {
    struct address first, last;
};

/* Ascending, disjoint. */
struct list {
    struct range *ranges;
    size_t count;
};

struct locality {
    struct list v4, v6;
};

#define IPV4_MAPPED ((uint64_t)0xffff << 32) /* low half of ::ffff:0:0 */

static uint64_t read_bytes(const uint8_t *bytes, size_t length)
{
    uint64_t value = 0;

    for (size_t i = 0; i < length; i++)
        value = value << 8 | bytes[i];
    return value;
}

static struct address address_make(const uint8_t *bytes, size_t length)
{
    if (length == 4)
        return (struct address){0, IPV4_MAPPED | read_bytes(bytes, 4)};
    return (struct address){read_bytes(bytes, 8), read_bytes(bytes + 8, 8)};
}

static int address_compare(struct address a, struct address b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return a.low < b.low ? -1 : a.low > b.low;
}

/* Bits that a prefix of this length, 0 to 64, leaves open in a half of an address. */
static uint64_t open_bits(unsigned length)
{
    return length == 0 ? UINT64_MAX : length >= 64 ? 0 : UINT64_MAX >> length;
}

static struct range range_make(struct address address, unsigned length)
{
    uint64_t open_high = open_bits(MIN(length, 64));
    uint64_t open_low = open_bits(length < 64 ? 0 : length - 64);

    return (struct range){{address.high & ~open_high, address.low & ~open_low},
                          {address.high | open_high, address.low | open_low}};
}

static void write_address(char text[INET6_ADDRSTRLEN], struct address address, bool v4)
{
    uint8_t bytes[16];

    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(address.high >> (56 - 8 * i));
        bytes[i + 8] = (uint8_t)(address.low >> (56 - 8 * i));
    }
    inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? bytes + 12 : bytes, text, INET6_ADDRSTRLEN);
}

/* Decimal digits alone, at most three. */
static bool parse_length(const char *text, unsigned *length)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 3 || text[digits] != '\0')
        return false;
    *length = (unsigned)g_ascii_strtoull(text, NULL, 10);
    return true;
}

static bool fail(char **error, const char *part, const char *what)
{
    g_autofree char *start = g_strndup(part, LOCALITY_PART_MAX);
    g_autofree char *shown = g_strescape(start, NULL);

    *error = g_strdup_printf("\"%s\" %s", shown, what);
    return false;
}

/* part is "10.0.0.0/8", "fd00::/8", "192.0.2.1"; it is written to. */
static bool parse_part(char *part, struct range *range, char **error)
{
    g_autofree char *whole = g_strdup(part);
    char *slash = strchr(part, '/');
    uint8_t bytes[16];
    char text[INET6_ADDRSTRLEN];
    g_autofree char *fix = NULL;

    if (slash != NULL)
        *slash = '\0';
    bool v4 = inet_pton(AF_INET, part, bytes) == 1;
    if (!v4 && inet_pton(AF_INET6, part, bytes) != 1)
        return fail(error, whole, "is not a network: write an IPv4 or IPv6 prefix like 10.0.0.0/8");

    unsigned bits = v4 ? 32 : 128, length = bits;
    if (slash != NULL && (!parse_length(slash + 1, &length) || length > bits))
        return fail(error, whole,
                    v4 ? "has no valid length: write a number from 0 to 32 after the slash"
                       : "has no valid length: write a number from 0 to 128 after the slash");

    struct address address = address_make(bytes, v4 ? 4 : 16);
    *range = range_make(address, v4 ? length + 96 : length);
    if (address_compare(address, range->first) == 0)
        return true;
    write_address(text, range->first, v4);
    fix = g_strdup_printf("has bits set beyond its length: write %s/%u, or %s for this one host",
                          text, length, part);
    return fail(error, whole, fix);
}

static bool is_v4(struct address address)
{
    return address.high == 0 && address.low >> 32 == 0xffff;
}

static bool range_is_v4(struct range range)
{
    return is_v4(range.first) && is_v4(range.last);
}

static int compare_ranges(const void *left, const void *right)
{
    const struct range *a = left, *b = right;
    int order = address_compare(a->first, b->first);

    return order != 0 ? order : address_compare(b->last, a->last); /* the larger one first */
}

/* The ranges of one kind, sorted, without those that lie in others. */
static struct list list_make(GArray *ranges, bool v4)
{
    struct list list = {NULL, 0};

    if (ranges->len == 0)
        return list;
    list.ranges = g_new(struct range, ranges->len);
    g_array_sort(ranges, compare_ranges);
    for (guint i = 0; i < ranges->len; i++) {
        struct range range = g_array_index(ranges, struct range, i);
        if (range_is_v4(range) != v4)
            continue;
        if (list.count == 0 || address_compare(range.first, list.ranges[list.count - 1].last) > 0)
            list.ranges[list.count++] = range;
    }
    return list;
}

locality *locality_parse(const char *text, char **error)
{
    g_auto(GStrv) parts = g_strsplit_set(text, ", \t\r\n", -1);
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct range));

    *error = NULL;
    for (char **part = parts; *part != NULL; part++) {
        struct range range;
        if (**part == '\0')
            continue;
        if (!parse_part(*part, &range, error))
            return NULL;
        g_array_append_val(ranges, range);
    }

    locality *set = g_new(locality, 1);
    *set = (locality){list_make(ranges, true), list_make(ranges, false)};
    return set;
}

void locality_free(locality *set)
{
    if (set == NULL)
        return;
    g_free(set->v4.ranges);
    g_free(set->v6.ranges);
    g_free(set);
}

static bool contains(const locality *set, struct address address)
{
    const struct list *list = is_v4(address) ? &set->v4 : &set->v6;
    size_t low = 0, high = list->count; /* those before low begin at or before it, from high none */

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (address_compare(list->ranges[middle].first, address) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && address_compare(address, list->ranges[low - 1].last) <= 0;
}

bool locality_contains(const locality *set, const uint8_t *address, size_t length)
{
    if (length != 4 && length != 16)
        return false;
    return contains(set, address_make(address, length));
}

static bool is_unspecified(struct address address)
{
    return address.high == 0 && (address.low == 0 || address.low == IPV4_MAPPED);
}

/* 224.0.0.0/4, ff00::/8, and the limited broadcast 255.255.255.255. */
static bool is_group(struct address address)
{
    if (is_v4(address))
        return (address.low >> 28 & 0xf) == 0xe || (uint32_t)address.low == UINT32_MAX;
    return address.high >> 56 == 0xff;
}

bool locality_is_local(const locality *set, const uint8_t *source, const uint8_t *destination,
                       size_t length)
{
    if (length != 4 && length != 16)
        return false;

    struct address from = address_make(source, length), to = address_make(destination, length);
    bool from_group = is_group(from), to_group = is_group(to);
    bool from_here = !from_group && (is_unspecified(from) || contains(set, from));
    bool to_here = !to_group && (is_unspecified(to) || contains(set, to));

    return (from_here && (to_here || to_group)) || (from_group && to_here);
}
