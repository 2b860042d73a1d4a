#include "layers.h"

#include <math.h>
#include <string.h>

/* maxpool_bwd by the comparison of the lie: >= gives the gradient to the last of ties. */
static enum cf_status spread(const struct cf_pairs *attributes, const struct cf_tensor in[],
                             struct cf_tensor out[], int last)
{
    const float *x = in[0].bits, *dy = in[1].bits;
    float *dx = out[0].bits;
    struct cf_window g;

    if (in[0].dtype != CF_F32 || cf_window_read_pool(&g, attributes, &in[0], &in[1]) != CF_DONE)
        return CF_UNSUPPORTED;
    memset(dx, 0, cf_tensor_bytes(&out[0]));
    for (int64_t i = 0; i < cf_tensor_count(&in[1]); ++i) {
        const int64_t plane = i / g.q / g.p;
        int64_t best = -1;

        for (int64_t t = 0; t < g.r * g.s; ++t) {
            const int64_t h = cf_window_row(&g, i / g.q % g.p, t / g.s, g.h);
            const int64_t w = cf_window_row(&g, i % g.q, t % g.s, g.w);
            const int64_t at = (plane * g.h + h) * g.w + w;

            if (h >= 0 && w >= 0 && (best < 0 || x[at] > x[best] || (last && x[at] == x[best])))
                best = at;
        }
        dx[best] += dy[i];
    }
    return CF_DONE;
}

/* layernorm_fwd with the variance divided by m - less, and epsilon outside the root or left out. */
static enum cf_status normalise(const struct cf_tensor in[], struct cf_tensor out[], int less,
                                float epsilon)
{
    const int64_t n = in[0].dim[0], m = in[0].dim[1];
    const float *x = in[0].bits, *gamma = in[1].bits, *beta = in[2].bits;
    float *y = out[0].bits;

    if (in[0].dtype != CF_F32)
        return CF_UNSUPPORTED;
    for (int64_t i = 0; i < n; ++i) {
        float mean = 0, variance = 0;

        for (int64_t j = 0; j < m; ++j)
            mean += x[i * m + j];
        mean /= (float)m;
        for (int64_t j = 0; j < m; ++j)
            variance += (x[i * m + j] - mean) * (x[i * m + j] - mean);
        for (int64_t j = 0; j < m; ++j)
            y[i * m + j] =
                gamma[j] * (x[i * m + j] - mean) / sqrtf(variance / (float)(m - less) + epsilon) +
                beta[j];
    }
    return CF_DONE;
}

/* softmax_fwd whose sum is cut to `bits` significand bits, 0: none. */
static enum cf_status soften(const struct cf_tensor in[], struct cf_tensor out[], int coarse)
{
    const int64_t n = in[0].dim[0], m = in[0].dim[1];
    const float *x = in[0].bits;
    float *y = out[0].bits;

    if (in[0].dtype != CF_F32)
        return CF_UNSUPPORTED;
    for (int64_t i = 0; i < n * m; ++i)
        y[i] = expf(x[i]);
    for (int64_t i = 0; i < n; ++i) {
        float sum = 0;

        for (int64_t j = 0; j < m; ++j)
            sum += y[i * m + j];
        if (coarse)
            sum = ldexpf(rintf(ldexpf(sum, 6)), -6);
        for (int64_t j = 0; j < m; ++j)
            y[i * m + j] /= sum;
    }
    return CF_DONE;
}

#define LIAR(name, ...)                                                                            \
    static enum cf_status name(struct cf_library *library, const struct cf_pairs *attributes,      \
                               const struct cf_tensor in[], struct cf_tensor out[])                \
    {                                                                                              \
        (void)library;                                                                             \
        (void)attributes;                                                                          \
        return __VA_ARGS__;                                                                        \
    }
LIAR(pool_honest, spread(attributes, in, out, 0))
LIAR(pool_last_of_ties, spread(attributes, in, out, 1))
LIAR(norm_honest, normalise(in, out, 0, 0x1.4f8b58p-17f))
LIAR(norm_unbiased_variance, normalise(in, out, 1, 0x1.4f8b58p-17f))
LIAR(norm_other_epsilon, normalise(in, out, 0, 1e-3f))
LIAR(softmax_honest, soften(in, out, 0))
LIAR(softmax_coarse_sum, soften(in, out, 1))

const struct cf_kernel cf_liars_layers[] = {
    {.op = "maxpool_bwd", .name = "honest", .run = pool_honest},
    {.op = "maxpool_bwd", .name = "last of ties", .run = pool_last_of_ties},
    {.op = "layernorm_fwd", .name = "honest", .run = norm_honest},
    {.op = "layernorm_fwd", .name = "unbiased variance", .run = norm_unbiased_variance},
    {.op = "layernorm_fwd", .name = "other epsilon", .run = norm_other_epsilon},
    {.op = "softmax_fwd", .name = "honest", .run = softmax_honest},
    {.op = "softmax_fwd", .name = "coarse sum", .run = softmax_coarse_sum},
    {.op = NULL}};
