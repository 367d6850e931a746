/* period_workspace.c
 * Memory of the period detector that is used again for the next group of packets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "period_internal.h"

#include <math.h>

#define KEPT ((gsize)1 << 20) /* bytes of a slot that outlive a call */

struct periodicity_workspace *periodicity_workspace_new(void)
{
    struct periodicity_workspace *workspace = g_new0(struct periodicity_workspace, 1);

    for (guint i = 0; i < G_N_ELEMENTS(workspace->bell); i++) {
        double z = (double)i / PERIOD_BELL_STEPS;

        workspace->bell[i] = exp(-0.5 * z * z);
    }
    return workspace;
}

void periodicity_workspace_free(struct periodicity_workspace *workspace)
{
    if (workspace == NULL)
        return;
    for (guint slot = 0; slot < PERIOD_SLOTS; slot++)
        g_free(workspace->room[slot]);
    g_free(workspace);
}

void *period_room(struct periodicity_workspace *workspace, enum period_slot slot, gsize count,
                  gsize size)
{
    gsize bytes = count * size;

    if (bytes > workspace->size[slot]) {
        /* Nothing is kept of what was there: no copy. */
        g_free(workspace->room[slot]);
        workspace->size[slot] = MAX(bytes + (bytes < KEPT ? bytes / 2 : 0), 4096);
        workspace->room[slot] = g_malloc(workspace->size[slot]);
    }
    return workspace->room[slot];
}

void period_workspace_trim(struct periodicity_workspace *workspace)
{
    for (guint slot = 0; slot < PERIOD_SLOTS; slot++) {
        if (workspace->size[slot] <= KEPT)
            continue;
        g_free(workspace->room[slot]);
        workspace->room[slot] = NULL;
        workspace->size[slot] = 0;
    }
}
