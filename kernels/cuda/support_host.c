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
    BOTH(cf_cuda_serial),
    BOTH(cf_cuda_tiled),
    BOTH(cf_cuda_split),
    BOTH(cf_cuda_split_end),
    BOTH(cf_cuda_split_atomic),
    BOTH(cf_cuda_tree),
    BOTH(cf_cuda_tree_end),
    BOTH(cf_cuda_shuffle),
    BOTH(cf_cuda_shuffle_end),
    BOTH(cf_cuda_last),
    BOTH(cf_cuda_grid),
    BOTH(cf_cuda_atomic),
    BOTH(cf_cuda_atomic_double),
    BOTH(cf_cuda_atomic_double_end),
    BOTH(cf_cuda_fixed_range),
    BOTH(cf_cuda_fixed),
    BOTH(cf_cuda_fixed_end),
    BOTH(cf_cuda_zero),
    BOTH(cf_cuda_window_fwd),
    BOTH(cf_cuda_window_bwd_data),
    BOTH(cf_cuda_window_bwd_filter),
    BOTH(cf_cuda_window_bwd_filter_atomic),
    BOTH(cf_cuda_window_bwd_data_atomic),
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
