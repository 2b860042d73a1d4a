/* solve_cg: conjugate gradients on a registered symmetric system (system.h).
 * verdict [2]: has it converged, after how many iterations; x [n]. Judged by its verdict, and by
 * the error of x against the solution that the system was made from. */
#include "reference.h"

static int draw(const struct cf_case *c, struct cf_tensor in[], struct cf_error *err)
{
    return cf_system_draw(CF_SYSTEM_CG, c, in, err);
}

const struct cf_op cf_op_solve_cg = {
    .grammar = {.op = "solve_cg", .dims = "n", .options = "tolerance=16"},
    .why = "conjugate gradients on a registered symmetric system",
    .source = "Hestenes and Stiefel, Journal of Research of the NBS 49, 1952",
    .n_inputs = 3,
    .n_outputs = 2,
    .shape = cf_system_shape,
    .draw = draw};
