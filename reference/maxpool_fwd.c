/* maxpool_fwd: y[n,c,p,q] = the largest x[n,c,h,w] of the window; padding is no pixel.
 * x: [n,c,h,w]; y: [n,c,p,q]. No step rounds: no terms. A NaN in the window makes the output NaN.
 */
#include "support_pool.h"

#include <math.h>
#include <stdlib.h>

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
    struct cf_conv g;
    double most = -INFINITY;

    (void)o;
    cf_pool_geometry(&g, c, in);
    int64_t *pixels = cf_alloc((size_t)(g.r * g.s) * sizeof pixels[0]);
    const int64_t n = cf_pool_pixels(&g, i, pixels);
    for (int64_t t = 0; t < n; ++t) {
        const double x = cf_tensor_get(&in[0], pixels[t]);

        most = x > most || isnan(x) ? x : most;
    }
    free(pixels);
    cf_exact_zero(exact, 53);
    cf_exact_zero(scale, 53);
    cf_exact_add(exact, scale, most);
}

static int64_t terms(const struct cf_case *c, int o, int64_t i)
{
    (void)c;
    (void)o;
    (void)i;
    return 0;
}

const struct cf_op cf_op_maxpool_fwd = {
    .grammar = {.op = "maxpool_fwd",
                .dims = CF_POOL_DIMS,
                .options = "stride=1 pad=0 dilation=1 layout=nchw"},
    .why = "largest pixel of each window",
    .source =
        "Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, section 3",
    .n_inputs = 1,
    .n_outputs = 1,
    .axis = {{.key = "row", .in_mask = 1, .in_dim = {0}, .out_dim = 0},
             {.key = "col", .in_mask = 1, .in_dim = {1}, .out_dim = 1}},
    .reduce_dim = {-1},
    .shape = shape,
    .element = element,
    .terms = terms,
    .integer_exact = 1};
