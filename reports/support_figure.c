#include "support_figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support_html.h"
#include "support_svg.h"

#define LINES_MAX 6
#define LEFT      70.
#define RIGHT     (CF_FIGURE_WIDTH - 280.)
#define TOP       44.
#define BOTTOM    (CF_FIGURE_HEIGHT - 58.)
#define GAP       15. /* between labels */
#define POINTS    32

static const char *const style[] = {
    ".dv-frame{fill:none;stroke:currentColor;stroke-width:1}",
    ".dv-grid{stroke:currentColor;stroke-width:.5;stroke-opacity:.25}",
    ".dv-band{fill:currentColor;fill-opacity:.14;stroke:none}",
    "svg .dv-text{font:12px 'DejaVu Sans',system-ui,sans-serif;fill:currentColor}",
    "svg .dv-title{font:bold 13px 'DejaVu Sans',system-ui,sans-serif;fill:currentColor}",
    ".dv-lead{stroke:currentColor;stroke-width:.6;stroke-opacity:.6}",
    ".dv-mark{fill:currentColor;stroke:currentColor;stroke-width:1.4}",
    ".dv-l0,.dv-l1,.dv-l2,.dv-l3,.dv-l4,.dv-l5{fill:none;stroke:currentColor;stroke-width:1.6}",
    ".dv-l1{stroke-dasharray:7 3}",
    ".dv-l2{stroke-dasharray:2 3}",
    ".dv-l3{stroke-dasharray:9 3 2 3}",
    ".dv-l4{stroke-dasharray:12 5}",
    ".dv-l5{stroke-dasharray:4 2 1 2 1 2}",
    NULL};

/* The curves first .. end - 1 of the findings; those to be drawn, from the nearest to the farthest
 * at their ends. */
struct panel {
    int first, end, n, n_left_out;
    const struct cf_curve_finding *band, *line[LINES_MAX];
};

static int next_panel(const struct cf_findings *f, int first)
{
    int end = first + 1;

    while (end < f->n_curves && strcmp(f->curves[end].cell, f->curves[first].cell) == 0 &&
           strcmp(f->curves[end].suite, f->curves[first].suite) == 0)
        ++end;
    return end;
}

int cf_figure_panels(const struct cf_findings *f)
{
    int n = 0;

    for (int i = 0; i < f->n_curves; i = next_panel(f, i))
        ++n;
    return n;
}

static double end_of(const struct cf_curve_finding *curve)
{
    return curve->middle[curve->n - 1];
}

static int is_baseline(const struct cf_findings *f, const struct cf_curve_finding *curve)
{
    return f->configurations[curve->configuration].is_baseline;
}

/* Keeps the line among those already there when it belongs to them. */
static void offer(const struct cf_findings *f, struct panel *p,
                  const struct cf_curve_finding *curve)
{
    int nearest = -1;

    if (p->n < LINES_MAX) {
        p->line[p->n++] = curve;
        return;
    }
    ++p->n_left_out;
    for (int i = 0; i < p->n; ++i)
        if (!is_baseline(f, p->line[i]) &&
            (nearest < 0 || end_of(p->line[i]) < end_of(p->line[nearest])))
            nearest = i;
    if (is_baseline(f, curve) || end_of(curve) > end_of(p->line[nearest]))
        p->line[nearest] = curve;
}

static int by_end(const void *a, const void *b)
{
    const struct cf_curve_finding *const *x = a, *const *y = b;
    const double i = end_of(*x), k = end_of(*y);

    return i != k ? (i > k) - (i < k) : (*x)->configuration - (*y)->configuration;
}

static struct panel gather(const struct cf_findings *f, int number)
{
    struct panel p = {.first = 0};

    for (int i = 0; i < number; ++i)
        p.first = next_panel(f, p.first);
    p.end = next_panel(f, p.first);
    for (int i = p.first; i < p.end; ++i)
        if (f->curves[i].configuration < 0)
            p.band = &f->curves[i];
        else
            offer(f, &p, &f->curves[i]);
    qsort(p.line, (size_t)p.n, sizeof p.line[0], by_end);
    return p;
}

static struct cf_svg_axis make_y(const struct panel *p)
{
    double values[2 * POINTS * (LINES_MAX + 1)];
    int n = 0;

    for (int i = -1; i < p->n; ++i) {
        const struct cf_curve_finding *curve = i < 0 ? p->band : p->line[i];

        for (int k = 0; curve && k < curve->n && k < POINTS; ++k) {
            values[n++] = i < 0 ? curve->low[k] : curve->middle[k];
            values[n++] = i < 0 ? curve->high[k] : curve->middle[k];
        }
    }
    return cf_svg_axis_make(values, n, 1, BOTTOM, TOP);
}

/* Steps are powers of two and the end: the axis ends with them. */
static struct cf_svg_axis make_x(const struct panel *p)
{
    const struct cf_curve_finding *any = p->n > 0 ? p->line[0] : p->band;

    return (struct cf_svg_axis){any->step[0], any->step[any->n - 1], LEFT + 8, RIGHT - 8, 1};
}

static void draw_axes(FILE *out, const struct cf_svg_axis *x, const struct cf_svg_axis *y)
{
    const int low = (int)lround(log10(y->low)), high = (int)lround(log10(y->high));
    const int every = (high - low) / 8 + 1;

    for (int e = low; e <= high; e += every) {
        const double at = cf_svg_at(y, pow(10, e));
        char *text = cf_format("1e%d", e);

        cf_svg_line(out, LEFT, at, RIGHT, at, "dv-grid");
        cf_svg_label(out, LEFT - 8, at + 4, "end", "dv-text", text);
        free(text);
    }
    for (double step = 1; step <= x->high; step *= 4) {
        const double at = cf_svg_at(x, step);
        char *text = cf_format("%.0f", step);

        cf_svg_line(out, at, TOP, at, BOTTOM, "dv-grid");
        cf_svg_label(out, at, BOTTOM + 17, "middle", "dv-text", text);
        free(text);
    }
    cf_svg_rect(out, LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP, "dv-frame");
    cf_svg_label(out, (LEFT + RIGHT) / 2, BOTTOM + 36, "middle", "dv-text",
                 "training step (log scale)");
    cf_svg_label(out, LEFT - 56, TOP - 12, "start", "dv-text", "relative distance of the weights");
}

static void draw_band(FILE *out, const struct cf_curve_finding *band, const struct cf_svg_axis *x,
                      const struct cf_svg_axis *y)
{
    double at[POINTS], low[POINTS], high[POINTS];
    int n = 0;

    for (; band && n < band->n && n < POINTS; ++n) {
        at[n] = cf_svg_at(x, band->step[n]);
        low[n] = cf_svg_at(y, band->low[n]);
        high[n] = cf_svg_at(y, band->high[n]);
    }
    if (n > 0)
        cf_svg_band(out, at, low, high, n, "dv-band");
}

static void draw_line(FILE *out, const struct cf_curve_finding *curve, int number,
                      const struct cf_svg_axis *x, const struct cf_svg_axis *y)
{
    static const enum cf_svg_shape shapes[] = {CF_SVG_CIRCLE, CF_SVG_SQUARE, CF_SVG_DIAMOND,
                                               CF_SVG_CROSS, CF_SVG_TICK};
    double at[POINTS], up[POINTS];
    char kind[16];
    int n = 0;

    for (; n < curve->n && n < POINTS; ++n) {
        at[n] = cf_svg_at(x, curve->step[n]);
        up[n] = curve->middle[n] > 0 ? cf_svg_at(y, curve->middle[n]) : NAN;
    }
    snprintf(kind, sizeof kind, "dv-l%d", number);
    cf_svg_curve(out, at, up, n, kind);
    for (int k = 0; k < n; ++k) {
        char *words = cf_format("step %.0f: %.3g (seeds: %.3g .. %.3g)", curve->step[k],
                                curve->middle[k], curve->low[k], curve->high[k]);

        if (!isnan(up[k]))
            cf_svg_mark(out, shapes[number % CF_COUNT(shapes)], at[k], up[k], 3, "dv-mark", words);
        free(words);
    }
}

/* Labels stand at the ends of their lines, moved apart where lines end close together. */
static void place(double at[], int n)
{
    for (int i = 1; i < n; ++i) /* from the nearest to the truth, which is lowest, upwards */
        if (at[i] > at[i - 1] - GAP)
            at[i] = at[i - 1] - GAP;
    if (n > 0 && at[n - 1] < TOP) {
        at[n - 1] = TOP;
        for (int i = n - 2; i >= 0; --i)
            if (at[i] < at[i + 1] + GAP)
                at[i] = at[i + 1] + GAP;
    }
}

static void draw_labels(FILE *out, const struct cf_findings *f, const struct panel *p,
                        const struct cf_svg_axis *y)
{
    double at[LINES_MAX];

    for (int i = 0; i < p->n; ++i)
        at[i] = cf_svg_at(y, end_of(p->line[i]));
    place(at, p->n);
    for (int i = 0; i < p->n; ++i) {
        const char *label = f->configurations[p->line[i]->configuration].label;
        char *text = cf_format("%s%s", is_baseline(f, p->line[i]) ? "* " : "", label);

        cf_svg_line(out, RIGHT - 4, cf_svg_at(y, end_of(p->line[i])), RIGHT + 10, at[i], "dv-lead");
        cf_svg_label(out, RIGHT + 14, at[i] + 4, "start", "dv-text", text);
        free(text);
    }
}

char *cf_figure_caption(const struct cf_findings *f, int number)
{
    const struct panel p = gather(f, number);
    const struct cf_curve_finding *any = p.n > 0 ? p.line[0] : p.band;
    char *others = p.n_left_out > 0
                       ? cf_format(" %d more configurations end nearer to it.", p.n_left_out)
                       : cf_strdup("");
    char *band = p.band ? cf_format(" Grey: what rounding alone does, the distance between %d "
                                    "pairs of runs of the baseline that differ by one unit in "
                                    "the last place.",
                                    p.band->n_seeds)
                        : cf_strdup("");
    char *text = cf_format("Distance from the true trajectory (MPFR), norm(w - true w) / "
                           "norm(true w), of `%s`; geometric means of %d %s. *: the "
                           "baseline.%s%s",
                           any->cell, p.n > 0 ? any->n_seeds : 0,
                           p.n > 0 && any->n_seeds == 1 ? "seed" : "seeds", band, others);

    free(others);
    free(band);
    return text;
}

void cf_figure_panel(FILE *out, const struct cf_findings *f, int number)
{
    const struct panel p = gather(f, number);
    const struct cf_svg_axis x = make_x(&p), y = make_y(&p);
    char *caption = cf_figure_caption(f, number);
    char *title = cf_format("Distance from the true trajectory: %s", f->curves[p.first].cell);

    cf_svg_begin(out, CF_FIGURE_WIDTH, CF_FIGURE_HEIGHT, title, caption);
    fputs("<style>", out);
    for (int i = 0; style[i]; ++i)
        fprintf(out, "%s\n", style[i]);
    fputs("</style>\n", out);
    draw_axes(out, &x, &y);
    draw_band(out, p.band, &x, &y);
    for (int i = 0; i < p.n; ++i)
        draw_line(out, p.line[i], i, &x, &y);
    draw_labels(out, f, &p, &y);
    cf_svg_end(out);
    free(title);
    free(caption);
}
