/* symv: y = s x, s symmetric, of which the lower half of a [n,n] is read: s[i,j] = a[max, min].
 * Kernels:
 *   forward  ((0 + s[i,0] x[0]) + s[i,1] x[1]) + ...: row by row, as forward does a gemv of s
 *   columns  column by column, each element of a read once, as the reference BLAS does (dsymv.f,
 *            uplo = L): y[i] = ((0 + s[i,0] x[0]) + ... + s[i,i] x[i]) + (0 + s[i+1,i] x[i+1] +
 * ...) */
#ifndef REAL
#define TYPED_FILE "symv.c"
#include "plain.h"

static int takes(const struct cf_tensor in[], const struct cf_tensor *out)
{
    const struct cf_tensor *a = &in[0], *x = &in[1];

    return (a->dtype == CF_F32 || a->dtype == CF_F64) && x->dtype == a->dtype &&
           out->dtype == a->dtype && a->rank == 2 && x->rank == 1 && out->rank == 1 &&
           a->dim[1] == a->dim[0] && x->dim[0] == a->dim[0] && out->dim[0] == a->dim[0];
}

#define RUN(name)                                                                                  \
    static enum cf_status run_##name(struct cf_library *library,                                   \
                                     const struct cf_pairs *attributes,                            \
                                     const struct cf_tensor in[], struct cf_tensor out[])          \
    {                                                                                              \
        (void)library;                                                                             \
        (void)attributes;                                                                          \
        if (!takes(in, &out[0]))                                                                   \
            return CF_UNSUPPORTED;                                                                 \
        if (in[0].dtype == CF_F64)                                                                 \
            name##_f64(in[0].bits, in[1].bits, out[0].bits, in[0].dim[0]);                         \
        else                                                                                       \
            name##_f32(in[0].bits, in[1].bits, out[0].bits, in[0].dim[0]);                         \
        return CF_DONE;                                                                            \
    }
RUN(forward)
RUN(columns)

extern const struct cf_kernel cf_kernels_plain_symv[];
const struct cf_kernel cf_kernels_plain_symv[] = {
    {.op = "symv", .name = "forward", .backend = &cf_backend_plain, .run = run_forward},
    {.op = "symv", .name = "columns", .backend = &cf_backend_plain, .run = run_columns},
    {.op = NULL}};
#else

static void TYPED(forward)(const REAL *a, const REAL *x, REAL *y, int64_t n)
{
    for (int64_t i = 0; i < n; ++i) {
        REAL sum = 0;

        for (int64_t j = 0; j <= i; ++j)
            sum += a[i * n + j] * x[j];
        for (int64_t j = i + 1; j < n; ++j)
            sum += a[j * n + i] * x[j];
        y[i] = sum;
    }
}

static void TYPED(columns)(const REAL *a, const REAL *x, REAL *y, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        y[i] = 0;
    for (int64_t j = 0; j < n; ++j) {
        REAL below = 0;

        y[j] += x[j] * a[j * n + j];
        for (int64_t i = j + 1; i < n; ++i) {
            y[i] += x[j] * a[i * n + j];
            below += a[i * n + j] * x[i];
        }
        y[j] += below;
    }
}
#endif
