/* svg.h
 * Writes SVG 1.1 elements: no script, no style sheet, no font of its own, nothing from a network.
 *
 *     svg_begin(); svg_…(); svg_end();
 *
 * Texts may come from packets: what XML does not allow or a reader does not see becomes \uXXXX, the
 * rest is escaped.  Numbers do not depend on the locale; places are rounded to tenths of a pixel.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_SVG_H
#define FIELDEDGE_SVG_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

#define SVG_INK   "#1f2933"
#define SVG_FAINT "#52606d"
#define SVG_GRID  "#d9dee3"
#define SVG_PAPER "#ffffff"

struct svg_font {
    int size;           /* pixels */
    const char *colour; /* NULL: SVG_INK */
    const char *anchor; /* "start" (NULL), "middle", "end" */
    bool is_bold;
    bool has_halo; /* a rim of paper, for texts on a pattern */
};

/* title and description are for screen readers and tooltips. */
void svg_begin(FILE *file, int width, int height, const char *title, const char *description);
void svg_end(FILE *file);

void svg_text(FILE *file, double x, double y, const struct svg_font *font, const char *text);
void svg_rect(FILE *file, double x, double y, double width, double height, const char *fill);
void svg_line(FILE *file, double x1, double y1, double x2, double y2, const char *colour);

/* A shape: svg_path_begin(), what follows writes path commands, svg_path_end().  title: a tooltip,
 * or NULL.  fill and stroke may be "none" or "url(#id)". */
void svg_path_begin(FILE *file);
void svg_path_point(FILE *file, char command, double x, double y); /* 'M', 'L' */
void svg_path_along(FILE *file, char command, double place);       /* 'H', 'V', 'h', 'v' */
void svg_path_close(FILE *file);
void svg_path_end(FILE *file, const char *fill, const char *stroke, double stroke_width,
                  const char *title);

/* Pixels that a text takes at most, in the fonts a reader may have; its \uXXXX counted. */
double svg_text_width(const char *text, int size);

/* The text, or its beginning with … that is no wider. */
char *svg_shorten(const char *text, int size, double width);

enum { SVG_NUMBER_SIZE = 32 };

/* "12.5", "-3", "0": rounded to tenths. */
const char *svg_number(char text[SVG_NUMBER_SIZE], double number);

#endif
