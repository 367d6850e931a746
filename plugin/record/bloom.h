/* bloom.h
 * A set of hashes that may say "perhaps" for what it does not hold, and never "no" for what it
 * does: which conversations were given up, in one mebibyte however many they are.
 *
 * Algorithm (Bloom, 1970): each of 4 parts of a 64-bit hash sets one of 2^23 bits.  With n members
 * a stranger passes with probability (1 - e^(-4n / 2^23))^4: 0.02 % at 250,000, 2.2 % at 1,000,000.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_BLOOM_H
#define FIELDEDGE_BLOOM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct bloom bloom;

bloom *bloom_new(void);
void bloom_free(bloom *set);
void bloom_add(bloom *set, uint64_t hash);
bool bloom_may_hold(const bloom *set, uint64_t hash);

#endif
