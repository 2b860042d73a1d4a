/* wald: an estimate with its variance and degrees of freedom, judged against a margin. Private to
 * this folder: paired TOST, rank TOST and non-inferiority are this test with other estimates. */
#ifndef CF_WALD_H
#define CF_WALD_H

#include <mpfr.h>

#include "evidence.h"

enum { CF_WALD_BITS = 320 };

/* variance: that of the estimate. A variance of 0 decides by the estimate alone; a df of 0 with a
 * positive variance decides nothing. */
struct cf_wald {
    mpfr_t estimate, variance, df;
};

void cf_wald_init(struct cf_wald *);
void cf_wald_clear(struct cf_wald *);

/* e->low, high, fail_low, fail_high, alpha, n are given; estimate, interval, p values, verdict and
 * borderline are filled. With both sides finite,
 *   p_pass = the larger of P(T > (high - x) / se) and P(T > (x - low) / se)  (two one-sided tests,
 *   Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15, 1987), and
 *   p_fail = twice the smaller of P(T > (x - fail_high) / se) and P(T > (fail_low - x) / se). */
void cf_wald_judge(struct cf_evidence *e, const struct cf_wald *);

#endif
