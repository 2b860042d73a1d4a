/* maxpool_fwd, maxpool_bwd, avgpool_fwd, avgpool_bwd: orders are those of pooling.cu. Only nchw. */
#include <string.h>

#include "cuda.h"

enum place { IMAGE, POOLED };

struct pooling {
    const char *name;
    int n_in; /* max backward reads x, dy; the others their one operand */
    enum place out, threads;
    int zero; /* the output is added to */
};

struct job {
    struct cf_library *library;
    const struct pooling *pooling;
    enum cf_dtype dtype;
    long long items[2]; /* elements of an image and of what is pooled */
    struct cf_cuda_pool p;
};

static int body(void *context, const struct cf_gpu_buffer *operand)
{
    struct job *job = context;
    const struct pooling *pooling = job->pooling;
    struct cf_cuda_pool *p = &job->p;
    int status = CF_DONE;

    p->a = cf_cuda_pointer(&operand[0]);
    p->b = cf_cuda_pointer(&operand[pooling->n_in - 1]);
    p->out = cf_cuda_pointer(&operand[pooling->n_in]);
    if (pooling->zero)
        status = cf_cuda_zero(job->library, job->dtype, p->out, job->items[pooling->out]);
    if (status != CF_DONE)
        return status;
    return cf_cuda_run(
        job->library,
        &(struct cf_cuda_launch){.name = pooling->name,
                                 .dtype = job->dtype,
                                 .grid_x = cf_cuda_blocks(job->items[pooling->threads]),
                                 .grid_y = 1},
        p);
}

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[],
                          const struct pooling *pooling)
{
    const char *divisor = cf_pairs_get(attributes, "divisor");
    const struct cf_tensor *given = &in[pooling->n_in - 1];
    const struct cf_tensor *image = pooling->out == IMAGE ? &out[0] : given;
    const struct cf_tensor *pooled = pooling->out == IMAGE ? given : &out[0];
    struct job job = {.library = library, .pooling = pooling, .dtype = out[0].dtype};
    struct cf_window g;

    if (!cf_cuda_takes(in, pooling->n_in, &out[0]) ||
        cf_window_read_pool(&g, attributes, image, pooled) != CF_DONE || g.nhwc)
        return CF_UNSUPPORTED;
    job.items[IMAGE] = cf_tensor_count(image);
    job.items[POOLED] = cf_tensor_count(pooled);
    job.p.whole = divisor && strcmp(divisor, "window") == 0;
    job.p.g = cf_cuda_window_of(&g);
    return (enum cf_status)cf_gpu_call(&library->gpu, in, pooling->n_in, out, 1, body, &job);
}

#define POOLING(op, name, suffix, n_in, out_, threads, zero)                                       \
    static enum cf_status run_##op##_##name(struct cf_library *library,                            \
                                            const struct cf_pairs *attributes,                     \
                                            const struct cf_tensor in[], struct cf_tensor out[])   \
    {                                                                                              \
        static const struct pooling pooling = {"cf_cuda_" #op suffix, n_in, out_, threads, zero};  \
                                                                                                   \
        return run(library, attributes, in, out, &pooling);                                        \
    }
POOLING(maxpool_fwd, forward, "", 1, POOLED, POOLED, 0)
POOLING(maxpool_bwd, forward, "", 2, IMAGE, IMAGE, 0)
POOLING(maxpool_bwd, atomic, "_atomic", 2, IMAGE, POOLED, 1)
POOLING(avgpool_fwd, forward, "", 1, POOLED, POOLED, 0)
POOLING(avgpool_bwd, forward, "", 1, IMAGE, IMAGE, 0)
POOLING(avgpool_bwd, atomic, "_atomic", 1, IMAGE, POOLED, 1)

#define ENTRY(op_, name_)                                                                          \
    {                                                                                              \
        .op = #op_, .name = #name_, .backend = &cf_backend_cuda, .run = run_##op_##_##name_        \
    }

extern const struct cf_kernel cf_kernels_cuda_pooling[];
const struct cf_kernel cf_kernels_cuda_pooling[] = {ENTRY(maxpool_fwd, forward),
                                                    ENTRY(maxpool_bwd, forward),
                                                    ENTRY(maxpool_bwd, atomic),
                                                    ENTRY(avgpool_fwd, forward),
                                                    ENTRY(avgpool_bwd, forward),
                                                    ENTRY(avgpool_bwd, atomic),
                                                    {.op = NULL}};
