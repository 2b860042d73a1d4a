/* pointwise: bias_fwd y = x + b[c]; bias_bwd db[c] = sum over n, h, w of dy; relu_fwd y = x > 0 ? x
 * : +0 (NaN stays); relu_bwd dx = x > 0 ? dy : +0.  x, y, dx, dy [n,c,h,w]; b, db [c]. */
#ifndef REAL
#include "primitives.h"

#define TYPED_FILE "pointwise.c"
#include "plain.h"

CF_PLAIN_LAYER(bias_fwd, 2, 1)
CF_PLAIN_LAYER(bias_bwd, 1, 1)
CF_PLAIN_LAYER(relu_fwd, 1, 1)
CF_PLAIN_LAYER(relu_bwd, 2, 1)

extern const struct cf_kernel cf_kernels_plain_pointwise[];
const struct cf_kernel cf_kernels_plain_pointwise[] = {CF_PLAIN_BOTH(bias_fwd),
                                                       CF_PLAIN_BOTH(bias_bwd),
                                                       CF_PLAIN_BOTH(relu_fwd),
                                                       CF_PLAIN_BOTH(relu_bwd),
                                                       {.op = NULL}};
#else

static enum cf_status TYPED(bias_fwd)(const struct cf_pairs *attributes,
                                      const struct cf_tensor in[], struct cf_tensor out[])
{
    const int64_t plane = in[0].dim[2] * in[0].dim[3], n = cf_tensor_count(&in[0]);
    const REAL *x = in[0].bits, *b = in[1].bits;
    REAL *y = out[0].bits;

    (void)attributes;
    for (int64_t i = 0; i < n; ++i)
        y[i] = x[i] + b[i / plane % in[0].dim[1]];
    return CF_DONE;
}

static enum cf_status TYPED(bias_bwd)(const struct cf_pairs *attributes,
                                      const struct cf_tensor in[], struct cf_tensor out[])
{
    const int64_t plane = in[0].dim[2] * in[0].dim[3], n = cf_tensor_count(&in[0]);
    const REAL *dy = in[0].bits;
    REAL *db = out[0].bits;

    (void)attributes;
    memset(db, 0, cf_tensor_bytes(&out[0]));
    for (int64_t i = 0; i < n; ++i)
        db[i / plane % in[0].dim[1]] += dy[i];
    return CF_DONE;
}

static enum cf_status TYPED(relu_fwd)(const struct cf_pairs *attributes,
                                      const struct cf_tensor in[], struct cf_tensor out[])
{
    const int64_t n = cf_tensor_count(&in[0]);
    const REAL *x = in[0].bits;
    REAL *y = out[0].bits;

    (void)attributes;
    for (int64_t i = 0; i < n; ++i)
        y[i] = x[i] > 0 || x[i] != x[i] ? x[i] : 0;
    return CF_DONE;
}

static enum cf_status TYPED(relu_bwd)(const struct cf_pairs *attributes,
                                      const struct cf_tensor in[], struct cf_tensor out[])
{
    const int64_t n = cf_tensor_count(&in[0]);
    const REAL *x = in[0].bits, *dy = in[1].bits;
    REAL *dx = out[0].bits;

    (void)attributes;
    for (int64_t i = 0; i < n; ++i)
        dx[i] = x[i] > 0 ? dy[i] : 0;
    return CF_DONE;
}
#endif
