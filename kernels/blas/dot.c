/* dot: z[i] = sum over j of x[i,j] * y[i,j].  x, y: [m,n]; z: [m]. */
#include "blas.h"

#define ROWS(name, real, integer)                                                                  \
    static void name(void (*function)(void), const struct cf_tensor in[], struct cf_tensor *z)     \
    {                                                                                              \
        const int64_t m = in[0].dim[0], n = in[0].dim[1];                                          \
        const real *x = in[0].bits, *y = in[1].bits;                                               \
        real *out = z->bits;                                                                       \
                                                                                                   \
        for (int64_t i = 0; i < m; ++i)                                                            \
            out[i] = ((real(*)(integer, const real *, integer, const real *, integer))function)(   \
                (integer)n, x + i * n, 1, y + i * n, 1);                                           \
    }

ROWS(s_lp64, float, int)
ROWS(d_lp64, double, int)
ROWS(s_ilp64, float, int64_t)
ROWS(d_ilp64, double, int64_t)

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[])
{
    const enum cf_blas_symbol which = in[0].dtype == CF_F32 ? CF_SDOT : CF_DDOT;
    void (*function)(void) = library->symbol[which];

    (void)attributes;
    if (!cf_blas_fits(library, function, in, 2, out) || in[0].rank != 2 || in[1].rank != 2)
        return CF_UNSUPPORTED;
    if (which == CF_SDOT)
        (library->ilp64 ? s_ilp64 : s_lp64)(function, in, &out[0]);
    else
        (library->ilp64 ? d_ilp64 : d_lp64)(function, in, &out[0]);
    return CF_DONE;
}

extern const struct cf_kernel cf_kernels_blas_dot[];
const struct cf_kernel cf_kernels_blas_dot[] = {
    {.op = "dot", .name = "cblas", .backend = &cf_backend_blas, .run = run}, {.op = NULL}};
