/* jobs.h
 * Inside libfieldedge: where a job's files are, and what they say.
 *
 *     ~/.local/state/fieldedge/jobs/      ($XDG_STATE_HOME/fieldedge/jobs/)
 *         last                            the highest number given so far: none is given twice
 *         7/state                         a key file: which process, command, progress, result, end
 *         7/log                           standard error of the job
 *         7/output                        standard output
 *         7/stop                          there if somebody asked it to stop
 *
 * jobs.c reads and starts; job_self.c is what the job's own process writes.  A state is written as
 * a new file and renamed: a reader sees the old one or the new one.  A job without an end in its
 * state and without a process has died.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_JOBS_H
#define FIELDEDGE_JOBS_H

#include "fieldedge.h"

#include <stdbool.h>

#define JOB_GROUP    "job"           /* of the key file */
#define JOB_VARIABLE "FIELDEDGE_JOB" /* of the environment: "DESCRIPTOR DIRECTORY" */

/* The folder of all jobs, whether it is there or not. */
char *jobs_folder(void);

/* Writes 'state' in the job's folder; is_lasting: to the disk as well. */
bool jobs_write_state(const char *folder, GKeyFile *state, bool is_lasting, GError **error);

#endif
