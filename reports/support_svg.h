/* svg: the drawing module: axes, marks, lines, bands and labels inside a page of HTML. Colours come
 * from classes of the page's style; what a colour says is said by shape or text too. Coordinates
 * are in pixels of the drawing, written with two decimals, so that equal data give equal bytes. */
#ifndef CF_SVG_H
#define CF_SVG_H

#include <stdio.h>

/* Where values lie along a direction: from pixel `from` for `low` to pixel `to` for `high`. On a
 * logarithmic axis low and high are positive; values outside are drawn at the nearer end. */
struct cf_svg_axis {
    double low, high, from, to;
    int is_log;
};

/* An axis that holds all finite values (on a log axis: the positive ones) of values[n], grown to
 * whole decades or to whole steps of a linear axis; [1, 10] or [0, 1] when there is none. */
struct cf_svg_axis cf_svg_axis_make(const double values[], int n, int is_log, double from,
                                    double to);
double cf_svg_at(const struct cf_svg_axis *axis, double value);

/* <svg> that scales with its column; title and words are read out in place of the picture. */
void cf_svg_begin(FILE *out, double width, double height, const char *title, const char *words);
void cf_svg_end(FILE *out);

void cf_svg_line(FILE *out, double x1, double y1, double x2, double y2, const char *kind);
void cf_svg_rect(FILE *out, double x, double y, double width, double height, const char *kind);
/* anchor: "start", "middle" or "end". A text of more than 38 code points loses its middle. */
void cf_svg_label(FILE *out, double x, double y, const char *anchor, const char *kind,
                  const char *text);

enum cf_svg_shape { CF_SVG_CIRCLE, CF_SVG_DIAMOND, CF_SVG_CROSS, CF_SVG_SQUARE, CF_SVG_TICK };
/* A mark of about 2 r pixels; `words` are shown when it is pointed at (NULL: none). */
void cf_svg_mark(FILE *out, enum cf_svg_shape shape, double x, double y, double r, const char *kind,
                 const char *words);

/* A line through points, and the area between two of them; points that are no numbers make gaps. */
void cf_svg_curve(FILE *out, const double x[], const double y[], int n, const char *kind);
void cf_svg_band(FILE *out, const double x[], const double low[], const double high[], int n,
                 const char *kind);

/* Grid lines from y1 to y2 at the decades (or steps) of a horizontal axis, with labels under y2:
 * at most ten of them. */
void cf_svg_grid_x(FILE *out, const struct cf_svg_axis *axis, double y1, double y2);

#endif
