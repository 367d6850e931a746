/* plugin.c
 * Registration alone: what Wireshark looks for in a plugin, and what each part registers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/facts.h"
#include "plugin/fields.h"
#include "plugin/preferences.h"
#include "plugin/statistics_record.h"
#include "plugin/statistics_tables.h"
#include "plugin/tap_record.h"

#include <epan/plugin_if.h>
#include <epan/proto.h>
#include <stdbool.h>
#include <ws_symbol_export.h>
#include <ws_version.h>
#include <wsutil/report_message.h>

WS_DLL_PUBLIC_DEF const char plugin_version[] = FIELDEDGE_VERSION;
WS_DLL_PUBLIC_DEF const int plugin_want_major = WIRESHARK_VERSION_MAJOR;
WS_DLL_PUBLIC_DEF const int plugin_want_minor = WIRESHARK_VERSION_MINOR;
WS_DLL_PUBLIC void plugin_register(void);

/* Wireshark's window is there before dissectors register. */
static bool is_gui(void)
{
    ws_info_t *info = NULL;
    plugin_if_get_ws_info(&info);
    return info != NULL && info->ws_info_supported;
}

/* tshark says what is wrong when something uses it; in the dialog the reason comes at once. */
static void preferences_applied(void)
{
    char *problem = is_gui() ? preferences_problem() : NULL;
    if (problem != NULL)
        report_failure("FieldEdge's preferences: %s", problem);
    g_free(problem);
    fields_preferences_apply();
}

static void register_protocols(void)
{
    fields_register(preferences_register(preferences_applied));
    facts_register_taps();
}

static void register_handoffs(void)
{
    tap_record_register();
    fields_preferences_apply();
    if (!is_gui())
        return;
    statistics_tables_register();
    statistics_record_register();
}

void plugin_register(void)
{
    static proto_plugin plugin = {register_protocols, register_handoffs};
    proto_register_plugin(&plugin);
}
