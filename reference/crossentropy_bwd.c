/* crossentropy_bwd: dx[n,c] = softmax(x)[n,c] * sum over j of t[n,j] - t[n,c], the gradient of
 * crossentropy_fwd's loss[n] in x.  x, t, dx: [n,c]. Terms: c; scale: 2 (sum of abs(t)) y (1 +
 * abs(x - max) + spread) + abs(t), twice because the sum and the softmax both err. */
#include "support_softmax.h"

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    return cf_softmax_shape(c, in, 2, &out[0], 0, err);
}

static void values(mpfr_t exact[], mpfr_t scale[], const struct cf_tensor in[], int o,
                   int64_t group)
{
    mpfr_t *m = cf_mpfr_new(3); /* t, its sum, the sum of its magnitudes */
    struct cf_softmax s;

    (void)o;
    cf_softmax_start(&s, &in[0], group);
    for (int64_t j = 0; j < s.n; ++j) {
        cf_mpfr_take(m[0], &in[1], group * s.n + j);
        mpfr_add(m[1], m[1], m[0], MPFR_RNDN);
        cf_mpfr_add_abs(m[2], m[0]);
    }
    mpfr_mul_2ui(m[2], m[2], 1, MPFR_RNDN);
    for (int64_t j = 0; j < s.n; ++j) {
        cf_mpfr_take(m[0], &in[1], group * s.n + j);
        mpfr_fms(exact[j], s.y[j], m[1], m[0], MPFR_RNDN);
        cf_softmax_scale(scale[j], &s, j);
        mpfr_mul(scale[j], scale[j], m[2], MPFR_RNDN);
        cf_mpfr_add_abs(scale[j], m[0]);
    }
    cf_softmax_stop(&s);
    cf_mpfr_free(m, 3);
}

CF_GROUPED_FUNCTIONS(cf_softmax_grid, values)

const struct cf_op cf_op_crossentropy_bwd = {
    .grammar = {.op = "crossentropy_bwd", .dims = "n c", .options = ""},
    .why = "gradient of cross-entropy in its input",
    .source = "Blanchard, Higham and Higham, IMA J. Numer. Anal. 41, 2021, section 4",
    .n_inputs = 2,
    .n_outputs = 1,
    .axis = {{.key = "row", .in_mask = 3, .in_dim = {0, 0}, .out_dim = 0}},
    .reduce_dim = {1, 1},
    .shape = shape,
    .element = element,
    .fast = fast,
    .terms = cf_softmax_terms,
    .extra_roundings = 2 * CF_ELEMENTARY_U + 3};
