/* solve_jacobi: Jacobi's iteration on a registered diagonally dominant system (system.h).
 * verdict [2]: has it converged, after how many iterations; x [n]. Judged by its verdict, and by
 * the error of x against the solution that the system was made from. */
#include "reference.h"

static int draw(const struct cf_case *c, struct cf_tensor in[], struct cf_error *err)
{
    return cf_system_draw(CF_SYSTEM_JACOBI, c, in, err);
}

const struct cf_op cf_op_solve_jacobi = {
    .grammar = {.op = "solve_jacobi", .dims = "n", .options = "tolerance=16"},
    .why = "Jacobi's iteration on a registered diagonally dominant system",
    .source = "Saad, Iterative Methods for Sparse Linear Systems, 2003, section 4.1",
    .n_inputs = 3,
    .n_outputs = 2,
    .shape = cf_system_shape,
    .draw = draw};
