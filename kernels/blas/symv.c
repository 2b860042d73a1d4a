/* symv: y[i] = sum over j of s[i,j] * x[j], s symmetric, of which the lower half of a [n,n] is
 * read; x, y: [n]. */
#include "blas.h"

enum { ROW_MAJOR = 101, LOWER = 122 };

#define SYMV(name, real, integer)                                                                  \
    static void name(void (*function)(void), const struct cf_tensor in[], struct cf_tensor *out)   \
    {                                                                                              \
        const integer n = (integer)in[0].dim[0];                                                   \
        void (*symv)(int, int, integer, real, const real *, integer, const real *, integer, real,  \
                     real *, integer) =                                                            \
            (void (*)(int, int, integer, real, const real *, integer, const real *, integer, real, \
                      real *, integer))function;                                                   \
                                                                                                   \
        symv(ROW_MAJOR, LOWER, n, 1, in[0].bits, n, in[1].bits, 1, 0, out->bits, 1);               \
    }

SYMV(s_lp64, float, int)
SYMV(d_lp64, double, int)
SYMV(s_ilp64, float, int64_t)
SYMV(d_ilp64, double, int64_t)

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[])
{
    const enum cf_blas_symbol which = in[0].dtype == CF_F32 ? CF_SSYMV : CF_DSYMV;
    void (*function)(void) = library->symbol[which];

    (void)attributes;
    if (!cf_blas_fits(library, function, in, 2, out) || in[0].rank != 2 || in[1].rank != 1 ||
        in[0].dim[1] != in[0].dim[0])
        return CF_UNSUPPORTED;
    if (in[0].dim[0] == 0)
        return CF_DONE;
    if (which == CF_SSYMV)
        (library->ilp64 ? s_ilp64 : s_lp64)(function, in, &out[0]);
    else
        (library->ilp64 ? d_ilp64 : d_lp64)(function, in, &out[0]);
    return CF_DONE;
}

extern const struct cf_kernel cf_kernels_blas_symv[];
const struct cf_kernel cf_kernels_blas_symv[] = {
    {.op = "symv", .name = "cblas", .backend = &cf_backend_blas, .run = run}, {.op = NULL}};
