/* nrm2: y[i] = sqrt(sum over j of x[i,j]^2).  x: [m,n]; y: [m]. */
#include "blas.h"

#define ROWS(name, real, integer)                                                                  \
    static void name(void (*function)(void), const struct cf_tensor *x, struct cf_tensor *y)       \
    {                                                                                              \
        const int64_t m = x->dim[0], n = x->dim[1];                                                \
        const real *in = x->bits;                                                                  \
        real *out = y->bits;                                                                       \
                                                                                                   \
        for (int64_t i = 0; i < m; ++i)                                                            \
            out[i] =                                                                               \
                ((real(*)(integer, const real *, integer))function)((integer)n, in + i * n, 1);    \
    }

ROWS(s_lp64, float, int)
ROWS(d_lp64, double, int)
ROWS(s_ilp64, float, int64_t)
ROWS(d_ilp64, double, int64_t)

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[])
{
    const enum cf_blas_symbol which = in[0].dtype == CF_F32 ? CF_SNRM2 : CF_DNRM2;
    void (*function)(void) = library->symbol[which];

    (void)attributes;
    if (!cf_blas_fits(library, function, in, 1, out) || in[0].rank != 2)
        return CF_UNSUPPORTED;
    if (which == CF_SNRM2)
        (library->ilp64 ? s_ilp64 : s_lp64)(function, &in[0], &out[0]);
    else
        (library->ilp64 ? d_ilp64 : d_lp64)(function, &in[0], &out[0]);
    return CF_DONE;
}

extern const struct cf_kernel cf_kernels_blas_nrm2[];
const struct cf_kernel cf_kernels_blas_nrm2[] = {
    {.op = "nrm2", .name = "cblas", .backend = &cf_backend_blas, .run = run}, {.op = NULL}};
