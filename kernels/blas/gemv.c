/* gemv: y[i] = sum over j of a[i,j] * x[j].  a: [m,n]; x: [n]; y: [m]. Without columns a gemv may
 * return at once and leave y alone (reference BLAS: "quick return"); y is zero there by definition.
 */
#include "blas.h"

#include <string.h>

enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111 };

#define GEMV(name, real, integer)                                                                  \
    static void name(void (*function)(void), const struct cf_tensor in[], struct cf_tensor *out)   \
    {                                                                                              \
        const integer m = (integer)in[0].dim[0], n = (integer)in[0].dim[1];                        \
        void (*gemv)(int, int, integer, integer, real, const real *, integer, const real *,        \
                     integer, real, real *, integer) =                                             \
            (void (*)(int, int, integer, integer, real, const real *, integer, const real *,       \
                      integer, real, real *, integer))function;                                    \
                                                                                                   \
        gemv(ROW_MAJOR, NO_TRANSPOSE, m, n, 1, in[0].bits, n, in[1].bits, 1, 0, out->bits, 1);     \
    }

GEMV(s_lp64, float, int)
GEMV(d_lp64, double, int)
GEMV(s_ilp64, float, int64_t)
GEMV(d_ilp64, double, int64_t)

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[])
{
    const enum cf_blas_symbol which = in[0].dtype == CF_F32 ? CF_SGEMV : CF_DGEMV;
    void (*function)(void) = library->symbol[which];

    (void)attributes;
    if (!cf_blas_fits(library, function, in, 2, out) || in[0].rank != 2 || in[1].rank != 1)
        return CF_UNSUPPORTED;
    if (in[0].dim[0] == 0 || in[0].dim[1] == 0)
        memset(out[0].bits, 0, cf_tensor_bytes(&out[0]));
    else if (which == CF_SGEMV)
        (library->ilp64 ? s_ilp64 : s_lp64)(function, in, &out[0]);
    else
        (library->ilp64 ? d_ilp64 : d_lp64)(function, in, &out[0]);
    return CF_DONE;
}

extern const struct cf_kernel cf_kernels_blas_gemv[];
const struct cf_kernel cf_kernels_blas_gemv[] = {
    {.op = "gemv", .name = "cblas", .backend = &cf_backend_blas, .run = run}, {.op = NULL}};
