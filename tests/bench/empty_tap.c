/* empty_tap.c: `-z empty[,tree]`, a tap that counts packets and does nothing else: what dissection
 * alone costs, with or without a protocol tree.  A plugin of its own, for tests/bench alone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <epan/epan_dissect.h>
#include <epan/packet.h>
#include <epan/stat_tap_ui.h>
#include <epan/tap.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ws_symbol_export.h>
#include <ws_version.h>

WS_DLL_PUBLIC_DEF const char plugin_version[] = "0";
WS_DLL_PUBLIC_DEF const int plugin_want_major = WIRESHARK_VERSION_MAJOR;
WS_DLL_PUBLIC_DEF const int plugin_want_minor = WIRESHARK_VERSION_MINOR;
WS_DLL_PUBLIC void plugin_register(void);

static unsigned long packets;

static tap_packet_status empty_packet(void *tap G_GNUC_UNUSED, packet_info *pinfo G_GNUC_UNUSED,
                                      epan_dissect_t *edt G_GNUC_UNUSED,
                                      const void *data G_GNUC_UNUSED,
                                      tap_flags_t flags G_GNUC_UNUSED)
{
    packets++;
    return TAP_PACKET_DONT_REDRAW;
}

static void empty_draw(void *tap G_GNUC_UNUSED)
{
    printf("%lu packets\n", packets);
}

static void empty_init(const char *argument, void *user G_GNUC_UNUSED)
{
    guint flags = strstr(argument, ",tree") != NULL ? TL_REQUIRES_PROTO_TREE : TL_REQUIRES_NOTHING;
    GString *error =
        register_tap_listener("frame", &packets, NULL, flags, NULL, empty_packet, empty_draw, NULL);
    if (error == NULL)
        return;
    fprintf(stderr, "empty: %s\n", error->str);
    exit(1);
}

static stat_tap_ui empty_ui = {REGISTER_STAT_GROUP_GENERIC, NULL, "empty", empty_init, 0, NULL};

static void nothing(void)
{
}

static void handoff(void)
{
    register_stat_tap_ui(&empty_ui, NULL);
}

void plugin_register(void)
{
    static proto_plugin plugin = {nothing, handoff};
    proto_register_plugin(&plugin);
}
