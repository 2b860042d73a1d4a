/* support_tape: real numbers that remember how they came about, in MPFR, and so know their
 * derivatives: reverse accumulation (Griewank and Walther, Evaluating Derivatives, 2008, section
 * 3.2). A model written once as its formula gives loss and gradient; nothing of a hand-written
 * backward pass is shared with a subject. */
#ifndef CF_SUPPORT_TAPE_H
#define CF_SUPPORT_TAPE_H

#include <mpfr.h>
#include <stdint.h>

struct cf_node;

/* Numbers have indices 0 .. n-1 in order of creation. Memory is kept over cf_tape_reset. */
struct cf_tape {
    mpfr_prec_t precision;
    int64_t n, n_ready, capacity;
    struct cf_node *node;
    mpfr_t *value, *slope; /* slope: derivative of the last cf_tape_differentiate */
};

void cf_tape_start(struct cf_tape *tape, mpfr_prec_t precision);
void cf_tape_reset(struct cf_tape *tape);
void cf_tape_stop(struct cf_tape *tape);

/* A matrix: element (i, j) is number at + i * columns + j. */
struct cf_grid_of {
    int64_t at, rows, columns;
};

/* Each returns the index of the new number. */
int64_t cf_tape_leaf(struct cf_tape *tape, double value);
int64_t cf_tape_leaf_mpfr(struct cf_tape *tape, mpfr_t value);
int64_t cf_tape_copy(struct cf_tape *tape, int64_t a);
int64_t cf_tape_add(struct cf_tape *tape, int64_t a, int64_t b);
int64_t cf_tape_subtract(struct cf_tape *tape, int64_t a, int64_t b);
int64_t cf_tape_multiply(struct cf_tape *tape, int64_t a, int64_t b);
int64_t cf_tape_divide(struct cf_tape *tape, int64_t a, int64_t b);
int64_t cf_tape_exp(struct cf_tape *tape, int64_t a);
int64_t cf_tape_log(struct cf_tape *tape, int64_t a);
int64_t cf_tape_sqrt(struct cf_tape *tape, int64_t a);
int64_t cf_tape_relu(struct cf_tape *tape, int64_t a);
/* sum over i < n of a[i * step_a] * b[i * step_b]; and of a[i * step_a]. */
int64_t cf_tape_dot(struct cf_tape *tape, int64_t a, int64_t step_a, int64_t b, int64_t step_b,
                    int64_t n);
int64_t cf_tape_sum(struct cf_tape *tape, int64_t a, int64_t step_a, int64_t n);

/* Matrices: a b, a b', a + b (b may be one row, added to each), relu, sum-to-one rows. */
struct cf_grid_of cf_tape_product(struct cf_tape *tape, struct cf_grid_of a, struct cf_grid_of b,
                                  int b_transposed);
struct cf_grid_of cf_tape_plus(struct cf_tape *tape, struct cf_grid_of a, struct cf_grid_of b);
struct cf_grid_of cf_tape_relus(struct cf_tape *tape, struct cf_grid_of a);
struct cf_grid_of cf_tape_softmax(struct cf_tape *tape, struct cf_grid_of a);

/* slope[i] = d value[of] / d value[i] for all i. */
void cf_tape_differentiate(struct cf_tape *tape, int64_t of);

#endif
