#include "special.h"

#include "invert.h"

#include <math.h>
#include <stdbool.h>

enum { GUARD = 64 };

static bool is_probability(mpfr_srcptr p)
{
    return mpfr_cmp_ui(p, 0) > 0 && mpfr_cmp_ui(p, 1) < 0;
}

/* mpfr_cmp answers 0 for NaN, so that "> 0" is false, as wanted. */
static bool is_positive(mpfr_srcptr x)
{
    return mpfr_number_p(x) && mpfr_cmp_ui(x, 0) > 0;
}

/* ---- the incomplete beta and gamma functions ------------------------------------------------ */

/* ln Gamma(x), x > 0. Integers and halves, which is what degrees of freedom mostly are, are
 * products and cost a tenth of the general function. */
static void log_gamma(mpfr_ptr out, mpfr_srcptr x)
{
    const double d = mpfr_get_d(x, MPFR_RNDN);
    const long steps = d <= 2000 ? (long)ceil(d) - 1 : 0;
    const bool halves = d <= 2000 && 2 * d == floor(2 * d) && mpfr_cmp_d(x, d) == 0;
    int sign;

    if (!halves) {
        mpfr_lgamma(out, &sign, x, MPFR_RNDN);
        return;
    }
    mpfr_set_ui(out, 1, MPFR_RNDN);
    if (d != floor(d)) {
        mpfr_const_pi(out, MPFR_RNDN);
        mpfr_sqrt(out, out, MPFR_RNDN);
    }
    for (long j = 1; j <= steps; ++j) /* the factors are x - 1, x - 2, ..., 1 or 1/2 */
        mpfr_mul_d(out, out, d - (double)j, MPFR_RNDN);
    mpfr_log(out, out, MPFR_RNDN);
}

/* ln B(a, b) */
static void log_beta(mpfr_ptr out, mpfr_srcptr a, mpfr_srcptr b)
{
    mpfr_t sum, part;

    mpfr_inits2(mpfr_get_prec(out), sum, part, (mpfr_ptr)0);
    log_gamma(out, a);
    log_gamma(part, b);
    mpfr_add(sum, out, part, MPFR_RNDN);
    mpfr_add(out, a, b, MPFR_RNDN);
    log_gamma(part, out);
    mpfr_sub(out, sum, part, MPFR_RNDN);
    mpfr_clears(sum, part, (mpfr_ptr)0);
}

/* ln of x^a y^b / (a B(a, b)), where x + y = 1 and the smaller of the two is exact enough. known is
 * ln B(a, b), or NULL; it is computed where it is not known to enough bits. */
static void beta_log_front(mpfr_ptr out, mpfr_srcptr a, mpfr_srcptr b, mpfr_srcptr x, mpfr_srcptr y,
                           mpfr_srcptr known)
{
    const mpfr_prec_t bits = mpfr_get_prec(out);
    mpfr_t s, g;

    mpfr_inits2(bits, s, g, (mpfr_ptr)0);
    if (mpfr_cmp(y, x) < 0) {
        mpfr_neg(s, y, MPFR_RNDN);
        mpfr_log1p(out, s, MPFR_RNDN);
        mpfr_log(g, y, MPFR_RNDN);
    } else {
        mpfr_log(out, x, MPFR_RNDN);
        mpfr_neg(s, x, MPFR_RNDN);
        mpfr_log1p(g, s, MPFR_RNDN);
    }
    mpfr_mul(out, out, a, MPFR_RNDN);
    mpfr_fma(out, g, b, out, MPFR_RNDN);
    mpfr_log(s, a, MPFR_RNDN);
    mpfr_sub(out, out, s, MPFR_RNDN);
    if (known != NULL && mpfr_get_prec(known) >= bits)
        mpfr_set(g, known, MPFR_RNDN);
    else
        log_beta(g, a, b);
    mpfr_sub(out, out, g, MPFR_RNDN);
    mpfr_clears(s, g, (mpfr_ptr)0);
}

/* True when what follows `term` is below half a unit of the last place of `sum`: the rest is at
 * most term / (1 - r) once the ratios stay below r, and 1 - r >= y / 2. */
static bool rest_is_negligible(mpfr_srcptr term, mpfr_srcptr sum, mpfr_exp_t exponent_of_y)
{
    const mpfr_exp_t bits = (mpfr_exp_t)mpfr_get_prec(sum);

    return mpfr_get_exp(term) + 3 - exponent_of_y < mpfr_get_exp(sum) - bits;
}

static void beta_series(mpfr_ptr sum, mpfr_srcptr a, mpfr_srcptr b, mpfr_srcptr x, mpfr_srcptr y)
{
    const mpfr_prec_t bits = mpfr_get_prec(sum);
    const double excess = mpfr_get_d(b, MPFR_RNDU) - 1;
    const double slope = mpfr_get_d(y, MPFR_RNDD) / 2 / mpfr_get_d(x, MPFR_RNDU);
    mpfr_t term, above, below;

    mpfr_inits2(bits, term, above, below, (mpfr_ptr)0);
    mpfr_add(above, a, b, MPFR_RNDN);
    mpfr_add_ui(below, a, 1, MPFR_RNDN);
    mpfr_set_ui(term, 1, MPFR_RNDN);
    mpfr_set_ui(sum, 1, MPFR_RNDN);
    do {
        mpfr_mul(term, term, above, MPFR_RNDN);
        mpfr_div(term, term, below, MPFR_RNDN);
        mpfr_mul(term, term, x, MPFR_RNDN);
        mpfr_add(sum, sum, term, MPFR_RNDN);
        mpfr_add_ui(above, above, 1, MPFR_RNDN);
        mpfr_add_ui(below, below, 1, MPFR_RNDN);
    } while (!(excess / mpfr_get_d(below, MPFR_RNDD) <= slope &&
               rest_is_negligible(term, sum, mpfr_get_exp(y))));
    mpfr_clears(term, above, below, (mpfr_ptr)0);
}

/* I_x(a, b) with y = 1 - x, both in (0, 1). */
static void beta_lower(mpfr_ptr out, mpfr_srcptr a, mpfr_srcptr b, mpfr_srcptr x, mpfr_srcptr y,
                       mpfr_srcptr known)
{
    mpfr_t front;

    mpfr_init2(front, mpfr_get_prec(out));
    beta_log_front(front, a, b, x, y, known);
    mpfr_exp(front, front, MPFR_RNDN);
    beta_series(out, a, b, x, y);
    mpfr_mul(out, out, front, MPFR_RNDN);
    mpfr_clear(front);
}

/* P(a, x), the regularised lower incomplete gamma function, x > 0. */
static void gamma_lower(mpfr_ptr out, mpfr_srcptr a, mpfr_srcptr x)
{
    const mpfr_prec_t bits = mpfr_get_prec(out);
    mpfr_t term, below, front;

    mpfr_inits2(bits, term, below, front, (mpfr_ptr)0);
    mpfr_add_ui(below, a, 1, MPFR_RNDN);
    mpfr_log(front, x, MPFR_RNDN);
    mpfr_mul(front, front, a, MPFR_RNDN);
    mpfr_sub(front, front, x, MPFR_RNDN);
    log_gamma(term, below);
    mpfr_sub(front, front, term, MPFR_RNDN);
    mpfr_exp(front, front, MPFR_RNDN);
    mpfr_set_ui(term, 1, MPFR_RNDN);
    mpfr_set_ui(out, 1, MPFR_RNDN);
    do {
        mpfr_mul(term, term, x, MPFR_RNDN);
        mpfr_div(term, term, below, MPFR_RNDN);
        mpfr_add(out, out, term, MPFR_RNDN);
        mpfr_add_ui(below, below, 1, MPFR_RNDN);
    } while (!(mpfr_get_d(x, MPFR_RNDU) <= mpfr_get_d(below, MPFR_RNDD) / 2 &&
               rest_is_negligible(term, out, 0)));
    mpfr_mul(out, out, front, MPFR_RNDN);
    mpfr_clears(term, below, front, (mpfr_ptr)0);
}

/* ---- Student -------------------------------------------------------------------------------- */

/* A(t | nu) = P(abs(T) <= t): AS 26.7.3 for odd nu, 26.7.4 for even nu. x = cos^2, y = sin^2 of
 * the angle whose tangent is t / sqrt(nu). */
static void student_finite(mpfr_ptr out, long nu, mpfr_srcptr x, mpfr_srcptr y)
{
    const mpfr_prec_t bits = mpfr_get_prec(out);
    const bool odd = nu % 2 != 0;
    mpfr_t term, sine, angle;

    mpfr_inits2(bits, term, sine, angle, (mpfr_ptr)0);
    mpfr_sqrt(sine, y, MPFR_RNDN);
    if (odd)
        mpfr_sqrt(term, x, MPFR_RNDN);
    else
        mpfr_set_ui(term, 1, MPFR_RNDN);
    mpfr_set_ui(out, 0, MPFR_RNDN);
    for (long j = odd ? 3 : 2; j <= nu; j += 2) { /* term: the power of cos is j - 2 */
        mpfr_add(out, out, term, MPFR_RNDN);
        mpfr_mul(term, term, x, MPFR_RNDN);
        mpfr_mul_si(term, term, j - 1, MPFR_RNDN);
        mpfr_div_si(term, term, j, MPFR_RNDN);
    }
    mpfr_mul(out, out, sine, MPFR_RNDN);
    if (odd) {
        mpfr_asin(angle, sine, MPFR_RNDN);
        mpfr_add(out, out, angle, MPFR_RNDN);
        mpfr_const_pi(angle, MPFR_RNDN);
        mpfr_div(out, out, angle, MPFR_RNDN);
        mpfr_mul_2ui(out, out, 1, MPFR_RNDN);
    }
    mpfr_clears(term, sine, angle, (mpfr_ptr)0);
}

/* x = nu / (nu + t^2) and y = t^2 / (nu + t^2). */
static void student_angles(mpfr_ptr x, mpfr_ptr y, mpfr_srcptr t, mpfr_srcptr nu)
{
    mpfr_t sum;

    mpfr_init2(sum, mpfr_get_prec(x));
    mpfr_sqr(y, t, MPFR_RNDN);
    mpfr_add(sum, y, nu, MPFR_RNDN);
    mpfr_div(y, y, sum, MPFR_RNDN);
    mpfr_div(x, nu, sum, MPFR_RNDN);
    mpfr_clear(sum);
}

/* The centre: 1 - A, where A is a positive sum. The tail of Student's law is above the normal one,
 * exp(-t^2 / 2) / (sqrt(2 pi) (t + 1)), so that 0.73 t^2 + 2 log2(t + 2) bits at most are lost. */
static void student_centre(mpfr_ptr out, mpfr_srcptr t, mpfr_srcptr nu, double t_squared,
                           mpfr_srcptr known)
{
    const mpfr_prec_t lost = (mpfr_prec_t)(0.73 * t_squared + 2 * log2(sqrt(t_squared) + 2));
    const mpfr_prec_t bits = mpfr_get_prec(out) + GUARD + lost;
    mpfr_t x, y, a, b, mass;

    mpfr_inits2(bits, x, y, a, b, mass, (mpfr_ptr)0);
    student_angles(x, y, t, nu);
    if (mpfr_zero_p(t)) {
        mpfr_set_ui(mass, 0, MPFR_RNDN);
    } else if (mpfr_integer_p(nu) && mpfr_cmp_ui(nu, 1000) <= 0) {
        student_finite(mass, mpfr_get_si(nu, MPFR_RNDN), x, y);
    } else {
        mpfr_set_d(a, 0.5, MPFR_RNDN);
        mpfr_div_2ui(b, nu, 1, MPFR_RNDN);
        beta_lower(mass, a, b, y, x, known);
    }
    mpfr_ui_sub(mass, 1, mass, MPFR_RNDN);
    mpfr_div_2ui(out, mass, 1, MPFR_RNDN);
    mpfr_clears(x, y, a, b, mass, (mpfr_ptr)0);
}

static void student_far(mpfr_ptr out, mpfr_srcptr t, mpfr_srcptr nu, mpfr_srcptr known)
{
    mpfr_t x, y, a, b, mass;

    mpfr_inits2(mpfr_get_prec(out) + GUARD, x, y, a, b, mass, (mpfr_ptr)0);
    student_angles(x, y, t, nu);
    mpfr_div_2ui(a, nu, 1, MPFR_RNDN);
    mpfr_set_d(b, 0.5, MPFR_RNDN);
    beta_lower(mass, a, b, x, y, known);
    mpfr_div_2ui(out, mass, 1, MPFR_RNDN);
    mpfr_clears(x, y, a, b, mass, (mpfr_ptr)0);
}

static void student_upper(mpfr_ptr out, mpfr_srcptr t, mpfr_srcptr nu, mpfr_srcptr known)
{
    const bool is_negative = mpfr_signbit(t) != 0; /* out may be t itself */
    mpfr_t size;
    double t_squared;

    if (!is_positive(nu) || mpfr_nan_p(t)) {
        mpfr_set_nan(out);
        return;
    }
    if (mpfr_inf_p(t)) {
        mpfr_set_ui(out, is_negative ? 1 : 0, MPFR_RNDN);
        return;
    }
    mpfr_init2(size, mpfr_get_prec(t));
    mpfr_abs(size, t, MPFR_RNDN);
    t_squared = mpfr_get_d(t, MPFR_RNDN) * mpfr_get_d(t, MPFR_RNDN);
    if (t_squared < mpfr_get_d(nu, MPFR_RNDN) / 2 && t_squared < 20000)
        student_centre(out, size, nu, t_squared, known);
    else
        student_far(out, size, nu, known);
    if (is_negative)
        mpfr_ui_sub(out, 1, out, MPFR_RNDN);
    mpfr_clear(size);
}

void cf_student_upper(mpfr_ptr out, mpfr_srcptr t, mpfr_srcptr nu)
{
    student_upper(out, t, nu, NULL);
}

/* ---- normal and chi-square ------------------------------------------------------------------ */

void cf_normal_upper(mpfr_ptr out, mpfr_srcptr z)
{
    mpfr_t x;

    mpfr_init2(x, mpfr_get_prec(out) + GUARD);
    mpfr_sqrt_ui(x, 2, MPFR_RNDN);
    mpfr_div(x, z, x, MPFR_RNDN);
    mpfr_erfc(x, x, MPFR_RNDN);
    mpfr_div_2ui(out, x, 1, MPFR_RNDN);
    mpfr_clear(x);
}

static void chi2(mpfr_ptr out, mpfr_srcptr x, mpfr_srcptr nu, mpfr_prec_t lost, bool upper)
{
    mpfr_t a, half, mass;

    mpfr_inits2(mpfr_get_prec(out) + GUARD + lost, a, half, mass, (mpfr_ptr)0);
    mpfr_div_2ui(a, nu, 1, MPFR_RNDN);
    mpfr_div_2ui(half, x, 1, MPFR_RNDN);
    gamma_lower(mass, a, half);
    if (upper)
        mpfr_ui_sub(mass, 1, mass, MPFR_RNDN);
    mpfr_set(out, mass, MPFR_RNDN);
    mpfr_clears(a, half, mass, (mpfr_ptr)0);
}

static bool chi2_is_trivial(mpfr_ptr out, mpfr_srcptr x, mpfr_srcptr nu, int at_zero)
{
    if (!is_positive(nu) || mpfr_nan_p(x) || mpfr_cmp_ui(x, 0) < 0)
        mpfr_set_nan(out);
    else if (mpfr_zero_p(x))
        mpfr_set_ui(out, (unsigned long)at_zero, MPFR_RNDN);
    else if (mpfr_inf_p(x))
        mpfr_set_ui(out, (unsigned long)!at_zero, MPFR_RNDN);
    else
        return false;
    return true;
}

void cf_chi2_lower(mpfr_ptr out, mpfr_srcptr x, mpfr_srcptr nu)
{
    if (!chi2_is_trivial(out, x, nu, 0))
        chi2(out, x, nu, 0, false);
}

/* With h = x / 2 and a = nu / 2 > 0 the tail is at least h^(a-1) e^-h / Gamma(a) for a >= 1, and
 * at least e^-h / (1 + h) / Gamma(a) for a < 1, which bounds the bits that 1 - P loses; below the
 * mean, h < a with a >= 1, it is above 1/4. */
void cf_chi2_upper(mpfr_ptr out, mpfr_srcptr x, mpfr_srcptr nu)
{
    const double h = mpfr_get_d(x, MPFR_RNDN) / 2, a = mpfr_get_d(nu, MPFR_RNDN) / 2;
    double nats;

    if (chi2_is_trivial(out, x, nu, 1))
        return;
    nats = h + lgamma(a) + (a < 1 ? log1p(h) : -(a - 1) * log(h));
    chi2(out, x, nu, nats > 0 && !(a >= 1 && h < a) ? (mpfr_prec_t)(1.45 * nats) : 0, true);
}

/* ---- quantiles ------------------------------------------------------------------------------ */

static void at_normal(mpfr_ptr out, mpfr_srcptr x, const struct cf_curve *c)
{
    (void)c;
    cf_normal_upper(out, x);
}

static void at_student(mpfr_ptr out, mpfr_srcptr x, const struct cf_curve *c)
{
    student_upper(out, x, c->nu, c->constant);
}

static void at_chi2(mpfr_ptr out, mpfr_srcptr x, const struct cf_curve *c)
{
    cf_chi2_lower(out, x, c->nu);
}

/* Laws symmetric about 0: p above 1/2 is the mirror image of 1 - p. */
static void invert_symmetric(mpfr_ptr out, mpfr_srcptr p, struct cf_curve *c)
{
    const int side = mpfr_cmp_d(p, 0.5);
    mpfr_t tail;

    if (!is_probability(p)) {
        mpfr_set_nan(out);
        return;
    }
    if (side == 0) {
        mpfr_set_ui(out, 0, MPFR_RNDN);
        return;
    }
    mpfr_init2(tail, mpfr_get_prec(p) + GUARD);
    mpfr_set(tail, p, MPFR_RNDN);
    if (side > 0)
        mpfr_ui_sub(tail, 1, p, MPFR_RNDN);
    c->target = tail;
    cf_invert(out, c);
    if (side > 0)
        mpfr_neg(out, out, MPFR_RNDN);
    mpfr_clear(tail);
}

void cf_normal_quantile(mpfr_ptr out, mpfr_srcptr p)
{
    invert_symmetric(out, p, &(struct cf_curve){.at = at_normal});
}

/* ln B(nu/2, 1/2) is the same at every t: computed once, to as many bits as the steps will want. */
void cf_student_quantile(mpfr_ptr out, mpfr_srcptr p, mpfr_srcptr nu)
{
    struct cf_curve c = {.at = at_student, .nu = nu};
    mpfr_t half, halves, beta;

    if (!is_positive(nu)) {
        mpfr_set_nan(out);
        return;
    }
    mpfr_inits2(mpfr_get_prec(out) + 4 * GUARD, half, halves, beta, (mpfr_ptr)0);
    mpfr_set_d(half, 0.5, MPFR_RNDN);
    mpfr_div_2ui(halves, nu, 1, MPFR_RNDN);
    log_beta(beta, halves, half);
    c.constant = beta;
    invert_symmetric(out, p, &c);
    mpfr_clears(half, halves, beta, (mpfr_ptr)0);
}

void cf_chi2_quantile(mpfr_ptr out, mpfr_srcptr p, mpfr_srcptr nu)
{
    if (is_positive(nu) && is_probability(p))
        cf_invert(out, &(struct cf_curve){.at = at_chi2, .nu = nu, .target = p, .rising = true});
    else
        mpfr_set_nan(out);
}
