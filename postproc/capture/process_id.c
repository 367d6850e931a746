/* process_id.c
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "process_id.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void read_boot(char boot[40])
{
    g_autofree char *text = NULL;

    boot[0] = '\0';
    if (g_file_get_contents("/proc/sys/kernel/random/boot_id", &text, NULL, NULL))
        g_strlcpy(boot, g_strstrip(text), 40);
}

/* Of "17 (a) name) S 1 …": the name may hold anything, so the fields begin after the last ')'. */
static bool read_stat(pid_t process, char *state, gint64 *start_ticks)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)process);
    g_autofree char *text = NULL;
    const char *at;

    if (!g_file_get_contents(path, &text, NULL, NULL) || (at = strrchr(text, ')')) == NULL)
        return false;
    g_auto(GStrv) fields = g_strsplit(at + 1, " ", 0); /* fields[1] is field 3, the state */
    if (g_strv_length(fields) < 21)
        return false;
    *state = fields[1][0];
    *start_ticks = g_ascii_strtoll(fields[20], NULL, 10);
    return true;
}

bool process_id_of(pid_t process, struct process_id *id)
{
    char state;

    *id = (struct process_id){.process = process};
    read_boot(id->boot);
    return process > 0 && read_stat(process, &state, &id->start_ticks);
}

bool process_id_is_of_other_boot(const struct process_id *id)
{
    char boot[40];

    read_boot(boot);
    return strcmp(boot, id->boot) != 0;
}

bool process_id_is_alive(const struct process_id *id)
{
    gint64 start_ticks;
    char state;

    return id->process > 0 && !process_id_is_of_other_boot(id) &&
           read_stat(id->process, &state, &start_ticks) && start_ticks == id->start_ticks &&
           state != 'Z' && state != 'X';
}

int process_id_open(const struct process_id *id)
{
    int file;

    if (id->process <= 0)
        return -1;
    file = (int)syscall(SYS_pidfd_open, id->process, 0);
    if (file >= 0 && process_id_is_alive(id)) /* in this order: now it cannot be another's */
        return file;
    if (file >= 0)
        close(file);
    return -1;
}
