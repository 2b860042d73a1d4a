/* crossentropy_fwd: loss[n] = sum over j of t[n,j] (lse - x[n,j]), lse = log of the sum of
 * exp(x[n,j]). x, t: [n,c]; loss: [n]. t are probabilities of the classes, or any weights. Whatever
 * the shift, lse and the differences are in error by (c + 2 CF_ELEMENTARY_U + 3) u (1 + spread +
 * abs(log of the sum) + abs(max) + abs(x)), which weighted by abs(t) and summed is the scale. */
#include "support_softmax.h"

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    return cf_softmax_shape(c, in, 2, &out[0], 1, err);
}

static struct cf_grid row_grid(const struct cf_tensor in[], int o)
{
    (void)o;
    return (struct cf_grid){.outer = 1, .groups = in[0].dim[0], .inner = 1};
}

static void values(mpfr_t exact[], mpfr_t scale[], const struct cf_tensor in[], int o,
                   int64_t group)
{
    mpfr_t *m = cf_mpfr_new(3); /* t, a difference, and what all of them err by */
    struct cf_softmax s;

    (void)o;
    cf_softmax_start(&s, &in[0], group);
    mpfr_add_ui(m[2], s.spread, 1, MPFR_RNDN);
    cf_mpfr_add_abs(m[2], s.log_sum);
    cf_mpfr_add_abs(m[2], s.max);
    mpfr_set_zero(exact[0], 1);
    mpfr_set_zero(scale[0], 1);
    for (int64_t j = 0; j < s.n; ++j) {
        cf_mpfr_take(m[0], &in[1], group * s.n + j);
        mpfr_add(m[1], s.away[j], s.log_sum, MPFR_RNDN);
        mpfr_fma(exact[0], m[0], m[1], exact[0], MPFR_RNDN);
        mpfr_abs(m[0], m[0], MPFR_RNDN);
        mpfr_set(m[1], m[2], MPFR_RNDN);
        cf_mpfr_add_abs(m[1], s.x[j]);
        mpfr_fma(scale[0], m[0], m[1], scale[0], MPFR_RNDN);
    }
    cf_softmax_stop(&s);
    cf_mpfr_free(m, 3);
}

CF_GROUPED_FUNCTIONS(row_grid, values)

const struct cf_op cf_op_crossentropy_fwd = {
    .grammar = {.op = "crossentropy_fwd", .dims = "n c", .options = ""},
    .why = "cross-entropy of each row with weights of its classes",
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
