/* figure: a panel a cell, a line a configuration, the farthest kept and the others counted; the
 * same findings give the same bytes; the true weights are those that distances are taken from. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "reference.h"
#include "support_figure.h"
#include "training_case.h"

#define STEPS 4

static double step[STEPS] = {1, 2, 4, 6};
static double far[10][STEPS];
static struct cf_curve_finding curve[12];
static struct cf_configuration_finding configuration[10];
static char label[10][16];

/* A band, then ten configurations, each twice as far as the one before; then another cell. */
static struct cf_findings make(void)
{
    struct cf_findings f = {
        .n_configurations = 10, .configurations = configuration, .n_curves = 12, .curves = curve};

    for (int i = 0; i < 10; ++i) {
        snprintf(label[i], sizeof label[i], "subject %d", i);
        configuration[i] =
            (struct cf_configuration_finding){.label = label[i], .is_baseline = i == 0};
        for (int k = 0; k < STEPS; ++k)
            far[i][k] = ldexp(1e-7 * step[k], i);
        curve[i + 1] =
            (struct cf_curve_finding){"s", "cell a", i, STEPS, 3, step, far[i], far[i], far[i]};
    }
    curve[0] =
        (struct cf_curve_finding){"s", "cell a", -1, STEPS, 24, step, far[0], far[1], far[2]};
    curve[11] =
        (struct cf_curve_finding){"s", "cell <b>", 3, STEPS, 3, step, far[3], far[3], far[3]};
    return f;
}

static char *draw(const struct cf_findings *f, int panel)
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);

    cf_figure_panel(out, f, panel);
    fclose(out);
    return text;
}

static int count(const char *text, const char *word)
{
    int n = 0;

    while ((text = strstr(text, word))) {
        ++text;
        ++n;
    }
    return n;
}

Test(figure, a_line_each_for_the_farthest_and_the_baseline)
{
    const struct cf_findings f = make();
    char *text, *again, *caption = cf_figure_caption(&f, 0);

    cr_assert_eq(cf_figure_panels(&f), 2);
    text = draw(&f, 0);
    again = draw(&f, 0);
    cr_expect_str_eq(text, again);
    cr_expect_eq(count(text, "fill=\"none\""), 6);
    cr_expect_eq(count(text, "class=\"dv-band\""), 1);
    cr_expect(strstr(text, "* subject 0"), "the baseline is always there");
    for (int i = 1; i < 10; ++i) {
        char *words = cf_format(">subject %d<", i);

        cr_expect_eq(strstr(text, words) != NULL, i >= 5, "subject %d", i);
        free(words);
    }
    cr_expect(strstr(caption, "4 more configurations end nearer"), "%s", caption);
    cr_expect(strstr(caption, "24 pairs of runs"), "%s", caption);
    free(text);
    free(again);
    free(caption);
}

Test(figure, a_cell_alone_without_a_band)
{
    const struct cf_findings f = make();
    char *text = draw(&f, 1), *caption = cf_figure_caption(&f, 1);

    cr_expect_eq(count(text, "fill=\"none\""), 1);
    cr_expect_eq(count(text, "class=\"dv-band\""), 0);
    cr_expect(strstr(text, "cell &lt;b&gt;"), "names are escaped");
    cr_expect(!strstr(caption, "Grey") && !strstr(caption, "more conf"), "%s", caption);
    free(text);
    free(caption);
}

/* A distance that is no number, or none at all, lifts the pen and draws nothing outside. */
Test(figure, what_is_no_number_makes_a_gap)
{
    const struct cf_findings f = make();
    char *text;

    far[3][1] = NAN;
    text = draw(&f, 1);
    cr_expect_eq(count(text, "nan"), 0);
    cr_expect_eq(count(text, "step "), STEPS - 1 + 1, "the axis' title and three points");
    free(text);
}

Test(figure, without_curves_it_says_so)
{
    const struct cf_findings f = {.n_curves = 0};
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);

    for (int i = 0; cf_reports[i]; ++i)
        if (strcmp(cf_reports[i]->name, "svg") == 0)
            cr_expect_eq(cf_reports[i]->write(out, &f, NULL, NULL), 0);
    fclose(out);
    cr_expect(strstr(text, "Nothing to draw") && strstr(text, "--level=statistical"), "%s", text);
    free(text);
}

/* The weights that are zero away from the truth are the truth: a run whose snapshots are the true
 * weights has the distance of their rounding alone. */
Test(figure, true_weights_and_distances_agree)
{
    static const int64_t at[] = {1, 2, 4};
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX], snapshots;
    struct cf_error err;
    struct cf_truth *weights;
    struct cf_case c;
    double distance[3];

    cr_assert_eq(cf_case_parse(&c,
                               "train_logreg f32 steps=4 batch=4 lr=0.1 rows=100 fill=drawn "
                               "snapshots=3 seed=1",
                               cf_op_grammar, &err),
                 0, "%s", err.text);
    cr_assert_eq(cf_case_draw(&c, cf_op_find(c.op), in, out, &err), 0, "%s", err.text);
    snapshots = out[CF_OUT_SNAPSHOTS];
    weights = cf_alloc((size_t)cf_tensor_count(&snapshots) * sizeof weights[0]);
    cr_assert_eq(cf_trajectory_weights(weights, (enum cf_model)cf_training_model(c.op), in, at, 3,
                                       128, &err),
                 0, "%s", err.text);
    cf_tensor_alloc(&snapshots);
    for (int64_t i = 0; i < cf_tensor_count(&snapshots); ++i) {
        cf_tensor_set(&snapshots, i, weights[i].rounded);
        cr_expect(fabs(weights[i].lo) <= ldexp(fabs(weights[i].rounded), -53), "weight %d", (int)i);
    }
    cr_assert_eq(cf_trajectory_distances(distance, (enum cf_model)cf_training_model(c.op), in,
                                         &snapshots, 3, 128, &err),
                 0, "%s", err.text);
    for (int k = 0; k < 3; ++k)
        cr_expect(distance[k] > 0 && distance[k] < ldexp(1, -24), "step %d: %a", (int)at[k],
                  distance[k]);
}
