/* im2col: convolutions as products of matrices by the gemm of each type; see window.h. */
#include "model.h"

#define RUN(way, WAY, type)                                                                        \
    static enum cf_status way##_##type(struct cf_library *library,                                 \
                                       const struct cf_pairs *attributes,                          \
                                       const struct cf_tensor in[], struct cf_tensor out[])        \
    {                                                                                              \
        return (enum cf_status)cf_im2col(WAY, cf_kernel_find(&cf_backend_model, "gemm", #type),    \
                                         library, attributes, in, out);                            \
    }
#define RUNS(type, TYPE)                                                                           \
    RUN(fwd, CF_FWD, type)                                                                         \
    RUN(bwd_data, CF_BWD_DATA, type)                                                               \
    RUN(bwd_filter, CF_BWD_FILTER, type)
CF_MODEL_TYPES(RUNS)

#define ENTRY(way, type)                                                                           \
    {                                                                                              \
        .op = "conv2d_" #way, .name = #type, .backend = &cf_backend_model, .run = way##_##type     \
    }
#define ENTRIES(type, TYPE) ENTRY(fwd, type), ENTRY(bwd_data, type), ENTRY(bwd_filter, type),

extern const struct cf_kernel cf_kernels_model_im2col[];
const struct cf_kernel cf_kernels_model_im2col[] = {CF_MODEL_TYPES(ENTRIES){.op = NULL}};
