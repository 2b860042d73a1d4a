/* Equivalence of training metrics: the worked examples of the specification as rows, what a margin
 * may not be talked into, and the rate of false passes exactly at the margin. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "equivalence.h"
#include "gate.h"
#include "philox.h"
#include "special.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum { BANK = 200, SEEDS = 80 };

static double bank_values[BANK], got[SEEDS];
static struct cf_bank bank;
static struct cf_metric metric = {"loss", &bank, &cf_margins_default, got};

static double lower_quantile(double share)
{
    return -cf_normal_quantile_d(share);
}

/* 0.310 + 0.012 z((i - .5) / 200): the bank of the worked examples. */
static void setup(void)
{
    for (int i = 0; i < BANK; ++i)
        bank_values[i] = 0.310 + 0.012 * lower_quantile((i + 0.5) / BANK);
    cr_assert(cf_bank_init(&bank, bank_values, BANK, CF_LOWER_IS_BETTER));
}

static void teardown(void)
{
    cf_bank_clear(&bank);
}

/* n values with exactly this mean and SD, over the first seeds of the bank. */
static void shift_pairs(double mean, double sd, int n)
{
    for (int s = 0; s < n; ++s)
        got[s] = bank_values[s] + mean + sd * sqrt((n - 1) / (double)n) * (s % 2 ? 1 : -1);
}

static void sample_normal(double shift, double scale, int n)
{
    for (int s = 0; s < n; ++s)
        got[s] = 0.310 + 0.012 * (shift + scale * lower_quantile((s + 0.5) / n));
}

static void near(double value, double expected, double half_digit, const char *what)
{
    cr_expect(fabs(value - expected) <= half_digit, "%s is %.9g, not %.9g", what, value, expected);
}

Test(equivalence, limits_of_a_standard_deviation)
{
    near(sqrt(199 / cf_chi2_quantile_d(0.95, 199)), 0.924, 5e-4, "sigma_L at 200");
    near(cf_sd_upper_factor(200), 1.090, 5e-4, "sigma_U at 200");
    near(sqrt(99 / cf_chi2_quantile_d(0.95, 99)), 0.896, 5e-4, "sigma_L at 100");
    near(cf_sd_upper_factor(100), 1.134, 5e-4, "sigma_U at 100");
    near(cf_sd_upper_factor(20), 1.370, 5e-4, "U_D at 20");
    near(cf_student_quantile_d(CF_ALPHA / 3, 19), 2.294, 5e-4, "t of a look at 20");
    near(cf_student_quantile_d(CF_ALPHA, 19), 1.729, 5e-4, "t at 20");
    cr_expect(isnan(cf_sd_upper_factor(1)));
}

Test(equivalence, worked_example_of_regime_p, .init = setup, .fini = teardown)
{
    struct cf_look l;

    shift_pairs(0.00020, 0.00110, 20);
    l = cf_equivalence_look(&metric, 1, 0);
    cr_expect_eq(l.verdict, CF_PASS, "%s", l.reason);
    cr_expect_eq(l.regime, CF_REGIME_PAIRED);
    near(l.component[0].evidence.estimate, 0.00020, 1e-12, "mean D");
    near(l.component[0].evidence.upper, 0.00076, 5e-6, "upper limit");
    near(l.component[0].evidence.high, 0.01058, 1e-5, "margin");
    near(l.component[0].evidence.fail_high, 0.954 * 0.01308, 1e-5, "margin to fail");
    cr_expect(!l.borderline);
    shift_pairs(0.0140, 0.00110, 20);
    cr_expect_eq(cf_equivalence_look(&metric, 1, 0).verdict, CF_FAIL, "1.17 sigma, paired");
    shift_pairs(0.0115, 0.00110, 80);
    cr_expect_eq(cf_equivalence_look(&metric, 1, 2).verdict, CF_UNKNOWN,
                 "between the two margins nothing is shown, whatever the number of seeds");
}

Test(equivalence, worked_example_of_regime_u, .init = setup, .fini = teardown)
{
    struct cf_evidence location, dispersion;
    struct cf_look l;

    sample_normal(0.20, 1.05, 20);
    l = cf_equivalence_look(&metric, 1, 0);
    cr_expect_eq(l.verdict, CF_PASS, "%s", l.reason);
    cr_expect_eq(l.regime, CF_REGIME_RANK);
    cr_expect_eq(l.n_components, 3);
    location = l.component[0].evidence;
    near(location.estimate, 0.5545, 5e-5, "theta");
    near((location.upper - location.estimate) / 2.268, 0.0703, 5e-5, "its se");
    near(cf_student_quantile_d(CF_ALPHA / 3, 22.4), 2.268, 5e-4, "t at df 22.4");
    near(location.lower, 0.395, 5e-4, "lower");
    near(location.upper, 0.714, 5e-4, "upper");
    dispersion = l.component[1].evidence;
    near(dispersion.estimate, 0.521, 5e-4, "theta'");
    near(dispersion.lower, 0.361, 5e-4, "lower of theta'");
    near(dispersion.upper, 0.681, 5e-4, "upper of theta'");
    near(l.component[2].evidence.upper, 0.139, 5e-4, "F");
}

Test(equivalence, worked_example_of_a_shift_of_1_8_sigma, .init = setup, .fini = teardown)
{
    struct cf_evidence at_fail_level;
    struct cf_look l;

    sample_normal(1.8, 1, 20);
    l = cf_equivalence_look(&metric, 1, 0);
    cr_expect_eq(l.verdict, CF_FAIL, "%s", l.reason);
    cr_expect(strstr(l.reason, "location") != NULL, "%s", l.reason);
    at_fail_level = cf_equivalence_location(&metric, 20, CF_ALPHA / 6);
    near(at_fail_level.estimate, 0.900, 5e-4, "theta");
    near(at_fail_level.lower, 0.811, 5e-4, "lower");
    near(at_fail_level.upper, 0.989, 5e-4, "upper");
    sample_normal(-1.8, 1, 20);
    cr_expect_eq(cf_equivalence_look(&metric, 1, 0).verdict, CF_FAIL, "better is a difference too");
}

/* The liar looks for harm only. */
Test(equivalence, a_one_sided_check_is_caught, .init = setup, .fini = teardown)
{
    struct cf_moments d;

    sample_normal(-3, 0.05, 20);
    d = cf_sample_differences(got, bank_values, 20);
    cr_expect(d.mean < 0.01058, "the one-sided liar is content: the loss got better");
    cr_expect_eq(cf_equivalence_look(&metric, 1, 0).verdict, CF_FAIL);
}

Test(equivalence, a_collapsed_spread_fails_by_dispersion_alone, .init = setup, .fini = teardown)
{
    struct cf_look l;

    sample_normal(0, 0.05, 40);
    l = cf_equivalence_look(&metric, 1, 1);
    cr_expect_eq(l.component[0].evidence.verdict, CF_PASS, "%s", l.reason);
    cr_expect_eq(l.component[1].evidence.verdict, CF_FAIL, "%s", l.reason);
    cr_expect_eq(l.verdict, CF_FAIL);
}

Test(equivalence, identity_is_of_bits_and_needs_a_planned_look, .init = setup, .fini = teardown)
{
    struct cf_look l;

    memcpy(got, bank_values, sizeof got);
    l = cf_equivalence_look(&metric, 1, 0);
    cr_expect_eq(l.verdict, CF_PASS, "%s", l.reason);
    cr_expect_eq(l.regime, CF_REGIME_IDENTITY);
    bank_values[3] = 0.0;
    got[3] = -0.0;
    l = cf_equivalence_look(&metric, 1, 0);
    cr_expect_eq(l.regime, CF_REGIME_PAIRED, "-0 is not +0, but as a value it is the same");
    cr_expect_eq(l.verdict, CF_PASS);
    cr_expect_eq(cf_equivalence_look(&metric, 1, 3).verdict, CF_SKIP);
}

/* The liar asks whether a difference exceeds the margin; a NaN exceeds nothing. */
Test(equivalence, a_nan_never_passes, .init = setup, .fini = teardown)
{
    struct cf_look l;

    sample_normal(0, 1, 20);
    got[7] = NAN;
    cr_expect(!(fabs(got[7] - bank_values[7]) > 0.01), "the liar that accepts a NaN is content");
    l = cf_equivalence_look(&metric, 1, 0);
    cr_expect_eq(l.n_failures, 1);
    cr_expect_eq(l.verdict, CF_UNKNOWN, "%s", l.reason);
    cr_expect_neq(cf_equivalence_paired(&metric, 20, 0.05).verdict, CF_PASS);
    for (int s = 0; s < 20; ++s)
        got[s] = s % 2 ? NAN : -INFINITY;
    l = cf_equivalence_look(&metric, 1, 0);
    cr_expect_eq(l.verdict, CF_FAIL, "%s", l.reason);
    cr_expect(l.component[0].evidence.estimate > 0.99, "a failed run is the worst loss");
}

/* A failure is the worst of an accuracy too, and the sign of theta follows the loss. */
Test(equivalence, higher_is_better_turns_the_ranks_round)
{
    double accuracy[BANK], run[20];
    struct cf_bank b;
    struct cf_metric m = {"accuracy", &b, &cf_margins_default, run};

    for (int i = 0; i < BANK; ++i)
        accuracy[i] = 0.9 + 0.01 * lower_quantile((i + 0.5) / BANK);
    cr_assert(cf_bank_init(&b, accuracy, BANK, CF_HIGHER_IS_BETTER));
    for (int s = 0; s < 20; ++s)
        run[s] = 0.5;
    cr_expect(cf_equivalence_location(&m, 20, 0.05).estimate == 1, "a low accuracy is a high loss");
    for (int s = 0; s < 20; ++s)
        run[s] = INFINITY;
    cr_expect(cf_equivalence_location(&m, 20, 0.05).estimate == 1, "not a very good accuracy");
    cf_bank_clear(&b);
}

Test(equivalence, a_bank_that_cannot_give_a_margin_is_refused)
{
    double y[BANK];
    struct cf_bank b;

    for (int i = 0; i < BANK; ++i)
        y[i] = i < 101 ? NAN : i;
    cr_expect(!cf_bank_init(&b, y, BANK, CF_LOWER_IS_BETTER), "most runs failed");
    cf_bank_clear(&b);
    cr_expect(!cf_bank_init(&b, y, 19, CF_LOWER_IS_BETTER), "too few");
    cf_bank_clear(&b);
}

Test(equivalence, the_order_of_the_values_changes_nothing)
{
    static const double up[] = {1e300, 1, -1e300, 1e-300, 3, 0.1};
    static const double down[] = {0.1, 3, 1e-300, -1e300, 1, 1e300};
    const struct cf_moments a = cf_sample_moments(up, 6), b = cf_sample_moments(down, 6);

    cr_expect_eq(a.mean, b.mean);
    cr_expect_eq(a.sd, b.sd);
    near(a.mean, 4.1 / 6, 2e-16, "the exact mean");
    cr_expect(isnan(cf_sample_moments(up, 1).sd) && isnan(cf_sample_moments(up, 0).mean));
}

Test(equivalence, seeds_needed_in_regime_p)
{
    static const struct {
        double ratio;
        int seeds;
    } rows[] = {{0.1, 3}, {0.2, 4}, {0.3, 6}, {0.5, 9}, {1.0, 27}, {1.41, 49}};

    for (int i = 0; i < (int)(sizeof rows / sizeof *rows); ++i)
        cr_expect_eq(cf_paired_seeds_needed(0.954, rows[i].ratio), rows[i].seeds, "%g: %d",
                     rows[i].ratio, cf_paired_seeds_needed(0.954, rows[i].ratio));
}

/* The number of seeds that an undecided component asks for is enough, and one less is not. */
Test(equivalence, the_seeds_asked_for_would_do, .init = setup, .fini = teardown)
{
    struct cf_evidence e;
    int needed;

    shift_pairs(0.004, 0.018, 20);
    e = cf_equivalence_paired(&metric, 20, CF_ALPHA / 3);
    needed = e.n_needed;
    cr_assert_eq(e.verdict, CF_UNKNOWN, "%s", e.reason);
    cr_assert(needed > 20 && needed <= 80, "%d", needed);
    shift_pairs(0.004, 0.018, needed);
    cr_expect_eq(cf_equivalence_paired(&metric, needed, CF_ALPHA / 3).verdict, CF_PASS);
    shift_pairs(0.02, 0.018, 20);
    cr_expect_eq(cf_equivalence_paired(&metric, 20, CF_ALPHA / 3).n_needed, 0, "no number would");
}

/* alpha exactly met: the margin moved by 1e-9 flips the verdict, and it says so. */
Test(equivalence, a_verdict_on_the_edge_is_borderline, .init = setup, .fini = teardown)
{
    struct cf_evidence e;
    double mean = 0, step = 0.02;

    while (step > 1e-14) {
        shift_pairs(mean + step, 0.001, 20);
        if (cf_equivalence_paired(&metric, 20, 0.05).verdict == CF_PASS)
            mean += step;
        step /= 2;
    }
    shift_pairs(mean, 0.001, 20);
    e = cf_equivalence_paired(&metric, 20, 0.05);
    cr_expect_eq(e.verdict, CF_PASS);
    cr_expect(e.borderline);
    shift_pairs(mean - 1e-6, 0.001, 20);
    cr_expect(!cf_equivalence_paired(&metric, 20, 0.05).borderline);
}

/* A component that passes at alpha does not pass a look; one that fails at alpha does not fail it.
 */
Test(equivalence, three_looks_and_all_components_are_paid_for, .init = setup, .fini = teardown)
{
    struct cf_look l;
    double location, dispersion, f;

    sample_normal(0.45, 1.0, 20);
    l = cf_equivalence_look(&metric, 1, 0);
    location = l.component[0].evidence.p_pass[0];
    dispersion = l.component[1].evidence.p_pass[0];
    f = l.component[2].evidence.p_pass[0];
    cr_expect(location > CF_ALPHA / 3 && location < CF_ALPHA, "the row is of no use: %g", location);
    cr_expect_eq(l.p_pass, fmax(fmax(3 * location, 3 * dispersion), f));
    cr_expect_eq(l.verdict, CF_UNKNOWN, "%s", l.reason);
    sample_normal(1.5, 1.0, 20);
    l = cf_equivalence_look(&metric, 1, 0);
    location = l.component[0].evidence.p_fail[0];
    cr_expect(location > CF_ALPHA / 9 && location < CF_ALPHA, "the row is of no use: %g", location);
    near(l.p_fail, 9 * location, 1e-15, "p_fail of the look");
    cr_expect_eq(l.verdict, CF_UNKNOWN, "%s", l.reason);
}

/* Steps to target are small integers: with mid-ranks the same distribution has theta 1/2. */
Test(equivalence, ties_count_one_half)
{
    double steps[BANK], run[20];
    struct cf_bank b;
    struct cf_metric m = {"steps", &b, &cf_margins_default, run};

    for (int i = 0; i < BANK; ++i)
        steps[i] = i % 10;
    for (int s = 0; s < 20; ++s)
        run[s] = (s + 3) % 10;
    cr_assert(cf_bank_init(&b, steps, BANK, CF_LOWER_IS_BETTER));
    cr_expect_eq(cf_equivalence_location(&m, 20, 0.05).estimate, 0.5);
    cr_expect_eq(cf_equivalence_dispersion(&m, 20, 0.05).estimate, 0.5);
    cf_bank_clear(&b);
}

/* Two uniform words to one standard normal, Box and Muller 1958. */
static double draw(const struct cf_stream *stream, uint64_t i)
{
    const double u = ((double)(cf_stream_word(stream, 2 * i) >> 11) + 0.5) * 0x1p-53;
    const double v = ((double)(cf_stream_word(stream, 2 * i + 1) >> 11) + 0.5) * 0x1p-53;

    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

enum { BANKS = 40, DRAWS = 25, TRIALS = BANKS * DRAWS };

/* How many of 1000 samples at a true shift (and correlation with the bank) pass at alpha / 3. */
static int false_passes(struct cf_evidence (*test)(const struct cf_metric *, int, double),
                        double shift, double scale, double r)
{
    const struct cf_stream stream = {20260101, 7};
    double y[BANK], run[20];
    struct cf_bank b;
    struct cf_metric m = {"loss", &b, &cf_margins_default, run};
    uint64_t i = 0;
    int passes = 0;

    for (int k = 0; k < BANKS; ++k) {
        for (int s = 0; s < BANK; ++s)
            y[s] = draw(&stream, i++);
        cr_assert(cf_bank_init(&b, y, BANK, CF_LOWER_IS_BETTER));
        for (int d = 0; d < DRAWS; ++d) {
            for (int s = 0; s < 20; ++s)
                run[s] = shift + scale * (r * y[s] + sqrt(1 - r * r) * draw(&stream, i++));
            passes += test(&m, 20, CF_ALPHA / 3).verdict == CF_PASS;
        }
        cf_bank_clear(&b);
    }
    return passes;
}

/* At most alpha: the lower bound of the observed rate is not above it. */
static void expect_at_most_alpha(int passes, const char *what)
{
    cr_expect(cf_clopper_lower_d(passes, TRIALS, 0.001) <= CF_ALPHA, "%s: %d of %d", what, passes,
              TRIALS);
}

Test(equivalence, at_the_margin_location_passes_at_most_alpha)
{
    expect_at_most_alpha(false_passes(cf_equivalence_location, 0.954, 1, 0), "rank, r = 0");
}

Test(equivalence, at_the_margin_paired_passes_at_most_alpha)
{
    expect_at_most_alpha(false_passes(cf_equivalence_paired, 0.954, 1, 0.99), "paired, r = .99");
}

Test(equivalence, at_the_margin_dispersion_passes_at_most_alpha)
{
    expect_at_most_alpha(false_passes(cf_equivalence_dispersion, 0, 2.414, 0), "SD ratio 2.41");
}

static struct cf_evidence within_noise(const struct cf_metric *m, int n, double alpha)
{
    const double d = cf_sample_moments(m->got, n).mean - cf_sample_moments(m->bank->y, n).mean;

    (void)alpha;
    return cf_evidence_without(fabs(d) < 2 * m->bank->sd ? CF_PASS : CF_FAIL, n, "liar");
}

/* The liar of the field, |mean difference| < 2 SD, passes nearly everything at the margin. */
Test(equivalence, within_noise_is_caught_at_the_margin)
{
    const int passes = false_passes(within_noise, 0.954, 1, 0);

    cr_expect(cf_clopper_lower_d(passes, TRIALS, 0.001) > CF_ALPHA, "%d of %d", passes, TRIALS);
}

/* "About so many would do": two more do, with the same mean and SD, and a fifth less does not. */
Test(equivalence, the_seeds_needed_are_enough_and_not_far_too_many, .init = setup, .fini = teardown)
{
    static const struct {
        double mean, sd;
        int n;
    } rows[] = {{0.0095, 0.0040, 10}, {0.0080, 0.0080, 10}, {-0.0090, 0.0050, 12}};

    for (int i = 0; i < COUNT(rows); ++i) {
        struct cf_evidence e;
        int needed;

        shift_pairs(rows[i].mean, rows[i].sd, rows[i].n);
        e = cf_equivalence_paired(&metric, rows[i].n, CF_ALPHA);
        needed = e.n_needed;
        cr_expect_eq(e.verdict, CF_UNKNOWN, "%s", e.reason);
        cr_assert(needed > rows[i].n && needed <= SEEDS, "%d", needed);
        cr_expect(strstr(e.reason, "not shown to be inside") && strstr(e.reason, "would do"), "%s",
                  e.reason);
        shift_pairs(rows[i].mean, rows[i].sd, needed + 2);
        e = cf_equivalence_paired(&metric, needed + 2, CF_ALPHA);
        cr_expect_eq(e.verdict, CF_PASS, "%d: %s", needed, e.reason);
        cr_expect_eq(e.n_needed, e.n, "it passed with these");
        cr_expect(strstr(e.reason, "is inside") && !strstr(e.reason, "would do"), "%s", e.reason);
        shift_pairs(rows[i].mean, rows[i].sd, needed * 4 / 5 / 2 * 2);
        e = cf_equivalence_paired(&metric, needed * 4 / 5 / 2 * 2, CF_ALPHA);
        cr_expect_eq(e.verdict, CF_UNKNOWN, "%d: %s", needed, e.reason);
    }
    shift_pairs(0.03, 0.001, 20);
    cr_expect(strstr(cf_equivalence_paired(&metric, 20, CF_ALPHA).reason, "shown to be outside"));
    cr_expect_eq(cf_equivalence_paired(&metric, 20, CF_ALPHA).n_needed, 0, "no number would do");
}

Test(equivalence, pairs_that_cannot_be_compared, .init = setup, .fini = teardown)
{
    shift_pairs(0.0002, 0.0011, 20);
    cr_expect_eq(cf_equivalence_paired(&metric, 2, 0.4).verdict, CF_PASS, "two are enough to ask");
    cr_expect_eq(cf_equivalence_paired(&metric, 1, CF_ALPHA).verdict, CF_UNKNOWN);
    cr_expect_eq(cf_equivalence_paired(&metric, BANK + 1, CF_ALPHA).verdict, CF_UNKNOWN);
    got[7] = NAN;
    cr_expect_eq(cf_equivalence_paired(&metric, 20, CF_ALPHA).verdict, CF_UNKNOWN);
    cr_expect(strstr(cf_equivalence_paired(&metric, 20, CF_ALPHA).reason, "all finite"));
    cr_expect_eq(cf_equivalence_paired(&metric, 7, CF_ALPHA).verdict, CF_PASS,
                 "the failed run is the eighth");
}

/* By tables of Student's t: 2.3534 at 3 degrees of freedom, 2.1318 at 4. */
Test(equivalence, degrees_of_freedom_of_few_seeds, .init = setup, .fini = teardown)
{
    struct cf_evidence e;

    shift_pairs(0.001, 0.001, 4);
    e = cf_equivalence_paired(&metric, 4, CF_ALPHA);
    near(e.upper, 0.001 + 2.3534 * 0.001 / 2, 5e-8, "upper limit of four pairs");
    for (int s = 0; s < 5; ++s)
        got[s] = 1 + s;
    e = cf_equivalence_location(&metric, 5, CF_ALPHA);
    near(e.estimate, 1, 0, "all above the bank");
    near(e.lower, 1 - 2.1318 / (5 * sqrt(48)), 5e-6, "as if half a step wide");
    cr_expect_eq(e.verdict, CF_FAIL, "%s", e.reason);
    for (int s = 0; s < 5; ++s)
        got[s] = -1 - s;
    e = cf_equivalence_location(&metric, 5, CF_ALPHA);
    near(e.estimate, 0, 0, "all below the bank");
    near(e.upper, 2.1318 / (5 * sqrt(48)), 5e-6, "as if half a step wide");
    cr_expect_eq(e.verdict, CF_FAIL, "%s", e.reason);
}
