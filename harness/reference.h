/* reference: the contract of reference/. Never seen by the worker. A file X.c there defines
 * `const struct cf_op cf_op_X`: what the op means by MPFR, its a-priori bound, its fast exact path.
 */
#ifndef CF_REFERENCE_H
#define CF_REFERENCE_H

#include <mpfr.h>

#include "case.h"
#include "exact.h"
#include "tensor.h"

#define CF_OPERANDS_MAX 8
#define CF_AXES_MAX     2

/* An axis along which elements are independent: position i of dim `in_dim` of every operand in
 * `in_mask` (bit o for operand o) meets only position i of dim `out_dim` of every output. key "row"
 * or "col": the variants row=I (position I alone) and rowperm=P (positions permuted by permutation
 * P) of a case are made along it. */
struct cf_axis {
    const char *key;
    unsigned in_mask;
    int in_dim[CF_OPERANDS_MAX], out_dim;
};

/* classical: every output is the sum of its terms in some order; must be bit-exact on exact fills.
 */
struct cf_op {
    struct cf_grammar grammar;
    const char *why,
        *source; /* one line of meaning; where the bound comes from: work, section, year */
    int n_inputs, n_outputs;
    struct cf_axis axis[CF_AXES_MAX]; /* unused ones have key NULL */
    int reduce_dim[CF_OPERANDS_MAX];  /* dim of each input along which terms are summed; -1: none */

    /* Types and dims of inputs and outputs; bits untouched. -1 and a sentence if the dims make no
     * sense. */
    int (*shape)(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err);
    /* The definition: exact value of element i of output o, and scale = sum of |terms|, both free
     * of rounding (set precision as needed with mpfr_set_prec) or, for irrational results, correct
     * to >= 2 * digits + 64 bits. */
    void (*element)(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i);
    /* Every element of output o at once, equal to rounding `element`; NULL: MPFR is used for all.
     */
    void (*fast)(struct cf_truth truth[], const struct cf_case *c, const struct cf_tensor in[],
                 int o, int threads);
    /* Number of terms of element i (taps in range, for convolutions): counts roundings in the
     * bounds. */
    int64_t (*terms)(const struct cf_case *c, int o, int64_t i);
    /* Roundings beyond the terms' own that any algorithm may make (a square root, a division); S3
     * allows abs(e) <= (terms + extra) * u * scale + terms * eta / 2. */
    int extra_roundings;
};

/* The fraction of the type's digits that outputs round to: the case's dtype, or f32 for outputs of
 * wider type. */
extern const struct cf_op *const cf_ops[]; /* generated; NULL-terminated, sorted by name */
const struct cf_op *cf_op_find(const char *name);
const struct cf_grammar *cf_op_grammar(const char *name); /* for cf_case_parse */

/* Sets precision and zero. */
void cf_exact_zero(mpfr_t x, mpfr_prec_t precision);

/* Draws the inputs of a case (alloc'd; variants applied), and shapes outputs (no bits). */
int cf_case_draw(const struct cf_case *c, const struct cf_op *op, struct cf_tensor in[],
                 struct cf_tensor out[], struct cf_error *err);
/* The flat index in the base case's output of element i of this (variant) case's output o. */
int64_t cf_case_base_index(const struct cf_case *c, const struct cf_op *op, int o, int64_t i);

#endif
