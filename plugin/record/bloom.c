/* bloom.c: see bloom.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/bloom.h"

#include <glib.h>

enum { BITS_LOG2 = 23, PROBES = 4 };

struct bloom {
    uint8_t bits[(1u << BITS_LOG2) / 8];
};

/* Double hashing (Kirsch, Mitzenmacher 2006): two halves make all probes. */
static uint32_t probe(uint64_t hash, unsigned index)
{
    uint32_t first = (uint32_t)hash, step = (uint32_t)(hash >> 32) | 1u;
    return (first + index * step) >> (32 - BITS_LOG2);
}

bloom *bloom_new(void)
{
    return g_new0(bloom, 1);
}

void bloom_free(bloom *set)
{
    g_free(set);
}

void bloom_add(bloom *set, uint64_t hash)
{
    for (unsigned i = 0; i < PROBES; i++) {
        uint32_t bit = probe(hash, i);
        set->bits[bit / 8] |= (uint8_t)(1u << bit % 8);
    }
}

bool bloom_may_hold(const bloom *set, uint64_t hash)
{
    for (unsigned i = 0; i < PROBES; i++) {
        uint32_t bit = probe(hash, i);
        if (!(set->bits[bit / 8] & (1u << bit % 8)))
            return false;
    }
    return true;
}
