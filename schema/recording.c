/* recording.c: see recording.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "schema/recording.h"

#include <string.h>
#include <unistd.h>

bool schema_recording_is_atomic(const struct schema_recording *recording)
{
    return recording->replace != 0 || recording->watch != NULL;
}

static void add_text(GString *to, const char *name, const char *value)
{
    if (value == NULL)
        return;
    g_autofree char *escaped = g_strescape(value, NULL);
    g_string_append_printf(to, "%s=%s\n", name, escaped);
}

static void add_number(GString *to, const char *name, int64_t value)
{
    g_string_append_printf(to, "%s=%" G_GINT64_FORMAT "\n", name, value);
}

char *schema_recording_to_text(const struct schema_recording *recording)
{
    GString *text = g_string_new(NULL);

    add_text(text, "fingerprint", recording->fingerprint);
    add_text(text, "watch", recording->watch);
    add_text(text, "file", recording->file);
    add_text(text, "about", recording->about);
    add_number(text, "replace", recording->replace);
    add_number(text, "capture", recording->capture);
    add_number(text, "report", recording->report);
    if (recording->has_hash_key) {
        g_string_append(text, "hash_key=");
        for (size_t i = 0; i < sizeof recording->hash_key; i++)
            g_string_append_printf(text, "%02x", recording->hash_key[i]);
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}

static void read_hash_key(struct schema_recording *recording, const char *text)
{
    if (strlen(text) != 2 * sizeof recording->hash_key)
        return;
    for (size_t i = 0; i < sizeof recording->hash_key; i++) {
        int high = g_ascii_xdigit_value(text[2 * i]);
        int low = g_ascii_xdigit_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return;
        recording->hash_key[i] = (uint8_t)(high << 4 | low);
    }
    recording->has_hash_key = true;
}

static void read_member(struct schema_recording *recording, const char *name, const char *value)
{
    const struct {
        const char *name;
        char **text;
        int64_t *number;
    } members[] = {
        {"fingerprint", &recording->fingerprint, NULL},
        {"watch", &recording->watch, NULL},
        {"file", &recording->file, NULL},
        {"about", &recording->about, NULL},
        {"replace", NULL, &recording->replace},
        {"capture", NULL, &recording->capture},
    };

    if (strcmp(name, "report") == 0)
        recording->report = (int)g_ascii_strtoll(value, NULL, 10);
    if (strcmp(name, "hash_key") == 0)
        read_hash_key(recording, value);
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        if (strcmp(name, members[i].name) != 0)
            continue;
        if (members[i].number != NULL) {
            *members[i].number = g_ascii_strtoll(value, NULL, 10);
        } else {
            g_free(*members[i].text);
            *members[i].text = g_strcompress(value);
        }
    }
}

void schema_recording_from_text(struct schema_recording *recording, const char *text)
{
    *recording = (struct schema_recording){.report = -1};
    g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        char *value = strchr(*line, '=');
        if (value == NULL)
            continue;
        *value++ = '\0';
        read_member(recording, *line, value);
    }
}

void schema_recording_clear(struct schema_recording *recording)
{
    g_free(recording->fingerprint);
    g_free(recording->watch);
    g_free(recording->file);
    g_free(recording->about);
    *recording = (struct schema_recording){.report = -1};
}

void schema_report_write(int file, const struct schema_report *report)
{
    if (file < 0)
        return;
    ssize_t ignored = pwrite(file, report, sizeof *report, 0);
    (void)ignored; /* whoever reads it sees an older state */
}

void schema_report_read(int file, struct schema_report *report)
{
    if (pread(file, report, sizeof *report, 0) != (ssize_t)sizeof *report)
        *report = (struct schema_report){0};
}
