/* bias_fwd: y[n,c,h,w] = x[n,c,h,w] + b[c].  x, y: [n,c,h,w]; b: [c]. One rounding. */
#include "reference.h"

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    const int64_t n = cf_case_int(c, "n", 0), channels = cf_case_int(c, "c", 0);
    const int64_t h = cf_case_int(c, "h", 0), w = cf_case_int(c, "w", 0);
    const struct cf_tensor image = {.dtype = c->dtype, .rank = 4, .dim = {n, channels, h, w}};

    if (channels < 1 || h < 1 || w < 1)
        return cf_fail(err, "case `%s`: c, h and w must be at least 1", c->text);
    in[0] = out[0] = image;
    in[1] = (struct cf_tensor){.dtype = c->dtype, .rank = 1, .dim = {channels}};
    return 0;
}

static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    const int64_t plane = in[0].dim[2] * in[0].dim[3];

    (void)o;
    cf_exact_zero(exact, cf_exact_precision(c->dtype, 0));
    cf_exact_zero(scale, cf_exact_precision(c->dtype, 0));
    cf_exact_add(exact, scale, cf_tensor_get(&in[0], i));
    cf_exact_add(exact, scale, cf_tensor_get(&in[1], i / plane % in[0].dim[1]));
}

static int64_t terms(const struct cf_case *c, int o, int64_t i)
{
    (void)c;
    (void)o;
    (void)i;
    return 2;
}

const struct cf_op cf_op_bias_fwd = {
    .grammar = {.op = "bias_fwd", .dims = "n c h w", .options = "layout=nchw"},
    .why = "a bias added to each channel",
    .source = "Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1",
    .n_inputs = 2,
    .n_outputs = 1,
    .axis = {{.key = "row", .in_mask = 1, .in_dim = {0}, .out_dim = 0},
             {.key = "col", .in_mask = 3, .in_dim = {1, 0}, .out_dim = 1}},
    .reduce_dim = {-1, -1},
    .shape = shape,
    .element = element,
    .terms = terms,
    .integer_exact = 1};
