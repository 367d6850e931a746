/* facts.h
 * packet_info and taps -> struct packet_facts: the only reader of epan's structures.
 *
 * A reader registers tap listeners for one `-z` argument.  The listeners of a packet's layers (ip,
 * ipv6, tcp, udp, sctp, expert) come first and are gathered; the `frame` tap is the last that epan
 * queues for a packet, and hands the gathered facts to the callback.
 *
 *   tap queue of a TCP packet in VXLAN:  ip udp ip expert tcp frame
 *   gathered:                            outer = 1st ip, inner = 2nd ip, stream of tcp
 *
 * Order of calls: facts_register_taps() when protocols register, facts_reader_new(), the
 * callbacks, facts_reader_free().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_FACTS_H
#define FIELDEDGE_FACTS_H

#include "plugin/record/packet_facts.h"

#include <stdbool.h>

/* Facts of the capture that a packet belongs to.  Strings are borrowed until the next packet. */
struct facts_capture {
    const char *file;      /* NULL if not known */
    const char *interface; /* of the packet, NULL if the file does not say */
    const char *link_type; /* "ether" */
    uint32_t snap_length;  /* bytes, 0 if not known */
};

struct facts_callbacks {
    /* One packet that passed the filter.  false: stop, no more packets are wanted. */
    bool (*packet)(void *user, const struct packet_facts *facts);
    /* Before the first packet. */
    void (*capture)(void *user, const struct facts_capture *capture);
    void (*draw)(void *user);   /* all packets of a file have been read */
    void (*finish)(void *user); /* the last call: tshark ends */
};

typedef struct facts_reader facts_reader;

/* Registers the tap that never fires and only makes epan keep the fields that facts.c reads. */
void facts_register_taps(void);

/* Registers the listeners.  filter: display filter, NULL or "" for none.  On failure returns NULL
 * and sets *error to epan's words (g_free it). */
facts_reader *facts_reader_new(const char *filter, const struct facts_callbacks *callbacks,
                               void *user, char **error);
void facts_reader_free(facts_reader *reader);

#endif
