/* svg.c
 * See svg.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "svg.h"

#include "writer.h"

#include <math.h>
#include <string.h>

const char *svg_number(char text[SVG_NUMBER_SIZE], double number)
{
    double rounded = round(number * 10) / 10;

    if (rounded == 0) /* not -0 */
        rounded = 0;
    g_ascii_formatd(text, SVG_NUMBER_SIZE, rounded == floor(rounded) ? "%.0f" : "%.1f", rounded);
    return text;
}

static void put_number(FILE *file, double number)
{
    char text[SVG_NUMBER_SIZE];

    fputs(svg_number(text, number), file);
}

static void put_attribute(FILE *file, const char *name, double number)
{
    fprintf(file, " %s=\"", name);
    put_number(file, number);
    fputc('"', file);
}

static void put_escaped(FILE *file, const char *text)
{
    g_autofree char *visible = text_cell(text);
    g_autofree char *escaped = g_markup_escape_text(visible, -1);

    fputs(escaped, file);
}

void svg_begin(FILE *file, int width, int height, const char *title, const char *description)
{
    fprintf(file,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" viewBox=\"0 0 %d %d\" "
            "width=\"%d\" height=\"%d\" role=\"img\" "
            "font-family=\"DejaVu Sans, Verdana, Helvetica, Arial, sans-serif\">\n<title>",
            width, height, width, height);
    put_escaped(file, title);
    fputs("</title>\n<desc>", file);
    put_escaped(file, description);
    fputs("</desc>\n", file);
    svg_rect(file, 0, 0, width, height, SVG_PAPER);
}

void svg_end(FILE *file)
{
    fputs("</svg>\n", file);
}

void svg_text(FILE *file, double x, double y, const struct svg_font *font, const char *text)
{
    fputs("<text", file);
    put_attribute(file, "x", x);
    put_attribute(file, "y", y);
    fprintf(file, " font-size=\"%d\" fill=\"%s\"", font->size,
            font->colour != NULL ? font->colour : SVG_INK);
    if (font->anchor != NULL)
        fprintf(file, " text-anchor=\"%s\"", font->anchor);
    if (font->is_bold)
        fputs(" font-weight=\"bold\"", file);
    if (font->has_halo)
        fputs(" stroke=\"" SVG_PAPER "\" stroke-width=\"4\" stroke-linejoin=\"round\" "
              "paint-order=\"stroke\"",
              file);
    fputc('>', file);
    put_escaped(file, text);
    fputs("</text>\n", file);
}

void svg_rect(FILE *file, double x, double y, double width, double height, const char *fill)
{
    fputs("<rect", file);
    put_attribute(file, "x", x);
    put_attribute(file, "y", y);
    put_attribute(file, "width", width);
    put_attribute(file, "height", height);
    fprintf(file, " fill=\"%s\"/>\n", fill);
}

void svg_line(FILE *file, double x1, double y1, double x2, double y2, const char *colour)
{
    fputs("<line", file);
    put_attribute(file, "x1", x1);
    put_attribute(file, "y1", y1);
    put_attribute(file, "x2", x2);
    put_attribute(file, "y2", y2);
    fprintf(file, " stroke=\"%s\"/>\n", colour);
}

void svg_path_begin(FILE *file)
{
    fputs("<path d=\"", file);
}

void svg_path_point(FILE *file, char command, double x, double y)
{
    fputc(command, file);
    put_number(file, x);
    fputc(' ', file);
    put_number(file, y);
}

void svg_path_along(FILE *file, char command, double place)
{
    fputc(command, file);
    put_number(file, place);
}

void svg_path_close(FILE *file)
{
    fputc('Z', file);
}

void svg_path_end(FILE *file, const char *fill, const char *stroke, double stroke_width,
                  const char *title)
{
    fprintf(file, "\" fill=\"%s\" stroke=\"%s\"", fill, stroke);
    put_attribute(file, "stroke-width", stroke_width);
    if (title == NULL) {
        fputs("/>\n", file);
        return;
    }
    fputs("><title>", file);
    put_escaped(file, title);
    fputs("</title></path>\n", file);
}

/* Of DejaVu Sans, the widest of the usual fonts: parts of its size. */
static double letter_width(gunichar letter)
{
    if (g_unichar_iswide(letter))
        return 1.1;
    if (g_unichar_iszerowidth(letter))
        return 0;
    if (letter > 0x7e || letter == 'm' || letter == 'w' || letter == '%' || letter == '@')
        return 1;
    if (letter == 'M' || letter == 'W')
        return 1;
    if (strchr(" .,:;'|!()[]/\\-Iijlftr", (int)letter) != NULL)
        return 0.42;
    return g_ascii_isupper((char)letter) ? 0.77 : 0.64;
}

static double width_of(const char *visible, int size)
{
    double width = 0;

    for (const char *at = visible; *at != '\0'; at = g_utf8_next_char(at))
        width += letter_width(g_utf8_get_char(at));
    return width * size;
}

double svg_text_width(const char *text, int size)
{
    g_autofree char *visible = text_cell(text);

    return width_of(visible, size);
}

char *svg_shorten(const char *text, int size, double width)
{
    g_autofree char *visible = text_cell(text);
    const char *end = visible;
    double taken = size; /* by the … */

    if (width_of(visible, size) <= width)
        return g_strdup(text);
    for (; *end != '\0'; end = g_utf8_next_char(end)) {
        taken += letter_width(g_utf8_get_char(end)) * size;
        if (taken > width)
            break;
    }
    *(char *)end = '\0';
    return g_strconcat(visible, "…", NULL);
}

/* ---- As a format ---- */

static void nothing(struct output *output)
{
    (void)output;
}

static void begin_no_table(struct output *output, const char *key, const char *title)
{
    (void)output, (void)key, (void)title;
    g_assert_not_reached(); /* see output.h */
}

static void write_no_row(struct output *output, const struct output_value *values)
{
    (void)output, (void)values;
    g_assert_not_reached();
}

const struct writer svg_writer = {OUTPUT_FOR_PEOPLE, nothing, nothing, begin_no_table,
                                  write_no_row,      nothing, nothing};
