/* capture_file.c: see capture_file.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/capture_file.h"

#include <cfile.h>
#include <epan/epan.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <wiretap/wtap.h>
#include <ws_version.h>

#if WIRESHARK_VERSION_MAJOR > 4 || (WIRESHARK_VERSION_MAJOR == 4 && WIRESHARK_VERSION_MINOR >= 4)
#define INTERFACE_NAME(session, id) epan_get_interface_name((session), (id), 0)
#else
#define INTERFACE_NAME(session, id) epan_get_interface_name((session), (id))
#endif

/* The program's capture_file, or NULL if the session is not inside one. */
static const capture_file *capture_file_around(const struct epan_session *session)
{
    if (session == NULL)
        return NULL;
    /* The session's first member. */
    const struct packet_provider_data *provider =
        *(struct packet_provider_data *const *)(const void *)session;
    if (provider == NULL)
        return NULL;
    const capture_file *file =
        (const capture_file *)(const void *)((const char *)provider -
                                             offsetof(capture_file, provider));
    return file->epan == session ? file : NULL;
}

void capture_file_read(struct facts_capture *capture, packet_info *pinfo, epan_dissect_t *edt)
{
    const wtap_rec *rec = pinfo->rec;
    *capture = (struct facts_capture){0};
    const capture_file *file = capture_file_around(edt->session);
    if (file != NULL) {
        capture->file = file->is_tempfile ? NULL : file->filename;
        capture->snap_length = file->snap > 0 ? (uint32_t)file->snap : 0;
    }
    if (rec == NULL || rec->rec_type != REC_TYPE_PACKET)
        return;
    capture->link_type = wtap_encap_name(rec->rec_header.packet_header.pkt_encap);
    if (rec->presence_flags & WTAP_HAS_INTERFACE_ID)
        capture->interface =
            INTERFACE_NAME(edt->session, rec->rec_header.packet_header.interface_id);
    if (capture->interface != NULL && strcmp(capture->interface, "unknown") == 0)
        capture->interface = NULL;
}

/* What stands behind the r of -r, which may come after others in one word (-nqr FILE).  next: the
 * word after it.  NULL if the word has no -r; *skip is set if the next word is another option's
 * argument. */
static const char *short_option_file(const char *word, const char *next, bool *skip)
{
    static const char without_argument[] = "2DghIlLnpPqQvVx";
    *skip = false;
    for (const char *at = word + 1; *at != '\0'; at++) {
        if (*at == 'r')
            return at[1] != '\0' ? at + 1 : next;
        if (strchr(without_argument, *at) != NULL)
            continue;
        *skip = at[1] == '\0';
        return NULL;
    }
    return NULL;
}

char *capture_file_from_command_line(void)
{
    char *text = NULL, *name = NULL;
    gsize length = 0;
    if (!g_file_get_contents("/proc/self/cmdline", &text, &length, NULL))
        return NULL;
    const char *end = text + length;
    bool skip = false;
    for (const char *at = text; at < end && name == NULL; at += strlen(at) + 1) {
        const char *next = at + strlen(at) + 1 < end ? at + strlen(at) + 1 : NULL;
        if (skip)
            skip = false;
        else if (strcmp(at, "--read-file") == 0)
            name = g_strdup(next);
        else if (strncmp(at, "--read-file=", 12) == 0)
            name = g_strdup(at + 12);
        else if (at[0] == '-' && at[1] != '-')
            name = g_strdup(short_option_file(at, next, &skip));
    }
    g_free(text);
    return name;
}
