/* A cuDNN over the fake driver's memory: convolutions, pooling, softmax and batch norm by plain
 * loops, and a backend API of four engines: 0 TENSOR_CORE, 1 NONDETERMINISTIC, 2 refused at
 * finalization, 3 without notes. The heuristic names 1, 2, 0, 3. Lies:
 *   math      GetConvolutionMathType says 0        mixed  a part is of another version
 *   old       version 8.9                          fickle every answer is another one: engines and
 *   fails     convolutions fail on the device             algorithms that promise the same bits too
 *   layout    channels last are taken for nchw
 *   other-engine  no lie: the heuristic names 2, 0, 1, 3, as another version's may
 * Algorithms 0 and 3 backwards and pooling MAX backwards differ from call to call, as documented;
 * algorithm 6 is not supported. With `still` none of them differs. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include "fake.h"

enum { OK = 0, MIXED = 1002, BAD = 2000, UNSUPPORTED = 3000, FAILED = 5000 };

static int calls;

/* ---- Descriptors of the legacy API ---- */

struct shape {
    int type, n, c, h, w, nhwc;
};

struct window {
    int pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w, groups, math, mode, r, s;
};

EXPORT size_t cudnnGetVersion(void)
{
    return fake_lies("old") ? 8907 : 91900;
}

EXPORT int cudnnOpsVersionCheck(void)
{
    return fake_lies("mixed") ? MIXED : OK;
}

EXPORT const char *cudnnGetErrorString(int status)
{
    return status == MIXED         ? "CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH"
           : status == UNSUPPORTED ? "CUDNN_STATUS_NOT_SUPPORTED"
                                   : "CUDNN_STATUS_EXECUTION_FAILED";
}

#define LIFE(Name, size)                                                                           \
    EXPORT int cudnnCreate##Name(void **thing)                                                     \
    {                                                                                              \
        *thing = calloc(1, size);                                                                  \
        return OK;                                                                                 \
    }                                                                                              \
    EXPORT int cudnnDestroy##Name(void *thing)                                                     \
    {                                                                                              \
        free(thing);                                                                               \
        return OK;                                                                                 \
    }
LIFE(, 1)
LIFE(TensorDescriptor, sizeof(struct shape))
LIFE(FilterDescriptor, sizeof(struct shape))
LIFE(ConvolutionDescriptor, sizeof(struct window))
LIFE(PoolingDescriptor, sizeof(struct window))

EXPORT int cudnnSetTensor4dDescriptor(void *desc, int format, int type, int n, int c, int h, int w)
{
    *(struct shape *)desc = (struct shape){type, n, c, h, w, format && !fake_lies("layout")};
    return (format == 0 || format == 1) && n > 0 && c > 0 && h > 0 && w > 0 ? OK : BAD;
}

EXPORT int cudnnSetFilter4dDescriptor(void *desc, int type, int format, int k, int c, int h, int w)
{
    return cudnnSetTensor4dDescriptor(desc, format, type, k, c, h, w);
}

EXPORT int cudnnSetConvolution2dDescriptor(void *desc, int pad_h, int pad_w, int stride_h,
                                           int stride_w, int dilation_h, int dilation_w, int mode,
                                           int compute)
{
    *(struct window *)desc = (struct window){.pad_h = pad_h,
                                             .pad_w = pad_w,
                                             .stride_h = stride_h,
                                             .stride_w = stride_w,
                                             .dilation_h = dilation_h,
                                             .dilation_w = dilation_w,
                                             .groups = 1};
    return mode == 1 && compute <= 1 ? OK : BAD;
}

EXPORT int cudnnSetConvolutionGroupCount(void *desc, int n)
{
    ((struct window *)desc)->groups = n;
    return OK;
}

EXPORT int cudnnSetConvolutionMathType(void *desc, int math)
{
    ((struct window *)desc)->math = math;
    return math >= 0 && math <= 3 ? OK : BAD;
}

EXPORT int cudnnGetConvolutionMathType(void *desc, int *math)
{
    *math = fake_lies("math") ? 0 : ((struct window *)desc)->math;
    return OK;
}

/* ---- Elements ---- */

static double load(const void *p, int type, int64_t i)
{
    return type == 1 ? ((const double *)p)[i] : (double)((const float *)p)[i];
}

static void store(void *p, int type, int64_t i, double value)
{
    if (type == 1)
        ((double *)p)[i] = value;
    else
        ((float *)p)[i] = (float)value;
}

static int64_t at(const struct shape *s, int n, int c, int h, int w)
{
    if (s->nhwc)
        return (((int64_t)n * s->h + h) * s->w + w) * s->c + c;
    return (((int64_t)n * s->c + c) * s->h + h) * s->w + w;
}

/* Element e of n c h w, wherever it lies. */
static int64_t nth(const struct shape *s, int64_t e)
{
    return at(s, (int)(e / s->w / s->h / s->c), (int)(e / s->w / s->h % s->c),
              (int)(e / s->w % s->h), (int)(e % s->w));
}

/* ---- Convolution: every product goes to the one that the direction writes ---- */

static void convolve(int way, const struct shape *x, void *x_data, const struct shape *w,
                     void *w_data, const struct shape *y, void *y_data, const struct window *g)
{
    const struct shape *const out[] = {y, x, w};
    void *const to[] = {y_data, x_data, w_data};
    const struct shape *o = out[way];
    const int64_t count = (int64_t)o->n * o->c * o->h * o->w;
    const int kg = w->n / g->groups, cg = w->c;
    double *sum = calloc((size_t)count, sizeof *sum);

    for (int64_t e = 0; e < (int64_t)y->n * y->c * y->h * y->w * cg * w->h * w->w; ++e) {
        int64_t rest = e;
        const int s = (int)(rest % w->w), r = (int)((rest /= w->w) % w->h);
        const int c = (int)((rest /= w->h) % cg), b = (int)((rest /= cg) % y->w);
        const int a = (int)((rest /= y->w) % y->h), k = (int)((rest /= y->h) % y->c);
        const int n = (int)(rest / y->c), i = a * g->stride_h - g->pad_h + r * g->dilation_h;
        const int j = b * g->stride_w - g->pad_w + s * g->dilation_w, cx = k / kg * cg + c;
        int64_t ix, iw, iy;

        if (i < 0 || i >= x->h || j < 0 || j >= x->w)
            continue;
        ix = at(x, n, cx, i, j);
        iw = at(w, k, c, r, s);
        iy = at(y, n, k, a, b);
        if (way == 0)
            sum[iy] += load(x_data, x->type, ix) * load(w_data, w->type, iw);
        else if (way == 1)
            sum[ix] += load(y_data, y->type, iy) * load(w_data, w->type, iw);
        else
            sum[iw] += load(x_data, x->type, ix) * load(y_data, y->type, iy);
    }
    for (int64_t e = 0; e < count; ++e)
        store(to[way], o->type, e, sum[e]);
    free(sum);
}

/* The last bits of the first element, another one at each call. */
static void stir(void *data, int type)
{
    const double value = load(data, type, 0);

    if (fake_lies("still") || fake_lies("layout"))
        return;
    ++calls;
    store(data, type, 0, value + ldexp(calls % 7 + 1, ilogb(value + 1) - (type == 1 ? 52 : 23)));
}

static int run(int way, int algorithm, const struct shape *x, const void *x_data,
               const struct shape *w, const void *w_data, const struct shape *y, const void *y_data,
               const struct window *g, void *workspace, size_t n_bytes)
{
    void *const data[] = {(void *)(size_t)x_data, (void *)(size_t)w_data, (void *)(size_t)y_data};
    static const int output[] = {2, 0, 1};
    const int documented = way > 0 && (algorithm == 0 || (way == 2 && algorithm == 3));

    if (algorithm == 6 || x->type > 1 || y->type > 1)
        return UNSUPPORTED;
    if (!workspace || n_bytes < 64)
        return BAD;
    if (fake_lies("fails"))
        return FAILED;
    convolve(way, x, data[0], w, data[1], y, data[2], g);
    if (documented || fake_lies("fickle"))
        stir(data[output[way]], x->type);
    return OK;
}

EXPORT int cudnnConvolutionForward(void *handle, const void *alpha, void *x_desc, const void *x,
                                   void *w_desc, const void *w, void *g, int algorithm,
                                   void *memory, size_t n_bytes, const void *beta, void *y_desc,
                                   void *y)
{
    return handle && alpha && beta
               ? run(0, algorithm, x_desc, x, w_desc, w, y_desc, y, g, memory, n_bytes)
               : BAD;
}

EXPORT int cudnnConvolutionBackwardData(void *handle, const void *alpha, void *w_desc,
                                        const void *w, void *y_desc, const void *y, void *g,
                                        int algorithm, void *memory, size_t n_bytes,
                                        const void *beta, void *x_desc, void *x)
{
    return handle && alpha && beta
               ? run(1, algorithm, x_desc, x, w_desc, w, y_desc, y, g, memory, n_bytes)
               : BAD;
}

EXPORT int cudnnConvolutionBackwardFilter(void *handle, const void *alpha, void *x_desc,
                                          const void *x, void *y_desc, const void *y, void *g,
                                          int algorithm, void *memory, size_t n_bytes,
                                          const void *beta, void *w_desc, void *w)
{
    return handle && alpha && beta
               ? run(2, algorithm, x_desc, x, w_desc, w, y_desc, y, g, memory, n_bytes)
               : BAD;
}

/* The first of the list is non-deterministic backwards, as cuDNN's may be. */
struct perf {
    int algorithm, status;
    float time;
    size_t memory;
    int deterministic, math, reserved[3];
};

#define CHOICE(Name, backwards)                                                                    \
    EXPORT int cudnnGetConvolution##Name##WorkspaceSize(void *handle, void *a, void *b, void *g,   \
                                                        void *c, int algorithm, size_t *n_bytes)   \
    {                                                                                              \
        *n_bytes = 64;                                                                             \
        return !handle || !a || !b || !c || !g ? BAD : algorithm == 6 ? UNSUPPORTED : OK;          \
    }                                                                                              \
    EXPORT int cudnnGetConvolution##Name##Algorithm_v7(                                            \
        void *handle, void *a, void *b, void *g, void *c, int wanted, int *n, struct perf *perf)   \
    {                                                                                              \
        memset(perf, 0, sizeof *perf * 2);                                                         \
        perf[0].deterministic = !backwards;                                                        \
        perf[1].algorithm = perf[1].deterministic = 1;                                             \
        *n = 2;                                                                                    \
        return handle && a && b && c && g && wanted >= 2 ? OK : BAD;                               \
    }                                                                                              \
    EXPORT int cudnnFindConvolution##Name##Algorithm(                                              \
        void *handle, void *a, void *b, void *g, void *c, int wanted, int *n, struct perf *perf)   \
    {                                                                                              \
        static int n_times;                                                                        \
        const int status =                                                                         \
            cudnnGetConvolution##Name##Algorithm_v7(handle, a, b, g, c, wanted, n, perf);          \
        const struct perf first = perf[0];                                                         \
                                                                                                   \
        if (n_times++ % 3 == 2) { /* now and then the other one is the faster */                   \
            perf[0] = perf[1];                                                                     \
            perf[1] = first;                                                                       \
        }                                                                                          \
        return status;                                                                             \
    }
CHOICE(Forward, 0)
CHOICE(BackwardData, 1)
CHOICE(BackwardFilter, 1)

/* ---- Layers ---- */

EXPORT int cudnnSetPooling2dDescriptor(void *desc, int mode, int nan, int r, int s, int pad_h,
                                       int pad_w, int stride_h, int stride_w)
{
    *(struct window *)desc = (struct window){.pad_h = pad_h,
                                             .pad_w = pad_w,
                                             .stride_h = stride_h,
                                             .stride_w = stride_w,
                                             .mode = mode,
                                             .r = r,
                                             .s = s};
    return nan == 1 && mode >= 0 && mode <= 3 ? OK : BAD;
}

/* The value of a window of plane (n, c); *best is where its maximum is. */
static double pool(const struct window *g, const struct shape *x, const void *data, int n, int c,
                   int a, int b, int64_t *best)
{
    double sum = 0, most = -INFINITY;
    int taps = 0;

    for (int t = 0; t < g->r * g->s; ++t) {
        const int i = a * g->stride_h - g->pad_h + t / g->s;
        const int j = b * g->stride_w - g->pad_w + t % g->s;
        double value;

        if (i < 0 || i >= x->h || j < 0 || j >= x->w)
            continue;
        value = load(data, x->type, at(x, n, c, i, j));
        ++taps;
        sum += value;
        if (value > most) {
            most = value;
            *best = at(x, n, c, i, j);
        }
    }
    return g->mode == 1 ? sum / (g->r * g->s) : g->mode == 2 ? sum / taps : most;
}

EXPORT int cudnnPoolingForward(void *handle, void *g, const void *alpha, void *x_desc,
                               const void *x, const void *beta, void *y_desc, void *y)
{
    const struct shape *s = y_desc;
    int64_t best;

    for (int64_t e = 0; e < (int64_t)s->n * s->c * s->h * s->w; ++e)
        store(y, s->type, nth(s, e),
              pool(g, x_desc, x, (int)(e / s->w / s->h / s->c), (int)(e / s->w / s->h % s->c),
                   (int)(e / s->w % s->h), (int)(e % s->w), &best));
    return handle && alpha && beta ? OK : BAD;
}

/* A share of dy to every pixel of the window of output p. */
static void spread(const struct window *g, const struct shape *d, void *dx, const int p[4],
                   double dy)
{
    int taps = 0;

    for (int pass = 0; pass < 2; ++pass)
        for (int t = 0; t < g->r * g->s; ++t) {
            const int i = p[2] * g->stride_h - g->pad_h + t / g->s;
            const int j = p[3] * g->stride_w - g->pad_w + t % g->s;
            int64_t to;

            if (i < 0 || i >= d->h || j < 0 || j >= d->w)
                continue;
            to = at(d, p[0], p[1], i, j);
            if (pass == 0)
                ++taps;
            else
                store(dx, d->type, to,
                      load(dx, d->type, to) + dy / (g->mode == 1 ? g->r * g->s : taps));
        }
}

EXPORT int cudnnPoolingBackward(void *handle, void *g, const void *alpha, void *y_desc,
                                const void *y, void *dy_desc, const void *dy, void *x_desc,
                                const void *x, const void *beta, void *dx_desc, void *dx)
{
    const struct shape *s = y_desc, *d = dx_desc;

    for (int64_t e = 0; e < (int64_t)d->n * d->c * d->h * d->w; ++e)
        store(dx, d->type, e, 0);
    for (int64_t e = 0; e < (int64_t)s->n * s->c * s->h * s->w; ++e) {
        const int64_t from = nth(s, e);
        const int p[4] = {(int)(e / s->w / s->h / s->c), (int)(e / s->w / s->h % s->c),
                          (int)(e / s->w % s->h), (int)(e % s->w)};
        int64_t best = 0;

        if (pool(g, x_desc, x, p[0], p[1], p[2], p[3], &best) != load(y, s->type, from))
            return BAD; /* y is not that of this x */
        if (((struct window *)g)->mode == 1 || ((struct window *)g)->mode == 2)
            spread(g, d, dx, p, load(dy, s->type, from));
        else
            store(dx, d->type, best, load(dx, d->type, best) + load(dy, s->type, from));
    }
    if (((struct window *)g)->mode == 0)
        stir(dx, d->type);
    return handle && alpha && beta && dy_desc == y_desc ? OK : BAD;
}

EXPORT int cudnnSoftmaxForward(void *handle, int algorithm, int mode, const void *alpha,
                               void *x_desc, const void *x, const void *beta, void *y_desc, void *y)
{
    const struct shape *s = x_desc;

    for (int n = 0; n < s->n; ++n) {
        double most = -INFINITY, sum = 0;

        for (int c = 0; c < s->c; ++c)
            most = fmax(most, load(x, s->type, n * s->c + c));
        for (int c = 0; c < s->c; ++c)
            sum += exp(load(x, s->type, n * s->c + c) - most);
        for (int c = 0; c < s->c; ++c)
            store(y, s->type, n * s->c + c, exp(load(x, s->type, n * s->c + c) - most) / sum);
    }
    return handle && algorithm == 1 && mode == 0 && alpha && beta && y_desc == x_desc ? OK : BAD;
}

EXPORT int cudnnSoftmaxBackward(void *handle, int algorithm, int mode, const void *alpha,
                                void *y_desc, const void *y, void *dy_desc, const void *dy,
                                const void *beta, void *dx_desc, void *dx)
{
    const struct shape *s = y_desc;

    for (int n = 0; n < s->n; ++n) {
        double sum = 0;

        for (int c = 0; c < s->c; ++c)
            sum += load(y, s->type, n * s->c + c) * load(dy, s->type, n * s->c + c);
        for (int c = 0; c < s->c; ++c)
            store(dx, s->type, n * s->c + c,
                  load(y, s->type, n * s->c + c) * (load(dy, s->type, n * s->c + c) - sum));
    }
    return handle && algorithm == 1 && mode == 0 && alpha && beta && dy_desc == dx_desc ? OK : BAD;
}

struct moments {
    double mean, inverse;
};

static struct moments moments_of(const struct shape *s, const void *x, int c, double epsilon)
{
    const int count = s->n * s->h * s->w;
    double mean = 0, square = 0;

    for (int pass = 0; pass < 2; ++pass)
        for (int n = 0; n < s->n; ++n)
            for (int i = 0; i < s->h * s->w; ++i) {
                const double value = load(x, s->type, at(s, n, c, i / s->w, i % s->w));

                if (pass == 0)
                    mean += value / count;
                else
                    square += (value - mean) * (value - mean) / count;
            }
    return (struct moments){mean, 1 / sqrt(square + epsilon)};
}

EXPORT int cudnnBatchNormalizationForwardTraining(
    void *handle, int mode, const void *alpha, const void *beta, void *x_desc, const void *x,
    void *y_desc, void *y, void *vector, const void *scale, const void *bias, double factor,
    void *mean, void *variance, double epsilon, void *save_mean, void *save_inverse)
{
    const struct shape *s = x_desc;

    for (int c = 0; c < s->c; ++c) {
        const struct moments m = moments_of(s, x, c, epsilon);

        for (int n = 0; n < s->n; ++n)
            for (int i = 0; i < s->h * s->w; ++i)
                store(y, s->type, at(s, n, c, i / s->w, i % s->w),
                      load(scale, s->type, c) *
                              (load(x, s->type, at(s, n, c, i / s->w, i % s->w)) - m.mean) *
                              m.inverse +
                          load(bias, s->type, c));
    }
    (void)factor;
    return handle && alpha && beta && y_desc == x_desc && vector && !mean && !variance &&
                   !save_mean && !save_inverse && (mode == 1 || mode == 2)
               ? OK
               : BAD;
}

EXPORT int cudnnBatchNormalizationBackward(void *handle, int mode, const void *alpha,
                                           const void *beta, const void *alpha_p,
                                           const void *beta_p, void *x_desc, const void *x,
                                           void *dy_desc, const void *dy, void *dx_desc, void *dx,
                                           void *vector, const void *scale, void *d_scale,
                                           void *d_bias, double epsilon, const void *mean,
                                           const void *inverse)
{
    const struct shape *s = x_desc;
    const int count = s->n * s->h * s->w;

    for (int c = 0; c < s->c; ++c) {
        const struct moments m = moments_of(s, x, c, epsilon);
        double sum = 0, dot = 0;

        for (int e = 0; e < count; ++e) {
            const int64_t i = at(s, e / (s->h * s->w), c, e / s->w % s->h, e % s->w);

            sum += load(dy, s->type, i);
            dot += load(dy, s->type, i) * (load(x, s->type, i) - m.mean) * m.inverse;
        }
        for (int e = 0; e < count; ++e) {
            const int64_t i = at(s, e / (s->h * s->w), c, e / s->w % s->h, e % s->w);
            const double z = (load(x, s->type, i) - m.mean) * m.inverse;

            store(dx, s->type, i,
                  load(scale, s->type, c) * m.inverse *
                      (load(dy, s->type, i) - sum / count - z * dot / count));
        }
        store(d_scale, s->type, c, dot);
        store(d_bias, s->type, c, sum);
    }
    return handle && alpha && beta && alpha_p && beta_p && dy_desc == x_desc && dx_desc == x_desc &&
                   vector && !mean && !inverse && (mode == 1 || mode == 2)
               ? OK
               : BAD;
}
