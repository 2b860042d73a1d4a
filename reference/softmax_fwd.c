/* softmax_fwd: y[n,c] = exp(x[n,c]) / sum over j of exp(x[n,j]).  x, y: [n,c]. Terms: c; scale: y
 * (1 + abs(x - max) + spread), see support_softmax.h. */
#include "support_softmax.h"

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    return cf_softmax_shape(c, in, 1, &out[0], 0, err);
}

static void values(mpfr_t exact[], mpfr_t scale[], const struct cf_tensor in[], int o,
                   int64_t group)
{
    struct cf_softmax s;

    (void)o;
    cf_softmax_start(&s, &in[0], group);
    for (int64_t j = 0; j < s.n; ++j) {
        mpfr_set(exact[j], s.y[j], MPFR_RNDN);
        cf_softmax_scale(scale[j], &s, j);
    }
    cf_softmax_stop(&s);
}

CF_GROUPED_FUNCTIONS(cf_softmax_grid, values)

const struct cf_op cf_op_softmax_fwd = {
    .grammar = {.op = "softmax_fwd", .dims = "n c", .options = ""},
    .why = "softmax of each row",
    .source = "Blanchard, Higham and Higham, IMA J. Numer. Anal. 41, 2021, section 4",
    .n_inputs = 1,
    .n_outputs = 1,
    .axis = {{.key = "row", .in_mask = 1, .in_dim = {0}, .out_dim = 0}},
    .reduce_dim = {1},
    .shape = shape,
    .element = element,
    .fast = fast,
    .terms = cf_softmax_terms,
    .extra_roundings = 2 * CF_ELEMENTARY_U + 2};
