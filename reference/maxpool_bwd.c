/* maxpool_bwd: dx[n,c,h,w] = sum of dy[n,c,p,q] over the windows whose largest pixel is h, w; of
 * equal ones, the first in row-major order (what oneDNN, cuDNN's deterministic mode and PyTorch
 * choose). x, dx: [n,c,h,w]; dy: [n,c,p,q]. Terms: the windows that hold the pixel. */
#include "support_pool.h"

#include <stdlib.h>

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    struct cf_conv g;

    if (cf_pool_shape(&g, c, err) != 0)
        return -1;
    cf_conv_shape_x(&g, c->dtype, &in[0]);
    cf_conv_shape_y(&g, c->dtype, &in[1]);
    cf_conv_shape_x(&g, c->dtype, &out[0]);
    return 0;
}

/* The pixel that the gradient of a window goes to. */
static int64_t largest(const struct cf_conv *g, const struct cf_tensor *x, int64_t window,
                       int64_t *pixels)
{
    const int64_t n = cf_pool_pixels(g, window, pixels);
    int64_t best = 0;

    for (int64_t t = 1; t < n; ++t)
        if (cf_tensor_get(x, pixels[t]) > cf_tensor_get(x, pixels[best]))
            best = t;
    return pixels[best];
}

static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    struct cf_conv g;
    int64_t used = 0;

    (void)o;
    cf_pool_geometry(&g, c, in);
    int64_t *windows = cf_alloc((size_t)(2 * g.r * g.s) * sizeof windows[0]);
    int64_t *pixels = windows + g.r * g.s;
    const int64_t n = cf_pool_windows(&g, i, windows);
    cf_exact_zero(exact, cf_exact_precision(c->dtype, 0));
    cf_exact_zero(scale, cf_exact_precision(c->dtype, 0));
    for (int64_t t = 0; t < n; ++t)
        if (largest(&g, &in[0], windows[t], pixels) == i) {
            cf_exact_add(exact, scale, cf_tensor_get(&in[1], windows[t]));
            ++used;
        }
    cf_exact_finish(exact, used);
    free(windows);
}

const struct cf_op cf_op_maxpool_bwd = {
    .grammar = {.op = "maxpool_bwd",
                .dims = CF_POOL_DIMS,
                .options = "stride=1 pad=0 dilation=1 layout=nchw"},
    .why = "gradient of max pooling in its image",
    .source =
        "Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, section 3",
    .n_inputs = 2,
    .n_outputs = 1,
    .axis = {{.key = "row", .in_mask = 3, .in_dim = {0, 0}, .out_dim = 0},
             {.key = "col", .in_mask = 3, .in_dim = {1, 1}, .out_dim = 1}},
    .reduce_dim = {-1, -1},
    .shape = shape,
    .element = element,
    .terms = cf_pool_windows_terms,
    .integer_exact = 1};
