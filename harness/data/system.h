/* system: registered systems of linear equations, and the pictures and weights of the frozen
 * classifier: what the ops solve_cg, solve_jacobi and classify are about. Integer arithmetic: the
 * same bits on every machine, and the exact answer is known. Part of reference.h. */
#ifndef CF_SYSTEM_H
#define CF_SYSTEM_H

#include "case.h"
#include "tensor.h"

/* A x = b with x in -8 .. 8 and whole numbers below 2^24 everywhere, so that nothing is rounded.
 *   solve_cg      A = B B' + 2 I, B in -7 .. 7: symmetric, positive definite, condition near 3e3
 *   solve_jacobi  A in 1 .. 8 off the diagonal, which is the row's sum and an eighth of it: the
 *                 iteration shrinks the error by 8 / 9 a step
 * Inputs: A [n,n]; b [n]; settings [2]: the square of the relative residual at which it has
 * converged, and the most iterations. */
enum cf_system_kind { CF_SYSTEM_CG, CF_SYSTEM_JACOBI };

#define CF_SYSTEM_MAX 64

/* -1 and a sentence for a case that makes no sense. */
int cf_system_shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                    struct cf_error *err);
int cf_system_draw(enum cf_system_kind kind, const struct cf_case *c, struct cf_tensor in[],
                   struct cf_error *err);
/* x[n] of the case. */
void cf_system_solution(const struct cf_case *c, double x[]);
/* Is the op one of the solvers? */
int cf_system_is(const char *op);

/* The classifier: a perceptron 64-32-10, trained once by train_mlp (data/README.md). W1 [64,32],
 * b1 [32], W2 [32,10], b2 [10], back to back. */
#define CF_CLASSIFIER_HIDDEN  32
#define CF_CLASSIFIER_WEIGHTS (64 * 32 + 32 + 32 * 10 + 10)
#define CF_CLASSIFIER_SHA256  "f7988a9e6cb25a9d1333cad3a6dc96ee558b627adc60316a9e8cf5287e828f7a"

/* Aborts when the program was built with other weights. */
void cf_classifier_weights(float weights[CF_CLASSIFIER_WEIGHTS]);
/* The row of the digits that row `i` of a case shows. */
int64_t cf_classifier_picture(const struct cf_case *c, int64_t i, int64_t n_pictures);

#endif
