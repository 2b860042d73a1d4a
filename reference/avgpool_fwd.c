/* avgpool_fwd: y[n,c,p,q] = (sum of x[n,c,h,w] over the window) / divisor; padding is no pixel.
 * x: [n,c,h,w]; y: [n,c,p,q]. divisor=taps: the pixels in range; divisor=window: r * s. Beside the
 * sum's, the quotient rounds, or the reciprocal and a product do. */
#include "support_pool.h"

#include <stdlib.h>
#include <string.h>

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    struct cf_conv g;

    if (cf_pool_shape(&g, c, err) != 0)
        return -1;
    cf_conv_shape_x(&g, c->dtype, &in[0]);
    cf_conv_shape_y(&g, c->dtype, &out[0]);
    return 0;
}

static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    const int whole = strcmp(cf_case_word(c, "divisor", "taps"), "window") == 0;
    struct cf_conv g;

    (void)o;
    cf_pool_geometry(&g, c, in);
    int64_t *pixels = cf_alloc((size_t)(g.r * g.s) * sizeof pixels[0]);
    const int64_t n = cf_pool_pixels(&g, i, pixels);
    cf_exact_zero(exact, cf_exact_precision(c->dtype, 0));
    cf_exact_zero(scale, cf_exact_precision(c->dtype, 0));
    for (int64_t t = 0; t < n; ++t)
        cf_exact_add(exact, scale, cf_tensor_get(&in[0], pixels[t]));
    mpfr_div_ui(exact, exact, (unsigned long)(whole ? g.r * g.s : n), MPFR_RNDN);
    mpfr_div_ui(scale, scale, (unsigned long)(whole ? g.r * g.s : n), MPFR_RNDN);
    free(pixels);
}

const struct cf_op cf_op_avgpool_fwd = {
    .grammar = {.op = "avgpool_fwd",
                .dims = CF_POOL_DIMS,
                .options = "stride=1 pad=0 dilation=1 layout=nchw divisor=taps"},
    .why = "mean of each window",
    .source = "Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1",
    .n_inputs = 1,
    .n_outputs = 1,
    .axis = {{.key = "row", .in_mask = 1, .in_dim = {0}, .out_dim = 0},
             {.key = "col", .in_mask = 1, .in_dim = {1}, .out_dim = 1}},
    .reduce_dim = {-1},
    .shape = shape,
    .element = element,
    .terms = cf_pool_pixels_terms,
    .extra_roundings = 2};
