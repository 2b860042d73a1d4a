/* Layers in their plainest form, for what no backend offers. */
#ifndef REAL
#include <math.h>
#include <string.h>

#include "composite.h"

#define TYPED_FILE  "support_simple.c"
#define REAL_EXP(x) _Generic((x), float : expf, double : exp)(x)
#define REAL_LOG(x) _Generic((x), float : logf, double : log)(x)
#include "typed.h"

#define RUN(name)                                                                                  \
    static enum cf_status run_##name(struct cf_library *library,                                   \
                                     const struct cf_pairs *attributes,                            \
                                     const struct cf_tensor in[], struct cf_tensor out[])          \
    {                                                                                              \
        (void)library;                                                                             \
        (void)attributes;                                                                          \
        if (in[0].dtype == CF_F64)                                                                 \
            name##_f64(in, out);                                                                   \
        else                                                                                       \
            name##_f32(in, out);                                                                   \
        return CF_DONE;                                                                            \
    }
RUN(bias_fwd)
RUN(bias_bwd)
RUN(relu_fwd)
RUN(relu_bwd)
RUN(crossentropy_fwd)
RUN(crossentropy_bwd)

const struct cf_kernel cf_simple[] = {{.op = "bias_fwd", .run = run_bias_fwd},
                                      {.op = "bias_bwd", .run = run_bias_bwd},
                                      {.op = "relu_fwd", .run = run_relu_fwd},
                                      {.op = "relu_bwd", .run = run_relu_bwd},
                                      {.op = "crossentropy_fwd", .run = run_crossentropy_fwd},
                                      {.op = "crossentropy_bwd", .run = run_crossentropy_bwd},
                                      {.op = NULL}};
#else
static void TYPED(bias_fwd)(const struct cf_tensor in[], struct cf_tensor out[])
{
    const REAL *x = in[0].bits, *b = in[1].bits;
    REAL *y = out[0].bits;
    const int64_t c = in[0].dim[1], hw = in[0].dim[2] * in[0].dim[3], n = in[0].dim[0];

    for (int64_t i = 0; i < n * c * hw; ++i)
        y[i] = x[i] + b[i / hw % c];
}

static void TYPED(bias_bwd)(const struct cf_tensor in[], struct cf_tensor out[])
{
    const REAL *dy = in[0].bits;
    REAL *db = out[0].bits;
    const int64_t c = in[0].dim[1], hw = in[0].dim[2] * in[0].dim[3], n = in[0].dim[0];

    memset(db, 0, (size_t)c * sizeof db[0]);
    for (int64_t i = 0; i < n * c * hw; ++i)
        db[i / hw % c] += dy[i];
}

static void TYPED(relu_fwd)(const struct cf_tensor in[], struct cf_tensor out[])
{
    const REAL *x = in[0].bits;
    REAL *y = out[0].bits;

    for (int64_t i = 0; i < cf_tensor_count(&in[0]); ++i)
        y[i] = x[i] > 0 ? x[i] : 0;
}

static void TYPED(relu_bwd)(const struct cf_tensor in[], struct cf_tensor out[])
{
    const REAL *x = in[0].bits, *dy = in[1].bits;
    REAL *dx = out[0].bits;

    for (int64_t i = 0; i < cf_tensor_count(&in[0]); ++i)
        dx[i] = x[i] > 0 ? dy[i] : 0;
}

static REAL TYPED(log_sum)(const REAL *x, int64_t n)
{
    REAL most = x[0], sum = 0;

    for (int64_t j = 1; j < n; ++j)
        most = x[j] > most ? x[j] : most;
    for (int64_t j = 0; j < n; ++j)
        sum += REAL_EXP(x[j] - most);
    return most + REAL_LOG(sum);
}

static void TYPED(crossentropy_fwd)(const struct cf_tensor in[], struct cf_tensor out[])
{
    const REAL *x = in[0].bits, *t = in[1].bits;
    REAL *loss = out[0].bits;
    const int64_t n = in[0].dim[1];

    for (int64_t i = 0; i < in[0].dim[0]; ++i) {
        const REAL all = TYPED(log_sum)(x + i * n, n);

        loss[i] = 0;
        for (int64_t j = 0; j < n; ++j)
            loss[i] += t[i * n + j] * (all - x[i * n + j]);
    }
}

static void TYPED(crossentropy_bwd)(const struct cf_tensor in[], struct cf_tensor out[])
{
    const REAL *x = in[0].bits, *t = in[1].bits;
    REAL *dx = out[0].bits;
    const int64_t n = in[0].dim[1];

    for (int64_t i = 0; i < in[0].dim[0]; ++i) {
        const REAL all = TYPED(log_sum)(x + i * n, n);
        REAL weight = 0;

        for (int64_t j = 0; j < n; ++j)
            weight += t[i * n + j];
        for (int64_t j = 0; j < n; ++j)
            dx[i * n + j] = REAL_EXP(x[i * n + j] - all) * weight - t[i * n + j];
    }
}
#endif
