/* One-sided gates: rates, failures, quality, and the error of an op, by the worked examples and the
 * sample sizes of the specification. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "equivalence.h"
#include "gate.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static void near(double value, double expected, double half_digit, const char *what)
{
    cr_expect(fabs(value - expected) <= half_digit, "%s is %.9g, not %.9g", what, value, expected);
}

/* n values with exactly this mean and SD. */
static void fill(double *y, double mean, double sd, int n)
{
    for (int k = 0; k < n; ++k)
        y[k] = mean + sd * sqrt((n - 1) / (double)n) * (k % 2 ? 1 : -1);
}

Test(gate, identity_by_the_number_of_comparisons)
{
    static const struct {
        long mismatches, n;
        double limit, bound;
        enum cf_verdict verdict;
        int needed;
    } rows[] = {{0, 300, 0.01, 0.0099, CF_PASS, 300},    {0, 299, 0.01, 0.0100, CF_PASS, 299},
                {0, 298, 0.01, 0.0100, CF_UNKNOWN, 299}, {0, 100, 0.01, 0.0295, CF_UNKNOWN, 299},
                {1, 300, 0.01, 0.0157, CF_FAIL, 0},      {0, 60, 0.05, 0.0487, CF_PASS, 60},
                {0, 58, 0.05, 0.0503, CF_UNKNOWN, 59},   {0, 20, 0.05, 0.139, CF_UNKNOWN, 59},
                {1, 1000000, 0.01, 0, CF_FAIL, 0}};

    for (int i = 0; i < COUNT(rows); ++i) {
        const struct cf_evidence e = cf_gate_identity(rows[i].mismatches, rows[i].n, rows[i].limit);

        cr_expect_eq(e.verdict, rows[i].verdict, "%s", e.reason);
        cr_expect_eq(e.n_needed, rows[i].needed, "%d: %s", e.n_needed, e.reason);
        near(e.upper, rows[i].bound, 5e-4, "bound");
    }
    cr_expect_eq(cf_gate_identity(0, 0, 0.01).verdict, CF_UNKNOWN, "nothing was compared");
    cr_expect_eq(cf_gate_identity(0, 300, NAN).verdict, CF_UNKNOWN, "no limit, no pass");
}

Test(gate, agreement_of_classes)
{
    static const struct {
        long differ, n;
        double limit;
        enum cf_verdict verdict;
    } rows[] = {
        {0, 299, 0.01, CF_PASS},      {1, 473, 0.01, CF_PASS},     {2, 628, 0.01, CF_PASS},
        {5, 1049, 0.01, CF_PASS},     {10, 1693, 0.01, CF_PASS},   {0, 298, 0.01, CF_UNKNOWN},
        {1, 472, 0.01, CF_UNKNOWN},   {5, 1048, 0.01, CF_UNKNOWN}, {0, 2995, 0.001, CF_PASS},
        {0, 2994, 0.001, CF_UNKNOWN}, {2, 4000, 0.01, CF_PASS},    {0, 399, 0.01, CF_PASS},
        {80, 4000, 0.01, CF_FAIL}};

    for (int i = 0; i < COUNT(rows); ++i) {
        const struct cf_evidence e =
            cf_gate_rate(rows[i].differ, rows[i].n, rows[i].limit, "agreement");

        cr_expect_eq(e.verdict, rows[i].verdict, "%s", e.reason);
    }
    near(cf_gate_rate(2, 4000, 0.01, "").upper, 0.0016, 5e-5, "2 of 4000");
    near(cf_gate_rate(6, 4000, 0.01, "").upper, 0.0030, 5e-5, "6 of 4000");
    near(cf_gate_rate(0, 399, 0.01, "").upper, 0.0075, 5e-5, "0 of 399");
    near(1 - cf_gate_rate(0, 59, 0.05, "").upper, 0.9505, 5e-5, "59 of 59");
    cr_expect_eq(cf_gate_rate(1, 100, 0.01, "").n_needed, 473);
}

Test(gate, a_rate_on_the_edge_is_borderline)
{
    const double edge = cf_gate_rate(0, 299, 0.01, "").upper;

    for (int v = 2; v < CF_VARIANTS; ++v) {
        const double limit = edge * (v == 2 ? 1 - 1e-10 : 1 + 1e-10);
        const struct cf_evidence e = cf_gate_rate(0, 299, limit, "");

        cr_expect_eq(e.verdict, v == 2 ? CF_UNKNOWN : CF_PASS);
        cr_expect(e.borderline, "flips when the margin moves by 1e-9");
    }
    cr_expect(!cf_gate_rate(0, 299, edge * (1 + 1e-8), "").borderline);
}

Test(gate, failures_allowed_over_three_looks)
{
    static const long by_bound[] = {0, 2, 6}, divided[] = {0, 1, 4};

    for (int i = 0; i < CF_LOOKS; ++i)
        cr_expect_eq(cf_gate_allowed(cf_look_seeds[i], 0.15), by_bound[i]);
    near(cf_gate_false_pass(cf_look_seeds, by_bound, 1, 0.15), 0.039, 5e-4, "first look");
    near(cf_gate_false_pass(cf_look_seeds, by_bound, 3, 0.15), 0.089, 5e-4, "three looks");
    near(cf_gate_false_pass(cf_look_seeds, divided, 3, 0.15), 0.0465, 5e-5, "0, 1, 4");
    cr_expect_eq(cf_gate_allowed(10, 0.15), -1, "with 10 seeds nothing can be excluded");
    cr_expect_eq(cf_gate_failures(0, 29, 0, 200, 0.10).verdict, CF_PASS);
    cr_expect_eq(cf_gate_failures(0, 28, 0, 200, 0.10).verdict, CF_UNKNOWN);
    cr_expect_eq(cf_gate_failures(0, 59, 0, 200, 0.05).verdict, CF_PASS);
    cr_expect_eq(cf_gate_failures(10, 20, 10, 200, 0.15).verdict, CF_FAIL);
    cr_expect_eq(cf_gate_failures(0, 20, 0, 0, 0.15).verdict, CF_UNKNOWN, "a bank of nothing");
}

Test(gate, error_of_an_op_by_its_worked_example)
{
    double logs[20];
    struct cf_ratio r;

    fill(logs, 0.110, 0.188, 20);
    r = cf_gate_ratio(logs, 20, 2);
    cr_expect_eq(r.evidence.verdict, CF_PASS, "%s", r.evidence.reason);
    near(log(r.evidence.upper), 0.183, 5e-4, "upper limit");
    near(r.evidence.upper, 1.20, 5e-3, "as a ratio");
    near(r.evidence.lower, 1.04, 5e-3, "lower limit");
    cr_expect(r.equivalent && !r.superior);
    fill(logs, log(3), 0.188, 20);
    cr_expect_eq(cf_gate_ratio(logs, 20, 2).evidence.verdict, CF_FAIL);
    fill(logs, log(2), 0.188, 20);
    cr_expect_eq(cf_gate_ratio(logs, 20, 2).evidence.verdict, CF_UNKNOWN);
    fill(logs, log(0.25), 0.188, 20);
    cr_expect(cf_gate_ratio(logs, 20, 2).superior);
    fill(logs, log(2) - 0.05, 0.188, 20);
    r = cf_gate_ratio(logs, 20, 2);
    cr_expect(r.evidence.verdict == CF_UNKNOWN && r.evidence.n_needed > 20, "%s",
              r.evidence.reason);
}

Test(gate, errors_without_a_logarithm)
{
    double logs[20];

    fill(logs, 0.1, 0.1, 20);
    logs[4] = NAN;
    cr_expect_eq(cf_gate_ratio(logs, 20, 2).evidence.verdict, CF_FAIL, "a NaN never passes");
    logs[4] = INFINITY;
    cr_expect_eq(cf_gate_ratio(logs, 20, 2).evidence.verdict, CF_FAIL);
    logs[4] = -INFINITY;
    cr_expect_eq(cf_gate_ratio(logs, 20, 2).evidence.verdict, CF_UNKNOWN);
    for (int k = 0; k < 20; ++k)
        logs[k] = -INFINITY;
    cr_expect_eq(cf_gate_ratio(logs, 20, 2).evidence.verdict, CF_PASS, "exact in every seed");
    cr_expect_eq(cf_gate_ratio(logs, 1, 2).evidence.verdict, CF_UNKNOWN);
    cr_expect_eq(cf_gate_ratio(logs, 0, 2).evidence.verdict, CF_UNKNOWN);
    for (int k = 0; k < 20; ++k)
        logs[k] = 0.5;
    cr_expect_eq(cf_gate_ratio(logs, 20, 2).evidence.verdict, CF_PASS, "no variance, inside");
    for (int k = 0; k < 20; ++k)
        logs[k] = 0.75;
    cr_expect_eq(cf_gate_ratio(logs, 20, 2).evidence.verdict, CF_FAIL, "no variance, outside");
}

Test(gate, quality_by_its_worked_examples)
{
    double base[20], got[20];
    struct cf_evidence e;

    for (int k = 0; k < 20; ++k)
        base[k] = 0.952;
    fill(got, 0.952 - 0.0016, 0.0042, 20);
    e = cf_gate_quality_paired(got, base, 20, CF_HIGHER_IS_BETTER, 0.01 * 0.952, CF_ALPHA, "1 %");
    cr_expect_eq(e.verdict, CF_PASS, "%s", e.reason);
    near(e.lower, -0.0032, 5e-5, "lower limit of the accuracy");
    near(e.low, -0.0095, 5e-5, "margin");
    for (int k = 0; k < 20; ++k)
        base[k] = 90;
    fill(got, 90 - 1.2, 4.1, 20);
    e = cf_gate_quality_paired(got, base, 20, CF_HIGHER_IS_BETTER, 5, CF_ALPHA, "5 pp");
    cr_expect_eq(e.verdict, CF_PASS);
    near(e.lower, -2.8, 5e-2, "lower limit of the worst class");
    fill(got, 90 - 9, 4.1, 20);
    cr_expect_eq(
        cf_gate_quality_paired(got, base, 20, CF_HIGHER_IS_BETTER, 5, CF_ALPHA, "").verdict,
        CF_FAIL);
    cr_expect_eq(cf_gate_quality_paired(got, base, 20, CF_LOWER_IS_BETTER, 5, CF_ALPHA, "").verdict,
                 CF_PASS, "a loss that falls is no loss of quality");
    fill(got, 90 + 9, 4.1, 20);
    cr_expect_eq(cf_gate_quality_paired(got, base, 20, CF_LOWER_IS_BETTER, 5, CF_ALPHA, "").verdict,
                 CF_FAIL);
    got[2] = NAN;
    cr_expect_eq(
        cf_gate_quality_paired(got, base, 20, CF_HIGHER_IS_BETTER, 5, CF_ALPHA, "").verdict,
        CF_UNKNOWN);
}

/* Welch by hand: variances 4/5 and 9/10, df = 1.7^2 / (.64/4 + .81/9) = 11.56,
 * between the tabled t(.95, 11) = 1.7959 and t(.95, 12) = 1.7823. */
Test(gate, quality_against_a_bank_of_other_seeds)
{
    double got[5] = {10, 10, 10, 10, 10}, bank[10];
    const double step = sqrt(4.0 * 4 / 2), wide = sqrt(9.0 * 9 / 10);
    struct cf_evidence e;

    got[0] -= step;
    got[1] += step;
    for (int k = 0; k < 10; ++k)
        bank[k] = 10 + wide * (k % 2 ? 1 : -1);
    e = cf_gate_quality_bank(got, 5, bank, 10, CF_HIGHER_IS_BETTER, 3, "");
    near(e.estimate, 0, 1e-15, "difference");
    near(e.upper, (0.44 * 1.7959 + 0.56 * 1.7823) * sqrt(1.7), 6e-4, "t(.95, 11.56) se");
    cr_expect_eq(e.verdict, CF_PASS);
    cr_expect_eq(cf_gate_quality_bank(got, 5, bank, 10, CF_HIGHER_IS_BETTER, 2, "").verdict,
                 CF_UNKNOWN);
}

Test(gate, the_evidence_says_what_it_would_take)
{
    struct cf_evidence e = cf_gate_rate(0, 298, 0.01, "");

    cr_expect(strstr(e.reason, "is not shown to be within the allowed 1 %; 0 of 299 would do"),
              "%s", e.reason);
    e = cf_gate_rate(0, 299, 0.01, "");
    cr_expect(strstr(e.reason, "is within") && !strstr(e.reason, "would do"), "%s", e.reason);
    e = cf_gate_rate(80, 4000, 0.01, "");
    cr_expect(strstr(e.reason, "is shown to exceed") && !strstr(e.reason, "would do"), "%s",
              e.reason);
    for (long bad = 0; bad < 4; ++bad) {
        const int n = cf_gate_rate(bad, bad + 1, 0.05, "").n_needed;

        cr_expect_eq(cf_gate_rate(bad, n, 0.05, "").verdict, CF_PASS, "%ld of %d", bad, n);
        cr_expect_eq(cf_gate_rate(bad, n - 1, 0.05, "").verdict, CF_UNKNOWN, "%ld of %d", bad, n);
    }
    cr_expect_eq(cf_gate_rate(0, 10, 1e-7, "").n_needed, 0, "more than anybody runs");
    cr_expect_eq(cf_gate_rate(5, 5, 1, "").verdict, CF_UNKNOWN, "a rate of 1 excludes nothing");
    cr_expect_eq(cf_gate_rate(6, 5, 0.5, "").verdict, CF_UNKNOWN);
    cr_expect_eq(cf_gate_rate(-1, 5, 0.5, "").verdict, CF_UNKNOWN);
    cr_expect_eq(cf_gate_rate(0, 5, 0, "").verdict, CF_UNKNOWN);
}
