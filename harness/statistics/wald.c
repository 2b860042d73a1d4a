#include "wald.h"

#include <math.h>

#include "special.h"

void cf_wald_init(struct cf_wald *w)
{
    mpfr_inits2(CF_WALD_BITS, w->estimate, w->variance, w->df, (mpfr_ptr)0);
}

void cf_wald_clear(struct cf_wald *w)
{
    mpfr_clears(w->estimate, w->variance, w->df, (mpfr_ptr)0);
}

/* P(T > sign (limit - estimate) / se): the p of "the value is on the near side of the limit". */
static double tail(const struct cf_wald *w, double limit, int sign, mpfr_prec_t bits)
{
    mpfr_t t, se;
    double p;

    if (isinf(limit))
        return 0;
    mpfr_inits2(bits, t, se, (mpfr_ptr)0);
    mpfr_d_sub(t, limit, w->estimate, MPFR_RNDN);
    mpfr_mul_si(t, t, sign, MPFR_RNDN);
    mpfr_sqrt(se, w->variance, MPFR_RNDN);
    if (mpfr_zero_p(se)) {
        p = mpfr_nan_p(t) ? NAN : mpfr_cmp_ui(t, 0) > 0 ? 0 : 1;
    } else {
        mpfr_div(t, t, se, MPFR_RNDN);
        cf_student_upper(t, t, w->df);
        p = mpfr_get_d(t, MPFR_RNDN);
    }
    mpfr_clears(t, se, (mpfr_ptr)0);
    return p;
}

/* The limits moved outwards by `move` of themselves. */
static double lower_limit(double limit, double move)
{
    return limit < 0 ? limit * (1 + move) : limit / (1 + move);
}

static double upper_limit(double limit, double move)
{
    return limit < 0 ? limit / (1 + move) : limit * (1 + move);
}

/* The larger of the two p of the sides is that of the nearer limit. */
static double pass(const struct cf_wald *w, double low, double high, mpfr_prec_t bits)
{
    const double x = mpfr_get_d(w->estimate, MPFR_RNDN);

    return high - x <= x - low ? tail(w, high, 1, bits) : tail(w, low, -1, bits);
}

/* Between two limits each side has a p above one half, and their sum is cut to 1. */
static double fail(const struct cf_wald *w, double low, double high, mpfr_prec_t bits)
{
    const double x = mpfr_get_d(w->estimate, MPFR_RNDN);
    const bool two_sided = isfinite(low) && isfinite(high);
    double p;

    if (two_sided && x >= low && x <= high)
        return 1;
    p = isinf(high) || x < low ? tail(w, low, 1, bits) : tail(w, high, -1, bits);
    return two_sided && 2 * p > 1 ? 1 : two_sided ? 2 * p : p;
}

static void variant(struct cf_evidence *e, int v, const struct cf_wald *w, mpfr_prec_t bits,
                    double move)
{
    e->p_pass[v] = pass(w, lower_limit(e->low, move), upper_limit(e->high, move), bits);
    e->p_fail[v] = fail(w, lower_limit(e->fail_low, move), upper_limit(e->fail_high, move), bits);
}

void cf_wald_judge(struct cf_evidence *e, const struct cf_wald *w)
{
    const double df = mpfr_get_d(w->df, MPFR_RNDN);
    const double se = sqrt(mpfr_get_d(w->variance, MPFR_RNDN));
    const double reach = se == 0 ? 0 : cf_student_quantile_d(e->alpha, df) * se;

    variant(e, 0, w, 128, 0);
    variant(e, 1, w, 256, 0);
    variant(e, 2, w, 128, 1e-9);
    variant(e, 3, w, 128, -1e-9);
    e->estimate = mpfr_get_d(w->estimate, MPFR_RNDN);
    e->lower = e->estimate - reach;
    e->upper = e->estimate + reach;
    cf_evidence_decide(e);
}
