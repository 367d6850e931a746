/* fields.h
 * The fields fieldedge.…: what FieldEdge knows of a packet, for display filters, columns, colouring
 * rules, graphs and `tshark -T fields`.  Off unless the preference fieldedge.fields is on.
 *
 * What is known when.  A packet's own figures (ip_bytes, retransmitted_bytes …) are final when it
 * is dissected.  What belongs to its conversation (application, label_source, server_name) is what
 * is known by then: in one pass of tshark that is what the packets so far tell, as
 *
 *     frame 1  SYN           TCP_50123   port number
 *     frame 4  GET /         TCP_HTTP    dissector
 *
 * and with `tshark -2`, or in Wireshark once the file is read, what all of them tell: TCP_HTTP in
 * both.
 *
 * Order of calls: fields_register() when protocols register; fields_preferences_apply() when they
 * hand off and whenever preferences change.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_FIELDS_H
#define FIELDEDGE_FIELDS_H

void fields_register(int protocol);
void fields_preferences_apply(void);

#endif
