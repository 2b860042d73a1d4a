/* The kernels for the host, and their names. A test compares the names with those of the module. */
#include "kernels.cu"

#define BOTH(name)                                                                                 \
    {#name "_f32", name##_f32},                                                                    \
    {                                                                                              \
#name "_f64", name##_f64                                                                   \
    }

#define ONE(name)                                                                                  \
    {                                                                                              \
#name, name                                                                                \
    }

#define ALL(name)                                                                                  \
    BOTH(name), {#name "_f16", name##_f16},                                                        \
    {                                                                                              \
#name "_bf16", name##_bf16                                                                 \
    }

static const struct {
    const char *name;
    cf_grid_entry *entry;
} kernels[] = {
    BOTH(cf_cuda_relu_fwd),
    BOTH(cf_cuda_relu_bwd),
    BOTH(cf_cuda_bias_fwd),
    BOTH(cf_cuda_bias_bwd),
    BOTH(cf_cuda_bias_bwd_atomic),
    BOTH(cf_cuda_softmax_fwd),
    BOTH(cf_cuda_softmax_bwd),
    BOTH(cf_cuda_crossentropy_fwd),
    BOTH(cf_cuda_crossentropy_bwd),
    BOTH(cf_cuda_gelu_fwd),
    BOTH(cf_cuda_embedding_bwd),
    BOTH(cf_cuda_embedding_bwd_atomic),
    ALL(cf_cuda_serial),
    ALL(cf_cuda_tiled),
    ALL(cf_cuda_split),
    ALL(cf_cuda_split_end),
    ALL(cf_cuda_split_atomic),
    ALL(cf_cuda_tree),
    ALL(cf_cuda_tree_end),
    ALL(cf_cuda_shuffle),
    ALL(cf_cuda_shuffle_end),
    ALL(cf_cuda_last),
    ALL(cf_cuda_grid),
    ALL(cf_cuda_atomic),
    ALL(cf_cuda_atomic_double),
    ALL(cf_cuda_atomic_double_end),
    ALL(cf_cuda_fixed_range),
    ALL(cf_cuda_fixed),
    ALL(cf_cuda_fixed_end),
    ALL(cf_cuda_zero),
    BOTH(cf_cuda_wide),
    BOTH(cf_cuda_burn),
    ALL(cf_cuda_window_fwd),
    ALL(cf_cuda_window_bwd_data),
    ALL(cf_cuda_window_bwd_filter),
    ALL(cf_cuda_window_bwd_filter_atomic),
    ALL(cf_cuda_window_bwd_data_atomic),
    ALL(cf_cuda_lay),
    BOTH(cf_cuda_maxpool_fwd),
    BOTH(cf_cuda_maxpool_bwd),
    BOTH(cf_cuda_maxpool_bwd_atomic),
    BOTH(cf_cuda_avgpool_fwd),
    BOTH(cf_cuda_avgpool_bwd),
    BOTH(cf_cuda_avgpool_bwd_atomic),
    BOTH(cf_cuda_norm_statistics),
    BOTH(cf_cuda_norm_fwd),
    BOTH(cf_cuda_norm_sums),
    BOTH(cf_cuda_norm_sums_atomic),
    BOTH(cf_cuda_norm_bwd),
    BOTH(cf_cuda_norm_parameters),
    BOTH(cf_cuda_norm_parameters_atomic),
    ONE(cf_cuda_mma_f16_f32),
    ONE(cf_cuda_mma_bf16_f32),
    ONE(cf_cuda_mma_tf32_f32),
    ONE(cf_cuda_mma_e4m3_f32),
    ONE(cf_cuda_mma_e5m2_f32),
    ONE(cf_cuda_mma_f16_f16),
    ONE(cf_cuda_mma_f64),
};

cf_grid_entry *cf_grid_find(const char *name)
{
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; ++i)
        if (strcmp(kernels[i].name, name) == 0)
            return kernels[i].entry;
    return NULL;
}
