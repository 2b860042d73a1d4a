/* Directions, orders and sets of claim.h. */
#include "claim.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "multiplicity.h"
#include "special.h"

struct cf_wins cf_claim_compare(const double *a, const double *b, int n, enum cf_better better)
{
    struct cf_wins w = {.n = n};

    for (int i = 0; i < n; ++i) {
        const double x = cf_sample_loss(a[i], better), y = cf_sample_loss(b[i], better);

        w.wins += x < y;
        w.ties += x == y;
    }
    return w;
}

/* One half is exact, and no margin to move: only the precision is varied. */
static double half_tail(long k, long n, mpfr_prec_t bits, bool upper)
{
    MPFR_DECL_INIT(half, 53);
    mpfr_t out;
    double p;

    mpfr_init2(out, bits);
    mpfr_set_d(half, 0.5, MPFR_RNDN);
    if (upper)
        cf_binomial_upper(out, k, n, half);
    else
        cf_binomial_lower(out, k, n, half);
    p = mpfr_get_d(out, MPFR_RNDN);
    mpfr_clear(out);
    return p;
}

static bool is_clear(int wins, int n)
{
    return 4L * wins >= 3L * n;
}

int cf_claim_least_wins(int n, double alpha)
{
    int k = 0;

    while (k <= n && !(is_clear(k, n) && half_tail(k, n, 128, true) <= alpha))
        ++k;
    return k;
}

static bool is_tally(struct cf_wins w)
{
    return w.n > 0 && w.wins >= 0 && w.ties >= 0 && w.wins <= w.n - w.ties;
}

static const char *outcome(enum cf_verdict verdict)
{
    return verdict == CF_PASS ? "supported" : verdict == CF_FAIL ? "contradicted" : "undecided";
}

/* The least n at which the same share of wins is enough. */
static int seeds_needed(struct cf_wins w, double alpha)
{
    const double share = (double)w.wins / w.n;

    if (!(share >= 0.75))
        return 0;
    for (int n = w.n; n < 2000; ++n)
        if (floor(share * n + 1e-9) >= cf_claim_least_wins(n, alpha))
            return n;
    return 0;
}

struct cf_evidence cf_claim_direction(struct cf_wins w, double alpha)
{
    struct cf_evidence e = cf_evidence_without(CF_UNKNOWN, w.n, "no seeds to compare");

    if (!is_tally(w))
        return e;
    e.alpha = alpha;
    for (int v = 0; v < CF_VARIANTS; ++v) {
        const mpfr_prec_t bits = v == 1 ? 256 : 128;

        e.p_pass[v] = is_clear(w.wins, w.n) ? half_tail(w.wins, w.n, bits, true) : 1;
        e.p_fail[v] = half_tail(w.wins + w.ties, w.n, bits, false);
    }
    e.estimate = (double)w.wins / w.n;
    e.lower = cf_clopper_lower_d(w.wins, w.n, alpha);
    e.upper = cf_clopper_upper_d(w.wins + w.ties, w.n, alpha);
    e.low = e.fail_low = 0.5;
    e.high = e.fail_high = INFINITY;
    e.unit = "P(A > B)";
    e.margin_source = "above 1/2, and in 3 of 4 seeds";
    cf_evidence_decide(&e);
    e.n_needed = e.verdict == CF_PASS ? w.n : seeds_needed(w, alpha);
    snprintf(e.reason, sizeof e.reason,
             "better in %d of %d seeds (%d ties), P between %.3f and %.3f: %s (%d of %d would do)",
             w.wins, w.n, w.ties, e.lower, e.upper, outcome(e.verdict),
             cf_claim_least_wins(w.n, alpha), w.n);
    return e;
}

enum cf_verdict cf_claim_order(const struct cf_evidence *pairs, int n, double alpha,
                               double *adjusted)
{
    double *reversed = calloc((size_t)n + 1, sizeof *reversed);
    bool supported = n > 0, contradicted = false;

    if (reversed == NULL)
        abort();
    for (int i = 0; i < n; ++i)
        reversed[i] = pairs[i].p_fail[0];
    cf_holm(reversed, reversed, n);
    for (int i = 0; i < n; ++i) {
        supported &= pairs[i].verdict == CF_PASS;
        contradicted |= reversed[i] <= alpha;
        if (adjusted != NULL)
            adjusted[i] = reversed[i];
    }
    free(reversed);
    return contradicted ? CF_FAIL : supported ? CF_PASS : CF_UNKNOWN;
}

enum cf_verdict cf_claim_set(const struct cf_evidence *claims, int n,
                             const struct cf_evidence *floor)
{
    bool supported = n > 0;

    if (floor == NULL)
        return CF_SKIP;
    supported &= floor->verdict == CF_PASS;
    for (int i = 0; i < n; ++i) {
        if (claims[i].verdict == CF_FAIL)
            return CF_FAIL;
        supported &= claims[i].verdict == CF_PASS;
    }
    return floor->verdict == CF_FAIL ? CF_FAIL : supported ? CF_PASS : CF_UNKNOWN;
}

/* terms: C(n+1, j) from j = 0 up to k, each from the one before. All are integers of at most n + 1
 * bits, so that 2 n + 64 bits are exact. C(n, k) = C(n+1, k) (n+1-k) / (n+1). */
static void e_value(mpfr_ptr out, int k, int n)
{
    mpfr_t term, sum;

    mpfr_inits2(2 * (mpfr_prec_t)n + 64, term, sum, (mpfr_ptr)0);
    mpfr_set_ui(term, 1, MPFR_RNDN);
    mpfr_set_ui(sum, 1, MPFR_RNDN);
    for (int j = 1; j <= k; ++j) {
        mpfr_mul_si(term, term, n + 2 - j, MPFR_RNDN);
        mpfr_div_si(term, term, j, MPFR_RNDN);
        mpfr_add(sum, sum, term, MPFR_RNDN);
    }
    mpfr_mul_si(term, term, n + 1 - k, MPFR_RNDN);
    mpfr_div(out, sum, term, MPFR_RNDN);
    mpfr_clears(term, sum, (mpfr_ptr)0);
}

double cf_claim_e_value(int k, int n)
{
    MPFR_DECL_INIT(e, 53);

    if (n < 1 || k < 0 || k > n)
        return NAN;
    e_value(e, k, n);
    return mpfr_get_d(e, MPFR_RNDN);
}

/* With the present share of wins; 0 when that share would never do. */
static int extended_needed(struct cf_wins w)
{
    const double share = (double)w.wins / w.n;

    for (int n = w.n; n <= 4000 && share > 0.5; n += 1 + n / 50)
        if (cf_claim_e_value((int)(share * n + 0.5), n) >= 1 / CF_ALPHA)
            return n;
    return 0;
}

struct cf_evidence cf_claim_extended(struct cf_wins w)
{
    const double value = is_tally(w) ? cf_claim_e_value(w.wins, w.n) : NAN;
    struct cf_evidence e = cf_evidence_without(CF_UNKNOWN, w.n, "%s", "");

    for (int v = 0; v < CF_VARIANTS; ++v) {
        e.p_pass[v] = value > 1 ? 1 / value : 1;
        e.p_fail[v] = 1;
    }
    e.estimate = is_tally(w) ? (double)w.wins / w.n : NAN;
    e.unit = "P(A > B)";
    e.margin_source = "sign e-process, 20";
    cf_evidence_decide(&e);
    e.n_needed = e.verdict == CF_PASS ? w.n : is_tally(w) ? extended_needed(w) : 0;
    snprintf(e.reason, sizeof e.reason, "better in %d of %d seeds: e-value %.3g, 20 supports: %s",
             w.wins, w.n, value, outcome(e.verdict));
    return e;
}
