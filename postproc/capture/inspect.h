/* inspect.h
 * Inside libfieldedge: what a capture file is and how much of it can be read, by capinfos, and by
 * structure.h where damage begins.
 *
 * capinfos reads the file as standard input, as nobody if we are root.  What it says:
 *
 *     exit 0                                       whole
 *     "An error occurred after reading N packets"  with one of
 *         "cut short in the middle of a packet"    cut short
 *         "damaged or corrupt", "decompressed"     corrupt; a line in parentheses says how
 *     "isn't a capture file in a format"           not a capture
 *
 * Traps: an empty input, and compressed data that ends before its first block, are taken for an
 * erf file without packets; pictures, programs and JSON texts for captures of one packet (the types
 * mime, json and the like, which Wireshark has for looking into files).
 *
 * A third: where the length of one of the first records cannot be, Wireshark takes a pcap file for
 * one of the old patched formats, whose headers are 8 bytes longer, and reads packets that never
 * were.  The file's own format is the one that counts: what is before the damage is then handed to
 * the tools as a file of its own, .readable.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_INSPECT_H
#define FIELDEDGE_INSPECT_H

#include "fieldedge.h"

#include <stdbool.h>

struct inspection {
    FieldEdgeFileState state;
    char type[32];          /* "pcap", as editcap -F takes it; "" if not known */
    char link_type[64];     /* "ether"; "" if not known */
    const char *compressor; /* "gzip", "zstd", "lz4": the program; NULL if not compressed */
    gint64 size;            /* of the file */
    gint64 packets;         /* that can be read */
    gint64 frame_bytes;     /* of them; FIELDEDGE_NONE if not known */
    gint64 snap_length;     /* FIELDEDGE_NONE if the file does not say */
    gint64 started_ns, ended_ns;
    bool has_times;
    int readable;  /* what the tools are to read instead of the file; -1: the file */
    gint64 offset; /* where the damage begins; FIELDEDGE_NONE if not known */
    char *detail;  /* Wireshark's words on it, or ours; NULL without damage */
};

/* file: open for reading; name: what messages call it.  On success the caller clears it. */
bool inspect_file(int file, const char *name, FieldEdgeCancellable *cancellable,
                  struct inspection *inspection, GError **error);
void inspection_clear(struct inspection *inspection);

/* "1795479372.366115372" and "-0.5" as nanoseconds. */
gint64 inspect_time_ns(const char *text);

#endif
