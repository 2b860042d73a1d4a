/* reference: the contract of reference/. Never seen by the worker. A file X.c there defines
 * `const struct cf_op cf_op_X`: what the op means by MPFR, its a-priori bound, its fast exact path.
 */
#ifndef CF_REFERENCE_H
#define CF_REFERENCE_H

#include <mpfr.h>

#include "case.h"
#include "exact.h"
#include "record.h"
#include "tensor.h"

#define CF_OPERANDS_MAX 16
#define CF_AXES_MAX     2
#define CF_VALUES_LEAST 0x1p-160 /* rounds to a zero float */

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
    /* Bits of all inputs, already shaped; on failure nothing is allocated, and a sentence. NULL, as
     * for nearly all ops: inputs are drawn by the case's fill. */
    int (*draw)(const struct cf_case *c, struct cf_tensor in[], struct cf_error *err);
    /* NULL: the op has no element-wise truth (a training run, whose outputs training.h describes):
     * it is judged by identity and by its metrics; fast and terms are NULL too.
     * The definition: exact value of element i of output o, and scale = sum of |terms|, both free
     * of rounding (set precision as needed with mpfr_set_prec) or, for irrational results, correct
     * to >= 2 * digits + 64 bits. */
    void (*element)(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i);
    /* Every element of output o at once, equal to rounding `element`; NULL: MPFR is used for all.
     * in: f64, or f32 where the case's type is f32 or narrower. */
    void (*fast)(struct cf_truth truth[], const struct cf_case *c, const struct cf_tensor in[],
                 int o, int threads);
    /* A function of one argument, at float arguments of one sign and one exponent field: y[i]
     * within the relative error that is returned; NaN, infinities and zeros exact. A value below
     * CF_VALUES_LEAST or beyond the floats may be another such. NULL: the op has none. */
    double (*values)(double y[], const float x[], int64_t n);
    /* Number of terms of element i (taps in range, for convolutions): counts roundings in the
     * bounds. */
    int64_t (*terms)(const struct cf_case *c, int o, int64_t i);
    /* Where these terms are: first[t] and second[t] are flat indices into the first and the second
     * input, whose product is term t; without a second input `second` stays as it is. No index
     * occurs twice. NULL: the element is no plain sum of such terms. */
    void (*places)(const struct cf_case *c, const struct cf_tensor in[], int64_t i, int64_t first[],
                   int64_t second[]);
    /* Roundings beyond the terms' own that any algorithm may make (a square root, a division); S3
     * allows abs(e) <= (terms + extra) * u * scale + terms * eta / 2. */
    int extra_roundings;
    /* Non-zero: on the fills `integer` and `spike` no partial result rounds in any order, so that a
     * classical kernel must give the exact bits (gate S1). */
    int integer_exact;
};

extern const struct cf_op *const cf_ops[]; /* generated; NULL-terminated, sorted by name */
const struct cf_op *cf_op_find(const char *name);
const struct cf_grammar *cf_op_grammar(const char *name); /* for cf_case_parse */

/* Sets the precision, and -0: the neutral start of a sum, so that only -0 terms give -0. */
void cf_exact_zero(mpfr_t x, mpfr_prec_t precision);
/* Bits that hold a sum of 2^40 terms (or products of two terms) of a type without rounding. */
mpfr_prec_t cf_exact_precision(enum cf_dtype dtype, int products);
/* One term: exact += x, scale += abs(x); and exact += x * y, scale += abs(x * y). No step rounds.
 */
void cf_exact_add(mpfr_t exact, mpfr_t scale, double x);
void cf_exact_add_product(mpfr_t exact, mpfr_t scale, double x, double y);
/* Turns the -0 of an empty sum into +0. */
void cf_exact_finish(mpfr_t exact, int64_t n_terms);
/* The target of rounding for a type of output. */
enum cf_exact_format cf_exact_format_of(enum cf_dtype dtype);

#include "draw.h"
#include "probe.h"
#include "system.h"
#include "training_case.h"

/* distance[k] = norm(w - true w) / norm(true w) after steps 1, 2, 4, 8, ... for the snapshots of a
 * run [n,P] (CF_OUT_SNAPSHOTS); at most `n`. The trajectory is computed at `precision` and at twice
 * as many bits; -1 and a sentence when their own distance is not below 2^-40 of the run's: the
 * precision does not carry that far. */
int cf_trajectory_distances(double distance[], enum cf_model model, const struct cf_tensor in[],
                            const struct cf_tensor *snapshots, int64_t n, mpfr_prec_t precision,
                            struct cf_error *err);

/* The true weights after `n` steps, rising from 1: weights[k P + i] after steps[k], as rounded +
 * lo. -1 and a sentence when doubling the precision moves them by more than 2^-80 of their norm. */
int cf_trajectory_weights(struct cf_truth weights[], enum cf_model model,
                          const struct cf_tensor in[], const int64_t steps[], int64_t n,
                          mpfr_prec_t precision, struct cf_error *err);

#endif
