/* divergence: where two configurations part in a training case, and whether that is rounding. The
 * first differing link of their hash chains is found by bisection, the stage by the step's hashes,
 * the operation by listing the calls of that step; then the operation alone, with the inputs that
 * both had, is run again in both and judged against MPFR. */
#ifndef CF_DIVERGENCE_H
#define CF_DIVERGENCE_H

#include "case.h"
#include "error.h"

enum cf_divergence_kind {
    CF_NO_DIVERGENCE,     /* all chains are equal */
    CF_OTHER_DATA,        /* masks, indices or pictures differ: nothing else is compared */
    CF_BENIGN_ROUNDING,   /* same inputs, other bits, both within the bound of any order */
    CF_FAULTY_OPERATION,  /* same inputs, and one of them outside the bound */
    CF_UPSTREAM,          /* the first differing call had other inputs: arithmetic between calls */
    CF_NOT_DETERMINISTIC, /* one configuration does not agree with itself */
    CF_N_DIVERGENCE_KINDS
};
const char *cf_divergence_name(enum cf_divergence_kind kind); /* "none", "benign rounding", ... */

struct cf_divergence {
    enum cf_divergence_kind kind;
    int64_t step;        /* of the first difference; -1: none */
    int stage, call;     /* call: number within the step, -1: unknown */
    char operation[160]; /* a case that names op and dims: "gemm f32 m=32 n=32 k=64" */
    int64_t n_elements, n_different;
    double error_a, error_b, allowed; /* largest, in units of u * scale; NaN: not judged */
    char sentence[700];
};

/* -1 and a sentence when one of them does not run the case (exit 3). */
int cf_divergence_find(struct cf_divergence *d, const char *case_line, const char *a, const char *b,
                       const char *worker, struct cf_error *err);

/* The first of n links in which two chains differ, by bisection; n when none does. Link i of x is
 * x[i * stride]. A chain that differs once differs ever after. */
int64_t cf_divergence_first(const int64_t *x, const int64_t *y, int64_t n, int64_t stride);

#endif
