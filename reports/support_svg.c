#include "support_svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "support_html.h"

#define LABELS_MAX 10 /* on an axis */
#define LABEL_MAX  38 /* code points of a label */

/* Two decimals by integers: no locale, and -0 is 0. */
static void number(FILE *out, const char *name, double value)
{
    const long long hundredths = isfinite(value) ? llround(value * 100) : 0,
                    rest = llabs(hundredths);

    fprintf(out, " %s=\"%s%lld.%02lld\"", name, hundredths < 0 ? "-" : "", rest / 100, rest % 100);
}

static void coordinate(FILE *out, double value)
{
    const long long hundredths = llround(value * 100), rest = llabs(hundredths);

    fprintf(out, "%s%lld.%02lld", hundredths < 0 ? "-" : "", rest / 100, rest % 100);
}

static int fits(double value, int is_log)
{
    return isfinite(value) && (!is_log || value > 0);
}

/* The step of 1, 2 or 5 times a power of ten that cuts a width into at most LABELS_MAX. */
static double step_of(double width)
{
    const double power = pow(10, floor(log10(width / LABELS_MAX)));

    for (int i = 0; i < 4; ++i) {
        const double step = power * (double[]){1, 2, 5, 10}[i];

        if (width / step <= LABELS_MAX)
            return step;
    }
    return 20 * power;
}

struct cf_svg_axis cf_svg_axis_make(const double values[], int n, int is_log, double from,
                                    double to)
{
    struct cf_svg_axis axis = {INFINITY, -INFINITY, from, to, is_log};

    for (int i = 0; i < n; ++i)
        if (fits(values[i], is_log)) {
            axis.low = fmin(axis.low, values[i]);
            axis.high = fmax(axis.high, values[i]);
        }
    if (!(axis.low <= axis.high)) {
        axis.low = is_log ? 1 : 0;
        axis.high = is_log ? 10 : 1;
    } else if (is_log) {
        axis.low = pow(10, floor(log10(axis.low)));
        axis.high = pow(10, fmax(ceil(log10(axis.high)), log10(axis.low) + 1));
    } else {
        const double width = axis.high > axis.low ? axis.high - axis.low : 1;
        const double step = step_of(width);

        axis.low = floor(axis.low / step + 1e-9) * step;
        axis.high = fmax(ceil(axis.high / step - 1e-9) * step, axis.low + step);
    }
    return axis;
}

double cf_svg_at(const struct cf_svg_axis *axis, double value)
{
    double share;

    if (axis->is_log)
        share = value > 0
                    ? (log10(value) - log10(axis->low)) / (log10(axis->high) - log10(axis->low))
                    : 0;
    else
        share = (value - axis->low) / (axis->high - axis->low);
    if (!(share >= 0))
        share = 0;
    return axis->from + fmin(share, 1) * (axis->to - axis->from);
}

void cf_svg_begin(FILE *out, double width, double height, const char *title, const char *words)
{
    fputs("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 ", out);
    coordinate(out, width);
    putc(' ', out);
    coordinate(out, height);
    putc('"', out);
    number(out, "width", width);
    number(out, "height", height);
    fputs(">", out);
    cf_html_element(out, "title", NULL, title);
    cf_html_element(out, "desc", NULL, words);
    putc('\n', out);
}

void cf_svg_end(FILE *out)
{
    fputs("</svg>\n", out);
}

void cf_svg_line(FILE *out, double x1, double y1, double x2, double y2, const char *kind)
{
    fprintf(out, "<line class=\"%s\"", kind);
    number(out, "x1", x1);
    number(out, "y1", y1);
    number(out, "x2", x2);
    number(out, "y2", y2);
    fputs("/>\n", out);
}

void cf_svg_rect(FILE *out, double x, double y, double width, double height, const char *kind)
{
    fprintf(out, "<rect class=\"%s\"", kind);
    number(out, "x", x);
    number(out, "y", y);
    number(out, "width", fmax(width, 0));
    number(out, "height", fmax(height, 0));
    fputs("/>\n", out);
}

void cf_svg_label(FILE *out, double x, double y, const char *anchor, const char *kind,
                  const char *text)
{
    fprintf(out, "<text class=\"%s\" text-anchor=\"%s\"", kind, anchor);
    number(out, "x", x);
    number(out, "y", y);
    putc('>', out);
    cf_html_short(out, text, LABEL_MAX);
    fputs("</text>\n", out);
}

/* Corners of the shapes in units of r; a NaN lifts the pen. */
static const double shapes[][10] = {
    [CF_SVG_DIAMOND] = {0, -1.2, 1.2, 0, 0, 1.2, -1.2, 0, 0, -1.2},
    [CF_SVG_CROSS] = {-1, -1, 1, 1, NAN, NAN, -1, 1, 1, -1},
    [CF_SVG_SQUARE] = {-.9, -.9, .9, -.9, .9, .9, -.9, .9, -.9, -.9},
    [CF_SVG_TICK] = {0, -1.6, 0, 1.6, NAN, NAN, NAN, NAN, NAN, NAN}};

void cf_svg_mark(FILE *out, enum cf_svg_shape shape, double x, double y, double r, const char *kind,
                 const char *words)
{
    fprintf(out, shape == CF_SVG_CIRCLE ? "<circle class=\"%s\"" : "<path class=\"%s\"", kind);
    if (shape == CF_SVG_CIRCLE) {
        number(out, "cx", x);
        number(out, "cy", y);
        number(out, "r", r);
    } else {
        int down = 0;

        fputs(" d=\"", out);
        for (int i = 0; i < 10; i += 2) {
            const double dx = shapes[shape][i], dy = shapes[shape][i + 1];

            if (isnan(dx)) {
                down = 0;
                continue;
            }
            putc(down ? 'L' : 'M', out);
            coordinate(out, x + dx * r);
            putc(' ', out);
            coordinate(out, y + dy * r);
            down = 1;
        }
        putc('"', out);
    }
    putc('>', out);
    if (words)
        cf_html_element(out, "title", NULL, words);
    fputs(shape == CF_SVG_CIRCLE ? "</circle>\n" : "</path>\n", out);
}

void cf_svg_curve(FILE *out, const double x[], const double y[], int n, const char *kind)
{
    int down = 0;

    fprintf(out, "<path class=\"%s\" fill=\"none\" d=\"", kind);
    for (int i = 0; i < n; ++i) {
        if (!isfinite(x[i]) || !isfinite(y[i])) {
            down = 0;
            continue;
        }
        putc(down ? 'L' : 'M', out);
        coordinate(out, x[i]);
        putc(' ', out);
        coordinate(out, y[i]);
        down = 1;
    }
    fputs("\"/>\n", out);
}

static void band_edge(FILE *out, const double x[], const double y[], int first, int last)
{
    const int step = last >= first ? 1 : -1;

    for (int i = first;; i += step) {
        coordinate(out, x[i]);
        putc(' ', out);
        coordinate(out, y[i]);
        if (i == last)
            return;
        putc('L', out);
    }
}

void cf_svg_band(FILE *out, const double x[], const double low[], const double high[], int n,
                 const char *kind)
{
    fprintf(out, "<path class=\"%s\" d=\"", kind);
    for (int i = 0, end; i < n; i = end) {
        for (end = i; end < n && isfinite(x[end]) && isfinite(low[end]) && isfinite(high[end]);)
            ++end;
        if (end > i) {
            putc('M', out);
            band_edge(out, x, low, i, end - 1);
            putc('L', out);
            band_edge(out, x, high, end - 1, i);
            putc('Z', out);
        } else {
            ++end;
        }
    }
    fputs("\"/>\n", out);
}

static void grid_line(FILE *out, const struct cf_svg_axis *axis, double value, double y1, double y2)
{
    const double x = cf_svg_at(axis, value);
    char *text = cf_format("%.3g", value);

    cf_svg_line(out, x, y1, x, y2, "grid");
    cf_svg_label(out, x, y2 + 16, "middle", "tick", text);
    free(text);
}

void cf_svg_grid_x(FILE *out, const struct cf_svg_axis *axis, double y1, double y2)
{
    if (axis->is_log) {
        const int first = (int)lround(log10(axis->low)), last = (int)lround(log10(axis->high));
        const int step = (last - first + LABELS_MAX - 1) / LABELS_MAX;

        for (int e = first; e <= last; e += step > 0 ? step : 1)
            grid_line(out, axis, pow(10, e), y1, y2);
    } else {
        const double step = step_of(axis->high - axis->low);
        const int n = (int)lround((axis->high - axis->low) / step);

        for (int i = 0; i <= n; ++i)
            grid_line(out, axis, axis->low + i * step, y1, y2);
    }
}
