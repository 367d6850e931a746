/* fields.c: see fields.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/fields.h"

#include "plugin/facts_tree.h"
#include "plugin/preferences.h"
#include "plugin/record/ledger.h"
#include "schema/verdicts.h"

#include <epan/expert.h>
#include <epan/packet.h>

static int proto;
static int hf_application = -1, hf_label_source = -1, hf_server_name = -1, hf_local = -1,
           hf_direction = -1, hf_conversation = -1, hf_first_frame = -1, hf_ip_bytes = -1,
           hf_payload_bytes = -1, hf_retransmitted_bytes = -1, hf_quoted_application = -1,
           hf_quoted_first_frame = -1;
static gint ett_fieldedge = -1;
static expert_field ei_missed = EI_INIT;
static dissector_handle_t handle;

static ledger *entered; /* of the capture that is open; NULL until its first packet */
static bool is_on, is_refused;

static const true_false_string local_words = {"Local", "WAN"};

static hf_register_info fields[] = {
    {&hf_application,
     {"Application", "fieldedge.application", FT_STRING, BASE_NONE, NULL, 0,
      "Label of the conversation, as TCP_MQTT", HFILL}},
    {&hf_label_source,
     {"Label source", "fieldedge.label_source", FT_STRING, BASE_NONE, NULL, 0,
      "Where the label came from: dissector, alpn, site port, port, service, port number, "
      "ip protocol",
      HFILL}},
    {&hf_server_name,
     {"Server name", "fieldedge.server_name", FT_STRING, BASE_NONE, NULL, 0,
      "What the conversation's server is called: SNI, HTTP host, or learned from DNS", HFILL}},
    {&hf_local,
     {"Local", "fieldedge.local", FT_BOOLEAN, BASE_NONE, TFS(&local_words), 0,
      "The traffic does not cross the WAN (preference Local networks)", HFILL}},
    {&hf_direction,
     {"Direction", "fieldedge.direction", FT_STRING, BASE_NONE, NULL, 0,
      "AB: from the host that sent the conversation's first packet; BA: to it", HFILL}},
    {&hf_conversation,
     {"Conversation", "fieldedge.conversation", FT_UINT32, BASE_DEC, NULL, 0,
      "Its id in a database that has this capture alone", HFILL}},
    {&hf_first_frame,
     {"First packet of the conversation", "fieldedge.first_frame", FT_FRAMENUM, BASE_NONE, NULL, 0,
      NULL, HFILL}},
    {&hf_ip_bytes,
     {"IP bytes", "fieldedge.ip_bytes", FT_UINT32, BASE_DEC, NULL, 0,
      "The outermost IP packet: what a data plan bills", HFILL}},
    {&hf_payload_bytes,
     {"Payload bytes", "fieldedge.payload_bytes", FT_UINT32, BASE_DEC, NULL, 0,
      "What the transport carries", HFILL}},
    {&hf_retransmitted_bytes,
     {"Retransmitted bytes", "fieldedge.retransmitted_bytes", FT_UINT32, BASE_DEC, NULL, 0,
      "TCP payload bytes that were seen before, exactly", HFILL}},
    {&hf_quoted_application,
     {"Quoted application", "fieldedge.quoted.application", FT_STRING, BASE_NONE, NULL, 0,
      "Label of the conversation that an ICMP error is about", HFILL}},
    {&hf_quoted_first_frame,
     {"First packet of the quoted conversation", "fieldedge.quoted.first_frame", FT_FRAMENUM,
      BASE_NONE, NULL, 0, NULL, HFILL}},
};

static ei_register_info experts[] = {
    {&ei_missed,
     {"fieldedge.retransmission_missed", PI_SEQUENCE, PI_NOTE,
      "Payload bytes were sent before, and no retransmission is flagged", EXPFILL}},
};

/* For the first packet of a capture.  NULL if a preference can't be used, which is said once. */
static ledger *open_ledger(char **error)
{
    struct recorder_options options = {.local_networks = preferences_local_networks()};
    struct classify_site_port *ports = preferences_site_ports(&options.site_port_count, error);
    if (ports == NULL)
        return NULL;
    options.site_ports = ports;
    ledger *opened = ledger_new(&options, error);
    g_free(ports);
    return opened;
}

static bool ledger_ready(void)
{
    char *error = NULL;
    if (entered != NULL || is_refused)
        return entered != NULL;
    entered = open_ledger(&error);
    if (entered == NULL) {
        is_refused = true;
        g_warning("fieldedge: no fields: %s", error);
    }
    g_free(error);
    return entered != NULL;
}

static void forget(void)
{
    ledger_free(entered);
    entered = NULL;
    is_refused = false;
}

static void generated(proto_item *item)
{
    proto_item_set_generated(item);
}

static void add_conversation(proto_tree *tree, tvbuff_t *tvb, const struct ledger_entry *entry,
                             uint32_t frame)
{
    const struct ledger_conversation *c = entry->conversation;
    generated(proto_tree_add_string(tree, hf_application, tvb, 0, 0, c->label));
    generated(
        proto_tree_add_string(tree, hf_label_source, tvb, 0, 0, classify_source_name(c->source)));
    if (c->server_name != NULL)
        generated(proto_tree_add_string(tree, hf_server_name, tvb, 0, 0, c->server_name));
    generated(proto_tree_add_boolean(tree, hf_local, tvb, 0, 0, c->is_local));
    generated(proto_tree_add_string(tree, hf_direction, tvb, 0, 0, entry->is_b_to_a ? "BA" : "AB"));
    generated(proto_tree_add_uint(tree, hf_conversation, tvb, 0, 0, (uint32_t)c->id));
    if (c->first_frame != frame)
        generated(proto_tree_add_uint(tree, hf_first_frame, tvb, 0, 0, c->first_frame));
    else
        proto_item_set_hidden(proto_tree_add_uint(tree, hf_first_frame, tvb, 0, 0, c->first_frame));
}

static void add_quoted(proto_tree *tree, tvbuff_t *tvb, const struct ledger_conversation *quoted)
{
    generated(proto_tree_add_string(tree, hf_quoted_application, tvb, 0, 0, quoted->label));
    generated(proto_tree_add_uint(tree, hf_quoted_first_frame, tvb, 0, 0, quoted->first_frame));
}

static void add_retransmitted(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb,
                              const struct ledger_entry *entry)
{
    proto_item *item =
        proto_tree_add_uint(tree, hf_retransmitted_bytes, tvb, 0, 0, entry->retransmitted_bytes);
    generated(item);
    if (entry->retransmitted_bytes > 0 && !(entry->verdicts & VERDICTS_RETRANSMISSION))
        expert_add_info_format(pinfo, item, &ei_missed,
                               "%u payload bytes were sent before, and Wireshark flags no "
                               "retransmission",
                               entry->retransmitted_bytes);
}

static void add_fields(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb,
                       const struct ledger_entry *entry)
{
    const struct ledger_conversation *c = entry->conversation;
    proto_item *top =
        proto_tree_add_protocol_format(tree, proto, tvb, 0, 0, "FieldEdge: %s, %s, %u IP bytes",
                                       c->label, c->is_local ? "local" : "WAN", entry->ip_bytes);
    generated(top);
    proto_tree *subtree = proto_item_add_subtree(top, ett_fieldedge);
    add_conversation(subtree, tvb, entry, pinfo->num);
    generated(proto_tree_add_uint(subtree, hf_ip_bytes, tvb, 0, 0, entry->ip_bytes));
    generated(proto_tree_add_uint(subtree, hf_payload_bytes, tvb, 0, 0, entry->payload_bytes));
    if (c->transport == CLASSIFY_TCP)
        add_retransmitted(subtree, pinfo, tvb, entry);
    if (entry->quoted != NULL)
        add_quoted(subtree, tvb, entry->quoted);
}

/* The first visit, which comes in the order of the capture, enters the packet; each shows it. */
static int fields_dissect(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree,
                          void *data G_GNUC_UNUSED)
{
    struct ledger_entry entry;
    if (!is_on || tree == NULL || !ledger_ready())
        return 0;
    if (!PINFO_FD_VISITED(pinfo))
        ledger_packet(entered, facts_tree_read(pinfo, tree, tvb));
    if (!ledger_find(entered, pinfo->num, &entry) || entry.conversation == NULL)
        return 0;
    add_fields(tree, pinfo, tvb, &entry);
    return (int)tvb_captured_length(tvb);
}

void fields_register(int protocol)
{
    static gint *trees[] = {&ett_fieldedge};
    proto = protocol;
    proto_register_field_array(proto, fields, G_N_ELEMENTS(fields));
    proto_register_subtree_array(trees, G_N_ELEMENTS(trees));
    expert_module_t *module = expert_register_protocol(proto);
    expert_register_field_array(module, experts, G_N_ELEMENTS(experts));
    handle = create_dissector_handle(fields_dissect, proto);
    register_cleanup_routine(forget);
}

/* Registered with the first use: until then packets do not come here at all. */
void fields_preferences_apply(void)
{
    static bool is_registered;
    bool wanted = preferences_fields();
    if (wanted == is_on)
        return;
    is_on = wanted;
    if (is_on && !is_registered) {
        register_postdissector(handle);
        is_registered = true;
    }
    if (is_registered)
        set_postdissector_wanted_hfids(handle, is_on ? facts_tree_wanted() : NULL);
}
