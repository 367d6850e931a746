/* verdicts.c: see verdicts.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "schema/verdicts.h"

#include <glib.h>

static const char *const names[VERDICT_COUNT] = {
    "retransmission",   "fast_retransmission", "spurious_retransmission",
    "out_of_order",     "duplicate_ack",       "lost_segment",
    "ack_lost_segment", "keep_alive",          "keep_alive_ack",
    "zero_window",      "zero_window_probe",   "zero_window_probe_ack",
    "window_update",    "window_full",         "reused_ports",
    "malformed",
};

const char *verdict_name(size_t index)
{
    return index < VERDICT_COUNT ? names[index] : "";
}

void verdicts_text(uint32_t verdicts, char text[VERDICT_TEXT_MAX])
{
    text[0] = '\0';
    for (size_t i = 0; i < VERDICT_COUNT; i++) {
        if (!(verdicts & (1u << i)))
            continue;
        if (text[0] != '\0')
            g_strlcat(text, ",", VERDICT_TEXT_MAX);
        g_strlcat(text, names[i], VERDICT_TEXT_MAX);
    }
}
