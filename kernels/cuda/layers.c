/* The layers of training steps; formulas and orders are those of layers.cu. Only nchw. allreduce
 * (x [parts,n] -> [n]) is bias_bwd of images of one pixel. */
#include <string.h>

#include "cuda.h"

/* One thread an element, a row or a channel. */
enum per { ELEMENT, ROW, CHANNEL };

struct layer {
    const char *name;
    int n_in, zero; /* zero: the output is added to */
    enum per per;
    enum cf_cuda_variant variant;
};

struct job {
    struct cf_library *library;
    const struct layer *layer;
    enum cf_dtype dtype;
    struct cf_cuda_layer p;
};

static int body(void *context, const struct cf_gpu_buffer *operand)
{
    struct job *job = context;
    const struct layer *layer = job->layer;
    struct cf_cuda_layer *p = &job->p;
    const long long items = layer->per == ROW       ? p->rows
                            : layer->per == CHANNEL ? p->columns
                                                    : p->rows * p->columns * p->plane;
    int status = CF_DONE;

    p->a = cf_cuda_pointer(&operand[0]);
    p->b = layer->n_in > 1 ? cf_cuda_pointer(&operand[1]) : NULL;
    p->y = cf_cuda_pointer(&operand[layer->n_in]);
    if (layer->zero)
        status = cf_cuda_zero(job->library, job->dtype, p->y, p->columns);
    if (status != CF_DONE)
        return status;
    return cf_cuda_run(job->library,
                       &(struct cf_cuda_launch){.name = layer->name,
                                                .variant = layer->variant,
                                                .dtype = job->dtype,
                                                .grid_x = cf_cuda_blocks(items),
                                                .grid_y = 1},
                       p);
}

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[],
                          const struct layer *layer)
{
    const char *layout = cf_pairs_get(attributes, "layout");
    struct job job = {.library = library, .layer = layer, .dtype = in[0].dtype};

    if (!cf_cuda_takes(in, layer->n_in, &out[0]) || in[0].rank < 1 ||
        (layout && strcmp(layout, "nchw") != 0))
        return CF_UNSUPPORTED;
    job.p.rows = in[0].rank > 1 ? in[0].dim[0] : 1;
    job.p.columns = in[0].rank > 1 ? in[0].dim[1] : in[0].dim[0];
    job.p.plane = in[0].rank == 4 ? in[0].dim[2] * in[0].dim[3] : 1;
    if (layer->per == ROW && (in[0].rank != 2 || job.p.columns < 1))
        return CF_UNSUPPORTED;
    if (job.p.plane < 1)
        job.p.plane = 1;
    if (cf_tensor_count(&in[0]) == 0 && layer->per == ELEMENT && !layer->zero)
        return CF_DONE;
    return (enum cf_status)cf_gpu_call(&library->gpu, in, layer->n_in, out, 1, body, &job);
}

#define LAYER(op, name, suffix, n_in, zero, per, VARIANT)                                          \
    NAMED(op, name, "cf_cuda_" #op suffix, n_in, zero, per, VARIANT)
#define NAMED(op, name, kernel, n_in, zero, per, VARIANT)                                          \
    static enum cf_status run_##op##_##name(struct cf_library *library,                            \
                                            const struct cf_pairs *attributes,                     \
                                            const struct cf_tensor in[], struct cf_tensor out[])   \
    {                                                                                              \
        static const struct layer layer = {kernel, n_in, zero, per, VARIANT};                      \
                                                                                                   \
        return run(library, attributes, in, out, &layer);                                          \
    }
LAYER(relu_fwd, forward, "", 1, 0, ELEMENT, CF_CUDA_PLAIN)
LAYER(relu_bwd, forward, "", 2, 0, ELEMENT, CF_CUDA_PLAIN)
LAYER(bias_fwd, forward, "", 2, 0, ELEMENT, CF_CUDA_PLAIN)
LAYER(bias_bwd, forward, "", 1, 0, CHANNEL, CF_CUDA_PLAIN)
LAYER(bias_bwd, atomic, "_atomic", 1, 1, ELEMENT, CF_CUDA_PLAIN)
NAMED(allreduce, forward, "cf_cuda_bias_bwd", 1, 0, CHANNEL, CF_CUDA_PLAIN)
NAMED(allreduce, atomic, "cf_cuda_bias_bwd_atomic", 1, 1, ELEMENT, CF_CUDA_PLAIN)
LAYER(gelu_fwd, forward, "", 1, 0, ELEMENT, CF_CUDA_PLAIN)
LAYER(softmax_fwd, forward, "", 1, 0, ROW, CF_CUDA_PLAIN)
LAYER(softmax_bwd, forward, "", 2, 0, ROW, CF_CUDA_PLAIN)
LAYER(crossentropy_fwd, forward, "", 2, 0, ROW, CF_CUDA_PLAIN)
LAYER(crossentropy_bwd, forward, "", 2, 0, ROW, CF_CUDA_PLAIN)
LAYER(softmax_fwd, fast, "", 1, 0, ROW, CF_CUDA_FAST)
LAYER(softmax_bwd, fast, "", 2, 0, ROW, CF_CUDA_FAST)
LAYER(crossentropy_fwd, fast, "", 2, 0, ROW, CF_CUDA_FAST)
LAYER(crossentropy_bwd, fast, "", 2, 0, ROW, CF_CUDA_FAST)

#define ENTRY(op_, name_)                                                                          \
    {                                                                                              \
        .op = #op_, .name = #name_, .backend = &cf_backend_cuda, .run = run_##op_##_##name_        \
    }

extern const struct cf_kernel cf_kernels_cuda_layers[];
const struct cf_kernel cf_kernels_cuda_layers[] = {ENTRY(relu_fwd, forward),
                                                   ENTRY(relu_bwd, forward),
                                                   ENTRY(bias_fwd, forward),
                                                   ENTRY(bias_bwd, forward),
                                                   ENTRY(bias_bwd, atomic),
                                                   ENTRY(allreduce, forward),
                                                   ENTRY(allreduce, atomic),
                                                   ENTRY(gelu_fwd, forward),
                                                   ENTRY(softmax_fwd, forward),
                                                   ENTRY(softmax_bwd, forward),
                                                   ENTRY(crossentropy_fwd, forward),
                                                   ENTRY(crossentropy_bwd, forward),
                                                   ENTRY(softmax_fwd, fast),
                                                   ENTRY(softmax_bwd, fast),
                                                   ENTRY(crossentropy_fwd, fast),
                                                   ENTRY(crossentropy_bwd, fast),
                                                   {.op = NULL}};
