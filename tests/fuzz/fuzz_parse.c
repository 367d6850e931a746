/* fuzz_parse.c
 * The small languages of the command line: lengths of time, times, networks, ports.  The first byte
 * chooses the parser.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fuzz.h"

#include "parse.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    return 0;
}

/* A failure has an error that shows nothing of the input raw, a success none. */
static bool check_result(bool ok, GError *error)
{
    FUZZ_CHECK(ok == (error == NULL));
    if (error != NULL)
        FUZZ_CHECK(error->domain == FIELDEDGE_ERROR && error->code == FIELDEDGE_ERROR_ARGUMENT);
    g_clear_error(&error);
    return ok;
}

static void check_duration(const char *text)
{
    GError *error = NULL;
    gint64 ns = 0, again = 0;
    bool ok = parse_duration(text, &ns, &error);

    if (!check_result(ok, error))
        return;
    FUZZ_CHECK(ns >= 0);
    g_autofree char *exact = g_strdup_printf("%" G_GINT64_FORMAT "ns", ns);
    FUZZ_CHECK(parse_duration(exact, &again, NULL) && again == ns);
}

static void check_time(const char *text)
{
    GError *error = NULL;
    gint64 ns = 0, length = 0;
    bool ok = parse_time(text, NULL, &ns, &length, &error);

    if (check_result(ok, error))
        FUZZ_CHECK(length >= 1);
}

static void check_network(const char *text)
{
    struct network network = {0};
    GError *error = NULL;
    bool ok = parse_network(text, &network, &error);

    if (!check_result(ok, error))
        return;
    FUZZ_CHECK(network.length == 4 || network.length == 16);
    FUZZ_CHECK(memcmp(network.first, network.last, network.length) <= 0);
}

static void check_ports(const char *text)
{
    GError *error = NULL;
    guint first = 0, last = 0;
    bool ok = parse_ports(text, &first, &last, &error);

    if (check_result(ok, error))
        FUZZ_CHECK(first <= last && last <= 65535);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(const char *) = {check_duration, check_time, check_network,
                                                   check_ports};

    if (size == 0)
        return 0;
    g_autofree char *text = g_strndup((const char *)data + 1, size - 1);
    checks[data[0] % G_N_ELEMENTS(checks)](text);
    return 0;
}
