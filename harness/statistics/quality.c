/* The gates on means of gate.h: non-inferiority of quality, and of the error of an op (S5). */
#include <math.h>
#include <stdio.h>

#include "gate.h"
#include "moments.h"
#include "wald.h"

static struct cf_evidence one_sided(int n, const char *unit, const char *source)
{
    struct cf_evidence e = cf_evidence_without(CF_UNKNOWN, n, "%s", "");

    e.unit = unit;
    e.margin_source = source;
    e.low = e.fail_low = -INFINITY;
    e.high = e.fail_high = INFINITY;
    return e;
}

static const char *relation(enum cf_verdict verdict)
{
    return verdict == CF_PASS   ? "within"
           : verdict == CF_FAIL ? "shown to exceed"
                                : "not shown to be within";
}

/* A rough count: the interval shrinks with sqrt(n). */
static int seeds_needed(const struct cf_evidence *e, double distance)
{
    const double reach = (e->upper - e->lower) / 2;
    const double n = ceil(e->n * (reach / distance) * (reach / distance)) + 1;

    if (e->verdict == CF_PASS)
        return e->n;
    return distance > 0 && n < 1e6 ? (int)n : 0;
}

static void explain_quality(struct cf_evidence *e, double margin)
{
    e->n_needed = seeds_needed(e, e->estimate - e->low);
    snprintf(
        e->reason, sizeof e->reason,
        "mean change of quality %.4g, %.3g %% interval %.4g .. %.4g, is %s the allowed loss of "
        "%.4g (%d seeds)",
        e->estimate, 100 - 200 * e->alpha, e->lower, e->upper, relation(e->verdict), margin, e->n);
}

/* The change is good when positive: a loss is turned round. */
static struct cf_evidence judge_quality(struct cf_wald *w, int n, enum cf_better better,
                                        double margin, double alpha, const char *source)
{
    struct cf_evidence e = one_sided(n, "change of quality", source);

    e.alpha = alpha;
    if (better == CF_LOWER_IS_BETTER)
        mpfr_neg(w->estimate, w->estimate, MPFR_RNDN);
    e.low = e.fail_low = -margin;
    cf_wald_judge(&e, w);
    explain_quality(&e, margin);
    return e;
}

struct cf_evidence cf_gate_quality_paired(const double *got, const double *base, int n,
                                          enum cf_better better, double margin, double alpha,
                                          const char *source)
{
    struct cf_evidence e;
    struct cf_wald w;

    if (n < 2 || !cf_sample_is_finite(got, n) || !cf_sample_is_finite(base, n) || !(margin > 0))
        return cf_evidence_without(
            CF_UNKNOWN, n, "the mean change has no value: %d of %d runs failed",
            n < 1 ? 0 : cf_sample_failures(got, n) + cf_sample_failures(base, n), n);
    cf_wald_init(&w);
    cf_moments(w.estimate, w.variance, got, base, n);
    mpfr_div_si(w.variance, w.variance, n, MPFR_RNDN);
    mpfr_set_si(w.df, n - 1, MPFR_RNDN);
    e = judge_quality(&w, n, better, margin, alpha, source);
    cf_wald_clear(&w);
    return e;
}

/* var = a + b with a = s^2 / n, b = s_bank^2 / N; df = var^2 / (a^2 / (n-1) + b^2 / (N-1)). */
static void welch(struct cf_wald *w, const double *got, int n, const double *bank, int n_bank)
{
    mpfr_t mean, a, b;

    mpfr_inits2(CF_WALD_BITS, mean, a, b, (mpfr_ptr)0);
    cf_moments(w->estimate, a, got, NULL, n);
    cf_moments(mean, b, bank, NULL, n_bank);
    mpfr_sub(w->estimate, w->estimate, mean, MPFR_RNDN);
    mpfr_div_si(a, a, n, MPFR_RNDN);
    mpfr_div_si(b, b, n_bank, MPFR_RNDN);
    mpfr_add(w->variance, a, b, MPFR_RNDN);
    mpfr_sqr(a, a, MPFR_RNDN);
    mpfr_div_si(a, a, n - 1, MPFR_RNDN);
    mpfr_sqr(b, b, MPFR_RNDN);
    mpfr_div_si(b, b, n_bank - 1, MPFR_RNDN);
    mpfr_add(a, a, b, MPFR_RNDN);
    mpfr_sqr(w->df, w->variance, MPFR_RNDN);
    mpfr_div(w->df, w->df, a, MPFR_RNDN);
    mpfr_clears(mean, a, b, (mpfr_ptr)0);
}

struct cf_evidence cf_gate_quality_bank(const double *got, int n, const double *bank, int n_bank,
                                        enum cf_better better, double margin, const char *source)
{
    struct cf_evidence e;
    struct cf_wald w;

    if (n < 2 || n_bank < 2 || !cf_sample_is_finite(got, n) || !cf_sample_is_finite(bank, n_bank) ||
        !(margin > 0))
        return cf_evidence_without(CF_UNKNOWN, n, "the means have no value: a run failed");
    cf_wald_init(&w);
    welch(&w, got, n, bank, n_bank);
    e = judge_quality(&w, n, better, margin, CF_ALPHA, source);
    cf_wald_clear(&w);
    return e;
}

static struct cf_evidence without_mean(const double *ratio_log, int n, double limit)
{
    struct cf_evidence e = one_sided(n, "ratio of RMS errors", "one bit: twice the noise");
    int exact = 0, broken = 0;

    for (int k = 0; k < n; ++k) {
        exact += isinf(ratio_log[k]) && ratio_log[k] < 0;
        broken += isnan(ratio_log[k]) || (isinf(ratio_log[k]) && ratio_log[k] > 0);
    }
    e.high = e.fail_high = limit;
    e.n_needed = 0;
    for (int v = 0; v < CF_VARIANTS; ++v) {
        e.p_pass[v] = broken == 0 && exact == n && n > 1 ? 0 : 1;
        e.p_fail[v] = broken > 0 ? 0 : 1;
    }
    cf_evidence_decide(&e);
    if (broken > 0)
        snprintf(e.reason, sizeof e.reason, "the error of %d of %d seeds is not finite", broken, n);
    else if (e.verdict == CF_PASS)
        snprintf(e.reason, sizeof e.reason, "no error at all in %d seeds", n);
    else
        snprintf(e.reason, sizeof e.reason,
                 "%d of %d seeds have no error at all: pool more outputs into a seed, two seeds or "
                 "more",
                 exact, n);
    return e;
}

struct cf_ratio cf_gate_ratio(const double *ratio_log, int n, double limit)
{
    struct cf_ratio r = {.equivalent = false};
    struct cf_evidence *e = &r.evidence;
    struct cf_wald w;

    if (n < 2 || !cf_sample_is_finite(ratio_log, n)) {
        *e = without_mean(ratio_log, n, limit);
        return r;
    }
    *e = one_sided(n, "ratio of RMS errors", "one bit: twice the noise of the declared arithmetic");
    e->high = e->fail_high = log(limit);
    cf_wald_init(&w);
    cf_moments(w.estimate, w.variance, ratio_log, NULL, n);
    mpfr_div_si(w.variance, w.variance, n, MPFR_RNDN);
    mpfr_set_si(w.df, n - 1, MPFR_RNDN);
    cf_wald_judge(e, &w);
    cf_wald_clear(&w);
    e->n_needed = seeds_needed(e, e->high - e->estimate);
    r.equivalent = e->lower > log(0.80) && e->upper < log(1.25);
    r.superior = e->upper < -e->high;
    e->estimate = exp(e->estimate);
    e->lower = exp(e->lower);
    e->upper = exp(e->upper);
    e->high = e->fail_high = limit;
    snprintf(
        e->reason, sizeof e->reason,
        "RMS error %.3g times that of the declared arithmetic, 90 %% interval %.3g .. %.3g, is "
        "%s the allowed %.3g (%d seeds)",
        e->estimate, e->lower, e->upper, relation(e->verdict), limit, n);
    return r;
}
