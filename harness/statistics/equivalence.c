/* The components of equivalence.h. */
#include "equivalence.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "moments.h"
#include "special.h"
#include "wald.h"

const struct cf_margins cf_margins_default = {
    0.954, 0.25, 0.15, "theta in 0.25 .. 0.75 (Bouthillier et al. 2021): 0.954 sigma of the bank"};
const struct cf_margins cf_margins_strict = {0.5, 0.362, 0.10,
                                             "strict profile: 0.5 sigma of the bank"};

/* About the least n at which |offset| + t(alpha, n-1) sqrt(per_seed / n + fixed) < margin, for an
 * estimate that stays where it is; 0 if beyond 100000. t is z + (z^3 + z) / (4 df), AS 26.7.5. */
static int seeds_needed(double offset, double margin, double per_seed, double fixed, double alpha)
{
    const double z = cf_normal_quantile_d(alpha), room = margin - fabs(offset);

    for (int n = 2; n < 100000; n += 1 + n / 200) {
        const double t = z + (z * z * z + z) / (4 * (n - 1));

        if (t * sqrt(per_seed / n + fixed) < room)
            return n;
    }
    return 0;
}

static const char *verdict_text(enum cf_verdict verdict)
{
    return verdict == CF_PASS   ? "inside"
           : verdict == CF_FAIL ? "shown to be outside"
                                : "not shown to be inside";
}

static void explain(struct cf_evidence *e, const char *what)
{
    int used = snprintf(e->reason, sizeof e->reason,
                        "%s %.4g, %.3g %% interval %.4g .. %.4g, is %s %.4g .. %.4g (%d seeds)",
                        what, e->estimate, 100 * (1 - 2 * e->alpha), e->lower, e->upper,
                        verdict_text(e->verdict), e->low, e->high, e->n);

    if (e->verdict == CF_UNKNOWN && e->n_needed > e->n && used < (int)sizeof e->reason)
        snprintf(e->reason + used, sizeof e->reason - (size_t)used, "; about %d seeds would do",
                 e->n_needed);
}

static struct cf_evidence two_sided(const struct cf_margins *m, int n, double alpha,
                                    const char *unit)
{
    struct cf_evidence e = cf_evidence_without(CF_UNKNOWN, n, "%s", "");

    e.alpha = alpha;
    e.unit = unit;
    e.margin_source = m->source;
    return e;
}

struct cf_evidence cf_equivalence_paired(const struct cf_metric *m, int n, double alpha)
{
    const struct cf_bank *b = m->bank;
    struct cf_evidence e = two_sided(m->margins, n, alpha, "units of the metric");
    struct cf_wald w;

    if (n < 2 || n > b->n || !cf_sample_is_finite(m->got, n) || !cf_sample_is_finite(b->y, n))
        return cf_evidence_without(CF_UNKNOWN, n,
                                   "paired differences need two seeds or more, all finite");
    e.high = m->margins->sigma * b->sd_low;
    e.low = -e.high;
    e.fail_high = m->margins->sigma * b->sd_high;
    e.fail_low = -e.fail_high;
    cf_wald_init(&w);
    cf_moments(w.estimate, w.variance, m->got, b->y, n);
    mpfr_div_si(w.variance, w.variance, n, MPFR_RNDN);
    mpfr_set_si(w.df, n - 1, MPFR_RNDN);
    cf_wald_judge(&e, &w);
    e.n_needed =
        e.verdict == CF_PASS
            ? n
            : seeds_needed(e.estimate, e.high, n * mpfr_get_d(w.variance, MPFR_RNDN), 0, alpha);
    cf_wald_clear(&w);
    explain(&e, "mean difference");
    return e;
}

/* Sums of doubled placements, exact in integers: 200 squares of at most 400 are small. */
struct placements {
    long sum, squares;
    int n, of; /* n placements among `of` values: a share is a placement / (2 of) */
};

static struct placements place(const double *y, int n, const double *sorted, int of)
{
    struct placements p = {.n = n, .of = of};

    for (int i = 0; i < n; ++i) {
        const long v = cf_sample_placement(sorted, of, y[i]);

        p.sum += v;
        p.squares += v * v;
    }
    return p;
}

/* Variance of the mean of the n shares: (n squares - sum^2) / (n (n - 1)) / (2 of)^2 / n. */
static void share_variance(mpfr_ptr out, const struct placements *p)
{
    mpfr_set_si(out, p->n * p->squares - p->sum * p->sum, MPFR_RNDN);
    mpfr_div_si(out, out, p->n, MPFR_RNDN);
    mpfr_div_si(out, out, p->n - 1, MPFR_RNDN);
    mpfr_div_si(out, out, p->n, MPFR_RNDN);
    mpfr_div_si(out, out, 2L * p->of, MPFR_RNDN);
    mpfr_div_si(out, out, 2L * p->of, MPFR_RNDN);
}

/* Where every value lies on one side the sample variance is 0. 1 / (48 R^2) takes its place: that
 * of a uniform variable as wide as half a step of theta, 1 / (2 R). */
static void floor_variance(struct cf_wald *w, int n)
{
    mpfr_set_ui(w->df, (unsigned long)n - 1, MPFR_RNDN);
    if (mpfr_zero_p(w->estimate) || mpfr_cmp_ui(w->estimate, 1) == 0) {
        mpfr_set_ui(w->variance, 1, MPFR_RNDN);
        mpfr_div_ui(w->variance, w->variance, 48, MPFR_RNDN);
        mpfr_div_si(w->variance, w->variance, n, MPFR_RNDN);
        mpfr_div_si(w->variance, w->variance, n, MPFR_RNDN);
    }
}

/* Both sorted. v: placements of C in the bank; w: of the bank in C. */
static void brunner_munzel(struct cf_wald *w, double parts[2], const double *got, int n,
                           const double *bank, int n_bank)
{
    const struct placements v = place(got, n, bank, n_bank), u = place(bank, n_bank, got, n);
    mpfr_t a, b;

    mpfr_inits2(CF_WALD_BITS, a, b, (mpfr_ptr)0);
    mpfr_set_si(w->estimate, v.sum, MPFR_RNDN);
    mpfr_div_si(w->estimate, w->estimate, 2L * n_bank * n, MPFR_RNDN);
    share_variance(a, &v);
    share_variance(b, &u);
    parts[0] = mpfr_get_d(a, MPFR_RNDN);
    parts[1] = mpfr_get_d(b, MPFR_RNDN);
    mpfr_add(w->variance, a, b, MPFR_RNDN);
    if (mpfr_zero_p(w->variance)) {
        floor_variance(w, n);
    } else {
        mpfr_sqr(a, a, MPFR_RNDN);
        mpfr_div_si(a, a, n - 1, MPFR_RNDN);
        mpfr_sqr(b, b, MPFR_RNDN);
        mpfr_div_si(b, b, n_bank - 1, MPFR_RNDN);
        mpfr_add(a, a, b, MPFR_RNDN);
        mpfr_sqr(w->df, w->variance, MPFR_RNDN);
        mpfr_div(w->df, w->df, a, MPFR_RNDN);
    }
    mpfr_clears(a, b, (mpfr_ptr)0);
}

static struct cf_evidence rank(const struct cf_metric *m, int n, double alpha, bool dispersion)
{
    const struct cf_bank *b = m->bank;
    struct cf_evidence e = two_sided(m->margins, n, alpha, "P(C > B)");
    double parts[2], *got = n >= 2 ? malloc((size_t)n * sizeof *got) : NULL;
    struct cf_wald w;

    if (got == NULL)
        return cf_evidence_without(CF_UNKNOWN, n, "ranks need two seeds or more");
    for (int i = 0; i < n; ++i) {
        got[i] = cf_sample_loss(m->got[i], b->better);
        if (dispersion)
            got[i] = fabs(got[i] - b->median);
    }
    cf_sample_sort(got, n);
    e.low = e.fail_low = m->margins->theta;
    e.high = e.fail_high = 1 - m->margins->theta;
    cf_wald_init(&w);
    brunner_munzel(&w, parts, got, n, dispersion ? b->spreads : b->losses, b->n);
    cf_wald_judge(&e, &w);
    e.n_needed = e.verdict == CF_PASS ? n
                                      : seeds_needed(e.estimate - 0.5, 0.5 - m->margins->theta,
                                                     n * parts[0], parts[1], alpha);
    cf_wald_clear(&w);
    free(got);
    explain(&e, dispersion ? "theta of the spread" : "theta");
    return e;
}

struct cf_evidence cf_equivalence_location(const struct cf_metric *m, int n, double alpha)
{
    return rank(m, n, alpha, false);
}

struct cf_evidence cf_equivalence_dispersion(const struct cf_metric *m, int n, double alpha)
{
    return rank(m, n, alpha, true);
}
