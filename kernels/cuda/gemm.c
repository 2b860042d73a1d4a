/* gemm: a [m,k], b [k,n] -> c [m,n]; gemv: a [m,n], x [n] -> y [m]. Orders: matrix.cu; a k
 * dimension is cut into max(1, min(8, k / 256)) slices. f16 and bf16: sums are in float, and the
 * result is rounded once; not split-atomic, which adds to the result itself. */
#include "cuda.h"

enum order { SERIAL, TILED, SPLIT, SPLIT_ATOMIC };

struct job {
    struct cf_library *library;
    enum order order;
    enum cf_cuda_variant variant;
    enum cf_dtype dtype;
    struct cf_cuda_matrix p;
};

static int launch(const struct job *job, const char *name, long long x, long long y)
{
    return cf_cuda_run(
        job->library,
        &(struct cf_cuda_launch){.name = name,
                                 .variant = job->variant,
                                 .dtype = job->dtype,
                                 .grid_x = x,
                                 .grid_y = y,
                                 .shared_bytes = 2 * CF_CUDA_TILE * CF_CUDA_TILE * 8},
        &job->p);
}

static int split(struct job *job, long long blocks)
{
    struct cf_gpu_buffer partial;
    const size_t n = (size_t)job->p.slices * (size_t)job->p.m * (size_t)job->p.n;
    int status = cf_cuda_scratch(job->library, &partial, n * 8);

    job->p.partial = cf_cuda_pointer(&partial);
    if (status == CF_DONE)
        status = launch(job, "cf_cuda_split", blocks, job->p.slices);
    if (status == CF_DONE)
        status = launch(job, "cf_cuda_split_end", blocks, 1);
    if (status == CF_DONE)
        status =
            cf_gpu_check(&job->library->gpu, job->library->gpu.driver.synchronize(), "a product");
    cf_gpu_free(&job->library->gpu, &partial);
    return status;
}

static int body(void *context, const struct cf_gpu_buffer *operand)
{
    struct job *job = context;
    struct cf_cuda_matrix *p = &job->p;
    const long long blocks = cf_cuda_blocks(p->m * p->n), share = p->k / 256;
    int status;

    p->a = cf_cuda_pointer(&operand[0]);
    p->b = cf_cuda_pointer(&operand[1]);
    p->c = cf_cuda_pointer(&operand[2]);
    p->slices = share < 1 ? 1 : share > 8 ? 8 : (int)share;
    switch (job->order) {
    case SERIAL:
        return launch(job, "cf_cuda_serial", blocks, 1);
    case TILED:
        return launch(job, "cf_cuda_tiled", (p->n + CF_CUDA_TILE - 1) / CF_CUDA_TILE,
                      (p->m + CF_CUDA_TILE - 1) / CF_CUDA_TILE);
    case SPLIT:
        return split(job, blocks);
    default:
        status = cf_cuda_zero(job->library, job->dtype, p->c, p->m * p->n);
        return status == CF_DONE ? launch(job, "cf_cuda_split_atomic", blocks, p->slices) : status;
    }
}

static enum cf_status run(struct cf_library *library, const struct cf_tensor in[],
                          struct cf_tensor out[], enum order order, enum cf_cuda_variant variant)
{
    const int vector = in[1].rank == 1; /* gemv is gemm with one column */
    struct job job = {.library = library,
                      .order = order,
                      .variant = variant,
                      .dtype = in[0].dtype,
                      .p = {.m = in[0].dim[0], .k = in[0].dim[1], .n = vector ? 1 : in[1].dim[1]}};

    if (!cf_cuda_takes_narrow(in, 2, &out[0]) ||
        (order == SPLIT_ATOMIC && !cf_cuda_takes(in, 0, &out[0])) || in[0].rank != 2 ||
        in[1].rank > 2 || in[1].dim[0] != in[0].dim[1] || out[0].rank != 2 - vector ||
        out[0].dim[0] != job.p.m || (!vector && out[0].dim[1] != job.p.n))
        return CF_UNSUPPORTED;
    return (enum cf_status)cf_gpu_call(&library->gpu, in, 2, out, 1, body, &job);
}

#define RUN(order, ORDER, VARIANT)                                                                 \
    static enum cf_status run_##order(struct cf_library *library,                                  \
                                      const struct cf_pairs *attributes,                           \
                                      const struct cf_tensor in[], struct cf_tensor out[])         \
    {                                                                                              \
        (void)attributes;                                                                          \
        return run(library, in, out, ORDER, VARIANT);                                              \
    }
RUN(serial, SERIAL, CF_CUDA_PLAIN)
RUN(serial_fma, SERIAL, CF_CUDA_FMA)
RUN(serial_fast, SERIAL, CF_CUDA_FAST)
RUN(tiled, TILED, CF_CUDA_PLAIN)
RUN(tiled_fma, TILED, CF_CUDA_FMA)
RUN(split, SPLIT, CF_CUDA_PLAIN)
RUN(split_atomic, SPLIT_ATOMIC, CF_CUDA_PLAIN)

#define ENTRY(op_, name_, order)                                                                   \
    {                                                                                              \
        .op = #op_, .name = name_, .backend = &cf_backend_cuda, .run = run_##order                 \
    }
#define BOTH(name, order) ENTRY(gemm, name, order), ENTRY(gemv, name, order)

extern const struct cf_kernel cf_kernels_cuda_gemm[];
const struct cf_kernel cf_kernels_cuda_gemm[] = {BOTH("serial", serial),
                                                 BOTH("serial-fma", serial_fma),
                                                 BOTH("serial-fast", serial_fast),
                                                 BOTH("tiled", tiled),
                                                 BOTH("tiled-fma", tiled_fma),
                                                 BOTH("split", split),
                                                 BOTH("split-atomic", split_atomic),
                                                 {.op = NULL}};
