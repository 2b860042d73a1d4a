/* relu_fwd: y[n,c,h,w] = x if x > 0, else +0; NaN stays.  x, y: [n,c,h,w]. No step rounds: no
 * terms. */
#include "reference.h"

#include <math.h>

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    const int64_t n = cf_case_int(c, "n", 0), channels = cf_case_int(c, "c", 0);
    const int64_t h = cf_case_int(c, "h", 0), w = cf_case_int(c, "w", 0);
    const struct cf_tensor image = {.dtype = c->dtype, .rank = 4, .dim = {n, channels, h, w}};

    if (channels < 1 || h < 1 || w < 1)
        return cf_fail(err, "case `%s`: c, h and w must be at least 1", c->text);
    in[0] = out[0] = image;
    return 0;
}

static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    const double x = cf_tensor_get(&in[0], i);

    (void)c;
    (void)o;
    mpfr_set_prec(exact, 53);
    mpfr_set_prec(scale, 53);
    mpfr_set_d(exact, x > 0 || isnan(x) ? x : 0, MPFR_RNDN);
    mpfr_set(scale, exact, MPFR_RNDN);
}

static int64_t terms(const struct cf_case *c, int o, int64_t i)
{
    (void)c;
    (void)o;
    (void)i;
    return 0;
}

const struct cf_op cf_op_relu_fwd = {
    .grammar = {.op = "relu_fwd", .dims = "n c h w", .options = "layout=nchw"},
    .why = "the positive part",
    .source = "Glorot, Bordes and Bengio, Deep sparse rectifier neural networks, 2011, section 3",
    .n_inputs = 1,
    .n_outputs = 1,
    .axis = {{.key = "row", .in_mask = 1, .in_dim = {0}, .out_dim = 0},
             {.key = "col", .in_mask = 1, .in_dim = {1}, .out_dim = 1}},
    .reduce_dim = {-1},
    .shape = shape,
    .element = element,
    .terms = terms,
    .integer_exact = 1};
