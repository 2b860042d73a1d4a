/* y[i] = f(x[i]), one call each.  x, y: [n], f32 by the float form. */
#include "libm.h"

static enum cf_status run(struct cf_library *library, enum cf_libm_function f,
                          const struct cf_tensor *x, struct cf_tensor *y)
{
    int64_t n = 1;

    for (int d = 0; d < x->rank; ++d)
        n *= x->dim[d];
    if (x->dtype == CF_F64 && y->dtype == CF_F64 && library->of_f64[f])
        for (int64_t i = 0; i < n; ++i)
            ((double *)y->bits)[i] = library->of_f64[f](((const double *)x->bits)[i]);
    else if (x->dtype == CF_F32 && y->dtype == CF_F32 && library->of_f32[f])
        for (int64_t i = 0; i < n; ++i)
            ((float *)y->bits)[i] = library->of_f32[f](((const float *)x->bits)[i]);
    else
        return CF_UNSUPPORTED;
    return CF_DONE;
}

#define FUNCTION(name, f)                                                                          \
    static enum cf_status name(struct cf_library *library, const struct cf_pairs *attributes,      \
                               const struct cf_tensor in[], struct cf_tensor out[])                \
    {                                                                                              \
        (void)attributes;                                                                          \
        return run(library, f, &in[0], &out[0]);                                                   \
    }

FUNCTION(run_exp, CF_EXP)
FUNCTION(run_log, CF_LOG)
FUNCTION(run_sin, CF_SIN)
FUNCTION(run_cos, CF_COS)
FUNCTION(run_tanh, CF_TANH)
FUNCTION(run_erf, CF_ERF)

#define KERNEL(word, run_op)                                                                       \
    {                                                                                              \
        .op = (word), .name = "scalar", .backend = &cf_backend_libm, .run = (run_op)               \
    }

const struct cf_kernel cf_kernels_libm_elementary[] = {KERNEL("exp", run_exp),
                                                       KERNEL("log", run_log),
                                                       KERNEL("sin", run_sin),
                                                       KERNEL("cos", run_cos),
                                                       KERNEL("tanh", run_tanh),
                                                       KERNEL("erf", run_erf),
                                                       {.op = NULL}};
