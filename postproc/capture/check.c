/* check.c
 * Says of a capture file whether it is whole, and what in it would mislead an analysis.
 *
 *     capinfos (inspect.h)   whole, empty, cut short, corrupt, not a capture; type and times
 *     tshark -T fields       a line a packet: numbers, lengths, times, addresses, streams
 *     editcap -V -D          duplicates: "Skipped: 7, Len: 60, MD5 Hash: …"
 *
 * All three read the file as standard input and as nobody, if root checks; tshark does no
 * reassembly, no sequence analysis and no name resolution.  A damaged file is looked through up to
 * the damage.
 *
 * Time goes back where a packet is earlier than the one before it.  The MTU is compared with the
 * outermost IP packet, or with the frame less 18 bytes if it has none.  A flow is a TCP or UDP
 * stream of Wireshark's; it is one-sided if all its packets have one source, and its first packet
 * goes to a single host.  Packets in errors of ICMP do not count for flows.
 *
 * A worked example, MTU 1500: packets at 1.0, 3.0, 2.5 and 2.6 s, of 60, 60, 2974 and 60 bytes, the
 * first three of a TCP stream from one host, the last its answer: time goes back once (packet 3, by
 * 0.5 s), one packet is over the MTU (2974 - 14 = 2960), no flow is one-sided.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "child.h"
#include "files.h"
#include "inspect.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEFAULT_MTU = 1500, DEFAULT_WINDOW = 5, ETHERNET = 14, VLAN = 4, IPV6_HEADER = 40 };

struct _FieldEdgeCheck {
    gint64 mtu, window, time_ns;
    gboolean is_quick;
    struct inspection inspection; /* of the last file; owns strings of the report */
    char *path;
};

/* One TCP or UDP stream. */
struct flow {
    gint64 number; /* of its first packet */
    char *source;  /* of that; freed and NULL once another was seen */
};

struct walk {
    const FieldEdgeCheck *check;
    FieldEdgeCheckReport *report;
    GHashTable *flows[2]; /* TCP, UDP: stream -> struct flow */
    gint64 last_ns;
    bool has_last;
};

FieldEdgeCheck *fieldedge_check_new(void)
{
    FieldEdgeCheck *check = g_new0(FieldEdgeCheck, 1);

    check->mtu = DEFAULT_MTU;
    check->window = DEFAULT_WINDOW;
    check->inspection.readable = -1;
    return check;
}

void fieldedge_check_set_mtu(FieldEdgeCheck *check, gint64 mtu)
{
    check->mtu = mtu;
}

void fieldedge_check_set_window(FieldEdgeCheck *check, gint64 packets, gint64 time_ns)
{
    check->window = packets;
    check->time_ns = time_ns;
}

void fieldedge_check_set_quick(FieldEdgeCheck *check, gboolean is_quick)
{
    check->is_quick = is_quick;
}

void fieldedge_check_free(FieldEdgeCheck *check)
{
    if (check == NULL)
        return;
    inspection_clear(&check->inspection);
    g_free(check->path);
    g_free(check);
}

const char *fieldedge_file_state_name(FieldEdgeFileState state)
{
    static const char *const names[] = {
        [FIELDEDGE_FILE_WHOLE] = "whole",           [FIELDEDGE_FILE_EMPTY] = "empty",
        [FIELDEDGE_FILE_CUT_SHORT] = "cut short",   [FIELDEDGE_FILE_CORRUPT] = "corrupt",
        [FIELDEDGE_FILE_FOREIGN] = "not a capture",
    };

    return (gsize)state < G_N_ELEMENTS(names) ? names[state] : "unknown";
}

/* ---- tshark ---- */

enum field {
    NUMBER,
    TIME,
    LENGTH,
    CAPTURED,
    IP_LENGTH,
    IPV6_LENGTH,
    IP_SOURCE,
    IPV6_SOURCE,
    IP_DESTINATION,
    IPV6_DESTINATION,
    TCP_STREAM,
    UDP_STREAM,
    TCP_PORT,
    UDP_PORT,
    ICMP,
    ICMPV6,
    FIELDS
};

static const char *const field_names[FIELDS] = {
    [NUMBER] = "frame.number",       [TIME] = "frame.time_epoch", [LENGTH] = "frame.len",
    [CAPTURED] = "frame.cap_len",    [IP_LENGTH] = "ip.len",      [IPV6_LENGTH] = "ipv6.plen",
    [IP_SOURCE] = "ip.src",          [IPV6_SOURCE] = "ipv6.src",  [IP_DESTINATION] = "ip.dst",
    [IPV6_DESTINATION] = "ipv6.dst", [TCP_STREAM] = "tcp.stream", [UDP_STREAM] = "udp.stream",
    [TCP_PORT] = "tcp.srcport",      [UDP_PORT] = "udp.srcport",  [ICMP] = "icmp.type",
    [ICMPV6] = "icmpv6.type",
};

/* Of "outer,inner", the innermost. */
static const char *innermost(const char *values)
{
    const char *comma = strrchr(values, ',');

    return comma != NULL ? comma + 1 : values;
}

static void count(gint64 number, gint64 *counter, gint64 *first)
{
    if ((*counter)++ == 0)
        *first = number;
}

static void look_at_time(struct walk *walk, gint64 number, gint64 time_ns)
{
    FieldEdgeCheckReport *report = walk->report;

    if (!report->has_times) {
        report->started_ns = report->ended_ns = time_ns;
        report->has_times = TRUE;
    }
    report->started_ns = MIN(report->started_ns, time_ns);
    report->ended_ns = MAX(report->ended_ns, time_ns);
    if (walk->has_last && time_ns < walk->last_ns) {
        gint64 step;
        if (__builtin_sub_overflow(walk->last_ns, time_ns, &step))
            step = G_MAXINT64;
        report->backward_most_ns = MAX(report->backward_most_ns, step);
        count(number, &report->backward, &report->first_backward);
    }
    walk->last_ns = time_ns;
    walk->has_last = true;
}

/* Bytes of the outermost IP packet; a length of 0 is one that did not fit. */
static gint64 ip_bytes(char **fields, gint64 length)
{
    gint64 v4 = g_ascii_strtoll(fields[IP_LENGTH], NULL, 10);
    gint64 v6 = g_ascii_strtoll(fields[IPV6_LENGTH], NULL, 10);

    if (*fields[IP_LENGTH] == '\0' && *fields[IPV6_LENGTH] == '\0')
        return length - ETHERNET - VLAN;
    v4 = *fields[IP_LENGTH] != '\0' && v4 == 0 ? length - ETHERNET : v4;
    v6 = *fields[IPV6_LENGTH] == '\0' ? 0 : v6 == 0 ? length - ETHERNET : v6 + IPV6_HEADER;
    return MAX(v4, v6);
}

static void look_at_lengths(struct walk *walk, gint64 number, char **fields)
{
    FieldEdgeCheckReport *report = walk->report;
    gint64 length = g_ascii_strtoll(fields[LENGTH], NULL, 10);
    gint64 bytes = ip_bytes(fields, length);

    if (g_ascii_strtoll(fields[CAPTURED], NULL, 10) < length)
        count(number, &report->snapped, &report->first_snapped);
    if (bytes <= walk->check->mtu)
        return;
    report->largest_bytes = MAX(report->largest_bytes, bytes);
    count(number, &report->oversized, &report->first_oversized);
}

static bool is_to_many(char **fields)
{
    const char *v4 = innermost(fields[IP_DESTINATION]), *v6 = innermost(fields[IPV6_DESTINATION]);
    gint64 first = g_ascii_strtoll(v4, NULL, 10);

    return (first >= 224 && first <= 239) || strcmp(v4, "255.255.255.255") == 0 ||
           g_ascii_strncasecmp(v6, "ff", 2) == 0;
}

static void free_flow(gpointer data)
{
    struct flow *flow = data;

    g_free(flow->source);
    g_free(flow);
}

static void look_at_flow(GHashTable *flows, gint64 number, char **fields, const char *stream,
                         const char *port)
{
    gint64 key = g_ascii_strtoll(innermost(stream), NULL, 10);
    g_autofree char *source = NULL;
    struct flow *flow = g_hash_table_lookup(flows, &key);

    if (flow != NULL && flow->source == NULL)
        return;
    source = g_strconcat(innermost(fields[IP_SOURCE]), " ", innermost(fields[IPV6_SOURCE]), " ",
                         innermost(port), NULL);
    if (flow == NULL) {
        flow = g_new0(struct flow, 1);
        flow->number = number;
        flow->source = is_to_many(fields) ? NULL : g_steal_pointer(&source);
        g_hash_table_insert(flows, g_memdup2(&key, sizeof key), flow);
    } else if (strcmp(flow->source, source) != 0) {
        g_clear_pointer(&flow->source, g_free);
    }
}

static void take_packet(char *line, void *data)
{
    struct walk *walk = data;
    char *fields[FIELDS], *at = line;

    for (int i = 0; i < FIELDS; i++) {
        fields[i] = at;
        at = strchr(at, '\t');
        if (at == NULL && i < FIELDS - 1)
            return; /* not a line of ours */
        if (at != NULL)
            *at++ = '\0';
    }
    gint64 number = g_ascii_strtoll(fields[NUMBER], NULL, 10);
    look_at_time(walk, number, inspect_time_ns(fields[TIME]));
    look_at_lengths(walk, number, fields);
    if (*fields[ICMP] != '\0' || *fields[ICMPV6] != '\0')
        return;
    if (*fields[TCP_STREAM] != '\0')
        look_at_flow(walk->flows[0], number, fields, fields[TCP_STREAM], fields[TCP_PORT]);
    else if (*fields[UDP_STREAM] != '\0')
        look_at_flow(walk->flows[1], number, fields, fields[UDP_STREAM], fields[UDP_PORT]);
}

static void count_one_sided(GHashTable *flows, gint64 *counter, gint64 *first)
{
    GHashTableIter iterator;
    gpointer value;

    g_hash_table_iter_init(&iterator, flows);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        const struct flow *flow = value;
        if (flow->source == NULL)
            continue;
        *first = *counter == 0 ? flow->number : MIN(*first, flow->number);
        (*counter)++;
    }
}

static bool run_tool(int file, const char *path, GPtrArray *words, child_line_func take_output,
                     child_line_func take_error, void *data, FieldEdgeCancellable *cancellable,
                     GError **error)
{
    const struct child_options options = {.arguments = (const char *const *)words->pdata,
                                          .input = file,
                                          .output = -1,
                                          .is_unprivileged = true,
                                          .take_output = take_output,
                                          .take_error = take_error,
                                          .data = data};
    int status;

    if (lseek(file, 0, SEEK_SET) != 0 || !child_run(&options, cancellable, &status, error))
        return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) < 100)
        return true; /* damage has codes of its own, one for each version */
    g_autofree char *fate = child_fate(status);
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_RECORDING, "%s: %s %s", path,
                (const char *)words->pdata[0], fate);
    return false;
}

static bool look_at_packets(FieldEdgeCheck *check, int file, FieldEdgeCheckReport *report,
                            FieldEdgeCancellable *cancellable, GError **error)
{
    static const char *const own[] = {"tshark", "-n",
                                      "-r",     "-",
                                      "-T",     "fields",
                                      "-o",     "tcp.analyze_sequence_numbers:FALSE",
                                      "-o",     "tcp.desegment_tcp_streams:FALSE",
                                      "-o",     "ip.defragment:FALSE",
                                      "-o",     "ipv6.defragment:FALSE"};
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    struct walk walk = {.check = check, .report = report};
    bool ok;

    for (size_t i = 0; i < G_N_ELEMENTS(own); i++)
        g_ptr_array_add(words, (gpointer)own[i]);
    for (int i = 0; i < FIELDS; i++) {
        g_ptr_array_add(words, (gpointer) "-e");
        g_ptr_array_add(words, (gpointer)field_names[i]);
    }
    g_ptr_array_add(words, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(walk.flows); i++)
        walk.flows[i] = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, free_flow);
    report->has_times = FALSE; /* capinfos has none of a corrupt file */
    ok = run_tool(file, check->path, words, take_packet, NULL, &walk, cancellable, error);
    count_one_sided(walk.flows[0], &report->one_sided_tcp, &report->first_one_sided_tcp);
    count_one_sided(walk.flows[1], &report->one_sided_udp, &report->first_one_sided_udp);
    g_hash_table_unref(walk.flows[0]);
    g_hash_table_unref(walk.flows[1]);
    return ok;
}

/* ---- editcap ---- */

static void take_duplicate(char *line, void *data)
{
    FieldEdgeCheckReport *report = data;
    const char *length;

    if (!g_str_has_prefix(line, "Skipped: ") || (length = strstr(line, "Len: ")) == NULL)
        return;
    report->duplicate_bytes += g_ascii_strtoll(length + strlen("Len: "), NULL, 10);
    count(g_ascii_strtoll(line + strlen("Skipped: "), NULL, 10), &report->duplicates,
          &report->first_duplicate);
}

static bool look_for_duplicates(FieldEdgeCheck *check, int file, FieldEdgeCheckReport *report,
                                FieldEdgeCancellable *cancellable, GError **error)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_autofree char *size =
        check->time_ns > 0
            ? g_strdup_printf("%" G_GINT64_FORMAT ".%09" G_GINT64_FORMAT,
                              check->time_ns / 1000000000, check->time_ns % 1000000000)
            : g_strdup_printf("%" G_GINT64_FORMAT, check->window);
    const char *own[] = {"editcap",   "-V", check->time_ns > 0 ? "-w" : "-D", size, "-",
                         "/dev/null", NULL};

    for (size_t i = 0; i < G_N_ELEMENTS(own); i++)
        g_ptr_array_add(words, (gpointer)own[i]);
    return run_tool(file, check->path, words, NULL, take_duplicate, report, cancellable, error);
}

/* ---- The whole ---- */

static void start_report(const FieldEdgeCheck *check, FieldEdgeCheckReport *report)
{
    const struct inspection *found = &check->inspection;
    bool is_damaged =
        found->state == FIELDEDGE_FILE_CUT_SHORT || found->state == FIELDEDGE_FILE_CORRUPT;

    *report = (FieldEdgeCheckReport){
        .path = check->path,
        .state = found->state,
        .detail = found->detail,
        .type = found->type[0] != '\0' ? found->type : NULL,
        .link_type = found->link_type[0] != '\0' ? found->link_type : NULL,
        .size = found->size,
        .packets = found->packets,
        .frame_bytes = found->frame_bytes,
        .snap_length = found->snap_length,
        .has_times = found->has_times,
        .started_ns = found->started_ns,
        .ended_ns = found->ended_ns,
        .damaged_packet = is_damaged ? found->packets + 1 : FIELDEDGE_NONE,
        .damaged_offset = is_damaged ? found->offset : FIELDEDGE_NONE,
    };
}

gboolean fieldedge_check_file(FieldEdgeCheck *check, const char *path,
                              FieldEdgeCancellable *cancellable, FieldEdgeCheckReport *report,
                              GError **error)
{
    int file = file_open_regular(path, error);
    bool ok;

    if (file < 0)
        return FALSE;
    inspection_clear(&check->inspection);
    g_free(check->path);
    check->path = g_strdup(path);
    ok = inspect_file(file, path, cancellable, &check->inspection, error);
    if (ok) {
        start_report(check, report);
        report->is_looked_through = !check->is_quick && report->packets > 0;
    }
    int readable = ok && check->inspection.readable >= 0 ? check->inspection.readable : file;
    if (ok && report->is_looked_through)
        ok = look_at_packets(check, readable, report, cancellable, error) &&
             look_for_duplicates(check, readable, report, cancellable, error);
    close(file);
    return ok;
}
