/*
 * siphash.h - SipHash-2-4, a fast keyed hash of short messages
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Specification: J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF", 2012.
 *
 * The recorder stores a hash of each payload so that repeats can be found without storing what
 * was sent. An unkeyed hash would not do: short industrial payloads ("valve 3 open") can be
 * guessed and hashed by anyone who holds the database. Under a secret random key equal payloads
 * still have equal hashes within one recording, and nobody without the key can test a guess.
 *
 * Interface
 *
 *     siphash_24(key, data, length)   64-bit hash of `length` bytes under a key of 16 bytes
 *
 * The function has no state, cannot fail and reads exactly `length` bytes; the data need no
 * alignment, and may be NULL when `length` is 0. The result is the same on every machine: words
 * are read little-endian, and the 8 bytes of output are taken as a little-endian number.
 *
 * Worked example (the paper's Appendix A, repeated by tests/unit/test_siphash.c)
 *
 *     key   00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f
 *     data  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e      (15 bytes)
 *     hash  0xa129ca6149be45e5
 */
#ifndef FIELDEDGE_SIPHASH_H
#define FIELDEDGE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_BYTES 16

uint64_t siphash_24(const uint8_t key[SIPHASH_KEY_BYTES], const void *data, size_t length);

#endif
