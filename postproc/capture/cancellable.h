/* cancellable.h
 * Inside libfieldedge: what poll() can wait for together with a child's streams.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_CANCELLABLE_H
#define FIELDEDGE_CANCELLABLE_H

#include "fieldedge.h"

/* Readable from the cancellation on. */
int cancellable_file(const FieldEdgeCancellable *cancellable);

#endif
