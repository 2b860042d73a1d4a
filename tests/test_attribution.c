/* Attribution: the vote, effective bits and growth. */
#include <criterion/criterion.h>
#include <math.h>

#include "attribution.h"

enum { SEEDS = 12 };

static void near(double value, double expected, double half_digit, const char *what)
{
    cr_expect(fabs(value - expected) <= half_digit, "%s is %.9g, not %.9g", what, value, expected);
}

Test(attribution, the_vote_is_exact)
{
    cr_expect_eq(cf_attribution_votes(12), 11);
    cr_expect_eq(cf_attribution_votes(8), 8);
    cr_expect_eq(cf_attribution_votes(7), 8, "seven seeds can say nothing");
}

static double got[SEEDS], twin[2][SEEDS];
static struct cf_horizon horizon = {got, {twin[0], twin[1]}};

/* `above` seeds at 100 times the twin, the others at once. */
static enum cf_attribution attribute(int above, double distance)
{
    for (int s = 0; s < SEEDS; ++s) {
        twin[0][s] = distance / 2;
        twin[1][s] = distance * 2;
        got[s] = s < above ? 100 * distance : distance;
    }
    return cf_attribution_judge(&horizon, 1, SEEDS).answer;
}

Test(attribution, eleven_of_twelve)
{
    cr_expect_eq(attribute(0, 1e-7), CF_EXPLAINED);
    cr_expect_eq(attribute(1, 1e-7), CF_EXPLAINED);
    cr_expect_eq(attribute(2, 1e-7), CF_UNDETERMINED);
    cr_expect_eq(attribute(10, 1e-7), CF_UNDETERMINED);
    cr_expect_eq(attribute(11, 1e-7), CF_NOT_EXPLAINED);
    cr_expect_eq(attribute(12, 1e-7), CF_NOT_EXPLAINED);
    cr_expect_eq(attribute(0, 1), CF_UNDETERMINED, "the twins have diverged: no horizon");
    cr_expect_eq(cf_attribution_judge(&horizon, 0, SEEDS).answer, CF_UNDETERMINED);
}

Test(attribution, one_horizon_is_enough_to_find_and_all_are_needed_to_explain)
{
    double late[SEEDS];
    struct cf_horizon both[2] = {horizon, {late, {twin[0], twin[1]}}};
    struct cf_attribution_finding f;

    attribute(0, 1e-7);
    for (int s = 0; s < SEEDS; ++s)
        late[s] = 1e-5;
    f = cf_attribution_judge(both, 2, SEEDS);
    cr_expect_eq(f.answer, CF_NOT_EXPLAINED, "%s", f.reason);
    cr_expect_eq(f.first, 1);
    near(f.largest_median, 100, 1e-9, "median ratio");
    near(f.false_rate, 2 * 13.0 / 4096, 1e-15, "false rate");
    for (int s = 0; s < SEEDS; ++s)
        late[s] = s % 2 ? 1e-7 : 1e-5;
    cr_expect_eq(cf_attribution_judge(both, 2, SEEDS).answer, CF_UNDETERMINED);
}

/* The liar compares mean distances: one twin that has already diverged hides eleven defects. */
Test(attribution, the_mean_ratio_is_blind_where_the_vote_sees)
{
    double mean_got = 0, mean_twin = 0;

    attribute(11, 1e-7);
    twin[0][11] = twin[1][11] = 0.5;
    for (int s = 0; s < SEEDS; ++s) {
        mean_got += got[s];
        mean_twin += twin[0][s];
    }
    cr_expect(mean_got / mean_twin < 10, "the mean is content");
    cr_expect_eq(cf_attribution_judge(&horizon, 1, SEEDS).answer, CF_NOT_EXPLAINED);
}

Test(attribution, nothing_is_explained_by_nan)
{
    attribute(0, 1e-7);
    for (int s = 0; s < SEEDS; ++s)
        got[s] = NAN;
    cr_expect_eq(cf_attribution_judge(&horizon, 1, SEEDS).answer, CF_UNDETERMINED);
    for (int s = 0; s < SEEDS; ++s)
        got[s] = twin[0][s] = twin[1][s] = 0;
    cr_expect_eq(cf_attribution_judge(&horizon, 1, SEEDS).answer, CF_EXPLAINED,
                 "identical weights");
    for (int s = 0; s < SEEDS; ++s)
        got[s] = 1e-9;
    cr_expect_eq(cf_attribution_judge(&horizon, 1, SEEDS).answer, CF_NOT_EXPLAINED,
                 "twins identical");
    for (int s = 0; s < SEEDS; ++s)
        twin[0][s] = NAN;
    cr_expect_eq(cf_attribution_judge(&horizon, 1, SEEDS).answer, CF_UNDETERMINED);
}

/* The ladder of a chaotic cell: 2^-24 gives 3e-7, 2^-18 8e-3, 2^-16 9e-2, then saturation. */
Test(attribution, effective_bits_invert_the_ladder)
{
    static const double bits[] = {24, 22, 20, 18, 16, 14, 12};
    static const double d[] = {3e-7, 1e-5, 3e-4, 8e-3, 9e-2, 0.8, 0.7};
    struct cf_effective_bits b;

    for (int i = 0; i < 6; ++i) {
        b = cf_effective_bits(bits, d, 7, d[i]);
        near(b.bits, bits[i], 1e-12, "a rung");
        cr_expect_eq(b.bound, 0);
    }
    near(cf_effective_bits(bits, d, 7, sqrt(3e-4 * 8e-3)).bits, 19, 1e-12, "between two rungs");
    b = cf_effective_bits(bits, d, 7, 1e-9);
    cr_expect(b.bits == 24 && b.bound == 1, "at least 24");
    b = cf_effective_bits(bits, d, 7, 0);
    cr_expect(b.bits == 24 && b.bound == 1, "identical");
    b = cf_effective_bits(bits, d, 7, 2);
    cr_expect(b.bits == 12 && b.bound == -1, "at most 12");
    cr_expect(isnan(cf_effective_bits(bits, d, 7, NAN).bits));
    cr_expect(isnan(cf_effective_bits(bits, d, 1, 1e-5).bits), "one rung is no ladder");
}

Test(attribution, growth_is_the_median_slope_before_saturation)
{
    double steps[40], d[40];
    struct cf_growth g;

    for (int i = 0; i < 40; ++i) {
        steps[i] = 10 * i;
        d[i] = fmin(1e-7 * exp(0.04 * steps[i]), 0.5);
    }
    d[17] *= 3; /* an outlier on the line */
    g = cf_growth(steps, d, 40);
    near(g.slope, 0.04, 1e-12, "slope");
    near(g.doubling_steps, log(2) / 0.04, 1e-9, "doubling time");
    cr_expect(g.lower_quartile <= g.slope && g.slope <= g.upper_quartile);
    cr_expect(isnan(cf_growth(steps, d, 2).slope));
    for (int i = 0; i < 40; ++i)
        d[i] = 0;
    cr_expect(isnan(cf_growth(steps, d, 40).slope), "identical trajectories do not grow");
}
