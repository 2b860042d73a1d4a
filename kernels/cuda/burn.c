/* chain: x [n], t [256] -> out [passes, n]; see kernels/vector/vector.h. The op `chain_where` is
 * the same with a second output, i32 [blocks]: the multiprocessor that each block of
 * CF_CUDA_THREADS elements ran on. It has no reference, for it has no one right answer: `conform
 * qualify` asks it. On the host there are no multiprocessors, and the numbers mean nothing. */
#include "cuda.h"

struct job {
    struct cf_library *library;
    enum cf_dtype dtype;
    struct cf_cuda_burn p;
    int where; /* is the second output wanted? */
};

static int body(void *context, const struct cf_gpu_buffer *operand)
{
    struct job *job = context;

    job->p.x = cf_cuda_pointer(&operand[0]);
    job->p.t = cf_cuda_pointer(&operand[1]);
    job->p.out = cf_cuda_pointer(&operand[2]);
    job->p.processor = job->where ? cf_cuda_pointer(&operand[3]) : NULL;
    return cf_cuda_run(job->library,
                       &(struct cf_cuda_launch){.name = "cf_cuda_burn",
                                                .dtype = job->dtype,
                                                .grid_x = cf_cuda_blocks(job->p.n),
                                                .grid_y = 1},
                       &job->p);
}

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[], int where)
{
    const int64_t n = in[0].dim[0], passes = out[0].dim[0];
    struct job job = {.library = library,
                      .dtype = in[0].dtype,
                      .p = {.n = n,
                            .rounds = cf_attribute(attributes, "rounds", 1),
                            .passes = passes,
                            .fused = cf_attribute(attributes, "fused", 1) != 0},
                      .where = where};

    if (!cf_cuda_takes(in, 2, &out[0]) || in[0].rank != 1 || in[1].rank != 1 ||
        in[1].dim[0] != 256 || out[0].rank != 2 || out[0].dim[1] != n ||
        (where &&
         (out[1].dtype != CF_I32 || out[1].rank != 1 || out[1].dim[0] != cf_cuda_blocks(n))))
        return CF_UNSUPPORTED;
    return (enum cf_status)cf_gpu_call(&library->gpu, in, 2, out, 1 + where, body, &job);
}

static enum cf_status burn(struct cf_library *library, const struct cf_pairs *attributes,
                           const struct cf_tensor in[], struct cf_tensor out[])
{
    return run(library, attributes, in, out, 0);
}

static enum cf_status burn_where(struct cf_library *library, const struct cf_pairs *attributes,
                                 const struct cf_tensor in[], struct cf_tensor out[])
{
    return run(library, attributes, in, out, 1);
}

extern const struct cf_kernel cf_kernels_cuda_burn[];
const struct cf_kernel cf_kernels_cuda_burn[] = {
    {.op = "chain", .name = "burn", .backend = &cf_backend_cuda, .run = burn},
    {.op = "chain_where", .name = "burn", .backend = &cf_backend_cuda, .run = burn_where},
    {.op = NULL}};
