/* statistics_tables.c: see statistics_tables.h
 *
 * What Wireshark calls for a window, each time it is filled:
 *
 *     window_init()      we register our own reader of all packets, and open a private database
 *     window_reset()     before all packets come (again): the database begins anew
 *     window_packet()    a packet passes the window's filter; then our reader brings its facts
 *     (it draws)         without telling: with the file's last packet the rows are made
 *
 * Listeners are called newest first, so a packet passes the filter before its facts come.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/statistics_tables.h"

#include "plugin/facts.h"
#include "plugin/private_database.h"

#include <tables.h>

#include <epan/plugin_if.h>
#include <epan/stat_tap_ui.h>
#include <wsutil/report_message.h>

#include <string.h>

/* One entry in the menu. */
struct window {
    stat_tap_table_ui ui; /* first: Wireshark hands it back */
    const struct table *table;
    facts_reader *reader;
    private_database *database; /* NULL after the rows were made */
    struct facts_capture about;
    uint32_t passed; /* frame that passed the filter last */
    uint32_t last;   /* of the file; 0: not asked yet */
    bool started;
    stat_tap_table *rows;
};

static struct window windows[] = {
    {.ui = {.title = "FieldEdge Applications", .cli_string = "fieldedge,applications"},
     .table = &table_applications},
    {.ui = {.title = "FieldEdge Hosts", .cli_string = "fieldedge,hosts"}, .table = &table_hosts},
    {.ui = {.title = "FieldEdge Intervals", .cli_string = "fieldedge,intervals"},
     .table = &table_intervals},
    {.ui = {.title = "FieldEdge Host Pairs", .cli_string = "fieldedge,pairs"},
     .table = &table_pairs},
    {.ui = {.title = "FieldEdge Periods", .cli_string = "fieldedge,periods"},
     .table = &table_periods},
};

static uint32_t frames_in_file(void)
{
    ws_info_t *info = NULL;
    plugin_if_get_ws_info(&info);
    return info != NULL ? info->cf_count : 0;
}

static void fail(struct window *w, const char *sentence)
{
    report_failure("FieldEdge: %s", sentence);
    g_clear_pointer(&w->database, private_database_free);
}

/* ---- Rows ---- */

static char *time_text(int64_t ns)
{
    const int64_t second = 1000000000;
    int64_t seconds = ns / second - (ns % second < 0);
    GDateTime *time = g_date_time_new_from_unix_utc(seconds);
    if (time == NULL)
        return g_strdup("-");
    char *whole = g_date_time_format(time, "%Y-%m-%d %H:%M:%S");
    char *text = g_strdup_printf("%s.%09d", whole, (int)(ns - seconds * second));
    g_free(whole);
    g_date_time_unref(time);
    return text;
}

/* Bytes become integers later, if they fit. */
static void cell_fill(stat_tap_table_item_type *cell, enum output_type type,
                      const struct output_value *value)
{
    cell->type = TABLE_ITEM_FLOAT;
    switch (type) {
    case OUTPUT_COUNT:
    case OUTPUT_FLAG:
        cell->type = TABLE_ITEM_UINT;
        cell->value.uint_value = value->is_null ? 0 : (guint)MIN(value->number, G_MAXUINT);
        return;
    case OUTPUT_BYTES:
        cell->value.float_value = value->is_null ? 0 : (double)value->number;
        cell->user_data.uint_value = true;
        return;
    case OUTPUT_SPAN:
        cell->value.float_value = value->is_null ? 0 : (double)value->number / 1e9;
        return;
    case OUTPUT_SHARE:
        cell->value.float_value = value->is_null ? 0 : value->share;
        return;
    case OUTPUT_REAL:
        cell->value.float_value = value->is_null ? 0 : value->real;
        return;
    default:
        break;
    }
    cell->type = TABLE_ITEM_STRING;
    if (value->is_null)
        cell->value.string_value = g_strdup("");
    else
        cell->value.string_value =
            type == OUTPUT_TIME ? time_text(value->number) : g_strdup(value->text);
}

static void row_add(void *user, const struct output_column *columns,
                    const struct output_value *values, size_t count)
{
    struct window *w = user;
    stat_tap_table_item_type *cells = g_new0(stat_tap_table_item_type, count);
    for (size_t i = 0; i < count; i++)
        cell_fill(&cells[i], columns[i].type, &values[i]);
    stat_tap_init_table_row(w->rows, w->rows->num_elements, (guint)count, cells);
    g_free(cells);
}

static void item_free(stat_tap_table *table, guint row, guint column,
                      stat_tap_table_item_type *cell)
{
    (void)table, (void)row, (void)column;
    if (cell->type == TABLE_ITEM_STRING)
        g_free((char *)cell->value.string_value);
    cell->type = TABLE_ITEM_NONE;
}

static void rows_clear(stat_tap_table *table)
{
    for (guint row = 0; row < table->num_elements; row++) {
        for (guint column = 0; column < table->num_fields; column++)
            item_free(table, row, column, &table->elements[row][column]);
        g_free(table->elements[row]);
    }
    table->num_elements = 0;
}

/* The window's integers have 32 bits: where one of a column's sums does not fit, all of them stay
 * real numbers, as a column is sorted by one type. */
static void integers_make(stat_tap_table *rows)
{
    for (guint column = 0; column < rows->num_fields; column++) {
        bool fits = true;
        for (guint row = 0; row < rows->num_elements && fits; row++) {
            const stat_tap_table_item_type *cell = &rows->elements[row][column];
            fits = cell->type == TABLE_ITEM_FLOAT && cell->user_data.uint_value != 0 &&
                   cell->value.float_value <= G_MAXUINT;
        }
        for (guint row = 0; row < rows->num_elements && fits; row++) {
            stat_tap_table_item_type *cell = &rows->elements[row][column];
            cell->type = TABLE_ITEM_UINT;
            cell->value.uint_value = (guint)cell->value.float_value;
        }
    }
}

/* From the main loop: epan does not bear it inside a listener.  While the window is being filled
 * once more the reader is needed. */
static gboolean reader_remove(gpointer data)
{
    struct window *w = data;
    if (w->database == NULL)
        g_clear_pointer(&w->reader, facts_reader_free);
    return G_SOURCE_REMOVE;
}

static void rows_make(struct window *w)
{
    GError *error = NULL;
    char *problem = NULL;
    if (!private_database_close_recorder(w->database, &problem)) {
        fail(w, problem);
        g_free(problem);
        return;
    }
    FieldEdgeDatabase *database = private_database_read(w->database, &error);
    struct output *output = database != NULL ? output_open_rows(row_add, w, &error) : NULL;
    if (output != NULL) {
        const struct table_source source = {
            .database = database, .scope = FIELDEDGE_SCOPE_WAN, .output = output};
        w->table->write(&source, &error);
        output_close(output, NULL);
        integers_make(w->rows);
    }
    fieldedge_database_close(database);
    if (error != NULL)
        report_failure("FieldEdge: %s", error->message);
    g_clear_error(&error);
    g_clear_pointer(&w->database, private_database_free);
    g_idle_add(reader_remove, w);
}

/* ---- Packets ---- */

static void read_capture(void *user, const struct facts_capture *capture)
{
    ((struct window *)user)->about = *capture;
}

static bool read_packet(void *user, const struct packet_facts *facts)
{
    struct window *w = user;
    if (w->database == NULL)
        return true;
    recorder *r = private_database_recorder(w->database);
    if (!w->started)
        recorder_capture(r, w->about.file, w->about.interface, w->about.link_type,
                         w->about.snap_length, facts->time_ns);
    w->started = true;
    if (w->last == 0)
        w->last = frames_in_file();
    if (w->passed == facts->number)
        recorder_packet(r, facts);
    if (facts->number == w->last)
        rows_make(w);
    return true;
}

static void nothing(void *user G_GNUC_UNUSED)
{
}

static const struct facts_callbacks callbacks = {
    .packet = read_packet, .capture = read_capture, .draw = nothing, .finish = nothing};

static tap_packet_status window_packet(void *tap, packet_info *pinfo,
                                       epan_dissect_t *edt G_GNUC_UNUSED,
                                       const void *data G_GNUC_UNUSED,
                                       tap_flags_t flags G_GNUC_UNUSED)
{
    struct window *w = (struct window *)((stat_data_t *)tap)->stat_tap_data;
    w->passed = pinfo->num;
    return TAP_PACKET_REDRAW;
}

/* ---- The window ---- */

static void begin_anew(struct window *w)
{
    char *error = NULL;
    g_clear_pointer(&w->database, private_database_free);
    w->started = false;
    w->passed = w->last = 0;
    w->database = private_database_new(NULL, &error);
    if (w->database == NULL)
        fail(w, error);
    g_free(error);
}

static void window_reset(stat_tap_table *table)
{
    rows_clear(table);
    for (size_t i = 0; i < G_N_ELEMENTS(windows); i++) {
        if (windows[i].rows == table)
            begin_anew(&windows[i]);
    }
}

static void window_init(stat_tap_table_ui *ui)
{
    struct window *w = (struct window *)ui;
    char *error = NULL;
    w->rows = stat_tap_find_table(ui, ui->title);
    if (w->rows == NULL) {
        w->rows = stat_tap_init_table(ui->title, (int)ui->nfields, 0, NULL);
        stat_tap_add_table(ui, w->rows);
    }
    rows_clear(w->rows);
    begin_anew(w);
    if (w->reader != NULL)
        return;
    w->reader = facts_reader_new(NULL, &callbacks, w, &error);
    if (w->reader == NULL)
        fail(w, error);
    g_free(error);
}

/* "frame_bytes" -> "Frame bytes", "ip_bytes" -> "IP bytes". */
static char *title_of(const char *key)
{
    char *title = g_strdelimit(g_strdup(key), "_", ' ');
    title[0] = g_ascii_toupper(title[0]);
    if (g_str_has_prefix(title, "Ip "))
        title[1] = 'P';
    if (g_str_has_prefix(title, "Host "))
        title[5] = g_ascii_toupper(title[5]);
    return title;
}

static void fields_make(struct window *w)
{
    stat_tap_table_item *fields = g_new0(stat_tap_table_item, w->table->column_count);
    w->ui.nfields = 0;
    for (size_t i = 0; i < w->table->column_count; i++) {
        const struct output_column *column = &w->table->columns[i];
        bool is_text = column->type == OUTPUT_TEXT || column->type == OUTPUT_TIME;
        if (!output_column_is_recorded(column))
            continue;
        fields[w->ui.nfields++] =
            (stat_tap_table_item){.type = is_text ? TABLE_ITEM_STRING : TABLE_ITEM_FLOAT,
                                  .align = is_text ? TAP_ALIGN_LEFT : TAP_ALIGN_RIGHT,
                                  .column_name = title_of(column->key)};
    }
    w->ui.fields = fields;
}

void statistics_tables_register(void)
{
    static tap_param filter[] = {{PARAM_FILTER, "filter", "Filter", NULL, TRUE}};
    for (size_t i = 0; i < G_N_ELEMENTS(windows); i++) {
        struct window *w = &windows[i];
        fields_make(w);
        w->ui.group = REGISTER_PACKET_STAT_GROUP_UNSORTED;
        w->ui.tap_name = "frame";
        w->ui.stat_tap_init_cb = window_init;
        w->ui.packet_func = window_packet;
        w->ui.stat_tap_reset_table_cb = window_reset;
        w->ui.stat_tap_free_table_item_cb = item_free;
        w->ui.params = filter;
        w->ui.nparams = G_N_ELEMENTS(filter);
        register_stat_tap_table_ui(&w->ui);
    }
}
