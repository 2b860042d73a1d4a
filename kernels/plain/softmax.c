/* softmax: by rows of [n,c], shifted by the row's maximum m.
 * softmax_fwd       y = exp(x - m) / sum of exp(x - m)
 * softmax_bwd       dx = y (dy - sum of y dy)
 * crossentropy_fwd  loss[n] = sum of t ((m - x) + log of the sum)
 * crossentropy_bwd  dx = softmax(x) (sum of t) - t */
#ifndef REAL
#include <math.h>

#include "primitives.h"

#define TYPED_FILE "softmax.c"
#include "plain.h"

CF_PLAIN_LAYER(softmax_fwd, 1, 1)
CF_PLAIN_LAYER(softmax_bwd, 2, 1)
CF_PLAIN_LAYER(crossentropy_fwd, 2, 1)
CF_PLAIN_LAYER(crossentropy_bwd, 2, 1)

extern const struct cf_kernel cf_kernels_plain_softmax[];
const struct cf_kernel cf_kernels_plain_softmax[] = {CF_PLAIN_BOTH(softmax_fwd),
                                                     CF_PLAIN_BOTH(softmax_bwd),
                                                     CF_PLAIN_BOTH(crossentropy_fwd),
                                                     CF_PLAIN_BOTH(crossentropy_bwd),
                                                     {.op = NULL}};
#else

static REAL TYPED(exponential)(REAL x)
{
    return sizeof(REAL) == sizeof(float) ? (REAL)expf((float)x) : (REAL)exp((double)x);
}

static REAL TYPED(logarithm)(REAL x)
{
    return sizeof(REAL) == sizeof(float) ? (REAL)logf((float)x) : (REAL)log((double)x);
}

static REAL TYPED(most)(const REAL *x, int64_t n)
{
    REAL most = x[0];

    for (int64_t j = 1; j < n; ++j)
        most = x[j] > most ? x[j] : most;
    return most;
}

/* y = exp(x - m); returns their sum. */
static REAL TYPED(powers)(REAL *y, const REAL *x, REAL m, int64_t n)
{
    REAL sum = 0;

    for (int64_t j = 0; j < n; ++j)
        sum += y[j] = TYPED(exponential)(x[j] - m);
    return sum;
}

static enum cf_status TYPED(softmax_fwd)(const struct cf_pairs *attributes,
                                         const struct cf_tensor in[], struct cf_tensor out[])
{
    const int64_t n = in[0].dim[1];

    (void)attributes;
    for (int64_t i = 0; i < in[0].dim[0]; ++i) {
        const REAL *x = (const REAL *)in[0].bits + i * n;
        REAL *y = (REAL *)out[0].bits + i * n;
        const REAL sum = TYPED(powers)(y, x, TYPED(most)(x, n), n);

        for (int64_t j = 0; j < n; ++j)
            y[j] /= sum;
    }
    return CF_DONE;
}

static enum cf_status TYPED(softmax_bwd)(const struct cf_pairs *attributes,
                                         const struct cf_tensor in[], struct cf_tensor out[])
{
    const int64_t n = in[0].dim[1];

    (void)attributes;
    for (int64_t i = 0; i < in[0].dim[0]; ++i) {
        const REAL *y = (const REAL *)in[0].bits + i * n, *dy = (const REAL *)in[1].bits + i * n;
        REAL *dx = (REAL *)out[0].bits + i * n, sum = 0;

        for (int64_t j = 0; j < n; ++j)
            sum += y[j] * dy[j];
        for (int64_t j = 0; j < n; ++j)
            dx[j] = y[j] * (dy[j] - sum);
    }
    return CF_DONE;
}

static enum cf_status TYPED(crossentropy_fwd)(const struct cf_pairs *attributes,
                                              const struct cf_tensor in[], struct cf_tensor out[])
{
    const int64_t n = in[0].dim[1];

    (void)attributes;
    for (int64_t i = 0; i < in[0].dim[0]; ++i) {
        const REAL *x = (const REAL *)in[0].bits + i * n, *t = (const REAL *)in[1].bits + i * n;
        const REAL m = TYPED(most)(x, n);
        REAL sum = 0, loss = 0;

        for (int64_t j = 0; j < n; ++j)
            sum += TYPED(exponential)(x[j] - m);
        sum = TYPED(logarithm)(sum);
        for (int64_t j = 0; j < n; ++j)
            loss += t[j] * ((m - x[j]) + sum);
        ((REAL *)out[0].bits)[i] = loss;
    }
    return CF_DONE;
}

static enum cf_status TYPED(crossentropy_bwd)(const struct cf_pairs *attributes,
                                              const struct cf_tensor in[], struct cf_tensor out[])
{
    const int64_t n = in[0].dim[1];

    (void)attributes;
    for (int64_t i = 0; i < in[0].dim[0]; ++i) {
        const REAL *x = (const REAL *)in[0].bits + i * n, *t = (const REAL *)in[1].bits + i * n;
        REAL *dx = (REAL *)out[0].bits + i * n, weight = 0;
        const REAL sum = TYPED(powers)(dx, x, TYPED(most)(x, n), n);

        for (int64_t j = 0; j < n; ++j)
            weight += t[j];
        for (int64_t j = 0; j < n; ++j)
            dx[j] = dx[j] / sum * weight - t[j];
    }
    return CF_DONE;
}
#endif
