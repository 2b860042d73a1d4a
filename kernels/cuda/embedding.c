/* embedding_bwd: tokens [n], dy [n,c] -> de [v,c]; orders are those of embedding.cu. A token that
 * is none of 0 .. v - 1 is left out. */
#include "cuda.h"

struct job {
    struct cf_library *library;
    int atomic;
    enum cf_dtype dtype;
    struct cf_cuda_layer p;
};

static int body(void *context, const struct cf_gpu_buffer *operand)
{
    struct job *job = context;
    struct cf_cuda_layer *p = &job->p;
    int status = CF_DONE;

    p->a = cf_cuda_pointer(&operand[0]);
    p->b = cf_cuda_pointer(&operand[1]);
    p->y = cf_cuda_pointer(&operand[2]);
    if (job->atomic)
        status = cf_cuda_zero(job->library, job->dtype, p->y, p->plane * p->columns);
    if (status != CF_DONE)
        return status;
    return cf_cuda_run(
        job->library,
        &(struct cf_cuda_launch){
            .name = job->atomic ? "cf_cuda_embedding_bwd_atomic" : "cf_cuda_embedding_bwd",
            .dtype = job->dtype,
            .grid_x = cf_cuda_blocks((job->atomic ? p->rows : p->plane) * p->columns),
            .grid_y = 1},
        p);
}

static enum cf_status run(struct cf_library *library, const struct cf_tensor in[],
                          struct cf_tensor out[], int atomic)
{
    struct job job = {.library = library, .atomic = atomic, .dtype = in[0].dtype};

    if (!cf_cuda_takes(in, 2, &out[0]) || in[0].rank != 1 || in[1].rank != 2 || out[0].rank != 2 ||
        in[1].dim[0] != in[0].dim[0] || out[0].dim[1] != in[1].dim[1])
        return CF_UNSUPPORTED;
    job.p.rows = in[1].dim[0];
    job.p.columns = in[1].dim[1];
    job.p.plane = out[0].dim[0];
    return (enum cf_status)cf_gpu_call(&library->gpu, in, 2, out, 1, body, &job);
}

#define RUN(name, ATOMIC)                                                                          \
    static enum cf_status run_##name(struct cf_library *library,                                   \
                                     const struct cf_pairs *attributes,                            \
                                     const struct cf_tensor in[], struct cf_tensor out[])          \
    {                                                                                              \
        (void)attributes;                                                                          \
        return run(library, in, out, ATOMIC);                                                      \
    }
RUN(forward, 0)
RUN(atomic, 1)

extern const struct cf_kernel cf_kernels_cuda_embedding[];
const struct cf_kernel cf_kernels_cuda_embedding[] = {
    {.op = "embedding_bwd", .name = "forward", .backend = &cf_backend_cuda, .run = run_forward},
    {.op = "embedding_bwd", .name = "atomic", .backend = &cf_backend_cuda, .run = run_atomic},
    {.op = NULL}};
