/* svg: the figure of distances from the true trajectories, one panel under the other. */
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "support_figure.h"
#include "support_html.h"

#define CAPTION 64 /* under each panel */
#define COLUMNS 126

/* A sentence in lines of at most COLUMNS. */
static void write_caption(FILE *out, const char *caption, double y)
{
    fprintf(out, "<text class=\"caption\" x=\"14\" y=\"%.0f\">", y);
    for (int line = 0; *caption; ++line) {
        size_t n = strlen(caption);

        if (n > COLUMNS)
            for (n = COLUMNS; n > 1 && caption[n] != ' ';)
                --n;
        char *part = cf_format("%.*s", (int)n, caption);

        fprintf(out, "<tspan x=\"14\" dy=\"%d\">", line > 0 ? 15 : 0);
        cf_html_text(out, part);
        fputs("</tspan>", out);
        free(part);
        caption += n + (caption[n] == ' ');
    }
    fputs("</text>\n", out);
}

static void begin(FILE *out, int height)
{
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 "
            "%d %d\" color=\"black\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
            "<style>.caption{font:11px 'DejaVu Sans',system-ui,sans-serif;fill:black}</style>\n",
            CF_FIGURE_WIDTH, height, CF_FIGURE_WIDTH, height);
}

static int write_svg(FILE *out, const struct cf_findings *f, const struct cf_page *page,
                     struct cf_error *err)
{
    const int n = cf_figure_panels(f), each = CF_FIGURE_HEIGHT + CAPTION;

    (void)page;
    (void)err;
    begin(out, n > 0 ? n * each : CAPTION);
    if (n == 0)
        write_caption(out,
                      "Nothing to draw: the store holds no training run that keeps snapshots of "
                      "its weights. The suites training and smoke do, at --level=statistical and "
                      "below.",
                      24);
    for (int i = 0; i < n; ++i) {
        char *caption = cf_figure_caption(f, i);

        fprintf(out, "<g transform=\"translate(0,%d)\">\n", i * each);
        cf_figure_panel(out, f, i);
        write_caption(out, caption, CF_FIGURE_HEIGHT + 12);
        fputs("</g>\n", out);
        free(caption);
    }
    fputs("</svg>\n", out);
    return 0;
}

const struct cf_report cf_report_svg = {
    .name = "svg",
    .suffix = ".svg",
    .why = "a figure: distance from the true trajectory over the steps of training",
    .write = write_svg};
