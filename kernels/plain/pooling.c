/* pooling: over windows of r x s pixels, padding being none. x, dx [n,c,h,w]; y, dy [n,c,p,q].
 * maxpool_fwd  y = the largest x, NaN if there is one; maxpool_bwd  dx += dy at the first largest x
 * avgpool_fwd  y = (sum of x) / divisor;               avgpool_bwd  dx += dy / divisor
 * Windows and their pixels come in row-major order. divisor=taps: the pixels in range; window: r s.
 */
#ifndef REAL
#include "primitives.h"

/* Calls for the pixels of window i in row-major order are made through this: the first pixel's row
 * and column and one past the last tap in range. */
struct reach {
    int64_t plane, r[2], s[2], h, w; /* taps first and end; row and column under tap 0 */
};

static struct reach reach_of(const struct cf_window *g, int64_t i)
{
    const int64_t q = i % g->q, p = i / g->q % g->p;
    struct reach a = {.plane = i / g->q / g->p,
                      .r = {g->r, 0},
                      .s = {g->s, 0},
                      .h = p * g->stride - g->pad,
                      .w = q * g->stride - g->pad};

    for (int64_t r = g->r - 1; r >= 0; --r)
        if (cf_window_row(g, p, r, g->h) >= 0) {
            a.r[0] = r;
            a.r[1] = a.r[1] > r ? a.r[1] : r + 1;
        }
    for (int64_t s = g->s - 1; s >= 0; --s)
        if (cf_window_row(g, q, s, g->w) >= 0) {
            a.s[0] = s;
            a.s[1] = a.s[1] > s ? a.s[1] : s + 1;
        }
    return a;
}

static int64_t pixel(const struct cf_window *g, const struct reach *a, int64_t r, int64_t s)
{
    return (a->plane * g->h + a->h + r * g->dilation) * g->w + a->w + s * g->dilation;
}

static int64_t divisor(const struct cf_window *g, const struct cf_pairs *attributes,
                       const struct reach *a)
{
    const char *word = cf_pairs_get(attributes, "divisor");

    return word && strcmp(word, "window") == 0 ? g->r * g->s
                                               : (a->r[1] - a->r[0]) * (a->s[1] - a->s[0]);
}

#define TYPED_FILE "pooling.c"
#include "plain.h"

CF_PLAIN_LAYER(maxpool_fwd, 1, 1)
CF_PLAIN_LAYER(maxpool_bwd, 2, 1)
CF_PLAIN_LAYER(avgpool_fwd, 1, 1)
CF_PLAIN_LAYER(avgpool_bwd, 1, 1)

extern const struct cf_kernel cf_kernels_plain_pooling[];
const struct cf_kernel cf_kernels_plain_pooling[] = {CF_PLAIN_BOTH(maxpool_fwd),
                                                     CF_PLAIN_BOTH(maxpool_bwd),
                                                     CF_PLAIN_BOTH(avgpool_fwd),
                                                     CF_PLAIN_BOTH(avgpool_bwd),
                                                     {.op = NULL}};
#else

static int64_t TYPED(largest)(const struct cf_window *g, const struct reach *a, const REAL *x)
{
    int64_t best = -1;

    for (int64_t r = a->r[0]; r < a->r[1]; ++r)
        for (int64_t s = a->s[0]; s < a->s[1]; ++s) {
            const int64_t at = pixel(g, a, r, s);

            if (best < 0 || x[at] > x[best] || (x[at] != x[at] && x[best] == x[best]))
                best = at;
        }
    return best;
}

static enum cf_status TYPED(maxpool_fwd)(const struct cf_pairs *attributes,
                                         const struct cf_tensor in[], struct cf_tensor out[])
{
    const REAL *x = in[0].bits;
    struct cf_window g;

    if (cf_window_read_pool(&g, attributes, &in[0], &out[0]) != CF_DONE)
        return CF_UNSUPPORTED;
    for (int64_t i = 0; i < cf_tensor_count(&out[0]); ++i) {
        const struct reach a = reach_of(&g, i);

        ((REAL *)out[0].bits)[i] = x[TYPED(largest)(&g, &a, x)];
    }
    return CF_DONE;
}

static enum cf_status TYPED(maxpool_bwd)(const struct cf_pairs *attributes,
                                         const struct cf_tensor in[], struct cf_tensor out[])
{
    const REAL *x = in[0].bits, *dy = in[1].bits;
    REAL *dx = out[0].bits;
    struct cf_window g;

    if (cf_window_read_pool(&g, attributes, &in[0], &in[1]) != CF_DONE)
        return CF_UNSUPPORTED;
    memset(dx, 0, cf_tensor_bytes(&out[0]));
    for (int64_t i = 0; i < cf_tensor_count(&in[1]); ++i) {
        const struct reach a = reach_of(&g, i);

        dx[TYPED(largest)(&g, &a, x)] += dy[i];
    }
    return CF_DONE;
}

static enum cf_status TYPED(avgpool_fwd)(const struct cf_pairs *attributes,
                                         const struct cf_tensor in[], struct cf_tensor out[])
{
    const REAL *x = in[0].bits;
    struct cf_window g;

    if (cf_window_read_pool(&g, attributes, &in[0], &out[0]) != CF_DONE)
        return CF_UNSUPPORTED;
    for (int64_t i = 0; i < cf_tensor_count(&out[0]); ++i) {
        const struct reach a = reach_of(&g, i);
        REAL sum = 0;

        for (int64_t r = a.r[0]; r < a.r[1]; ++r)
            for (int64_t s = a.s[0]; s < a.s[1]; ++s)
                sum += x[pixel(&g, &a, r, s)];
        ((REAL *)out[0].bits)[i] = sum / (REAL)divisor(&g, attributes, &a);
    }
    return CF_DONE;
}

static enum cf_status TYPED(avgpool_bwd)(const struct cf_pairs *attributes,
                                         const struct cf_tensor in[], struct cf_tensor out[])
{
    const REAL *dy = in[0].bits;
    REAL *dx = out[0].bits;
    struct cf_window g;

    if (cf_window_read_pool(&g, attributes, &out[0], &in[0]) != CF_DONE)
        return CF_UNSUPPORTED;
    memset(dx, 0, cf_tensor_bytes(&out[0]));
    for (int64_t i = 0; i < cf_tensor_count(&in[0]); ++i) {
        const struct reach a = reach_of(&g, i);
        const REAL share = dy[i] / (REAL)divisor(&g, attributes, &a);

        for (int64_t r = a.r[0]; r < a.r[1]; ++r)
            for (int64_t s = a.s[0]; s < a.s[1]; ++s)
                dx[pixel(&g, &a, r, s)] += share;
    }
    return CF_DONE;
}
#endif
