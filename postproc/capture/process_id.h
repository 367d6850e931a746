/* process_id.h
 * Inside libfieldedge: a process that is surely the one that was meant.  Ids of processes are used
 * again, and begin anew after a reboot; an id together with the time of its start since boot, and
 * the boot, is one process for ever.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_PROCESS_ID_H
#define FIELDEDGE_PROCESS_ID_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

struct process_id {
    pid_t process;
    gint64 start_ticks; /* field 22 of /proc/PID/stat */
    char boot[40];      /* /proc/sys/kernel/random/boot_id */
};

/* FALSE if there is no such process. */
bool process_id_of(pid_t process, struct process_id *id);

/* A process that has ended and was not waited for yet counts as gone. */
bool process_id_is_alive(const struct process_id *id);

/* Whether it belongs to an earlier boot. */
bool process_id_is_of_other_boot(const struct process_id *id);

/* A file descriptor that becomes readable when the process ends, and that a signal can be sent
 * through without hitting another; -1 if it is not alive. */
int process_id_open(const struct process_id *id);

#endif
