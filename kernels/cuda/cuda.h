/* cuda: our own kernels in the orders that GPUs use (reduce.cu, matrix.cu, window.cu, pooling.cu,
 * norms.cu, layers.cu), on a device or, device=cpu, on the host by the scheduler of grid.h.
 *
 * Kernel names are order[-variant]. Variants: none: every step rounded once (--fmad=false); fma:
 * products and sums contracted (--fmad=true); fast: --use_fast_math, a subject that promises no
 * bits: subnormals are flushed, quotients and exponentials approximate; on a device only.
 *
 * Keys: device= a GPU (default 0) or cpu; flags=shuffled, for device=cpu: warps, lanes and blocks
 * take turns in an order that is drawn anew for each launch, as on a busy device; flags=graph, for
 * a device: each launch is captured into a graph of its own, which is replayed; lib= libcudart, for
 * CUB's kernels only. */
#ifndef CF_CUDA_H
#define CF_CUDA_H

#include "grid.h"
#include "kernel.h"
#include "parameters.h"

extern const struct cf_backend cf_backend_cuda;

enum cf_cuda_variant { CF_CUDA_PLAIN, CF_CUDA_FMA, CF_CUDA_FAST, CF_CUDA_N_VARIANTS };

/* The modules as nvcc made them (a fatbin: sm_90 code and PTX); n_bytes 0: built without nvcc. */
struct cf_cuda_image {
    const void *bytes;
    size_t n_bytes;
};
struct cf_cuda_image cf_cuda_image(enum cf_cuda_variant variant);

struct cf_library {
    struct cf_gpu gpu;
    int on_host, shuffled, graph;
    void *module[CF_CUDA_N_VARIANTS]; /* loaded at first use */
    void *cudart, *cub;               /* dlopen's; NULL until CUB is asked for */
    char cudart_path[256];
};

struct cf_cuda_launch {
    const char *name; /* without the type's suffix: "cf_cuda_tree" */
    enum cf_cuda_variant variant;
    enum cf_dtype dtype;
    long long grid_x, grid_y;
    int shared_bytes, cooperative;
};

/* Runs one kernel with CF_CUDA_THREADS threads a block and its one struct of parameters; returns an
 * enum cf_status; CF_UNSUPPORTED for the variant fast on the host. An empty grid is CF_DONE. */
int cf_cuda_run(struct cf_library *library, const struct cf_cuda_launch *launch,
                const void *parameters);

/* Blocks for one thread an item. */
static inline long long cf_cuda_blocks(long long items)
{
    return (items + CF_CUDA_THREADS - 1) / CF_CUDA_THREADS;
}

static inline void *cf_cuda_pointer(const struct cf_gpu_buffer *buffer)
{
    return (void *)(uintptr_t)buffer->data;
}

/* Memory of the device for the time of a call, filled with zero bytes. Returns an enum cf_status.
 */
int cf_cuda_scratch(struct cf_library *library, struct cf_gpu_buffer *buffer, size_t n_bytes);

static inline struct cf_cuda_window cf_cuda_window_of(const struct cf_window *g)
{
    return (struct cf_cuda_window){.n = g->n,
                                   .c = g->c,
                                   .h = g->h,
                                   .width = g->w,
                                   .k = g->k,
                                   .r = g->r,
                                   .s = g->s,
                                   .p = g->p,
                                   .q = g->q,
                                   .stride = g->stride,
                                   .pad = g->pad,
                                   .dilation = g->dilation,
                                   .groups = g->groups,
                                   .nhwc = g->nhwc};
}

/* An element's type is f32 or f64, and the same everywhere. */
static inline int cf_cuda_takes(const struct cf_tensor in[], int n_in, const struct cf_tensor *out)
{
    for (int i = 0; i < n_in; ++i)
        if (in[i].dtype != out->dtype)
            return 0;
    return out->dtype == CF_F32 || out->dtype == CF_F64;
}

/* The same, or f16 or bf16: computed in float. */
static inline int cf_cuda_takes_narrow(const struct cf_tensor in[], int n_in,
                                       const struct cf_tensor *out)
{
    for (int i = 0; i < n_in; ++i)
        if (in[i].dtype != out->dtype)
            return 0;
    return cf_cuda_takes(in, 0, out) || out->dtype == CF_F16 || out->dtype == CF_BF16;
}

/* A reduction of rows that are on the device already: what the kernels of reduce.c do between
 * upload and download, in steps, so that a benchmark can time one of them. */
struct cf_cuda_sums {
    struct cf_library *library;
    int order; /* of cf_cuda_order */
    enum cf_cuda_variant variant;
    enum cf_dtype dtype;
    long long m;
    struct cf_cuda_reduce p; /* x, y, out, n and op are given; the rest is set */
    struct cf_gpu_buffer scratch[4];
};

/* The order of a kernel's name ("tree", "wide"), or -1. */
int cf_cuda_order(const char *name);
/* These answer an enum cf_status. begin takes scratch memory, also to be given back after a
 * failure; launch starts the kernels and waits for nothing; again makes ready for another launch.
 */
int cf_cuda_sums_begin(struct cf_cuda_sums *sums);
int cf_cuda_sums_launch(struct cf_cuda_sums *sums);
int cf_cuda_sums_again(struct cf_cuda_sums *sums);
void cf_cuda_sums_end(struct cf_cuda_sums *sums);

/* Fills `sum` with zeros by the module's own kernel; see cf_cuda_zero. */
int cf_cuda_zero(struct cf_library *library, enum cf_dtype dtype, void *sum, long long n);

#endif
