/* im2col: convolutions as products of matrices by the library's own gemm; see window.h. */
#include "blas.h"

#define RUN(way, WAY)                                                                              \
    static enum cf_status way(struct cf_library *library, const struct cf_pairs *attributes,       \
                              const struct cf_tensor in[], struct cf_tensor out[])                 \
    {                                                                                              \
        return (enum cf_status)cf_im2col(WAY, cf_kernel_find(&cf_backend_blas, "gemm", "cblas"),   \
                                         library, attributes, in, out);                            \
    }
RUN(fwd, CF_FWD)
RUN(bwd_data, CF_BWD_DATA)
RUN(bwd_filter, CF_BWD_FILTER)

#define ENTRY(way)                                                                                 \
    {                                                                                              \
        .op = "conv2d_" #way, .name = "im2col", .backend = &cf_backend_blas, .run = way            \
    }

extern const struct cf_kernel cf_kernels_blas_im2col[];
const struct cf_kernel cf_kernels_blas_im2col[] = {
    ENTRY(fwd), ENTRY(bwd_data), ENTRY(bwd_filter), {.op = NULL}};
