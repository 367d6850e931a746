/*
 * siphash.c - SipHash-2-4: see siphash.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Algorithm: four 64-bit words are set from the key and four constants. Each 8-byte word of the
 * message is xored into v3, mixed by two rounds and xored into v0. The last word holds the
 * remaining 0 to 7 bytes and, in its top byte, the length modulo 256, so that no message is a
 * prefix of another. Four rounds more, and the xor of the four words is the hash.
 */
#include "siphash.h"

enum { COMPRESSION_ROUNDS = 2, FINALIZATION_ROUNDS = 4, WORD_BYTES = 8 };

struct siphash_state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate_left(uint64_t value, unsigned bits)
{
    return (value << bits) | (value >> (64 - bits));
}

/* Byte by byte is right on any alignment and byte order; the compiler makes one load of it. */
static inline uint64_t read_word(const uint8_t *bytes)
{
    return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 |
           (uint64_t)bytes[3] << 24 | (uint64_t)bytes[4] << 32 | (uint64_t)bytes[5] << 40 |
           (uint64_t)bytes[6] << 48 | (uint64_t)bytes[7] << 56;
}

static inline void mix(struct siphash_state *state, int rounds)
{
    for (int round = 0; round < rounds; round++) {
        state->v0 += state->v1;
        state->v1 = rotate_left(state->v1, 13) ^ state->v0;
        state->v0 = rotate_left(state->v0, 32);
        state->v2 += state->v3;
        state->v3 = rotate_left(state->v3, 16) ^ state->v2;
        state->v0 += state->v3;
        state->v3 = rotate_left(state->v3, 21) ^ state->v0;
        state->v2 += state->v1;
        state->v1 = rotate_left(state->v1, 17) ^ state->v2;
        state->v2 = rotate_left(state->v2, 32);
    }
}

static inline void compress(struct siphash_state *state, uint64_t word)
{
    state->v3 ^= word;
    mix(state, COMPRESSION_ROUNDS);
    state->v0 ^= word;
}

/* The constants spell "somepseudorandomlygeneratedbytes". */
static struct siphash_state start(const uint8_t *key)
{
    uint64_t k0 = read_word(key);
    uint64_t k1 = read_word(key + WORD_BYTES);

    return (struct siphash_state){
        .v0 = k0 ^ 0x736f6d6570736575,
        .v1 = k1 ^ 0x646f72616e646f6d,
        .v2 = k0 ^ 0x6c7967656e657261,
        .v3 = k1 ^ 0x7465646279746573,
    };
}

/* The bytes after the last whole word, and the length modulo 256 in the top byte. */
static uint64_t last_word(const uint8_t *rest, size_t length)
{
    uint64_t word = (uint64_t)(length & 0xff) << 56;

    for (size_t i = 0; i < length % WORD_BYTES; i++)
        word |= (uint64_t)rest[i] << (8 * i);
    return word;
}

uint64_t siphash_24(const uint8_t key[SIPHASH_KEY_BYTES], const void *data, size_t length)
{
    struct siphash_state state = start(key);
    const uint8_t *bytes = data;
    size_t whole = length - length % WORD_BYTES;

    for (size_t i = 0; i < whole; i += WORD_BYTES)
        compress(&state, read_word(bytes + i));

    /* NULL + 0 is undefined in C17, and data may be NULL when there are none. */
    compress(&state, last_word(length == 0 ? bytes : bytes + whole, length));
    state.v2 ^= 0xff;
    mix(&state, FINALIZATION_ROUNDS);
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}
