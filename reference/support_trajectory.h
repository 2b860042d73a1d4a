/* support_trajectory: what a training run would be without rounding. The operands' bytes are taken
 * as exact numbers; loss and gradient come from the model's formula on a tape of MPFR numbers, the
 * optimizer from its definition. */
#ifndef CF_SUPPORT_TRAJECTORY_H
#define CF_SUPPORT_TRAJECTORY_H

#include "reference.h"

/* The run after a step: owned by the trajectory, valid during the call. */
struct cf_true_step {
    int64_t step, n_weights;
    mpfr_t *weights, *gradient, *m, *v; /* [n_weights] each; gradient before decay and clipping */
    mpfr_ptr loss;
};

/* Steps 0 .. n_steps - 1 at a precision, each told when it is done. Stops at a non-zero answer. */
void cf_trajectory(enum cf_model model, const struct cf_tensor in[], int64_t n_steps,
                   mpfr_prec_t precision, int (*each)(void *context, const struct cf_true_step *),
                   void *context);

/* The loss of step `step` at any weights [n_weights]: for finite differences. */
void cf_trajectory_loss(mpfr_t loss, enum cf_model model, const struct cf_tensor in[], int64_t step,
                        mpfr_t weights[]);

/* Loss of the model on the tape, whose first numbers are the weights (support_models.c). */
struct cf_tape;
int64_t cf_model_loss(struct cf_tape *tape, enum cf_model model, const struct cf_tensor in[],
                      int64_t micro);

#endif
