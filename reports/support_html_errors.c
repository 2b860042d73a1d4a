/* The picture of errors: a row a configuration, a mark a finding that measured an error against the
 * exact answer, on one logarithmic axis. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support_html.h"
#include "support_html_parts.h"
#include "support_svg.h"

#define ROWS  40
#define WIDTH 960.0
#define LEFT  285.0
#define RIGHT 20.0
#define PITCH 24.0

/* Units of errors are multiples of u * scale; shares and counts are something else. */
static int measures_error(const struct cf_finding *v)
{
    return v->demand.scope == CF_TO_REFERENCE && v->a.configuration >= 0 &&
           v->a.configuration == v->configuration && isfinite(v->a.error);
}

int cf_html_has_errors(const struct cf_findings *f)
{
    for (int i = 0; i < f->n_findings; ++i)
        if (measures_error(&f->findings[i]))
            return 1;
    return 0;
}

/* Configurations with a mark, in their order; returns how many rows there are. */
static int choose_rows(const struct cf_findings *f, int rows[])
{
    int n = 0;

    for (int c = 0; c < f->n_configurations && n < ROWS; ++c)
        for (int i = 0; i < f->n_findings; ++i)
            if (f->findings[i].configuration == c && measures_error(&f->findings[i])) {
                rows[n++] = c;
                break;
            }
    return n;
}

static struct cf_svg_axis make_axis(const struct cf_findings *f)
{
    double *values = cf_alloc((size_t)(f->n_findings * 2 + 1) * sizeof values[0]);
    struct cf_svg_axis axis;
    int n = 0;

    for (int i = 0; i < f->n_findings; ++i)
        if (measures_error(&f->findings[i])) {
            values[n++] = f->findings[i].a.error;
            if (f->findings[i].margin > 0)
                values[n++] = f->findings[i].margin;
        }
    axis = cf_svg_axis_make(values, n, 1, LEFT + 60, WIDTH - RIGHT);
    free(values);
    return axis;
}

static void mark(FILE *out, const struct cf_svg_axis *axis, const struct cf_finding *v, double y)
{
    const double x = v->a.error > 0 ? cf_svg_at(axis, v->a.error) : LEFT + 20;
    char *words = cf_format("%s, gate %s: error %.3g, allowed %.3g", v->group, v->component,
                            v->a.error, v->margin);

    if (isfinite(v->margin) && v->margin > 0)
        cf_svg_mark(out, CF_SVG_TICK, cf_svg_at(axis, v->margin), y, 5, "limit", words);
    if (v->wrong)
        cf_svg_mark(out, CF_SVG_DIAMOND, x, y, 6, "wrong", words);
    else if (v->verdict == CF_FAIL)
        cf_svg_mark(out, CF_SVG_CROSS, x, y, 5, "over", words);
    else
        cf_svg_mark(out, CF_SVG_CIRCLE, x, y, 4, "ok", words);
    free(words);
}

static void row(FILE *out, const struct cf_findings *f, const struct cf_svg_axis *axis,
                int configuration, double y)
{
    cf_svg_label(out, LEFT - 8, y + 4, "end", "name", f->configurations[configuration].label);
    cf_svg_line(out, LEFT, y, WIDTH - RIGHT, y, "row");
    for (int i = f->n_findings - 1; i >= 0; --i) /* the worst are drawn last, on top */
        if (f->findings[i].configuration == configuration && measures_error(&f->findings[i]))
            mark(out, axis, &f->findings[i], y);
}

void cf_html_errors(FILE *out, const struct cf_findings *f)
{
    int rows[ROWS];
    const int n = choose_rows(f, rows);
    const struct cf_svg_axis axis = make_axis(f);
    const double bottom = 16 + n * PITCH;

    fputs("<p class=\"why\">Largest errors that were found, in units of u\xc2\xb7scale (u: unit "
          "roundoff; scale: the sum of the magnitudes of the terms). A dot passed, a cross is over "
          "its limit, a filled diamond is a proven error; a short upright line is the limit. What "
          "stands under 0 was exact.</p>\n<div class=\"frame\" tabindex=\"0\" role=\"region\" "
          "aria-label=\"Errors\">\n",
          out);
    cf_svg_begin(out, WIDTH, bottom + 44, "Errors against the exact answer",
                 "One row for each configuration; the numbers are in the JSON report.");
    cf_svg_grid_x(out, &axis, 10, bottom);
    cf_svg_line(out, LEFT + 20, 10, LEFT + 20, bottom, "grid");
    cf_svg_label(out, LEFT + 20, bottom + 16, "middle", "tick", "0");
    cf_svg_line(out, LEFT, bottom, WIDTH - RIGHT, bottom, "axis");
    for (int i = 0; i < n; ++i)
        row(out, f, &axis, rows[i], 16 + (i + 0.5) * PITCH);
    cf_svg_label(out, WIDTH - RIGHT, bottom + 36, "end", "tick",
                 "error in units of u\xc2\xb7scale");
    cf_svg_end(out);
    fputs("</div>\n", out);
}
