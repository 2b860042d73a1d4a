/* The self-test's own liars: a judge that grants everything, one that accuses everything, a bug
 * that was never planted, a margin that lies elsewhere: each must make the self-test fail. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "equivalence.h"
#include "selftest.h"
#include "special.h"

#define FINDING(part, verdict_, reason_)                                                           \
    {                                                                                              \
        .component = part, .verdict = verdict_, .suite = "logreg", .group = "train_logreg f32",    \
        .configuration = 1, .reason = reason_, .demand.scope = CF_TO_BASELINE, .n_seeds = 20       \
    }

static struct cf_configuration_finding configurations[] = {{.text = "plain kernel=forward"},
                                                           {.text = "plain kernel=tf32"}};
static struct cf_cell_finding cells[] = {
    {.configuration = 1, .suite = "logreg", .group = "train_logreg f32", .reason = ""}};
static const struct cf_expectation want = {.kind = CF_SELFTEST_TRAINING,
                                           .bug = "products with tf32 inputs",
                                           .configuration = "plain kernel=tf32",
                                           .cell = "logreg",
                                           .expected = "fp.n",
                                           .source = "14"};

static struct cf_findings findings_of(struct cf_finding *list, int n)
{
    return (struct cf_findings){.n_configurations = 2,
                                .configurations = configurations,
                                .n_cells = 1,
                                .cells = cells,
                                .n_findings = n,
                                .findings = list};
}

Test(selftest, letters)
{
    static const struct {
        char expected;
        const char *met, *breached;
    } rows[] = {{'p', "p", "fus "}, {'f', "f", "pus "},  {'s', "s", "pfu "}, {'n', "n", "r?us"},
                {'r', "r", "n?us"}, {'o', "pus", "fn "}, {'d', "fus", "p "}, {'.', "pfusrn?", ""}};

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        for (const char *c = rows[i].met; *c; ++c)
            cr_expect(cf_selftest_met(rows[i].expected, *c), "%c: %c", rows[i].expected, *c);
        for (const char *c = rows[i].breached; *c; ++c)
            cr_expect(!cf_selftest_met(rows[i].expected, *c), "%c: %c", rows[i].expected, *c);
    }
}

Test(selftest, reads_findings)
{
    struct cf_finding list[] = {
        FINDING("bits", CF_FAIL, "20 of 20 differ"), FINDING("equivalence", CF_PASS, "equivalent"),
        FINDING("attribution", CF_PASS, "Statistical: pass. Attribution: not rounding; ...")};
    struct cf_findings findings = findings_of(list, 3);
    struct cf_selftest st = {0};

    cf_selftest_observe(&st, &want, &findings);
    cr_expect_str_eq(st.outcome[0].got, "fp n");
    cr_expect_eq(cf_selftest_breaches(&st.outcome[0]), 0);
    list[2].reason = "Statistical: pass. Attribution: rounding. ...";
    list[0].demand.scope = CF_ACROSS_RUN; /* the bits of its own runs are another question */
    cf_selftest_observe(&st, &want, &findings);
    cr_expect_str_eq(st.outcome[1].got, " p r");
    cr_expect_eq(cf_selftest_breaches(&st.outcome[1]), 2);
    findings.n_configurations = 1; /* it was never run */
    cf_selftest_observe(&st, &want, &findings);
    cr_expect_str_eq(st.outcome[2].got, "    ");
    cr_expect_eq(cf_selftest_breaches(&st.outcome[2]), 3);
    cf_selftest_free(&st);
}

Test(selftest, counts_pairs)
{
    struct cf_finding list[] = {FINDING("equivalence", CF_PASS, "equivalent"),
                                FINDING("attribution", CF_PASS, "Attribution: rounding."),
                                FINDING("F", CF_PASS, "all ran")};
    const struct cf_findings findings = findings_of(list, 3);
    struct cf_alarms alarms = {0};

    cf_selftest_pair(&alarms, &findings, 1);
    cr_expect(alarms.n == 1 && alarms.n_false == 0 && alarms.n_undecided == 0);
    list[0].verdict = CF_UNKNOWN;
    cf_selftest_pair(&alarms, &findings, 1);
    cr_expect(alarms.n == 2 && alarms.n_false == 0 && alarms.n_undecided == 1);
    list[1].reason = "Attribution: not rounding.";
    cf_selftest_pair(&alarms, &findings, 1);
    list[1].reason = "Attribution: rounding.";
    list[2].verdict = CF_FAIL;
    cf_selftest_pair(&alarms, &findings, 1);
    cr_expect(alarms.n == 4 && alarms.n_false == 2);
    cr_expect(strstr(alarms.first, "plain kernel=tf32 in logreg: Attribution: not rounding"));
    cr_expect_eq(alarms.upper, cf_clopper_upper_d(2, 4, 0.05));
    for (int i = 0; i < 3; ++i)
        list[i].verdict = CF_SKIP; /* nothing was compared */
    cf_selftest_pair(&alarms, &findings, 1);
    cr_expect_eq(alarms.n, 4);
    free(alarms.first);
}

/* A self-test that holds, with one bug. */
static struct cf_selftest holding(void)
{
    struct cf_selftest st = {.full = 1,
                             .training = {.n = 300},
                             .sums = {.n = 299},
                             .n_boundaries = 2,
                             .boundary = {{.kind = CF_BOUNDARY_SHIFT, .n = 1000, .n_pass = 40},
                                          {.kind = CF_BOUNDARY_NULL, .n = 1000, .n_pass = 1000}},
                             .n_levels = 100,
                             .n_anomalies = 3,
                             .n = 1};

    for (int i = 0; i < 2; ++i)
        cf_boundary_bound(&st.boundary[i]);
    st.outcome = cf_alloc_zero(sizeof st.outcome[0]);
    st.outcome[0] = (struct cf_outcome){.want = want, .got = "fp n", .reason = cf_strdup("")};
    st.outcome[0].want.bug = cf_strdup(want.bug);
    st.outcome[0].want.configuration = cf_strdup(want.configuration);
    st.outcome[0].want.cell = cf_strdup(want.cell);
    return st;
}

static void grants_all(struct cf_selftest *st)
{
    strcpy(st->outcome[0].got, "pp r");
}

static void grants_at_the_margin(struct cf_selftest *st)
{
    st->boundary[0].n_pass = 70;
    cf_boundary_bound(&st->boundary[0]);
}

static void accuses(struct cf_selftest *st)
{
    st->training.n_false = 1;
    st->training.first = cf_strdup("a twin");
}

static void accuses_sums(struct cf_selftest *st)
{
    st->sums.n_false = 1;
    st->sums.first = cf_strdup("an order");
}

static void fails_what_is_equal(struct cf_selftest *st)
{
    st->boundary[1].n_fail = 1;
}

static void compares_too_little(struct cf_selftest *st)
{
    st->training.n = 298;
}

static void tries_no_margin(struct cf_selftest *st)
{
    st->n_boundaries = 0;
}

static void is_not_coherent(struct cf_selftest *st)
{
    st->n_anomalies = 20;
}

static void plants_nothing(struct cf_selftest *st)
{
    strcpy(st->outcome[0].want.expected, "....");
}

Test(selftest, liars)
{
    static const struct {
        void (*lie)(struct cf_selftest *);
        const char *words;
    } liars[] = {{grants_all, "1 of 1 planted bugs"},
                 {grants_at_the_margin, "at the margin (shift) 70 of 1000 were granted"},
                 {accuses, "1 of 300 training runs"},
                 {accuses_sums, "1 of 299 sums"},
                 {fails_what_is_equal, "without any change failed"},
                 {compares_too_little, "only 298 of 299 training runs"},
                 {tries_no_margin, "the margin was not tried"},
                 {is_not_coherent, "order anomalies"},
                 {plants_nothing, "no bug was planted"}};
    struct cf_selftest st = holding();
    char *why = cf_selftest_verdict(&st);

    cr_expect_null(why, "%s", why);
    cf_selftest_free(&st);
    for (int i = 0; i < CF_COUNT(liars); ++i) {
        st = holding();
        liars[i].lie(&st);
        why = cf_selftest_verdict(&st);
        cr_expect(why && strstr(why, liars[i].words), "%s: %s", liars[i].words, why ? why : "");
        free(why);
        cf_selftest_free(&st);
    }
}

static void count_promises(void *context, const struct cf_expectation *e)
{
    int *n = context;
    size_t columns = 0;

    while (cf_selftest_columns[e->kind][columns])
        ++columns;
    cr_expect_eq(strlen(e->expected), columns, "%s in %s: %s", e->bug, e->cell, e->expected);
    cr_expect_eq(strspn(e->expected, "pfusrn?od."), columns, "%s: %s", e->bug, e->expected);
    cr_expect_neq(*e->source, '\0', "%s", e->bug);
    ++*n;
}

/* Every row of the tables is whole, and both forms have some of each kind. */
Test(selftest, tables)
{
    for (int kind = 0; kind < CF_SELFTEST_N; ++kind)
        for (int full = 0; full < 2; ++full) {
            int n = 0;

            cf_selftest_each((enum cf_selftest_kind)kind, full, count_promises, &n);
            cr_expect(full || kind != CF_SELFTEST_CLAIMS ? n >= 10 : n == 0, "kind %d: %d", kind,
                      n);
        }
}

/* On a bell curve the margin lies where the specification says: 0.954 sigma, a ratio of 2.41. */
Test(selftest, margin_of_a_bell_curve)
{
    static const double expected[CF_N_BOUNDARIES] = {0.954, 2.41, 0.954, 0};
    double loss[200];

    for (int i = 0; i < 200; ++i)
        loss[i] = 0.31 - 0.012 * cf_normal_quantile_d((i + 0.5) / 200);
    for (int k = 0; k < CF_N_BOUNDARIES; ++k) {
        struct cf_boundary b = cf_boundary_start((enum cf_boundary_kind)k, loss, 200), twice;

        cr_expect(fabs(b.factor - expected[k]) < 0.02, "%s: %.4f", cf_boundary_name(b.kind),
                  b.factor);
        if (k != CF_BOUNDARY_PAIRED)
            continue;
        twice = b;
        cf_boundary_try(&b, loss, 200, 40, 1);
        cr_expect(b.lower <= 0.05, "%d of %d", b.n_pass, b.n);
        cf_boundary_try(&twice, loss, 200, 13, 1); /* in two goes it is the same */
        cf_boundary_try(&twice, loss, 200, 27, 1);
        cr_expect(twice.n == b.n && twice.n_pass == b.n_pass && twice.n_fail == b.n_fail);
        b.factor = 0.7; /* a liar's margin */
        cf_boundary_try(&b, loss, 200, 40, 1);
        cr_expect(b.lower > 0.05, "%d of %d", b.n_pass, b.n);
    }
}

/* Where losses have a heavy tail their SD is known less well, and the margin must say so. */
Test(selftest, limits_under_a_heavy_tail)
{
    double normal[200], heavy[200];
    struct cf_bank light, tail;

    for (int i = 0; i < 200; ++i) {
        const double p = (i + 0.5) / 200;

        normal[i] = cf_normal_quantile_d(p);
        heavy[i] = p < 0.5 ? log(2 * p) : -log(2 - 2 * p); /* Laplace: kurtosis 6 */
    }
    cr_assert(cf_bank_init(&light, normal, 200, CF_LOWER_IS_BETTER));
    cr_assert(cf_bank_init(&tail, heavy, 200, CF_LOWER_IS_BETTER));
    cr_expect(fabs(light.sd_low / light.sd - 0.924) < 5e-4, "%.5f", light.sd_low / light.sd);
    cr_expect(fabs(light.sd_high / light.sd - 1.090) < 5e-4, "%.5f", light.sd_high / light.sd);
    cr_expect(tail.sd_low / tail.sd < 0.90, "%.5f", tail.sd_low / tail.sd);
    cr_expect(tail.sd_high / tail.sd > 1.12, "%.5f", tail.sd_high / tail.sd);
    cf_bank_clear(&light);
    cf_bank_clear(&tail);
}
