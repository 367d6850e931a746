/* fuzz_near.c
 * A wanted name and names, a line each.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fuzz.h"

#include "near.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    return 0;
}

static bool is_short(const char *name)
{
    return *name != '\0' && strlen(name) <= NEAR_LENGTH;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) names = g_strsplit(text, "\n", -1);

    if (names[0] == NULL)
        return 0;
    g_autofree char *found = fieldedge_near_names(names[0], (const char *const *)names + 1, 3);
    g_autofree char *itself = fieldedge_near_names(names[0], (const char *const *)names, 1);
    FUZZ_CHECK((itself != NULL) == is_short(names[0])); /* nothing is nearer */
    FUZZ_CHECK(found == NULL || is_short(names[0]));
    for (char **name = names + 1; is_short(names[0]) && *name != NULL; name++) {
        if (!is_short(*name))
            continue;
        guint letters = near_distance(names[0], *name);
        size_t a = strlen(names[0]), b = strlen(*name);
        FUZZ_CHECK(letters == near_distance(*name, names[0]));
        FUZZ_CHECK(letters <= MAX(a, b) && letters >= (a > b ? a - b : b - a));
    }
    return 0;
}
