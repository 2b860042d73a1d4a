/* From a convolution to its taps: checks, layouts, and the loops round the order under test. */
#ifndef REAL
#include <math.h>
#include <stdlib.h>

#include "conv.h"

static struct cf_plain_strides strides(int nhwc, int64_t b, int64_t c, int64_t d)
{
    return nhwc ? (struct cf_plain_strides){{b * c * d, 1, d * b, b}}
                : (struct cf_plain_strides){{b * c * d, c * d, d, 1}};
}

#define TYPED_FILE "support_conv.c"
#include "plain.h"

enum cf_status cf_plain_convolve(enum cf_way way, const struct cf_plain_sequence *sequence,
                                 struct cf_library *library, const struct cf_pairs *attributes,
                                 const struct cf_tensor in[], struct cf_tensor out[])
{
    struct cf_window g;

    if (cf_window_read(&g, way, attributes, in, out) != CF_DONE)
        return CF_UNSUPPORTED;
    return in[0].dtype == CF_F64 ? convolve_f64(way, sequence, library, &g, in, out)
                                 : convolve_f32(way, sequence, library, &g, in, out);
}
#else

static REAL *TYPED(room)(int64_t n)
{
    return calloc((size_t)n + 1, sizeof(REAL));
}

/* A tensor widened and laid out by strides; NULL: no memory. */
static REAL *TYPED(lay)(const struct cf_tensor *t, const struct cf_plain_strides *to)
{
    const int64_t *dim = t->dim;
    REAL *copy = TYPED(room)(cf_tensor_count(t));
    int64_t i = 0;

    for (int64_t a = 0; copy && a < dim[0]; ++a)
        for (int64_t b = 0; b < dim[1]; ++b)
            for (int64_t c = 0; c < dim[2]; ++c)
                for (int64_t d = 0; d < dim[3]; ++d)
                    copy[a * to->at[0] + b * to->at[1] + c * to->at[2] + d * to->at[3]] =
                        (REAL)cf_tensor_get(t, i++);
    return copy;
}

static void TYPED(lay_back)(struct cf_tensor *t, const REAL *from,
                            const struct cf_plain_strides *by)
{
    const int64_t *dim = t->dim;
    REAL *out = t->bits;

    for (int64_t a = 0; a < dim[0]; ++a)
        for (int64_t b = 0; b < dim[1]; ++b)
            for (int64_t c = 0; c < dim[2]; ++c)
                for (int64_t d = 0; d < dim[3]; ++d)
                    *out++ = from[a * by->at[0] + b * by->at[1] + c * by->at[2] + d * by->at[3]];
}

/* sum[i * to] += x[i * from] * factor, i = 0 .. n - 1. */
static void TYPED(add_scaled)(REAL *sum, int64_t to, const REAL *x, int64_t from, REAL factor,
                              int64_t n, int fused)
{
    if (fused)
        for (int64_t i = 0; i < n; ++i)
            sum[i * to] = sizeof(REAL) == sizeof(float)
                              ? (REAL)fmaf((float)x[i * from], (float)factor, (float)sum[i * to])
                              : (REAL)fma((double)x[i * from], (double)factor, (double)sum[i * to]);
    else if (to == 1 && from == 1)
        for (int64_t i = 0; i < n; ++i)
            sum[i] += x[i] * factor;
    else
        for (int64_t i = 0; i < n; ++i)
            sum[i * to] += x[i * from] * factor;
}

/* Unit n k p: one row of y. */
static void TYPED(row_fwd)(const struct TYPED(cf_plain_conv) * j, int64_t unit)
{
    const struct cf_window *g = &j->g;
    const int64_t p = unit % g->p, k = unit / g->p % g->k, n = unit / g->p / g->k;
    const int64_t c0 = k / (g->k / g->groups) * (g->c / g->groups);
    REAL *row = j->out + n * j->ys.at[0] + k * j->ys.at[1] + p * j->ys.at[2];

    for (int64_t t = 0; t < j->n_taps; ++t) {
        const struct cf_plain_tap *tap = &j->taps[t];
        const int64_t h = cf_window_row(g, p, tap->r, g->h), first = cf_plain_first(g, tap->s);
        const int64_t last = cf_plain_last(g, tap->s, g->w, g->q);
        const int64_t column = first * g->stride - g->pad + tap->s * g->dilation;

        if (h >= 0 && last > first)
            TYPED(add_scaled)
        (row + first * j->ys.at[3], j->ys.at[3],
         j->x + n * j->xs.at[0] + (c0 + tap->channel) * j->xs.at[1] + h * j->xs.at[2] +
             column * j->xs.at[3],
         g->stride * j->xs.at[3],
         j->w[k * j->ws.at[0] + tap->channel * j->ws.at[1] + tap->r * j->ws.at[2] +
              tap->s * j->ws.at[3]],
         last - first, j->fused);
    }
}

/* Unit n c h: one row of dx. */
static void TYPED(row_bwd_data)(const struct TYPED(cf_plain_conv) * j, int64_t unit)
{
    const struct cf_window *g = &j->g;
    const int64_t h = unit % g->h, c = unit / g->h % g->c, n = unit / g->h / g->c;
    const int64_t cg = g->c / g->groups, k0 = c / cg * (g->k / g->groups);
    REAL *row = j->out + n * j->xs.at[0] + c * j->xs.at[1] + h * j->xs.at[2];

    for (int64_t t = 0; t < j->n_taps; ++t) {
        const struct cf_plain_tap *tap = &j->taps[t];
        const int64_t at = h + g->pad - tap->r * g->dilation, k = k0 + tap->channel;
        const int64_t first = cf_plain_first(g, tap->s);
        const int64_t last = cf_plain_last(g, tap->s, g->w, g->q);
        const int64_t column = first * g->stride - g->pad + tap->s * g->dilation;

        if (at >= 0 && at % g->stride == 0 && at / g->stride < g->p && last > first)
            TYPED(add_scaled)
        (row + column * j->xs.at[3], g->stride * j->xs.at[3],
         j->y + n * j->ys.at[0] + k * j->ys.at[1] + at / g->stride * j->ys.at[2] +
             first * j->ys.at[3],
         j->ys.at[3],
         j->w[k * j->ws.at[0] + c % cg * j->ws.at[1] + tap->r * j->ws.at[2] + tap->s * j->ws.at[3]],
         last - first, j->fused);
    }
}

/* Unit k c: the window of dw. */
static void TYPED(window_bwd_filter)(const struct TYPED(cf_plain_conv) * j, int64_t unit)
{
    const struct cf_window *g = &j->g;
    const int64_t cg = g->c / g->groups, k = unit / cg, c = k / (g->k / g->groups) * cg + unit % cg;
    REAL *window = j->out + k * j->ws.at[0] + unit % cg * j->ws.at[1];

    for (int64_t t = 0; t < j->n_taps; ++t) {
        const int64_t n = j->taps[t].channel, p = j->taps[t].r, q = j->taps[t].s;
        const REAL dy = j->y[n * j->ys.at[0] + k * j->ys.at[1] + p * j->ys.at[2] + q * j->ys.at[3]];

        for (int64_t r = 0; r < g->r; ++r)
            for (int64_t s = 0; s < g->s; ++s) {
                const int64_t h = cf_window_row(g, p, r, g->h), w = cf_window_row(g, q, s, g->w);

                if (h >= 0 && w >= 0)
                    TYPED(add_scaled)
                (window + r * j->ws.at[2] + s * j->ws.at[3], 1,
                 j->x + n * j->xs.at[0] + c * j->xs.at[1] + h * j->xs.at[2] + w * j->xs.at[3], 1,
                 dy, 1, j->fused);
            }
    }
}

struct TYPED(team) {
    const struct TYPED(cf_plain_conv) * job;
    void (*unit)(const struct TYPED(cf_plain_conv) *, int64_t);
    int64_t n_units;
    int threads;
};

/* Units are whole elements, so that threads change no order. */
static void TYPED(work)(void *context, int thread)
{
    const struct TYPED(team) *team = context;
    const int64_t last = cf_plain_part(team->n_units, thread + 1, team->threads);

    for (int64_t u = cf_plain_part(team->n_units, thread, team->threads); u < last; ++u)
        team->unit(team->job, u);
}

static void TYPED(loop)(enum cf_way way, struct cf_library *library,
                        const struct TYPED(cf_plain_conv) * job)
{
    const struct cf_window *g = &job->g;
    const int64_t units[] = {g->n * g->k * g->p, g->n * g->c * g->h, g->k * (g->c / g->groups)};
    void (*const unit[])(const struct TYPED(cf_plain_conv) *,
                         int64_t) = {TYPED(row_fwd), TYPED(row_bwd_data), TYPED(window_bwd_filter)};
    struct TYPED(team) team = {job, unit[way], units[way], library->threads};

    cf_plain_parallel(library, TYPED(work), &team);
}

static struct cf_plain_tap *TYPED(sequence)(enum cf_way way,
                                            const struct cf_plain_sequence *sequence,
                                            const struct cf_window *g, int64_t *n)
{
    const int64_t channels[] = {g->c / g->groups, g->k / g->groups, g->n};
    const int64_t r = way == CF_BWD_FILTER ? g->p : g->r, s = way == CF_BWD_FILTER ? g->q : g->s;
    struct cf_plain_tap *taps;

    *n = channels[way] * r * s;
    taps = malloc((size_t)(*n + 1) * sizeof taps[0]);
    if (taps)
        sequence->fill(taps, way, channels[way], r, s);
    return taps;
}

static enum cf_status TYPED(convolve)(enum cf_way way, const struct cf_plain_sequence *sequence,
                                      struct cf_library *library, const struct cf_window *g,
                                      const struct cf_tensor in[], struct cf_tensor out[])
{
    struct TYPED(cf_plain_conv) job = {.g = *g,
                                       .xs = strides(g->nhwc, g->c, g->h, g->w),
                                       .ws = strides(g->nhwc, g->c / g->groups, g->r, g->s),
                                       .ys = strides(g->nhwc, g->k, g->p, g->q),
                                       .fused = sequence->fused};
    const struct cf_plain_strides *first = way == CF_BWD_DATA ? &job.ys : &job.xs;
    const struct cf_plain_strides *second = way == CF_BWD_FILTER ? &job.ys : &job.ws;
    const struct cf_plain_strides *last[] = {&job.ys, &job.xs, &job.ws};
    REAL *a = TYPED(lay)(&in[0], first), *b = TYPED(lay)(&in[1], second);
    struct cf_plain_tap *taps = TYPED(sequence)(way, sequence, g, &job.n_taps);

    job.out = TYPED(room)(cf_tensor_count(&out[0]));
    job.x = way == CF_BWD_DATA ? NULL : a;
    job.y = way == CF_BWD_DATA ? a : way == CF_BWD_FILTER ? b : NULL;
    job.w = way == CF_BWD_FILTER ? NULL : b;
    job.taps = taps;
    const int ready = a && b && taps && job.out;
    if (ready) {
        TYPED(loop)(way, library, &job);
        TYPED(lay_back)(&out[0], job.out, last[way]);
    }
    free(a);
    free(b);
    free(taps);
    free(job.out);
    return ready ? CF_DONE : CF_NO_MEMORY;
}
#endif
