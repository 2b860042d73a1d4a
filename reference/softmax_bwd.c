/* softmax_bwd: dx[n,c] = y[n,c] (dy[n,c] - sum over j of y[n,j] dy[n,j]).  y (what softmax_fwd
 * gave; any numbers will do), dy, dx: [n,c]. Terms: c; scale: abs(y) (abs(dy) + sum of abs(y dy));
 * beside the sum there are a subtraction and a product. */
#include "support_softmax.h"

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    return cf_softmax_shape(c, in, 2, &out[0], 0, err);
}

static void values(mpfr_t exact[], mpfr_t scale[], const struct cf_tensor in[], int o,
                   int64_t group)
{
    const int64_t n = in[0].dim[1];
    mpfr_t *m = cf_mpfr_new(4); /* y, dy, and the two sums */

    (void)o;
    for (int64_t j = 0; j < n; ++j) {
        cf_mpfr_take(m[0], &in[0], group * n + j);
        cf_mpfr_take(m[1], &in[1], group * n + j);
        mpfr_mul(m[0], m[0], m[1], MPFR_RNDN);
        mpfr_add(m[2], m[2], m[0], MPFR_RNDN);
        cf_mpfr_add_abs(m[3], m[0]);
    }
    for (int64_t j = 0; j < n; ++j) {
        cf_mpfr_take(m[0], &in[0], group * n + j);
        cf_mpfr_take(m[1], &in[1], group * n + j);
        mpfr_sub(exact[j], m[1], m[2], MPFR_RNDN);
        mpfr_mul(exact[j], exact[j], m[0], MPFR_RNDN);
        mpfr_set(scale[j], m[3], MPFR_RNDN);
        cf_mpfr_add_abs(scale[j], m[1]);
        mpfr_mul(scale[j], scale[j], m[0], MPFR_RNDN);
        mpfr_abs(scale[j], scale[j], MPFR_RNDN);
    }
    cf_mpfr_free(m, 4);
}

CF_GROUPED_FUNCTIONS(cf_softmax_grid, values)

const struct cf_op cf_op_softmax_bwd = {
    .grammar = {.op = "softmax_bwd", .dims = "n c", .options = ""},
    .why = "gradient of softmax in its input",
    .source = "Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1",
    .n_inputs = 2,
    .n_outputs = 1,
    .axis = {{.key = "row", .in_mask = 3, .in_dim = {0, 0}, .out_dim = 0}},
    .reduce_dim = {1, 1},
    .shape = shape,
    .element = element,
    .fast = fast,
    .terms = cf_softmax_terms,
    .extra_roundings = 3};
