/* capture_file.h
 * What tshark or Wireshark knows of the capture that it reads: name, interface, link type.
 *
 * epan offers no way to ask for the file's name.  Both programs keep a capture_file whose
 * `provider` member the epan session points to, so the structure around it is found by that; the
 * result is used only if the structure points back at the session (WIRESHARK.md: holds for 4.0, 4.4
 * and 4.6).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_CAPTURE_FILE_H
#define FIELDEDGE_CAPTURE_FILE_H

#include "plugin/facts.h"

#include <epan/epan_dissect.h>
#include <epan/packet_info.h>

/* Fills *capture from a packet in dissection. */
void capture_file_read(struct facts_capture *capture, packet_info *pinfo, epan_dissect_t *edt);

/* The name given with -r on tshark's command line, for a capture without any packet to ask: newly
 * allocated, NULL if there is none. */
char *capture_file_from_command_line(void);

#endif
