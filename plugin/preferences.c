/* preferences.c: see preferences.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/preferences.h"

#include "plugin/record/locality.h"

#include <epan/packet.h>
#include <epan/prefs.h>
#include <epan/uat.h>

/* One line of the table as the dialog and the file have it: text, parsed when it is used. */
struct port_line {
    char *transport, *ports, *name;
};

static const char *local_networks = LOCALITY_DEFAULT;
static gboolean payload_hashes = TRUE, fields = FALSE;
static struct port_line *port_lines;
static guint port_line_count;

static void *port_line_copy(void *to, const void *from, size_t size G_GNUC_UNUSED)
{
    struct port_line *copy = to;
    const struct port_line *line = from;
    copy->transport = g_strdup(line->transport);
    copy->ports = g_strdup(line->ports);
    copy->name = g_strdup(line->name);
    return copy;
}

static void port_line_free(void *data)
{
    struct port_line *line = data;
    g_free(line->transport);
    g_free(line->ports);
    g_free(line->name);
}

/* Refuses a line in the dialog, and from -o, with the reason. */
static gboolean port_line_check(void *data, char **error)
{
    struct port_line *line = data;
    struct classify_site_port port;
    return classify_site_port_parse(&port, line->transport, line->ports, line->name, error);
}

UAT_CSTRING_CB_DEF(port_line, transport, struct port_line)
UAT_CSTRING_CB_DEF(port_line, ports, struct port_line)
UAT_CSTRING_CB_DEF(port_line, name, struct port_line)

static uat_field_t port_line_fields[] = {
    UAT_FLD_CSTRING(port_line, transport, "Transport", "TCP, UDP or SCTP"),
    UAT_FLD_CSTRING(port_line, ports, "Ports", "A port, or a range: 50000-50010"),
    UAT_FLD_CSTRING(port_line, name, "Application", "The name in labels: PUMP gives TCP_PUMP"),
    UAT_END_FIELDS,
};

int preferences_register(void (*applied)(void))
{
    int protocol = proto_register_protocol("FieldEdge link analysis", "FieldEdge", "fieldedge");
    proto_set_cant_toggle(protocol);
    module_t *module = prefs_register_protocol(protocol, applied);
    prefs_register_string_preference(
        module, "local_networks", "Local networks",
        "The site's own networks, separated by commas (10.0.0.0/8,2001:db8::/32). Traffic between "
        "two"
        " of their hosts, or from one to a multicast or broadcast address, never crosses the WAN.",
        &local_networks);
    prefs_register_bool_preference(
        module, "payload_hashes", "Record payload hashes",
        "Stores a hash of each payload, to find what is sent again unchanged. It is keyed with a "
        "random"
        " number that is never stored: no content can be recovered from it.",
        &payload_hashes);
    uat_t *ports =
        uat_new("FieldEdge ports", sizeof(struct port_line), "fieldedge_ports", TRUE, &port_lines,
                &port_line_count, UAT_AFFECTS_DISSECTION, NULL, port_line_copy, port_line_check,
                port_line_free, NULL, NULL, port_line_fields);
    prefs_register_uat_preference(module, "ports", "Ports and names of this site",
                                  "Names for applications that no dissector knows, by port. They "
                                  "come before well-known ports.",
                                  ports);
    prefs_register_bool_preference(
        module, "fields", "Add fields to packets",
        "Adds fieldedge.application, fieldedge.ip_bytes, fieldedge.retransmitted_bytes and more to "
        "each packet, for filters, columns, colouring rules and graphs. Reading a file takes "
        "longer.",
        &fields);
    return protocol;
}

char *preferences_problem(void)
{
    size_t count;
    char *error = NULL;
    locality_free(locality_parse(preferences_local_networks(), &error));
    if (error == NULL)
        g_free(preferences_site_ports(&count, &error));
    return error;
}

const char *preferences_local_networks(void)
{
    return local_networks != NULL ? local_networks : "";
}

bool preferences_payload_hashes(void)
{
    return payload_hashes;
}

bool preferences_fields(void)
{
    return fields;
}

struct classify_site_port *preferences_site_ports(size_t *count, char **error)
{
    *count = 0;
    if (port_line_count > CLASSIFY_SITE_PORTS_MAX) {
        *error = g_strdup_printf("the table of ports has %u lines; %d are the most",
                                 port_line_count, CLASSIFY_SITE_PORTS_MAX);
        return NULL;
    }
    struct classify_site_port *ports = g_new0(struct classify_site_port, port_line_count + 1u);
    for (guint i = 0; i < port_line_count; i++) {
        const struct port_line *line = &port_lines[i];
        if (!classify_site_port_parse(&ports[i], line->transport, line->ports, line->name, error)) {
            g_free(ports);
            return NULL;
        }
    }
    *count = port_line_count;
    return ports;
}
