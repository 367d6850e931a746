/* faults.h
 * Inside libfieldedge: the bad packets of each conversation by Wireshark's verdict, from one
 * reading of the packets or from the result table.
 *
 *     faults_load() → for each row: faults_begin(), faults_add() for each of its conversations,
 *     faults_rows() → faults_free()
 *
 * Example: a conversation with a fast retransmission (which Wireshark flags as a retransmission,
 * too) and two packets out of order has retransmission 1, fast_retransmission 1, out_of_order 2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_FAULTS_H
#define FIELDEDGE_FAULTS_H

#include "database.h"

struct faults;

struct faults *faults_load(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                           GError **error);
void faults_free(struct faults *faults);

/* What follows is summed over the conversations added since faults_begin().  NULL for faults has
 * none. */
void faults_begin(struct faults *faults);
void faults_add(struct faults *faults, gint64 conversation);

/* In the order of the verdicts' bits; they last until the next faults_begin(). */
const FieldEdgeVerdict *faults_rows(struct faults *faults, guint *count);

/* Calls visit for each conversation and verdict, conversations rising. */
void faults_each(const struct faults *faults,
                 void (*visit)(gint64 conversation, const char *verdict, gint64 packets,
                               gpointer data),
                 gpointer data);

#endif
