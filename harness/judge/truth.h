/* truth: the exact answers of one case: inputs drawn again, every element of every output by the
 * op's fast path or by MPFR, and the fast path never believed alone: MPFR confirms a sample of
 * each tensor when it is computed, and every element that is about to be called wrong. */
#ifndef CF_TRUTH_H
#define CF_TRUTH_H

#include "reference.h"

#define CF_TRUTH_SAMPLE 64 /* elements of each tensor that MPFR confirms, chosen by the case */

struct cf_reference {
    const struct cf_case *c;
    const struct cf_op *op;
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX]; /* out: shapes, no bits */
    struct cf_truth *truth[CF_OPERANDS_MAX];                    /* of each output, into one block */
    int64_t *terms[CF_OPERANDS_MAX]; /* of each element, as the op counts them */
    double product;                  /* over the inputs, of their largest magnitude */
    int64_t n_elements;              /* of all outputs */
};

/* -1 and a sentence (exit 3): the case cannot be drawn, its inputs are not those of the digest
 * (NULL: not compared), or fast path and MPFR disagree. threads: for the fast path; the result has
 * the same bits for each number. cached: look into the cache first, and leave the truth there. */
int cf_reference_open(struct cf_reference *reference, const struct cf_case *c,
                      const struct cf_op *op, const struct cf_digest *inputs, int threads,
                      int cached, struct cf_error *err);
void cf_reference_close(struct cf_reference *reference);

/* truth[0 .. elements of output o - 1] from the op's fast path, which is given 16-bit operands as
 * f32: the same values. */
void cf_reference_fast(struct cf_truth truth[], const struct cf_case *c, const struct cf_op *op,
                       const struct cf_tensor in[], int o, int threads);
/* The same from the fast path if there is one, or else by MPFR. */
void cf_reference_compute(struct cf_truth truth[], const struct cf_case *c, const struct cf_op *op,
                          const struct cf_tensor in[], const struct cf_tensor *out, int o,
                          int threads);
/* One element by MPFR. */
void cf_reference_element(struct cf_truth *truth, const struct cf_case *c, const struct cf_op *op,
                          const struct cf_tensor in[], const struct cf_tensor *out, int o,
                          int64_t i);
/* -1 and a sentence naming case, element and both values when MPFR says something else. */
int cf_reference_confirm(const struct cf_reference *reference, int o, int64_t i,
                         struct cf_error *err);

/* abs(got - exact) / (u * scale) by MPFR without intermediate rounding, for the elements near a
 * bound; and the bound `terms + extra + terms * eta / (2 u scale)`, both rounded to double. */
void cf_reference_measure(const struct cf_reference *reference, int o, int64_t i, double got,
                          double *error, double *bound);

#endif
