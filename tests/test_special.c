/* The special functions against themselves at higher precision, against exact values, against the
 * sample sizes that the levels are made of, and against Arb where it is installed. */
#include <criterion/criterion.h>
#include <math.h>

#include "special.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum { SHORT = 128, LONG = 320 };

/* abs(got - exact) <= 10^-digits abs(exact); a NaN on either side is no agreement. */
static bool agrees(mpfr_srcptr got, mpfr_srcptr exact, int digits)
{
    MPFR_DECL_INIT(error, 64);
    MPFR_DECL_INIT(allowed, 64);
    bool ok;

    if (mpfr_equal_p(got, exact))
        return true;
    mpfr_sub(error, got, exact, MPFR_RNDA);
    mpfr_abs(error, error, MPFR_RNDA);
    mpfr_set_si(allowed, -digits, MPFR_RNDN);
    mpfr_exp10(allowed, allowed, MPFR_RNDN);
    mpfr_mul(allowed, allowed, exact, MPFR_RNDN);
    mpfr_abs(allowed, allowed, MPFR_RNDN);
    ok = mpfr_lessequal_p(error, allowed) != 0;
    return ok;
}

static const double nus[] = {0.3, 1, 1.5, 2, 3, 4, 7, 19, 22.37, 39, 79, 199, 200.5, 1000, 50000};
static const double points[] = {1e-30, 1e-3, 0.3, 1,  1.7, 2.3,  4,    6.1,
                                9,     15,   25,  37, 400, 1e15, 1e290};
static const double tails[] = {1e-290, 1e-120, 1e-30,     1e-6, 0.0083, 0.05 / 3,
                               0.05,   0.25,   0.4999999, 0.7,  0.995};

/* The law number `law` at x: 0 normal, 1 Student, 2 chi-square lower, 3 chi-square upper. */
static void law_at(mpfr_ptr out, int law, double x, double nu)
{
    MPFR_DECL_INIT(point, 53);
    MPFR_DECL_INIT(df, 53);

    mpfr_set_d(point, x, MPFR_RNDN);
    mpfr_set_d(df, nu, MPFR_RNDN);
    if (law == 0)
        cf_normal_upper(out, point);
    else if (law == 1)
        cf_student_upper(out, point, df);
    else if (law == 2)
        cf_chi2_lower(out, point, df);
    else
        cf_chi2_upper(out, point, df);
}

/* Points at which the law is neither too slow nor below any tail that a verdict could meet. */
static bool is_of_interest(int law, double x, double nu)
{
    return (law == 1 && (nu < 1001 || x < 100)) || (law == 0 && x < 401) || (law >= 2 && x < 401);
}

Test(special, more_bits_change_nothing)
{
    MPFR_DECL_INIT(few, SHORT);
    MPFR_DECL_INIT(many, LONG);

    for (int law = 0; law < 4; ++law)
        for (int i = 0; i < COUNT(nus); ++i)
            for (int j = 0; j < COUNT(points); ++j) {
                if (!is_of_interest(law, points[j], nus[i]))
                    continue;
                law_at(few, law, points[j], nus[i]);
                law_at(many, law, points[j], nus[i]);
                cr_expect(agrees(few, many, 36), "law %d at x=%a nu=%a: %g and %g", law, points[j],
                          nus[i], mpfr_get_d(few, MPFR_RNDN), mpfr_get_d(many, MPFR_RNDN));
            }
}

/* The finite sums serve integers, the series every other number: they meet at 19 (1 + 1e-24). */
Test(special, the_finite_sum_and_the_series_meet)
{
    static const double integers[] = {1, 2, 5, 6, 19, 40, 999};
    MPFR_DECL_INIT(finite, SHORT);
    MPFR_DECL_INIT(series, SHORT);
    MPFR_DECL_INIT(nu, SHORT);
    MPFR_DECL_INIT(t, 53);

    for (int i = 0; i < COUNT(integers); ++i)
        for (double share = 1e-3; share < 1; share *= 3) {
            mpfr_set_d(t, sqrt(integers[i] / 2) * share, MPFR_RNDN);
            mpfr_set_d(nu, integers[i], MPFR_RNDN);
            cf_student_upper(finite, t, nu);
            mpfr_nextabove(nu);
            cf_student_upper(series, t, nu);
            cr_expect(agrees(series, finite, 30), "nu=%g share=%a", integers[i], share);
        }
}

/* t on 1 and on 2 degrees of freedom has elementary tails. */
Test(special, student_has_its_elementary_values)
{
    static const double ts[] = {0.001, 0.5, 1, 3, 1e8};
    MPFR_DECL_INIT(got, SHORT);
    MPFR_DECL_INIT(exact, LONG);
    MPFR_DECL_INIT(x, LONG);
    MPFR_DECL_INIT(t, 53);
    MPFR_DECL_INIT(nu, 53);

    for (int i = 0; i < COUNT(ts); ++i) {
        mpfr_set_d(t, ts[i], MPFR_RNDN);
        mpfr_set_ui(nu, 1, MPFR_RNDN);
        cf_student_upper(got, t, nu);
        mpfr_ui_div(x, 1, t, MPFR_RNDN); /* atan(1 / t) / pi */
        mpfr_atan(x, x, MPFR_RNDN);
        mpfr_const_pi(exact, MPFR_RNDN);
        mpfr_div(exact, x, exact, MPFR_RNDN);
        cr_expect(agrees(got, exact, 36), "nu=1 t=%a", ts[i]);
        mpfr_set_ui(nu, 2, MPFR_RNDN);
        cf_student_upper(got, t, nu);
        mpfr_sqr(x, t, MPFR_RNDN); /* (1 - t / sqrt(2 + t^2)) / 2 */
        mpfr_add_ui(x, x, 2, MPFR_RNDN);
        mpfr_sqrt(x, x, MPFR_RNDN);
        mpfr_div(x, t, x, MPFR_RNDN);
        mpfr_ui_sub(x, 1, x, MPFR_RNDN);
        mpfr_div_2ui(exact, x, 1, MPFR_RNDN);
        cr_expect(agrees(got, exact, 36), "nu=2 t=%a", ts[i]);
    }
}

/* The liar of every textbook: 1 - (finite sum) at fixed precision, nu = 19 as in AS 26.7.3. */
static void naive_student_19(mpfr_ptr out, double t)
{
    const mpfr_prec_t bits = mpfr_get_prec(out);
    mpfr_t angle, sine, cosine, term;

    mpfr_inits2(bits, angle, sine, cosine, term, (mpfr_ptr)0);
    mpfr_set_d(angle, t, MPFR_RNDN);
    mpfr_set_ui(term, 19, MPFR_RNDN);
    mpfr_sqrt(term, term, MPFR_RNDN);
    mpfr_div(angle, angle, term, MPFR_RNDN);
    mpfr_atan(angle, angle, MPFR_RNDN);
    mpfr_sin_cos(sine, cosine, angle, MPFR_RNDN);
    mpfr_set(term, cosine, MPFR_RNDN);
    mpfr_set_ui(out, 0, MPFR_RNDN);
    for (int j = 3; j <= 19; j += 2) {
        mpfr_add(out, out, term, MPFR_RNDN);
        mpfr_mul(term, term, cosine, MPFR_RNDN);
        mpfr_mul(term, term, cosine, MPFR_RNDN);
        mpfr_mul_ui(term, term, (unsigned long)j - 1, MPFR_RNDN);
        mpfr_div_ui(term, term, (unsigned long)j, MPFR_RNDN);
    }
    mpfr_fma(out, out, sine, angle, MPFR_RNDN);
    mpfr_const_pi(term, MPFR_RNDN);
    mpfr_div(out, out, term, MPFR_RNDN);
    mpfr_mul_2ui(out, out, 1, MPFR_RNDN);
    mpfr_ui_sub(out, 1, out, MPFR_RNDN);
    mpfr_div_2ui(out, out, 1, MPFR_RNDN);
    mpfr_clears(angle, sine, cosine, term, (mpfr_ptr)0);
}

Test(special, the_naive_difference_is_caught_in_the_tail)
{
    MPFR_DECL_INIT(naive, 256);
    MPFR_DECL_INIT(many, LONG);

    naive_student_19(naive, 2.5);
    law_at(many, 1, 2.5, 19);
    cr_expect(agrees(naive, many, 13), "the liar is right in the centre");
    naive_student_19(naive, 1e12);
    law_at(many, 1, 1e12, 19);
    cr_expect(!agrees(naive, many, 13), "the liar lost the tail and nobody saw it");
}

/* P at quantile(p) is p again, on both sides of the last decimal: a bracket, not a residual. */
Test(special, quantiles_bracket_their_probability)
{
    MPFR_DECL_INIT(q, SHORT);
    MPFR_DECL_INIT(at, LONG);
    MPFR_DECL_INIT(p, 53);
    MPFR_DECL_INIT(nu, 53);

    for (int i = 0; i < COUNT(nus) - 1; ++i)
        for (int j = nus[i] > 100; j < COUNT(tails); ++j)
            for (int side = -1; side <= 1; side += 2) {
                mpfr_set_d(p, tails[j], MPFR_RNDN);
                mpfr_set_d(nu, nus[i], MPFR_RNDN);
                cf_student_quantile(q, p, nu);
                mpfr_mul_d(q, q, 1 + side * 0x1p-50, MPFR_RNDN);
                cf_student_upper(at, q, nu);
                cr_expect(tails[j] < 0.5 ? (mpfr_cmp(at, p) > 0) == (side < 0)
                                         : (mpfr_cmp(at, p) > 0) == (side > 0),
                          "Student nu=%g p=%a", nus[i], tails[j]);
                cf_chi2_quantile(q, p, nu);
                mpfr_mul_d(q, q, 1 + side * 0x1p-50, MPFR_RNDN);
                cf_chi2_lower(at, q, nu);
                cr_expect((mpfr_cmp(at, p) > 0) == (side > 0), "chi2 nu=%g p=%a", nus[i], tails[j]);
            }
}

Test(special, the_normal_quantile_is_the_limit_and_is_odd)
{
    for (int j = 0; j < COUNT(tails); ++j) {
        const double z = cf_normal_quantile_d(tails[j]);

        cr_expect(fabs(cf_normal_upper_d(z) / tails[j] - 1) < 1e-12, "p=%a z=%a", tails[j], z);
        cr_expect(fabs(z) < fabs(cf_student_quantile_d(tails[j], 1000)), "p=%a", tails[j]);
    }
    cr_expect_eq(cf_normal_quantile_d(0.5), 0);
    cr_expect_eq(cf_normal_quantile_d(0.75), -cf_normal_quantile_d(0.25));
    cr_expect(fabs(sqrt(2) * cf_normal_quantile_d(0.25) - 0.954) < 0.0005, "the margin 0.954");
}

/* The least n whose n - k successes prove a rate: levels.md's sample sizes. */
Test(special, clopper_pearson_gives_the_sample_sizes)
{
    static const struct {
        long failures, n;
        double limit;
    } rows[] = {{0, 299, 0.01}, {1, 473, 0.01}, {2, 628, 0.01},   {5, 1049, 0.01}, {10, 1693, 0.01},
                {0, 59, 0.05},  {0, 29, 0.10},  {0, 2995, 0.001}, {0, 20, 0.15}};

    for (int i = 0; i < COUNT(rows); ++i) {
        const long k = rows[i].failures, n = rows[i].n;

        cr_expect(cf_clopper_upper_d(k, n, 0.05) <= rows[i].limit, "%ld of %ld", k, n);
        cr_expect(cf_clopper_lower_d(n - k, n, 0.05) >= 1 - rows[i].limit, "%ld of %ld", k, n);
        if (n != 20) /* 19 trials would do for 15 %: 1 - 0.05^(1/19) = 14.6 % */
            cr_expect(!(cf_clopper_upper_d(k, n - 1, 0.05) <= rows[i].limit), "%ld of %ld", k, n);
    }
}

Test(special, clopper_pearson_has_its_closed_forms_and_symmetry)
{
    for (long n = 1; n < 400; n = 3 * n + 1) {
        cr_expect_eq(cf_clopper_lower_d(0, n, 0.05), 0);
        cr_expect_eq(cf_clopper_upper_d(n, n, 0.05), 1);
        cr_expect(fabs(cf_clopper_upper_d(0, n, 0.05) / -expm1(log(0.05) / (double)n) - 1) < 1e-14,
                  "n=%ld", n);
        for (long k = 1; k <= n; k += 1 + n / 7)
            cr_expect(fabs(cf_binomial_upper_d(k, n, cf_clopper_lower_d(k, n, 0.05)) / 0.05 - 1) <
                          1e-12,
                      "k=%ld n=%ld", k, n);
    }
    cr_expect(isnan(cf_clopper_upper_d(3, 2, 0.05)) && isnan(cf_clopper_lower_d(-1, 2, 0.05)) &&
              isnan(cf_clopper_lower_d(0, 0, 0.05)) && isnan(cf_clopper_upper_d(0, 5, NAN)));
}

Test(special, binomial_tails_are_counts_over_a_power_of_two)
{
    cr_expect_eq(cf_binomial_upper_d(5, 5, 0.5), 1.0 / 32);
    cr_expect_eq(cf_binomial_upper_d(9, 10, 0.5), 11.0 / 1024);
    cr_expect_eq(cf_binomial_upper_d(11, 12, 0.5), 13.0 / 4096);
    cr_expect_eq(cf_binomial_lower_d(1, 10, 0.5), 11.0 / 1024);
    cr_expect_eq(cf_binomial_upper_d(0, 3, 0.0), 1);
    cr_expect_eq(cf_binomial_upper_d(1, 3, 0.0), 0);
    cr_expect_eq(cf_binomial_upper_d(3, 3, 1.0), 1);
    cr_expect(isnan(cf_binomial_upper_d(1, 3, NAN)) && isnan(cf_binomial_upper_d(1, 3, 1.5)));
    for (long k = 1; k <= 4000; k *= 7)
        for (double p = 1e-3; p < 1; p *= 5)
            cr_expect(fabs(cf_binomial_upper_d(k, 4000, p) + cf_binomial_lower_d(k - 1, 4000, p) -
                           1) < 1e-15,
                      "k=%ld p=%a", k, p);
}

static double signed_rank(const int *doubled, int n, long doubled_w)
{
    MPFR_DECL_INIT(out, SHORT);

    cf_signed_rank_upper(out, doubled, n, doubled_w);
    return mpfr_get_d(out, MPFR_RNDN);
}

/* 43 subsets of 1..10 have a sum of at most 10: the partitions into distinct parts of 0..10. */
Test(special, the_signed_rank_law_counts_subsets)
{
    int ranks[80], tied[4] = {3, 3, 6, 8};

    for (int i = 0; i < 80; ++i)
        ranks[i] = 2 * (i + 1);
    cr_expect_eq(signed_rank(ranks, 10, 2 * 45), 43.0 / 1024);
    cr_expect_eq(signed_rank(ranks, 5, 2 * 15), 1.0 / 32);
    cr_expect_eq(signed_rank(ranks, 5, 0), 1);
    cr_expect_eq(signed_rank(ranks, 5, 2 * 15 + 1), 0);
    cr_expect_eq(signed_rank(ranks, 80, 80 * 81), 0x1p-80);
    cr_expect_eq(signed_rank(tied, 4, 14), 5.0 / 16, "sums of at least 14: 20, 17, 17, 14, 14");
    tied[0] = 9;
    cr_expect(isnan(signed_rank(tied, 4, 3)), "a rank above n is nobody's rank");
}

Test(special, the_result_may_overwrite_an_argument)
{
    MPFR_DECL_INIT(x, SHORT);
    MPFR_DECL_INIT(nu, 53);

    mpfr_set_ui(nu, 7, MPFR_RNDN);
    mpfr_set_d(x, -2, MPFR_RNDN);
    cf_student_upper(x, x, nu);
    cr_expect_eq(mpfr_get_d(x, MPFR_RNDN), cf_student_upper_d(-2, 7));
    cr_expect(mpfr_cmp_d(x, 0.5) > 0, "a negative t has more than half above it");
    cf_student_quantile(x, x, nu);
    cr_expect(fabs(mpfr_get_d(x, MPFR_RNDN) + 2) < 1e-15);
    cf_normal_upper(x, x);
    cf_normal_quantile(x, x);
    cr_expect(fabs(mpfr_get_d(x, MPFR_RNDN) + 2) < 1e-15);
    mpfr_set_d(x, 0.05, MPFR_RNDN);
    cf_clopper_upper(x, 0, 299, x);
    cf_binomial_lower(x, 0, 299, x);
    cr_expect(fabs(mpfr_get_d(x, MPFR_RNDN) - 0.05) < 1e-15);
}

Test(special, outside_the_domain_is_nan)
{
    cr_expect(isnan(cf_student_upper_d(1, 0)) && isnan(cf_student_upper_d(NAN, 3)) &&
              isnan(cf_student_upper_d(1, NAN)) && isnan(cf_student_quantile_d(0, 3)) &&
              isnan(cf_student_quantile_d(1, 3)) && isnan(cf_student_quantile_d(NAN, 3)) &&
              isnan(cf_chi2_quantile_d(0.5, -1)) && isnan(cf_chi2_lower_d(-1, 3)) &&
              isnan(cf_normal_quantile_d(NAN)) && isnan(cf_normal_upper_d(NAN)));
    cr_expect_eq(cf_student_upper_d(INFINITY, 3), 0);
    cr_expect_eq(cf_student_upper_d(-INFINITY, 3), 1);
    cr_expect_eq(cf_student_upper_d(0, 3), 0.5);
}

#ifdef CF_HAVE_ARB
#include <arb_hypgeom.h>

enum { ARB_BITS = 2200 }; /* as many as 1 - P loses at 1e-290, twice over */

/* The same laws through the incomplete beta and gamma functions and erfc of Arb. */
static void arb_law(arb_ptr out, int law, double x, double nu)
{
    arb_t a, b, z;

    arb_init(a);
    arb_init(b);
    arb_init(z);
    arb_set_d(a, nu);
    arb_mul_2exp_si(a, a, -1);
    arb_set_d(z, x);
    if (law == 0) {
        arb_sqrt_ui(b, 2, ARB_BITS);
        arb_div(z, z, b, ARB_BITS);
        arb_hypgeom_erfc(out, z, ARB_BITS);
        arb_mul_2exp_si(out, out, -1);
    } else if (law == 1) {
        arb_sqr(z, z, ARB_BITS);
        arb_add(b, z, a, ARB_BITS);
        arb_add(b, b, a, ARB_BITS);
        arb_div(z, a, b, ARB_BITS);
        arb_mul_2exp_si(z, z, 1);
        arb_set_d(b, 0.5);
        arb_hypgeom_beta_lower(out, a, b, z, 1, ARB_BITS);
        arb_mul_2exp_si(out, out, -1);
    } else {
        arb_mul_2exp_si(z, z, -1);
        if (law == 2)
            arb_hypgeom_gamma_lower(out, a, z, 1, ARB_BITS);
        else
            arb_hypgeom_gamma_upper(out, a, z, 1, ARB_BITS);
    }
    arb_clear(a);
    arb_clear(b);
    arb_clear(z);
}

static bool arb_middle(mpfr_ptr out, arb_srcptr ball)
{
    arf_get_mpfr(out, arb_midref(ball), MPFR_RNDN);
    return arb_rel_accuracy_bits(ball) > 100;
}

Test(special, arb_agrees_to_the_far_tails)
{
    MPFR_DECL_INIT(got, SHORT);
    MPFR_DECL_INIT(exact, LONG);
    arb_t ball;
    int compared = 0, far = 0;

    arb_init(ball);
    for (int law = 0; law < 4; ++law)
        for (int i = 0; i < COUNT(nus) - 1; ++i)
            for (int j = 0; j < COUNT(points); ++j) {
                if (!is_of_interest(law, points[j], nus[i]) || (law == 0 && i > 0))
                    continue;
                arb_law(ball, law, points[j], nus[i]);
                if (!arb_middle(exact, ball))
                    continue;
                law_at(got, law, points[j], nus[i]);
                cr_expect(agrees(got, exact, 30), "law %d at x=%a nu=%a: %g, Arb %g", law,
                          points[j], nus[i], mpfr_get_d(got, MPFR_RNDN),
                          mpfr_get_d(exact, MPFR_RNDN));
                ++compared;
                far += mpfr_get_exp(exact) < -900;
            }
    arb_clear(ball);
    cr_expect(compared > 400, "only %d comparisons", compared);
    cr_expect(far > 10, "only %d of them below 1e-270", far);
}

Test(special, arb_agrees_on_binomial_bounds)
{
    static const long rows[][2] = {{1, 5},    {19, 20},     {12, 20},
                                   {2, 4000}, {3998, 4000}, {1500, 3000}};
    MPFR_DECL_INIT(alpha, 53);
    MPFR_DECL_INIT(bound, SHORT);
    MPFR_DECL_INIT(exact, LONG);
    arb_t a, b, z, ball;

    arb_init(a);
    arb_init(b);
    arb_init(z);
    arb_init(ball);
    for (int i = 0; i < COUNT(rows); ++i)
        for (double level = 0.05; level > 1e-290; level *= 1e-28) {
            mpfr_set_d(alpha, level, MPFR_RNDN);
            cf_clopper_lower(bound, rows[i][0], rows[i][1], alpha);
            arf_set_mpfr(arb_midref(z), bound); /* P(X >= k) = I_p(k, n - k + 1) */
            arb_set_si(a, rows[i][0]);
            arb_set_si(b, rows[i][1] - rows[i][0] + 1);
            arb_hypgeom_beta_lower(ball, a, b, z, 1, 4 * ARB_BITS);
            cr_expect(arb_middle(exact, ball) && agrees(alpha, exact, 30), "%ld of %ld at %a",
                      rows[i][0], rows[i][1], level);
        }
    arb_clear(a);
    arb_clear(b);
    arb_clear(z);
    arb_clear(ball);
}
#else
Test(special, arb_agrees_to_the_far_tails)
{
    cr_skip_test("Arb (libflint-arb-dev) was not installed when this test was built");
}
#endif
