/* example.c
 * Prints the IP bytes of each application in a FieldEdge database.
 *
 *     cc example.c $(pkg-config --cflags --libs fieldedge) -o example
 *     ./example site.db
 *
 * If FieldEdge is installed elsewhere than in /usr or /usr/local, set PKG_CONFIG_PATH to its
 * lib/pkgconfig and add -Wl,-rpath,$(pkg-config --variable=libdir fieldedge).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <fieldedge.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (argc != 2) {
        fprintf(stderr, "usage: example DATABASE\n");
        return 2;
    }
    g_autoptr(FieldEdgeDatabase) database = fieldedge_database_open(argv[1], &error);
    g_autoptr(FieldEdgeTotals) totals =
        database != NULL ? fieldedge_totals_new(database, NULL, &error) : NULL;
    const FieldEdgeTotal *total;

    while (totals != NULL && (total = fieldedge_totals_next(totals, &error)) != NULL)
        printf("%s %" G_GINT64_FORMAT "\n", total->application, total->ip_bytes);
    if (error != NULL) {
        fprintf(stderr, "example: %s\n", error->message);
        return 1;
    }
    return 0;
}
