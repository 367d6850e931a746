/* fuzz_prefixes.c
 * A list of prefixes as a recording wrote it, or as a damaged file has it; the first 16 bytes are
 * an address.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fuzz.h"

#include "prefixes.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const guint8 mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct prefixes *prefixes = prefixes_new();
    guint8 address[16], embedded[16];

    if (size >= sizeof address) {
        g_autofree char *list = g_strndup((const char *)data + 16, size - 16);
        memcpy(address, data, sizeof address);
        memcpy(embedded, mapped, sizeof mapped);
        memcpy(embedded + sizeof mapped, address, 4);
        FUZZ_CHECK(!prefixes_contain(prefixes, address, 4));
        prefixes_add(prefixes, list);
        bool is_inside = prefixes_contain(prefixes, address, 4);
        FUZZ_CHECK(prefixes_contain(prefixes, embedded, 16) == is_inside);
        prefixes_contain(prefixes, address, 16);
        FUZZ_CHECK(!prefixes_contain(prefixes, address, 6));
        prefixes_add(prefixes, "0.0.0.0/0, ::/0");
        FUZZ_CHECK(prefixes_contain(prefixes, address, 4));
        FUZZ_CHECK(prefixes_contain(prefixes, address, 16));
    }
    prefixes_free(prefixes);
    return 0;
}
