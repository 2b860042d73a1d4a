/* conv2d_fwd, conv2d_bwd_data, conv2d_bwd_filter: orders, layouts and shapes are those of
 * window.cu. */
#include <string.h>

#include "cuda.h"

struct job {
    struct cf_library *library;
    enum cf_way way;
    int atomic;
    enum cf_cuda_variant variant;
    enum cf_dtype dtype;
    long long dim[3][4]; /* of x, w and y */
    struct cf_cuda_window p;
};

/* The role of operand i (two inputs, then the output) in each direction: x, w or y. */
static const int roles[3][3] = {
    [CF_FWD] = {0, 1, 2}, [CF_BWD_DATA] = {2, 1, 0}, [CF_BWD_FILTER] = {0, 2, 1}};

static const char *const names[3][2] = {
    [CF_FWD] = {"cf_cuda_window_fwd", NULL},
    [CF_BWD_DATA] = {"cf_cuda_window_bwd_data", "cf_cuda_window_bwd_data_atomic"},
    [CF_BWD_FILTER] = {"cf_cuda_window_bwd_filter", "cf_cuda_window_bwd_filter_atomic"}};

/* Sums and outputs of 16-bit operands are f32. */
static enum cf_dtype out_type(const struct job *job)
{
    return job->dtype == CF_F64 ? CF_F64 : CF_F32;
}

static long long count(const struct job *job, int role)
{
    const long long *dim = job->dim[role];

    return dim[0] * dim[1] * dim[2] * dim[3];
}

static int launch(struct job *job)
{
    const int out = roles[job->way][2], scatters = job->atomic && job->way == CF_BWD_DATA;
    void *const place[] = {job->p.x, job->p.w, job->p.y};
    int status = CF_DONE;

    if (job->atomic)
        status = cf_cuda_zero(job->library, out_type(job), place[out], count(job, out));
    if (status != CF_DONE)
        return status;
    return cf_cuda_run(
        job->library,
        &(struct cf_cuda_launch){.name = names[job->way][job->atomic],
                                 .variant = job->variant,
                                 .dtype = job->dtype,
                                 .grid_x = cf_cuda_blocks(count(job, scatters ? 2 : out)),
                                 .grid_y = job->atomic && !scatters ? job->p.n : 1},
        &job->p);
}

/* Operand i into the layout of the kernels, or (back) out of it. */
static int lay(const struct job *job, int i, void *to, const void *from, int back)
{
    const int role = roles[job->way][i];
    struct cf_cuda_lay p = {.from = from, .to = to, .back = back};

    memcpy(p.dim, job->dim[role], sizeof p.dim);
    return cf_cuda_run(job->library,
                       &(struct cf_cuda_launch){.name = "cf_cuda_lay",
                                                .dtype = i < 2 ? job->dtype : out_type(job),
                                                .grid_x = cf_cuda_blocks(count(job, role)),
                                                .grid_y = 1},
                       &p);
}

static void **place_of(struct job *job, int i)
{
    void **const place[] = {&job->p.x, &job->p.w, &job->p.y};

    return place[roles[job->way][i]];
}

/* nhwc: operands are copied into that layout, and the output back. */
static int laid_out(struct job *job, const struct cf_gpu_buffer *operand)
{
    const struct cf_gpu *gpu = &job->library->gpu;
    struct cf_gpu_buffer copy[3] = {{0}};
    int status = CF_DONE;

    for (int i = 0; i < 3 && status == CF_DONE; ++i) {
        status = cf_cuda_scratch(job->library, &copy[i], operand[i].n_bytes);
        *place_of(job, i) = cf_cuda_pointer(&copy[i]);
    }
    for (int i = 0; i < 2 && status == CF_DONE; ++i)
        status = lay(job, i, cf_cuda_pointer(&copy[i]), cf_cuda_pointer(&operand[i]), 0);
    if (status == CF_DONE)
        status = launch(job);
    if (status == CF_DONE)
        status = lay(job, 2, cf_cuda_pointer(&operand[2]), cf_cuda_pointer(&copy[2]), 1);
    if (status == CF_DONE)
        status = cf_gpu_check(gpu, gpu->driver.synchronize(), "a convolution");
    for (int i = 0; i < 3; ++i)
        cf_gpu_free(gpu, &copy[i]);
    return status;
}

static int body(void *context, const struct cf_gpu_buffer *operand)
{
    struct job *job = context;

    if (job->p.nhwc)
        return laid_out(job, operand);
    for (int i = 0; i < 3; ++i)
        *place_of(job, i) = cf_cuda_pointer(&operand[i]);
    return launch(job);
}

enum order { CRS, RSC, ATOMIC };

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[], enum cf_way way,
                          enum order order, enum cf_cuda_variant variant)
{
    struct cf_window g;
    struct job job = {.library = library,
                      .way = way,
                      .atomic = order == ATOMIC,
                      .variant = variant,
                      .dtype = in[0].dtype};

    if (cf_window_read(&g, way, attributes, in, out) != CF_DONE)
        return CF_UNSUPPORTED;
    job.p = cf_cuda_window_of(&g);
    job.p.rsc = order == RSC;
    for (int i = 0; i < 3; ++i)
        for (int d = 0; d < 4; ++d)
            job.dim[roles[way][i]][d] = (i < 2 ? &in[i] : &out[0])->dim[d];
    return (enum cf_status)cf_gpu_call(&library->gpu, in, 2, out, 1, body, &job);
}

#define RUN(op, WAY, name, ORDER, VARIANT)                                                         \
    static enum cf_status run_##op##_##name(struct cf_library *library,                            \
                                            const struct cf_pairs *attributes,                     \
                                            const struct cf_tensor in[], struct cf_tensor out[])   \
    {                                                                                              \
        return run(library, attributes, in, out, WAY, ORDER, VARIANT);                             \
    }
#define THREE(name, ORDER, VARIANT)                                                                \
    RUN(fwd, CF_FWD, name, ORDER, VARIANT)                                                         \
    RUN(bwd_data, CF_BWD_DATA, name, ORDER, VARIANT)                                               \
    RUN(bwd_filter, CF_BWD_FILTER, name, ORDER, VARIANT)
THREE(direct, CRS, CF_CUDA_PLAIN)
THREE(direct_fma, CRS, CF_CUDA_FMA)
THREE(direct_fast, CRS, CF_CUDA_FAST)
THREE(direct_rsc, RSC, CF_CUDA_PLAIN)
THREE(direct_rsc_fma, RSC, CF_CUDA_FMA)
RUN(bwd_data, CF_BWD_DATA, atomic, ATOMIC, CF_CUDA_PLAIN)
RUN(bwd_filter, CF_BWD_FILTER, atomic, ATOMIC, CF_CUDA_PLAIN)

#define ENTRY(op_, name_, order)                                                                   \
    {                                                                                              \
        .op = "conv2d_" #op_, .name = name_, .backend = &cf_backend_cuda,                          \
        .run = run_##op_##_##order                                                                 \
    }
#define ENTRIES(name, order)                                                                       \
    ENTRY(fwd, name, order), ENTRY(bwd_data, name, order), ENTRY(bwd_filter, name, order)

extern const struct cf_kernel cf_kernels_cuda_conv2d[];
const struct cf_kernel cf_kernels_cuda_conv2d[] = {ENTRIES("direct", direct),
                                                   ENTRIES("direct-fma", direct_fma),
                                                   ENTRIES("direct-fast", direct_fast),
                                                   ENTRIES("direct-rsc", direct_rsc),
                                                   ENTRIES("direct-rsc-fma", direct_rsc_fma),
                                                   ENTRY(bwd_data, "atomic", atomic),
                                                   ENTRY(bwd_filter, "atomic", atomic),
                                                   {.op = NULL}};
