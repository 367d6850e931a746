/* cancellable.c
 * A wish to stop, made from another thread or from a signal's handler: an eventfd.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cancellable.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct _FieldEdgeCancellable {
    volatile sig_atomic_t is_cancelled;
    int file; /* readable once cancelled, never read; -1 if there are no more files: poll() then
                 goes by its timeouts */
};

FieldEdgeCancellable *fieldedge_cancellable_new(void)
{
    FieldEdgeCancellable *cancellable = g_new0(FieldEdgeCancellable, 1);

    cancellable->file = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return cancellable;
}

/* Nothing but write(): a signal's handler may call it. */
void fieldedge_cancellable_cancel(FieldEdgeCancellable *cancellable)
{
    static const uint64_t one = 1;
    int saved = errno;

    cancellable->is_cancelled = 1;
    (void)!write(cancellable->file, &one, sizeof one);
    errno = saved;
}

gboolean fieldedge_cancellable_is_cancelled(const FieldEdgeCancellable *cancellable)
{
    return cancellable != NULL && cancellable->is_cancelled != 0;
}

void fieldedge_cancellable_free(FieldEdgeCancellable *cancellable)
{
    if (cancellable == NULL)
        return;
    if (cancellable->file >= 0)
        close(cancellable->file);
    g_free(cancellable);
}

int cancellable_file(const FieldEdgeCancellable *cancellable)
{
    return cancellable->file;
}
