/* conv2d_fwd, conv2d_bwd_data, conv2d_bwd_filter: orders and shapes are those of window.cu. */
#include <string.h>

#include "cuda.h"

struct job {
    struct cf_library *library;
    enum cf_way way;
    int atomic;
    enum cf_cuda_variant variant;
    enum cf_dtype dtype;
    struct cf_cuda_window p;
};

/* The role of operand i (two inputs, then the output) in each direction: x, w or y. */
static const int roles[3][3] = {
    [CF_FWD] = {0, 1, 2}, [CF_BWD_DATA] = {2, 1, 0}, [CF_BWD_FILTER] = {0, 2, 1}};

static const char *const names[3][2] = {
    [CF_FWD] = {"cf_cuda_window_fwd", NULL},
    [CF_BWD_DATA] = {"cf_cuda_window_bwd_data", "cf_cuda_window_bwd_data_atomic"},
    [CF_BWD_FILTER] = {"cf_cuda_window_bwd_filter", "cf_cuda_window_bwd_filter_atomic"}};

static int body(void *context, const struct cf_gpu_buffer *operand)
{
    struct job *job = context;
    struct cf_cuda_window *p = &job->p;
    const long long of_x = p->n * p->c * p->h * p->width, of_y = p->n * p->k * p->p * p->q;
    const long long of_w = p->k * (p->c / p->groups) * p->r * p->s;
    const long long outputs[] = {[CF_FWD] = of_y, [CF_BWD_DATA] = of_x, [CF_BWD_FILTER] = of_w};
    const int scatters = job->atomic && job->way == CF_BWD_DATA;
    void **const place[] = {&p->x, &p->w, &p->y};
    int status = CF_DONE;

    for (int i = 0; i < 3; ++i)
        *place[roles[job->way][i]] = cf_cuda_pointer(&operand[i]);
    if (job->atomic)
        status =
            cf_cuda_zero(job->library, job->dtype, cf_cuda_pointer(&operand[2]), outputs[job->way]);
    if (status != CF_DONE)
        return status;
    return cf_cuda_run(
        job->library,
        &(struct cf_cuda_launch){.name = names[job->way][job->atomic],
                                 .variant = job->variant,
                                 .dtype = job->dtype,
                                 .grid_x = cf_cuda_blocks(scatters ? of_y : outputs[job->way]),
                                 .grid_y = job->atomic && !scatters ? p->n : 1},
        p);
}

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[], enum cf_way way,
                          int atomic, enum cf_cuda_variant variant)
{
    struct cf_window g;
    struct job job = {
        .library = library, .way = way, .atomic = atomic, .variant = variant, .dtype = in[0].dtype};

    if (!cf_cuda_takes(in, 2, &out[0]) || cf_window_read(&g, way, attributes, in, out) != CF_DONE ||
        g.nhwc)
        return CF_UNSUPPORTED;
    job.p = (struct cf_cuda_window){.n = g.n,
                                    .c = g.c,
                                    .h = g.h,
                                    .width = g.w,
                                    .k = g.k,
                                    .r = g.r,
                                    .s = g.s,
                                    .p = g.p,
                                    .q = g.q,
                                    .stride = g.stride,
                                    .pad = g.pad,
                                    .dilation = g.dilation,
                                    .groups = g.groups};
    return (enum cf_status)cf_gpu_call(&library->gpu, in, 2, out, 1, body, &job);
}

#define RUN(op, WAY, name, ATOMIC, VARIANT)                                                        \
    static enum cf_status run_##op##_##name(struct cf_library *library,                            \
                                            const struct cf_pairs *attributes,                     \
                                            const struct cf_tensor in[], struct cf_tensor out[])   \
    {                                                                                              \
        return run(library, attributes, in, out, WAY, ATOMIC, VARIANT);                            \
    }
#define THREE(name, VARIANT)                                                                       \
    RUN(fwd, CF_FWD, name, 0, VARIANT)                                                             \
    RUN(bwd_data, CF_BWD_DATA, name, 0, VARIANT)                                                   \
    RUN(bwd_filter, CF_BWD_FILTER, name, 0, VARIANT)
THREE(direct, CF_CUDA_PLAIN)
THREE(direct_fma, CF_CUDA_FMA)
THREE(direct_fast, CF_CUDA_FAST)
RUN(bwd_data, CF_BWD_DATA, atomic, 1, CF_CUDA_PLAIN)
RUN(bwd_filter, CF_BWD_FILTER, atomic, 1, CF_CUDA_PLAIN)

#define ENTRY(op_, name_, order)                                                                   \
    {                                                                                              \
        .op = "conv2d_" #op_, .name = name_, .backend = &cf_backend_cuda,                          \
        .run = run_##op_##_##order                                                                 \
    }
#define ENTRIES(name, order)                                                                       \
    ENTRY(fwd, name, order), ENTRY(bwd_data, name, order), ENTRY(bwd_filter, name, order)

extern const struct cf_kernel cf_kernels_cuda_conv2d[];
const struct cf_kernel cf_kernels_cuda_conv2d[] = {
    ENTRIES("direct", direct),           ENTRIES("direct-fma", direct_fma),
    ENTRIES("direct-fast", direct_fast), ENTRY(bwd_data, "atomic", atomic),
    ENTRY(bwd_filter, "atomic", atomic), {.op = NULL}};
