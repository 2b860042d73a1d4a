/* Claims: thresholds and powers of the sign test, the e-process, orders and sets; Holm and BH. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "claim.h"
#include "multiplicity.h"
#include "special.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static void near(double value, double expected, double half_digit, const char *what)
{
    cr_expect(fabs(value - expected) <= half_digit, "%s is %.9g, not %.9g", what, value, expected);
}

static struct cf_evidence direction(int wins, int n)
{
    return cf_claim_direction((struct cf_wins){wins, 0, n}, CF_ALPHA);
}

Test(claim, adam_beats_sgd)
{
    near(direction(19, 20).lower, 0.784, 5e-4, "19 of 20");
    cr_expect_eq(direction(19, 20).verdict, CF_PASS);
    near(direction(12, 20).lower, 0.394, 5e-4, "12 of 20");
    near(direction(12, 20).upper, 0.783, 5e-4, "12 of 20");
    cr_expect_eq(direction(12, 20).verdict, CF_UNKNOWN);
    near(direction(4, 20).upper, 0.401, 5e-4, "4 of 20");
    cr_expect_eq(direction(4, 20).verdict, CF_FAIL);
    cr_expect_eq(direction(0, 0).verdict, CF_UNKNOWN, "nothing compared");
    cr_expect_eq(direction(21, 20).verdict, CF_UNKNOWN, "more wins than seeds");
}

Test(claim, least_wins)
{
    static const int rows[][2] = {{5, 5},   {10, 9},  {20, 15}, {30, 23},
                                  {40, 30}, {50, 38}, {80, 60}, {4, 5}};

    for (int i = 0; i < COUNT(rows); ++i) {
        cr_expect_eq(cf_claim_least_wins(rows[i][0], CF_ALPHA), rows[i][1], "R=%d: %d", rows[i][0],
                     cf_claim_least_wins(rows[i][0], CF_ALPHA));
        if (rows[i][1] <= rows[i][0])
            cr_expect_eq(direction(rows[i][1], rows[i][0]).verdict, CF_PASS);
        cr_expect_neq(direction(rows[i][1] - 1, rows[i][0]).verdict, CF_PASS);
    }
    cr_expect(cf_clopper_lower_d(20, 30, CF_ALPHA) > 0.5, "20 of 30 is above one half");
    cr_expect_eq(direction(20, 30).verdict, CF_UNKNOWN, "and is not 3 of 4");
}

/* The least k by the Clopper-Pearson limit alone. */
static int least_by_limit(int n)
{
    int k = 0;

    while (!(cf_binomial_upper_d(k, n, 0.5) <= CF_ALPHA))
        ++k;
    return k;
}

/* Powers: by the limit alone, and with 3 of 4 too; P(A > B) = Phi(d_z). */
Test(claim, powers_of_the_direction)
{
    static const int rs[] = {5, 10, 20, 30, 50};
    static const struct {
        double effect, limit[5], both[5], half_digit;
    } rows[] = {{0, {.031, .011, .021, .049, .032}, {.031, .011, .021, .003, .000}, 6e-4},
                {0.5, {.16, .14, .38, .69, .83}, {.16, .14, .38, .25, .19}, 5.1e-3},
                {1.0, {.42, .51, .92, .995, 1}, {.42, .51, .92, .91, .96}, 5e-3},
                {1.5, {.71, .86, .998, 1, 1}, {.71, .86, .998, 1, 1}, 5e-3},
                {2.0, {.89, .98, 1, 1, 1}, {.89, .98, 1, 1, 1}, 5e-3}};

    for (int i = 0; i < COUNT(rows); ++i)
        for (int j = 0; j < COUNT(rs); ++j) {
            const double p = 1 - cf_normal_upper_d(rows[i].effect);

            near(cf_binomial_upper_d(least_by_limit(rs[j]), rs[j], p), rows[i].limit[j],
                 rows[i].half_digit, "power by the limit");
            near(cf_binomial_upper_d(cf_claim_least_wins(rs[j], CF_ALPHA), rs[j], p),
                 rows[i].both[j], rows[i].half_digit, "power by both");
        }
}

Test(claim, ties_and_failures_count_against)
{
    double a[20], b[20];
    struct cf_wins w;

    for (int i = 0; i < 20; ++i) {
        a[i] = 1;
        b[i] = 2;
    }
    b[0] = 1;
    a[1] = NAN;
    a[2] = b[2] = NAN;
    b[3] = -INFINITY;
    w = cf_claim_compare(a, b, 20, CF_LOWER_IS_BETTER);
    cr_expect_eq(w.wins, 17, "%d: two ties, one failure of A", w.wins);
    cr_expect_eq(w.ties, 2);
    w = cf_claim_compare(a, b, 20, CF_HIGHER_IS_BETTER);
    cr_expect_eq(w.wins, 1, "%d: only where B failed, however large its value", w.wins);
    cr_expect_eq(cf_claim_direction((struct cf_wins){4, 6, 20}, CF_ALPHA).verdict, CF_UNKNOWN,
                 "ties do not contradict");
}

static bool e_supports(int k, int n)
{
    return cf_claim_e_value(k, n) >= 20;
}

/* The liar repeats an ordinary test after every seed. */
static bool naive_supports(int k, int n)
{
    return cf_binomial_upper_d(k, n, 0.5) <= CF_ALPHA;
}

/* P(support at some n <= 200) for a coin of this probability, and the median n where it stops. */
static double stopped_by_200(bool (*supports)(int k, int n), double p, int *median)
{
    double *alive = calloc(202, sizeof *alive), stopped = 0;

    *median = 0;
    alive[0] = 1;
    for (int n = 1; n <= 200; ++n) {
        for (int k = n; k > 0; --k)
            alive[k] = alive[k] * (1 - p) + alive[k - 1] * p;
        alive[0] *= 1 - p;
        for (int k = n; k >= 0 && supports(k, n); --k) {
            stopped += alive[k];
            alive[k] = 0;
        }
        if (*median == 0 && stopped >= 0.5)
            *median = n;
    }
    free(alive);
    return stopped;
}

Test(claim, the_e_process_may_be_looked_at_after_every_seed)
{
    int median;

    near(cf_claim_e_value(7, 7), 31.875, 1e-12, "7 of 7");
    cr_expect(!(cf_claim_e_value(6, 6) >= 20), "6 of 6 is not enough");
    near(cf_claim_e_value(0, 1), 0.5, 1e-15, "a loss at once: 1/2");
    near(cf_claim_e_value(1, 1), 1.5, 1e-15, "a win at once: 3/2");
    cr_expect(isnan(cf_claim_e_value(2, 1)) && isnan(cf_claim_e_value(0, 0)));
    near(stopped_by_200(e_supports, 0.5, &median), 0.032, 5e-4, "false support up to 200");
    near(stopped_by_200(naive_supports, 0.5, &median), 0.245, 5e-4, "the naive one");
    stopped_by_200(e_supports, 1 - cf_normal_upper_d(0.75), &median);
    cr_expect_eq(median, 17, "d_z .75: %d", median);
    stopped_by_200(e_supports, 1 - cf_normal_upper_d(1), &median);
    cr_expect_eq(median, 14, "d_z 1: %d, after 49.5 %% by n = 11", median);
    stopped_by_200(e_supports, 1 - cf_normal_upper_d(1.5), &median);
    cr_expect_eq(median, 7, "d_z 1.5: %d", median);
    cr_expect_eq(cf_claim_extended((struct cf_wins){7, 0, 7}).verdict, CF_PASS);
    cr_expect_eq(cf_claim_extended((struct cf_wins){0, 0, 7}).verdict, CF_UNKNOWN);
    cr_expect_eq(cf_claim_extended((struct cf_wins){8, 0, 7}).verdict, CF_UNKNOWN);
}

Test(claim, a_mean_against_a_threshold)
{
    double y[20];

    for (int k = 0; k < 20; ++k)
        y[k] = 0.95 + (k % 2 ? 0.01 : -0.01);
    cr_expect_eq(cf_claim_mean(y, 20, CF_HIGHER_IS_BETTER, 0.94, CF_ALPHA).verdict, CF_PASS);
    cr_expect_eq(cf_claim_mean(y, 20, CF_HIGHER_IS_BETTER, 0.949, CF_ALPHA).verdict, CF_UNKNOWN);
    cr_expect_eq(cf_claim_mean(y, 20, CF_HIGHER_IS_BETTER, 0.96, CF_ALPHA).verdict, CF_FAIL);
    cr_expect_eq(cf_claim_mean(y, 20, CF_LOWER_IS_BETTER, 0.96, CF_ALPHA).verdict, CF_PASS);
    y[0] = NAN;
    cr_expect_eq(cf_claim_mean(y, 20, CF_HIGHER_IS_BETTER, 0.1, CF_ALPHA).verdict, CF_UNKNOWN);
}

/* Five positive gains: 1 of 32 sign patterns is as good. */
Test(claim, a_median_against_a_threshold)
{
    double y[6] = {1, 2, 3, 4, 5, 0};
    struct cf_evidence e = cf_claim_median(y, 5, CF_HIGHER_IS_BETTER, 0, CF_ALPHA);

    cr_expect_eq(e.verdict, CF_PASS);
    near(e.p_pass[0], 1.0 / 32, 1e-17, "p");
    near(e.estimate, 3, 1e-15, "Hodges-Lehmann");
    e = cf_claim_median(y, 6, CF_HIGHER_IS_BETTER, 0, CF_ALPHA);
    near(e.p_pass[0], 1.0 / 32, 1e-17, "a zero is dropped");
    y[5] = NAN;
    e = cf_claim_median(y, 6, CF_HIGHER_IS_BETTER, 0, CF_ALPHA);
    near(e.p_pass[0], 14.0 / 64, 1e-17, "a failed run has the largest rank, against the claim");
    cr_expect_neq(e.verdict, CF_PASS);
    e = cf_claim_median(y, 5, CF_LOWER_IS_BETTER, 0, CF_ALPHA);
    cr_expect_eq(e.verdict, CF_FAIL);
}

Test(claim, a_share_of_seeds_reaches_a_threshold)
{
    double y[29];

    for (int k = 0; k < 29; ++k)
        y[k] = 0.95;
    cr_expect_eq(cf_claim_share(y, 29, CF_HIGHER_IS_BETTER, 0.95, 0.9, CF_ALPHA).verdict, CF_PASS);
    cr_expect_eq(cf_claim_share(y, 28, CF_HIGHER_IS_BETTER, 0.95, 0.9, CF_ALPHA).verdict,
                 CF_UNKNOWN);
    y[0] = INFINITY;
    cr_expect_eq(cf_claim_share(y, 29, CF_HIGHER_IS_BETTER, 0.95, 0.9, CF_ALPHA).verdict,
                 CF_UNKNOWN);
}

Test(claim, an_order_is_all_pairs_and_a_set_needs_its_floor)
{
    struct cf_evidence pairs[3] = {direction(20, 20), direction(19, 20), direction(18, 20)};
    const struct cf_evidence floor_held = direction(20, 20), floor_broken = direction(0, 20);
    const struct cf_evidence undecided = direction(12, 20);
    double adjusted[3];

    cr_expect_eq(cf_claim_order(pairs, 3, CF_ALPHA, adjusted), CF_PASS);
    cr_expect_eq(cf_claim_set(pairs, 3, &floor_held), CF_PASS);
    cr_expect_eq(cf_claim_set(pairs, 3, &floor_broken), CF_FAIL);
    cr_expect_eq(cf_claim_set(pairs, 3, &undecided), CF_UNKNOWN);
    cr_expect_eq(cf_claim_set(pairs, 3, NULL), CF_SKIP, "the floor is mandatory");
    cr_expect_eq(cf_claim_set(pairs, 0, &floor_held), CF_UNKNOWN, "no claim, no support");
    pairs[1] = direction(12, 20);
    cr_expect_eq(cf_claim_order(pairs, 3, CF_ALPHA, NULL), CF_UNKNOWN);
    pairs[1] = direction(5, 20);
    cr_expect_eq(cf_claim_order(pairs, 1 + 1, CF_ALPHA, adjusted), CF_FAIL);
    cr_expect_eq(pairs[1].verdict, CF_FAIL);
    cr_expect_eq(cf_claim_set(pairs, 3, &floor_held), CF_FAIL);
    cr_expect_eq(cf_claim_order(pairs, 0, CF_ALPHA, NULL), CF_UNKNOWN, "no pairs, no order");
}

/* By hand: sorted .01 .02 .03 .04 -> Holm 4, 3, 2, 1 times; BH 4/1, 4/2, 4/3, 4/4 times. */
Test(claim, many_tests_at_once)
{
    static const double p[] = {0.03, 0.01, 0.04, 0.02};
    static const double holm[] = {0.06, 0.04, 0.06, 0.06}, bh[] = {0.04, 0.04, 0.04, 0.04};
    double q[4], with_nan[2] = {NAN, 0.02};

    cf_holm(q, p, 4);
    for (int i = 0; i < 4; ++i)
        near(q[i], holm[i], 1e-15, "Holm");
    cf_benjamini_hochberg(q, p, 4);
    for (int i = 0; i < 4; ++i)
        near(q[i], bh[i], 1e-15, "BH");
    cf_holm(with_nan, with_nan, 2);
    cr_expect_eq(with_nan[0], 1, "a NaN rejects nothing");
    near(with_nan[1], 0.04, 1e-15, "and still is a test");
    cf_holm(q, p, 0);
}

/* Words and numbers of the evidence: the seeds needed do, and one fewer does not. */
Test(claim, the_evidence_says_what_it_would_take)
{
    const struct cf_evidence won = direction(19, 20), lost = direction(4, 20);
    struct cf_evidence open = direction(3, 4), e;

    cr_expect(strstr(won.reason, ": supported (15 of 20 would do)"), "%s", won.reason);
    cr_expect(strstr(lost.reason, ": contradicted"), "%s", lost.reason);
    cr_expect(strstr(open.reason, ": undecided (5 of 4 would do)"), "%s", open.reason);
    cr_expect_eq(won.n_needed, 20);
    cr_expect_eq(lost.n_needed, 0, "a fifth of the seeds never does");
    cr_expect_eq(direction(12, 20).n_needed, 0, "nor does 3 of 5");
    cr_expect_eq(open.n_needed, 16, "%d: 12 of 16 is the least with 3 of 4", open.n_needed);
    for (int n = 5; n <= open.n_needed; ++n)
        cr_expect_eq(direction((int)floor(0.75 * n), n).verdict == CF_PASS, n == open.n_needed,
                     "%d of %d", (int)floor(0.75 * n), n);
    e = cf_claim_extended((struct cf_wins){5, 0, 6});
    cr_expect_eq(e.verdict, CF_UNKNOWN);
    cr_expect(strstr(e.reason, "undecided"), "%s", e.reason);
    cr_expect(e_supports((int)(5 / 6.0 * e.n_needed + 0.5), e.n_needed), "%d", e.n_needed);
    for (int n = 6; n < e.n_needed; ++n)
        cr_expect(!e_supports((int)(5 / 6.0 * n + 0.5), n), "%d before %d", n, e.n_needed);
    cr_expect_eq(cf_claim_extended((struct cf_wins){3, 0, 6}).n_needed, 0, "a coin never does");
    e = cf_claim_extended((struct cf_wins){7, 0, 7});
    cr_expect_eq(e.n_needed, 7);
    near(e.p_pass[0], 1 / 31.875, 1e-15, "p of an e-value");
    cr_expect_eq(cf_claim_extended((struct cf_wins){1, 0, 2}).p_pass[0], 1, "never above 1");
}
