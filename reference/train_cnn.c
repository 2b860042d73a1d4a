/* train_cnn: a small convolutional network on handwritten digits; model and operands: training.h. A
 * run has no element-wise truth: its true trajectory is cf_trajectory_* (support_trajectory.h). */
#include "reference.h"

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    return cf_training_shape(CF_CNN, c, in, out, err);
}

static int draw(const struct cf_case *c, struct cf_tensor in[], struct cf_error *err)
{
    return cf_training_draw(CF_CNN, c, in, err);
}

const struct cf_op cf_op_train_cnn = {
    .grammar = {.op = "train_cnn", .dims = CF_TRAINING_DIMS, .options = CF_TRAINING_OPTIONS},
    .why = "a small convolutional network on handwritten digits",
    .source = "judged by identity and by its metrics",
    .n_inputs = CF_N_TRAINING_INPUTS,
    .n_outputs = CF_N_TRAINING_OUTPUTS,
    .shape = shape,
    .draw = draw};
