/* im2col: convolutions as products of matrices, by the gemm of each order of this backend. */
#include "plain.h"

#define RUN(way, WAY, order)                                                                       \
    static enum cf_status way##_##order(struct cf_library *library,                                \
                                        const struct cf_pairs *attributes,                         \
                                        const struct cf_tensor in[], struct cf_tensor out[])       \
    {                                                                                              \
        return (enum cf_status)cf_im2col(WAY, cf_kernel_find(&cf_backend_plain, "gemm", #order),   \
                                         library, attributes, in, out);                            \
    }
#define RUNS(order)                                                                                \
    RUN(fwd, CF_FWD, order)                                                                        \
    RUN(bwd_data, CF_BWD_DATA, order)                                                              \
    RUN(bwd_filter, CF_BWD_FILTER, order)
RUNS(forward)
RUNS(reverse)
RUNS(pairwise)
RUNS(lanes8)
RUNS(kahan)
RUNS(fma)

#define ENTRY(way, order)                                                                          \
    {                                                                                              \
        .op = "conv2d_" #way, .name = "im2col-" #order, .backend = &cf_backend_plain,              \
        .run = way##_##order                                                                       \
    }
#define ENTRIES(order) ENTRY(fwd, order), ENTRY(bwd_data, order), ENTRY(bwd_filter, order)

extern const struct cf_kernel cf_kernels_plain_im2col[];
const struct cf_kernel cf_kernels_plain_im2col[] = {
    ENTRIES(forward), ENTRIES(reverse), ENTRIES(pairwise), ENTRIES(lanes8),
    ENTRIES(kahan),   ENTRIES(fma),     {.op = NULL}};
