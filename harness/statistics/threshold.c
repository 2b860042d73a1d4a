/* The thresholds (K-thr) of claim.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "claim.h"
#include "gate.h"
#include "moments.h"
#include "special.h"
#include "wald.h"

enum { MOST_RANKS = 500 };

static const char *outcome(enum cf_verdict verdict)
{
    return verdict == CF_PASS   ? "is reached"
           : verdict == CF_FAIL ? "is missed"
                                : "is neither shown to be reached nor to be missed";
}

static struct cf_evidence at_threshold(int n, enum cf_better better, double threshold, double alpha)
{
    struct cf_evidence e = cf_evidence_without(CF_UNKNOWN, n, "%s", "");

    e.alpha = alpha;
    e.unit = "units of the metric";
    e.margin_source = "threshold registered with the claim";
    e.low = e.fail_low = better == CF_HIGHER_IS_BETTER ? threshold : -INFINITY;
    e.high = e.fail_high = better == CF_LOWER_IS_BETTER ? threshold : INFINITY;
    return e;
}

struct cf_evidence cf_claim_mean(const double *y, int n, enum cf_better better, double threshold,
                                 double alpha)
{
    struct cf_evidence e = at_threshold(n, better, threshold, alpha);
    struct cf_wald w;

    if (n < 2 || !cf_sample_is_finite(y, n))
        return cf_evidence_without(CF_UNKNOWN, n, "a mean needs two seeds or more, all finite");
    cf_wald_init(&w);
    cf_moments(w.estimate, w.variance, y, NULL, n);
    mpfr_div_si(w.variance, w.variance, n, MPFR_RNDN);
    mpfr_set_si(w.df, n - 1, MPFR_RNDN);
    cf_wald_judge(&e, &w);
    cf_wald_clear(&w);
    e.n_needed = e.verdict == CF_PASS ? n : 0;
    snprintf(e.reason, sizeof e.reason, "mean %.6g, interval %.6g .. %.6g: the threshold %.6g %s",
             e.estimate, e.lower, e.upper, threshold, outcome(e.verdict));
    return e;
}

struct gain {
    double size;
    bool good;
};

static int by_size(const void *a, const void *b)
{
    const double x = ((const struct gain *)a)->size, y = ((const struct gain *)b)->size;

    return (x > y) - (x < y);
}

/* The gains over the threshold as losses turned round, zeros dropped, sorted by size. */
static int gains_of(struct gain *gain, const double *y, int n, enum cf_better better,
                    double threshold)
{
    const double limit = cf_sample_loss(threshold, better);
    int kept = 0;

    for (int i = 0; i < n; ++i) {
        const double d = limit - cf_sample_loss(y[i], better);

        if (d != 0)
            gain[kept++] = (struct gain){fabs(d), d > 0};
    }
    qsort(gain, (size_t)kept, sizeof *gain, by_size);
    return kept;
}

/* Doubled mid-ranks: a block of equal sizes at positions i .. j - 1 has (i + 1 + j) for each. */
static void rank_gains(int *doubled, const struct gain *gain, int n, long doubled_w[2])
{
    doubled_w[0] = doubled_w[1] = 0;
    for (int i = 0, j; i < n; i = j) {
        for (j = i; j < n && gain[j].size == gain[i].size; ++j)
            ;
        for (int at = i; at < j; ++at) {
            doubled[at] = i + 1 + j;
            doubled_w[gain[at].good] += doubled[at];
        }
    }
}

static double hodges_lehmann(const double *y, int n)
{
    double *walsh = malloc((size_t)n * ((size_t)n + 1) / 2 * sizeof *walsh), median;
    int kept = 0;

    if (walsh == NULL)
        return NAN;
    for (int i = 0; i < n; ++i)
        for (int j = i; j < n; ++j)
            walsh[kept++] = y[i] / 2 + y[j] / 2;
    median = cf_sample_median(walsh, kept);
    free(walsh);
    return median;
}

static double signed_rank(const int *doubled, int n, long doubled_w, mpfr_prec_t bits)
{
    mpfr_t out;
    double p;

    mpfr_init2(out, bits);
    cf_signed_rank_upper(out, doubled, n, doubled_w);
    p = mpfr_get_d(out, MPFR_RNDN);
    mpfr_clear(out);
    return p;
}

struct cf_evidence cf_claim_median(const double *y, int n, enum cf_better better, double threshold,
                                   double alpha)
{
    struct cf_evidence e = at_threshold(n, better, threshold, alpha);
    struct gain gain[MOST_RANKS];
    int doubled[MOST_RANKS], kept;
    long doubled_w[2];

    if (n < 1 || n > MOST_RANKS || !isfinite(threshold))
        return cf_evidence_without(CF_UNKNOWN, n, "the signed-rank test takes 1 to %d seeds",
                                   MOST_RANKS);
    for (int v = 0; v < CF_VARIANTS; ++v) {
        const double move = v == 2 ? 1e-9 : v == 3 ? -1e-9 : 0;

        kept = gains_of(gain, y, n, better, threshold + move * fabs(threshold));
        rank_gains(doubled, gain, kept, doubled_w);
        e.p_pass[v] = kept < 1 ? 1 : signed_rank(doubled, kept, doubled_w[1], v == 1 ? 256 : 128);
        e.p_fail[v] = kept < 1 ? 1 : signed_rank(doubled, kept, doubled_w[0], v == 1 ? 256 : 128);
    }
    e.estimate = hodges_lehmann(y, n);
    cf_evidence_decide(&e);
    e.n_needed = e.verdict == CF_PASS ? n : 0;
    snprintf(e.reason, sizeof e.reason,
             "Hodges-Lehmann %.6g, signed-rank p %.3g: the threshold %.6g %s", e.estimate,
             e.p_pass[0], threshold, outcome(e.verdict));
    return e;
}

struct cf_evidence cf_claim_share(const double *y, int n, enum cf_better better, double threshold,
                                  double share, double alpha)
{
    const double limit = cf_sample_loss(threshold, better);
    struct cf_evidence e;
    long missed = 0;

    for (int i = 0; i < n; ++i)
        missed += !(cf_sample_loss(y[i], better) <= limit);
    e = cf_gate_rate(missed, n, 1 - share, "share registered with the claim");
    e.alpha = alpha;
    if (n > 0)
        cf_evidence_decide(&e);
    return e;
}
