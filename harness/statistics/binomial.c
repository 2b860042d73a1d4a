/* The counted laws of special.h: binomial tails, their bounds, the signed-rank law. */
#include "special.h"

#include "invert.h"

#include <stdlib.h>

enum { GUARD = 64, MAX_RANKS = 500 };

/* out = n! / (k! (n - k)!), by at most n/2 exact-ratio steps. */
static void choose(mpfr_ptr out, long k, long n)
{
    const long steps = k < n - k ? k : n - k;

    mpfr_set_ui(out, 1, MPFR_RNDN);
    for (long j = 1; j <= steps; ++j) {
        mpfr_mul_si(out, out, n - steps + j, MPFR_RNDN);
        mpfr_div_si(out, out, j, MPFR_RNDN);
    }
}

/* The sum of C(n, j) p^j q^(n-j) over j = k..n, 0 < k <= n, 0 < p < 1. Once the ratio of
 * successive terms is below 7/8 the rest is below seven terms. */
static void sum_terms(mpfr_ptr sum, long k, long n, mpfr_srcptr p, mpfr_srcptr q)
{
    const mpfr_prec_t bits = mpfr_get_prec(sum);
    double ratio_of_odds;
    mpfr_t term, odds;

    mpfr_inits2(bits, term, odds, (mpfr_ptr)0);
    mpfr_div(odds, p, q, MPFR_RNDN);
    ratio_of_odds = mpfr_get_d(odds, MPFR_RNDU);
    mpfr_pow_si(term, p, k, MPFR_RNDN);
    mpfr_pow_si(sum, q, n - k, MPFR_RNDN);
    mpfr_mul(term, term, sum, MPFR_RNDN);
    choose(sum, k, n);
    mpfr_mul(term, term, sum, MPFR_RNDN);
    mpfr_set(sum, term, MPFR_RNDN);
    for (long j = k; j < n; ++j) {
        const double ratio = ratio_of_odds * (double)(n - j) / (double)(j + 1);

        if (ratio < 0.875 && mpfr_get_exp(term) + 4 < mpfr_get_exp(sum) - (mpfr_exp_t)bits)
            break;
        mpfr_mul(term, term, odds, MPFR_RNDN);
        mpfr_mul_si(term, term, n - j, MPFR_RNDN);
        mpfr_div_si(term, term, j + 1, MPFR_RNDN);
        mpfr_add(sum, sum, term, MPFR_RNDN);
    }
    mpfr_clears(term, odds, (mpfr_ptr)0);
}

/* P(X >= k) where a success has probability p and a failure q = 1 - p. */
static void upper(mpfr_ptr out, long k, long n, mpfr_srcptr p, mpfr_srcptr q)
{
    mpfr_t sum;

    if (!(mpfr_cmp_ui(p, 0) >= 0 && mpfr_cmp_ui(q, 0) >= 0) || n < 0) {
        mpfr_set_nan(out);
    } else if (k <= 0) {
        mpfr_set_ui(out, 1, MPFR_RNDN);
    } else if (k > n || mpfr_zero_p(p)) {
        mpfr_set_ui(out, 0, MPFR_RNDN);
    } else if (mpfr_zero_p(q)) {
        mpfr_set_ui(out, 1, MPFR_RNDN);
    } else {
        mpfr_init2(sum, mpfr_get_prec(out) + GUARD);
        sum_terms(sum, k, n, p, q);
        mpfr_set(out, sum, MPFR_RNDN);
        mpfr_clear(sum);
    }
}

void cf_binomial_upper(mpfr_ptr out, long k, long n, mpfr_srcptr p)
{
    mpfr_t q;

    if (mpfr_nan_p(p)) {
        mpfr_set_nan(out);
        return;
    }
    mpfr_init2(q, mpfr_get_prec(p) + mpfr_get_prec(out) + GUARD);
    mpfr_ui_sub(q, 1, p, MPFR_RNDN);
    upper(out, k, n, p, q);
    mpfr_clear(q);
}

void cf_binomial_lower(mpfr_ptr out, long k, long n, mpfr_srcptr p)
{
    mpfr_t q;

    if (mpfr_nan_p(p)) {
        mpfr_set_nan(out);
        return;
    }
    mpfr_init2(q, mpfr_get_prec(p) + mpfr_get_prec(out) + GUARD);
    mpfr_ui_sub(q, 1, p, MPFR_RNDN);
    upper(out, n - k, n, q, p);
    mpfr_clear(q);
}

static void at_binomial(mpfr_ptr out, mpfr_srcptr x, const struct cf_curve *c)
{
    cf_binomial_upper(out, c->k, c->n, x);
}

static bool is_bounded(long k, long n, mpfr_srcptr alpha)
{
    return n > 0 && k >= 0 && k <= n && mpfr_number_p(alpha) && mpfr_cmp_ui(alpha, 0) > 0 &&
           mpfr_cmp_ui(alpha, 1) < 0;
}

void cf_clopper_lower(mpfr_ptr out, long k, long n, mpfr_srcptr alpha)
{
    if (!is_bounded(k, n, alpha))
        mpfr_set_nan(out);
    else if (k == 0)
        mpfr_set_ui(out, 0, MPFR_RNDN);
    else
        cf_invert(out, &(struct cf_curve){
                           .at = at_binomial, .target = alpha, .rising = true, .k = k, .n = n});
}

/* P(X <= k | p) = P(failures >= n - k | 1 - p): the bound on failures is found to 64 bits more
 * than wanted, for the difference loses log2(n) of them. */
void cf_clopper_upper(mpfr_ptr out, long k, long n, mpfr_srcptr alpha)
{
    mpfr_t bound;

    mpfr_init2(bound, mpfr_get_prec(out) + GUARD);
    cf_clopper_lower(bound, n - k, n, alpha);
    mpfr_ui_sub(out, 1, bound, MPFR_RNDN);
    mpfr_clear(bound);
}

/* count[s] = the number of subsets of the ranks with doubled sum s: exact, for a count is below
 * 2^n and has n bits. */
static void count_subsets(mpfr_t *count, long total, const int *doubled_rank, int n)
{
    long reach = 0;

    for (long s = 0; s <= total; ++s) {
        mpfr_init2(count[s], (mpfr_prec_t)n + 2);
        mpfr_set_ui(count[s], s == 0, MPFR_RNDN);
    }
    for (int i = 0; i < n; ++i) {
        reach += doubled_rank[i];
        for (long s = reach; s >= doubled_rank[i] && doubled_rank[i] > 0; --s)
            mpfr_add(count[s], count[s], count[s - doubled_rank[i]], MPFR_RNDN);
        if (doubled_rank[i] == 0) /* a rank of 0 doubles every count */
            for (long s = 0; s <= reach; ++s)
                mpfr_mul_2ui(count[s], count[s], 1, MPFR_RNDN);
    }
}

static long sum_of_ranks(const int *doubled_rank, int n)
{
    long total = 0;

    for (int i = 0; i < n; ++i) {
        if (doubled_rank[i] < 0 || doubled_rank[i] > 2 * n)
            return -1;
        total += doubled_rank[i];
    }
    return total;
}

void cf_signed_rank_upper(mpfr_ptr out, const int *doubled_rank, int n, long doubled_w)
{
    const long total = n >= 1 && n <= MAX_RANKS ? sum_of_ranks(doubled_rank, n) : -1;
    mpfr_t sum, *count = total < 0 ? NULL : malloc((size_t)(total + 1) * sizeof *count);

    if (count == NULL) {
        mpfr_set_nan(out);
        return;
    }
    count_subsets(count, total, doubled_rank, n);
    mpfr_init2(sum, (mpfr_prec_t)n + 2);
    mpfr_set_ui(sum, 0, MPFR_RNDN);
    for (long s = doubled_w > 0 ? doubled_w : 0; s <= total; ++s)
        mpfr_add(sum, sum, count[s], MPFR_RNDN);
    mpfr_div_2ui(out, sum, (unsigned long)n, MPFR_RNDN);
    for (long s = 0; s <= total; ++s)
        mpfr_clear(count[s]);
    mpfr_clear(sum);
    free(count);
}
