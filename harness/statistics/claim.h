/* claim: a conclusion that was registered before the configuration ran, supported again by the
 * configuration's own seeds. Never "the same verdict as the baseline": if the claim is false in
 * the configuration, it passes with probability at most alpha, whatever the baseline found.
 *
 * pass: supported; fail: contradicted; unknown: neither. */
#ifndef CF_CLAIM_H
#define CF_CLAIM_H

#include "evidence.h"
#include "sample.h"

/* How often A did better than B, seed by seed. A failed run is worse than any that ended; two
 * failed runs, and equal values, are ties. */
struct cf_wins {
    int wins, ties, n;
};
struct cf_wins cf_claim_compare(const double *a, const double *b, int n, enum cf_better);

/* K-dir, "A beats B": supported when the Clopper-Pearson lower limit of P(A > B) is above 1/2 and
 * wins / n >= 0.75; contradicted when the upper limit is below 1/2. A tie counts against support
 * and against contradiction. alpha is one-sided. */
struct cf_evidence cf_claim_direction(struct cf_wins, double alpha);

/* The least wins of n that support a direction; n + 1 when none do. */
int cf_claim_least_wins(int n, double alpha);

/* K-thr, "the mean reaches the threshold": one-sided t at alpha. The estimate is the mean. */
struct cf_evidence cf_claim_mean(const double *y, int n, enum cf_better, double threshold,
                                 double alpha);

/* K-thr without normality: "the pseudo-median reaches the threshold", Wilcoxon's signed-rank test
 * of y - threshold, exact, mid-ranks for ties, zeros dropped (and a failed run ranked worst). The
 * estimate is the Hodges-Lehmann one, the median of the Walsh averages; no interval. n <= 500. */
struct cf_evidence cf_claim_median(const double *y, int n, enum cf_better, double threshold,
                                   double alpha);

/* K-thr, "at least `share` of the seeds reach the threshold": Clopper-Pearson. */
struct cf_evidence cf_claim_share(const double *y, int n, enum cf_better, double threshold,
                                  double share, double alpha);

/* K-rank, an order of models: the registered pairs, each a direction at alpha. All supported
 * passes; a pair reversed at alpha after Holm over the pairs fails; adjusted[i], if not NULL, gets
 * the Holm-adjusted p of "pair i is reversed". */
enum cf_verdict cf_claim_order(const struct cf_evidence *pairs, int n, double alpha,
                               double *adjusted);

/* A set of claims and its floor of quality (K-floor), which is mandatory: without one the set is
 * not judged (skip). All must hold. */
enum cf_verdict cf_claim_set(const struct cf_evidence *claims, int n,
                             const struct cf_evidence *floor);

/* The sign e-process, E = 2^(n+1) * integral over 1/2 .. 1 of p^k (1-p)^(n-k) dp = sum over j <= k
 * of C(n+1, j) / ((n+1) C(n, k)): under P(A > B) <= 1/2 it ever reaches 20 with probability at most
 * 1/20, so it may be looked at after every seed. Ville 1939; Howard et al., Annals of Statistics
 * 49, 2021. NaN unless 0 <= k <= n, n >= 1. */
double cf_claim_e_value(int k, int n);

/* The direction, extended seed by seed: supported when the e-value is >= 20. A tie counts as no
 * win. It never contradicts. p_pass is min(1, 1 / E). */
struct cf_evidence cf_claim_extended(struct cf_wins);

#endif
