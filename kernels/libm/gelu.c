/* gelu_fwd: y[i] = 0.5 x[i] (1 + erf(x[i] / sqrt(2))) with the library's erf.  x, y: [n].
 * gelu_bwd: dx[i] = dy[i] (0.5 (1 + erf(x[i] / sqrt(2))) + x[i] exp(-x[i]^2 / 2) / sqrt(2 pi)),
 * with its erf and exp.  x, dy, dx: [n]. Both in the type of x. */
#include "libm.h"

static enum cf_status forward(struct cf_library *library, const struct cf_pairs *attributes,
                              const struct cf_tensor in[], struct cf_tensor out[])
{
    const int64_t n = in[0].dim[0];
    const double *x = in[0].bits;
    const float *single = in[0].bits;

    (void)attributes;
    if (in[0].dtype == CF_F64 && library->of_f64[CF_ERF])
        for (int64_t i = 0; i < n; ++i)
            ((double *)out[0].bits)[i] =
                0.5 * x[i] * (1 + library->of_f64[CF_ERF](x[i] * 0x1.6a09e667f3bcdp-1));
    else if (in[0].dtype == CF_F32 && library->of_f32[CF_ERF])
        for (int64_t i = 0; i < n; ++i)
            ((float *)out[0].bits)[i] =
                0.5f * single[i] * (1 + library->of_f32[CF_ERF](single[i] * 0x1.6a09e6p-1f));
    else
        return CF_UNSUPPORTED;
    return CF_DONE;
}

static enum cf_status backward(struct cf_library *library, const struct cf_pairs *attributes,
                               const struct cf_tensor in[], struct cf_tensor out[])
{
    const int64_t n = in[0].dim[0];
    const double *x = in[0].bits, *dy = in[1].bits;
    const float *x1 = in[0].bits, *dy1 = in[1].bits;

    (void)attributes;
    if (in[0].dtype == CF_F64 && library->of_f64[CF_ERF] && library->of_f64[CF_EXP])
        for (int64_t i = 0; i < n; ++i) {
            const double phi = library->of_f64[CF_EXP](-0.5 * (x[i] * x[i])) * 0x1.9884533d43651p-2;
            const double erf = library->of_f64[CF_ERF](x[i] * 0x1.6a09e667f3bcdp-1);

            ((double *)out[0].bits)[i] = dy[i] * (0.5 * (1 + erf) + x[i] * phi);
        }
    else if (in[0].dtype == CF_F32 && library->of_f32[CF_ERF] && library->of_f32[CF_EXP])
        for (int64_t i = 0; i < n; ++i) {
            const float phi = library->of_f32[CF_EXP](-0.5f * (x1[i] * x1[i])) * 0x1.988454p-2f;
            const float erf = library->of_f32[CF_ERF](x1[i] * 0x1.6a09e6p-1f);

            ((float *)out[0].bits)[i] = dy1[i] * (0.5f * (1 + erf) + x1[i] * phi);
        }
    else
        return CF_UNSUPPORTED;
    return CF_DONE;
}

extern const struct cf_kernel cf_kernels_libm_gelu[];
const struct cf_kernel cf_kernels_libm_gelu[] = {
    {.op = "gelu_fwd", .name = "scalar", .backend = &cf_backend_libm, .run = forward},
    {.op = "gelu_bwd", .name = "scalar", .backend = &cf_backend_libm, .run = backward},
    {.op = NULL}};
