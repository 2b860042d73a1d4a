/* support_softmax: softmax of one row of MPFR numbers, and what its error bound is made of.
 *
 * Computed with any shift, e[j] = exp(x[j] - m) is in error by at most (abs(x[j] - m) +
 * CF_ELEMENTARY_U) u of itself, their sum of n terms by (n + CF_ELEMENTARY_U + spread) u with
 * spread = sum of y[j] abs(x[j] - m), and the quotient by one more: Blanchard, Higham and Higham,
 * Accurately computing the log-sum-exp and softmax functions, IMA J. Numer. Anal. 41, 2021,
 * section 4. */
#ifndef CF_SUPPORT_SOFTMAX_H
#define CF_SUPPORT_SOFTMAX_H

#include "support_group.h"

/* n numbers each: x as given, y = softmax(x), away = abs(x - max). */
struct cf_softmax {
    int64_t n;
    mpfr_t *x, *y, *away;
    mpfr_t max, log_sum, spread; /* log_sum = log of the sum of exp(x - max) */
};

void cf_softmax_start(struct cf_softmax *s, const struct cf_tensor *x, int64_t row);
void cf_softmax_stop(struct cf_softmax *s);

/* What a softmax errs by, less the factor (n + 2 CF_ELEMENTARY_U + 2) u: y (1 + away + spread). */
void cf_softmax_scale(mpfr_t scale, const struct cf_softmax *s, int64_t j);

/* Of a case with dims n c: c terms. */
int64_t cf_softmax_terms(const struct cf_case *c, int o, int64_t i);
/* [n, c] by rows: a group is a row. */
struct cf_grid cf_softmax_grid(const struct cf_tensor in[], int o);
/* Every operand [n, c] and the output [n, c] or, if `reduced`, [n]. */
int cf_softmax_shape(const struct cf_case *c, struct cf_tensor in[], int n_inputs,
                     struct cf_tensor *out, int reduced, struct cf_error *err);

#endif
