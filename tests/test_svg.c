/* svg: axes hold their values, marks stay on the picture, numbers are written without a locale, and
 * what is no number makes a gap. */
#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "support_html.h"
#include "support_svg.h"

Test(svg, axes_grow_to_whole_steps)
{
    static const struct {
        double values[3];
        int is_log;
        double low, high;
    } rows[] = {{{0.3, 20, 7}, 1, 0.1, 100},     {{1, 1, 1}, 1, 1, 10},
                {{NAN, -1, 0}, 1, 1, 10},        {{0.3, 0.9, NAN}, 0, 0.3, 0.9},
                {{INFINITY, NAN, NAN}, 0, 0, 1}, {{5, 5, 5}, 0, 5, 5.1},
                {{-3, 17, INFINITY}, 0, -4, 18}};

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        const struct cf_svg_axis axis = cf_svg_axis_make(rows[i].values, 3, rows[i].is_log, 0, 100);

        cr_expect(fabs(axis.low - rows[i].low) < 1e-9 && fabs(axis.high - rows[i].high) < 1e-9,
                  "row %d: %g .. %g", i, axis.low, axis.high);
    }
}

Test(svg, values_outside_are_drawn_at_the_ends)
{
    const struct cf_svg_axis log_axis = {1, 1000, 10, 310, 1}, axis = {0, 1, 310, 10, 0};

    cr_expect_float_eq(cf_svg_at(&log_axis, 10), 110, 1e-9);
    cr_expect_eq(cf_svg_at(&log_axis, 0), 10);
    cr_expect_eq(cf_svg_at(&log_axis, -5), 10);
    cr_expect_eq(cf_svg_at(&log_axis, INFINITY), 310);
    cr_expect_eq(cf_svg_at(&log_axis, NAN), 10, "a NaN must not leave the picture");
    cr_expect_eq(cf_svg_at(&axis, 2), 10);
    cr_expect_eq(cf_svg_at(&axis, -2), 310);
    cr_expect_eq(cf_svg_at(&axis, 0.5), 160);
}

static char *text;
static size_t size;

static FILE *begin(void)
{
    return open_memstream(&text, &size);
}

Test(svg, numbers_have_two_decimals_and_no_locale)
{
    FILE *out = begin();

    setlocale(LC_ALL, "de_DE.UTF-8");
    cf_svg_line(out, 1.005, -0.001, -12.345, 1e3, "a");
    fclose(out);
    cr_expect_str_eq(text,
                     "<line class=\"a\" x1=\"1.00\" y1=\"0.00\" x2=\"-12.35\" y2=\"1000.00\"/>\n");
    free(text);
}

Test(svg, gaps_where_there_is_no_number)
{
    const double x[] = {0, 1, 2, 3, 4}, y[] = {5, NAN, 6, 7, INFINITY}, low[] = {1, NAN, 2, 3, 4},
                 high[] = {2, 3, 4, 5, NAN};
    FILE *out = begin();

    cf_svg_curve(out, x, y, 5, "c");
    cf_svg_band(out, x, low, high, 5, "b");
    fclose(out);
    cr_expect(strstr(text, "d=\"M0.00 5.00M2.00 6.00L3.00 7.00\""), "%s", text);
    cr_expect(strstr(text, "d=\"M0.00 1.00L0.00 2.00ZM2.00 2.00L3.00 3.00L3.00 5.00L2.00 4.00Z\""),
              "%s", text);
    cr_expect(strstr(text, "nan") == NULL && strstr(text, "inf") == NULL, "%s", text);
    free(text);
}

Test(svg, grids_have_at_most_eleven_labels)
{
    static const double highs[] = {10, 1e5, 1e30, 1e300};

    for (int i = 0; i < CF_COUNT(highs); ++i) {
        const struct cf_svg_axis axis = {1, highs[i], 0, 100, 1};
        FILE *out = begin();
        int labels = 0;

        cf_svg_grid_x(out, &axis, 0, 10);
        fclose(out);
        for (const char *at = text; (at = strstr(at, "<text")); ++at)
            ++labels;
        cr_expect(labels >= 2 && labels <= 11, "%d labels up to %g", labels, highs[i]);
        free(text);
    }
}

Test(svg, labels_are_text_and_short)
{
    FILE *out = begin();

    cf_svg_label(out, 0, 0, "start", "k",
                 "</text><script>alert(1)</script> and much that is too long");
    cf_svg_mark(out, CF_SVG_CROSS, 10, 10, 2, "m", "a \"b\" <c>");
    fclose(out);
    cr_expect(strstr(text, "<script") == NULL, "%s", text);
    cr_expect(strstr(text, "\xe2\x80\xa6"), "%s", text);
    cr_expect(strstr(text, "<title>a &quot;b&quot; &lt;c&gt;</title>"), "%s", text);
    cr_expect(strstr(text, "d=\"M8.00 8.00L12.00 12.00M8.00 12.00L12.00 8.00\""), "%s", text);
    free(text);
}
