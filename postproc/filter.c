/* filter.c
 * From a filter expression to conditions and bound values; selection.h has the language.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "filter.h"

#include "parse.h"

#include <string.h>

/* What is being added; moved into the selection when all of it is right. */
struct draft {
    const FieldEdgeSelection *selection;
    GString *conditions;
    GArray *values; /* of struct selection_value */
    GPtrArray *names;
    bool has_window;
    gint64 from_ns, to_ns;
};

/* One term: KEY=VALUE,VALUE */
struct term {
    char *key;
    bool is_negated;
    GPtrArray *values; /* of char * */
};

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool refuse(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT, "filter: %s", message);
    return false;
}

/* ---- Values ---- */

static int next_parameter(const struct draft *draft)
{
    return FILTER_FIRST_PARAMETER + (int)(draft->selection->values->len + draft->values->len);
}

/* Each binds a value and returns its parameter. */
static int bind_int(struct draft *draft, gint64 number)
{
    struct selection_value value = {.type = SELECTION_INT, .number = number};
    int parameter = next_parameter(draft);

    g_array_append_val(draft->values, value);
    return parameter;
}

/* Takes over text. */
static int bind_text(struct draft *draft, char *text)
{
    struct selection_value value = {.type = SELECTION_TEXT, .text = text};
    int parameter = next_parameter(draft);

    g_array_append_val(draft->values, value);
    return parameter;
}

static int bind_bytes(struct draft *draft, const guint8 *bytes, size_t length)
{
    struct selection_value value = {
        .type = SELECTION_BLOB, .text = g_memdup2(bytes, length), .length = length};
    int parameter = next_parameter(draft);

    g_array_append_val(draft->values, value);
    return parameter;
}

static bool has_wildcard(const char *text)
{
    return strpbrk(text, "*?[") != NULL;
}

/* ---- Conditions of a value, one function a key ---- */

static bool add_application(struct draft *draft, const char *text, GError **error)
{
    (void)error;
    g_string_append_printf(
        draft->conditions, "v.application IN (SELECT id FROM application WHERE name %s ?%d)",
        has_wildcard(text) ? "GLOB" : "=", bind_text(draft, g_ascii_strup(text, -1)));
    if (!has_wildcard(text))
        g_ptr_array_add(draft->names, g_ascii_strup(text, -1));
    return true;
}

/* A number, a colon or a slash makes an address; anything else is a name that DNS told. */
static bool looks_like_address(const char *text)
{
    return strchr(text, ':') != NULL || strchr(text, '/') != NULL ||
           strspn(text, "0123456789.") == strlen(text);
}

static bool add_host(struct draft *draft, const char *text, GError **error)
{
    g_autofree char *hosts = NULL;

    if (looks_like_address(text)) {
        struct network network;

        if (!parse_network(text, &network, error)) {
            g_prefix_error(error, "filter: ");
            return false;
        }
        int first = bind_bytes(draft, network.first, network.length);
        int last = bind_bytes(draft, network.last, network.length);
        hosts = g_strdup_printf("length(address) = %zu AND address BETWEEN ?%d AND ?%d",
                                network.length, first, last);
    } else {
        hosts =
            g_strdup_printf("lower(name) GLOB ?%d", bind_text(draft, g_ascii_strdown(text, -1)));
    }
    g_string_append_printf(draft->conditions,
                           "v.host_a IN (SELECT id FROM host WHERE %s) OR"
                           " v.host_b IN (SELECT id FROM host WHERE %s)",
                           hosts, hosts);
    return true;
}

static bool add_port(struct draft *draft, const char *text, GError **error)
{
    guint first, last;

    if (!parse_ports(text, &first, &last, error)) {
        g_prefix_error(error, "filter: ");
        return false;
    }
    int low = bind_int(draft, first), high = bind_int(draft, last);
    g_string_append_printf(draft->conditions,
                           "ifnull(v.port_a BETWEEN ?%d AND ?%d, 0) OR"
                           " ifnull(v.port_b BETWEEN ?%d AND ?%d, 0)",
                           low, high, low, high);
    return true;
}

static bool add_transport(struct draft *draft, const char *text, GError **error)
{
    static const char *const known[] = {"TCP", "UDP", "SCTP", "ICMP", "ICMPV6", "IP", NULL};
    g_autofree char *name = g_ascii_strup(text, -1);

    if (!g_strv_contains(known, name))
        return refuse(error,
                      "there is no transport '%.60s': choose TCP, UDP, SCTP, ICMP, ICMPV6 or IP",
                      text);
    g_string_append_printf(draft->conditions, "v.transport = ?%d",
                           bind_text(draft, g_steal_pointer(&name)));
    return true;
}

static bool add_server(struct draft *draft, const char *text, GError **error)
{
    (void)error;
    g_string_append_printf(draft->conditions, "ifnull(lower(v.server_name) GLOB ?%d, 0)",
                           bind_text(draft, g_ascii_strdown(text, -1)));
    return true;
}

static bool add_conversation(struct draft *draft, const char *text, GError **error)
{
    guint64 id;

    if (!g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT64, &id, NULL))
        return refuse(error, "'%.60s' is no number of a conversation", text);
    g_string_append_printf(draft->conditions, "v.id = ?%d", bind_int(draft, (gint64)id));
    return true;
}

/* ---- The window ---- */

/* Of "A..B", B may be "+10m". */
static bool parse_end(const struct draft *draft, const char *text, gint64 from_ns, gint64 *to_ns,
                      GError **error)
{
    gint64 length;

    if (*text == '\0') {
        *to_ns = G_MAXINT64;
        return true;
    }
    if (*text == '+') {
        if (from_ns == G_MININT64)
            return refuse(error, "the time '..%.60s' has no beginning to count from", text);
        if (!parse_duration(text + 1, &length, error))
            return false;
    } else {
        if (!parse_time(text, draft->selection->zone, &from_ns, &length, error))
            return false;
    }
    if (__builtin_add_overflow(from_ns, length - 1, to_ns))
        *to_ns = G_MAXINT64;
    return true;
}

static bool set_window(struct draft *draft, const char *text, GError **error)
{
    const char *dots = strstr(text, "..");
    g_autofree char *begin = dots != NULL ? g_strndup(text, (gsize)(dots - text)) : g_strdup(text);
    gint64 from_ns = G_MININT64, to_ns = G_MAXINT64, length = 0;

    if (*begin != '\0' && !parse_time(begin, draft->selection->zone, &from_ns, &length, error))
        goto failed;
    if (dots != NULL && !parse_end(draft, dots + 2, from_ns, &to_ns, error))
        goto failed;
    if (dots == NULL && __builtin_add_overflow(from_ns, length - 1, &to_ns))
        to_ns = G_MAXINT64;
    draft->from_ns = MAX(draft->from_ns, from_ns);
    draft->to_ns = MIN(draft->to_ns, to_ns);
    draft->has_window = true;
    if (draft->from_ns > draft->to_ns)
        return refuse(error,
                      "the time '%.120s' ends before it begins, or another one does not "
                      "overlap it",
                      text);
    return true;
failed:
    if (error != NULL && *error != NULL && !g_str_has_prefix((*error)->message, "filter: "))
        g_prefix_error(error, "filter: ");
    return false;
}

/* ---- Terms ---- */

static const struct {
    const char *name;
    bool (*add)(struct draft *draft, const char *text, GError **error); /* NULL: the window */
} keys[] = {
    {"application", add_application},
    {"host", add_host},
    {"port", add_port},
    {"transport", add_transport},
    {"server", add_server},
    {"conversation", add_conversation},
    {"time", NULL},
};

static bool add_values(struct draft *draft, const struct term *term, size_t key, GError **error)
{
    g_string_append(draft->conditions, term->is_negated ? " AND NOT (" : " AND (");
    for (guint i = 0; i < term->values->len; i++) {
        if (next_parameter(draft) > FILTER_FIRST_PARAMETER + FILTER_MOST_VALUES - 2)
            return refuse(error, "more than %d values", FILTER_MOST_VALUES);
        if (i > 0)
            g_string_append(draft->conditions, " OR ");
        g_string_append_c(draft->conditions, '(');
        if (!keys[key].add(draft, g_ptr_array_index(term->values, i), error))
            return false;
        g_string_append_c(draft->conditions, ')');
    }
    g_string_append_c(draft->conditions, ')');
    return true;
}

static bool add_term(struct draft *draft, const struct term *term, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (strcmp(term->key, keys[i].name) != 0)
            continue;
        if (keys[i].add != NULL)
            return add_values(draft, term, i, error);
        if (term->is_negated || term->values->len != 1)
            return refuse(error, "time takes one time or one range A..B, and no '!='");
        return set_window(draft, g_ptr_array_index(term->values, 0), error);
    }
    return refuse(error,
                  "there is no key '%.60s': choose application, host, port, transport, server, "
                  "conversation or time",
                  term->key);
}

/* ---- The expression ---- */

static void term_clear(struct term *term)
{
    g_clear_pointer(&term->key, g_free);
    g_clear_pointer(&term->values, g_ptr_array_unref);
}

/* One value, up to a comma or a blank outside of quotes; moves *at to what ended it. */
static char *take_value(const char **at, GError **error)
{
    g_autoptr(GString) value = g_string_new(NULL);
    bool is_quoted = false;

    for (; **at != '\0' && (is_quoted || (**at != ',' && !g_ascii_isspace(**at))); (*at)++) {
        if (**at == '"')
            is_quoted = !is_quoted;
        else
            g_string_append_c(value, **at);
    }
    if (is_quoted) {
        refuse(error, "a quotation mark is not closed");
        return NULL;
    }
    if (value->len == 0) {
        refuse(error, "a value is empty");
        return NULL;
    }
    return g_strdup(value->str);
}

/* KEY=VALUE,VALUE or KEY!=VALUE; moves *at behind it. */
static bool take_term(const char **at, struct term *term, GError **error)
{
    size_t length = strspn(*at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");

    term->key = g_ascii_strdown(*at, (gssize)length);
    term->values = g_ptr_array_new_with_free_func(g_free);
    term->is_negated = (*at)[length] == '!' && (*at)[length + 1] == '=';
    if (length == 0 || (!term->is_negated && (*at)[length] != '='))
        return refuse(error, "'%.60s' is no KEY=VALUE, as in application=TCP_MQTT", *at);
    *at += length + (term->is_negated ? 1 : 0);
    do {
        char *value;

        (*at)++; /* the = or the comma */
        value = take_value(at, error);
        if (value == NULL)
            return false;
        g_ptr_array_add(term->values, value);
    } while (**at == ',');
    return true;
}

static bool read_terms(struct draft *draft, const char *at, GError **error)
{
    bool ok = true;

    for (;;) {
        struct term term = {0};

        while (g_ascii_isspace(*at))
            at++;
        if (*at == '\0' || !ok)
            return ok;
        if (g_ascii_strncasecmp(at, "and", 3) == 0 && g_ascii_isspace(at[3])) {
            at += 3;
            continue;
        }
        ok = take_term(&at, &term, error) && add_term(draft, &term, error);
        term_clear(&term);
        if (!ok)
            return false;
    }
}

static void commit(FieldEdgeSelection *selection, struct draft *draft)
{
    g_string_append(selection->conditions, draft->conditions->str);
    g_array_append_vals(selection->values, draft->values->data, draft->values->len);
    for (guint i = 0; i < draft->names->len; i++)
        g_ptr_array_add(selection->names, g_strdup(g_ptr_array_index(draft->names, i)));
    if (draft->has_window) {
        selection->has_window = true;
        selection->from_ns = draft->from_ns;
        selection->to_ns = draft->to_ns;
    }
}

bool filter_add(FieldEdgeSelection *selection, const char *expression, GError **error)
{
    struct draft draft = {
        .selection = selection,
        .has_window = selection->has_window,
        .from_ns = selection->has_window ? selection->from_ns : G_MININT64,
        .to_ns = selection->has_window ? selection->to_ns : G_MAXINT64,
    };
    bool ok;

    if (strlen(expression) > FILTER_LONGEST)
        return refuse(error, "longer than %d bytes", FILTER_LONGEST);
    if (!g_utf8_validate(expression, -1, NULL))
        return refuse(error, "not valid UTF-8");
    draft.conditions = g_string_new(NULL);
    draft.values = g_array_new(FALSE, TRUE, sizeof(struct selection_value));
    draft.names = g_ptr_array_new_with_free_func(g_free);
    ok = read_terms(&draft, expression, error);
    if (ok) {
        commit(selection, &draft); /* which owns the texts of the values from now on */
    } else {
        for (guint i = 0; i < draft.values->len; i++)
            g_free(g_array_index(draft.values, struct selection_value, i).text);
    }
    g_string_free(draft.conditions, TRUE);
    g_array_unref(draft.values);
    g_ptr_array_unref(draft.names);
    return ok;
}
