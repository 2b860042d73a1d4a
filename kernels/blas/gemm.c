/* gemm: c[i,j] = sum over l of a[i,l] * b[l,j].  a: [m,k]; b: [k,n]; c: [m,n]. */
#include "blas.h"

enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111 };

#define LEADING(dim) ((dim) > 0 ? (dim) : 1) /* the standard asks for at least 1 */

#define GEMM(name, real, integer)                                                                  \
    static void name(void (*function)(void), const struct cf_tensor in[], struct cf_tensor *out)   \
    {                                                                                              \
        const integer m = (integer)in[0].dim[0], k = (integer)in[0].dim[1];                        \
        const integer n = (integer)in[1].dim[1];                                                   \
        void (*gemm)(int, int, int, integer, integer, integer, real, const real *, integer,        \
                     const real *, integer, real, real *, integer) =                               \
            (void (*)(int, int, int, integer, integer, integer, real, const real *, integer,       \
                      const real *, integer, real, real *, integer))function;                      \
                                                                                                   \
        gemm(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, m, n, k, 1, in[0].bits, LEADING(k),            \
             in[1].bits, n, 0, out->bits, n);                                                      \
    }

GEMM(s_lp64, float, int)
GEMM(d_lp64, double, int)
GEMM(s_ilp64, float, int64_t)
GEMM(d_ilp64, double, int64_t)

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[])
{
    const enum cf_blas_symbol which = in[0].dtype == CF_F32 ? CF_SGEMM : CF_DGEMM;
    void (*function)(void) = library->symbol[which];

    (void)attributes;
    if (!cf_blas_fits(library, function, in, 2, out) || in[0].rank != 2 || in[1].rank != 2)
        return CF_UNSUPPORTED;
    if (cf_tensor_count(&out[0]) == 0)
        return CF_DONE;
    if (which == CF_SGEMM)
        (library->ilp64 ? s_ilp64 : s_lp64)(function, in, &out[0]);
    else
        (library->ilp64 ? d_ilp64 : d_lp64)(function, in, &out[0]);
    return CF_DONE;
}

extern const struct cf_kernel cf_kernels_blas_gemm[];
const struct cf_kernel cf_kernels_blas_gemm[] = {
    {.op = "gemm", .name = "cblas", .backend = &cf_backend_blas, .run = run}, {.op = NULL}};
