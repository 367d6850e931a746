/* fuzz.h
 * What the fuzz_*.c share.  Each is one libFuzzer target, built with clang by tests/fuzz/run.
 *
 * A target must give the same answer to the same input every time, and call FUZZ_CHECK() for what
 * must hold whatever the input: a crash is not the only mistake.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_FUZZ_H
#define FIELDEDGE_FUZZ_H

#include "fieldedge.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Also in a build that leaves assertions out. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* What fieldedge.h promises of every string. */
static inline void fuzz_check_text(const char *text)
{
    if (text != NULL)
        FUZZ_CHECK(g_utf8_validate(text, -1, NULL));
}

/* An error is a sentence about the named database, or there is none.  Frees it. */
static inline void fuzz_check_error(GError *error, const char *name)
{
    if (error == NULL)
        return;
    FUZZ_CHECK(error->domain == FIELDEDGE_ERROR);
    FUZZ_CHECK(g_str_has_prefix(error->message, name));
    fuzz_check_text(error->message);
    g_error_free(error);
}

#endif
