/* conv2d by the legacy interface. Kernels:
 *   algo0 ... algo7  cudnnConvolution{Fwd,BwdData,BwdFilter}Algo_t by number. Documented as
 *                    non-deterministic: bwd_filter 0 and 3, bwd_data 0 (cuDNN 9, Reproducibility)
 *   legacy           what cudnnGetConvolution...Algorithm_v7 names first
 *   legacy-deterministic  the first that it calls deterministic
 *   find             the fastest when all are timed (cudnnFindConvolution...Algorithm), at every
 *                    call: a negative case, for time decides which runs
 * An algorithm that cuDNN does not support for the shape is not offered. */
#include <stdio.h>

#include "cudnn.h"

#define FIRST         (-1)
#define DETERMINISTIC (-2)
#define FASTEST       (-3)
#define PERFS         16

struct job {
    struct cf_library *library;
    enum cf_way way;
    struct cf_window g;
    enum cf_dtype in, out; /* types of the inputs and of the output */
    int wanted;
    void *role[3], *convolution; /* descriptors of x, w, y */
};

static int describe(struct job *job)
{
    const struct cf_cudnn_api *api = &job->library->api;
    const struct cf_window *g = &job->g;
    const int math = (int)cf_gpu_flag(job->library->keys, "math", 0);
    const int output = cf_cudnn_role[job->way][2];
    const enum cf_dtype of[3] = {output == 0 ? job->out : job->in, output == 1 ? job->out : job->in,
                                 output == 2 ? job->out : job->in};
    int got = -1, status;

    job->role[0] = cf_cudnn_tensor(job->library, of[0], g->nhwc, g->n, g->c, g->h, g->w);
    job->role[2] = cf_cudnn_tensor(job->library, of[2], g->nhwc, g->n, g->k, g->p, g->q);
    status =
        !job->role[0] || !job->role[2] ? CF_CUDNN_UNSUPPORTED : api->filter_create(&job->role[1]);
    if (status == 0)
        status = api->filter_set(job->role[1], cf_cudnn_type(of[1]), g->nhwc, (int)g->k,
                                 (int)(g->c / g->groups), (int)g->r, (int)g->s);
    if (status == 0)
        status = api->convolution_create(&job->convolution);
    if (status == 0) /* 1: cross-correlation */
        status = api->convolution_set(job->convolution, (int)g->pad, (int)g->pad, (int)g->stride,
                                      (int)g->stride, (int)g->dilation, (int)g->dilation, 1,
                                      job->in == CF_F64 ? CF_CUDNN_DOUBLE : CF_CUDNN_FLOAT);
    if (status == 0)
        status = api->convolution_groups(job->convolution, (int)g->groups);
    if (status == 0)
        status = api->math_set(job->convolution, math);
    if (status == 0)
        status = api->math_get(job->convolution, &got);
    if (status == 0 && got != math) {
        fprintf(stderr, "cudnn: math type %d was asked for and %d is in effect\n", math, got);
        return CF_BROKEN;
    }
    return cf_cudnn_check(job->library, status, "describing a convolution");
}

static void forget(struct job *job)
{
    const struct cf_cudnn_api *api = &job->library->api;

    if (job->role[0])
        api->tensor_destroy(job->role[0]);
    if (job->role[1])
        api->filter_destroy(job->role[1]);
    if (job->role[2])
        api->tensor_destroy(job->role[2]);
    if (job->convolution)
        api->convolution_destroy(job->convolution);
}

/* In the order of the arguments: fwd x w, bwd_data w dy, bwd_filter x dy; then the output. */
static const int order[3][3] = {
    [CF_FWD] = {0, 1, 2}, [CF_BWD_DATA] = {1, 2, 0}, [CF_BWD_FILTER] = {0, 2, 1}};

static int choose(const struct job *job, int *algorithm)
{
    struct cf_cudnn_perf perf[PERFS];
    const int *o = order[job->way];
    cf_cudnn_algorithms *ask;
    int n = 0, status;

    *algorithm = job->wanted;
    if (job->wanted >= 0) {
        cf_chose("algorithm", "%d", job->wanted);
        return CF_DONE;
    }
    ask = (job->wanted == FASTEST ? job->library->api.measured
                                  : job->library->api.algorithms)[job->way];
    status = ask(job->library->handle, job->role[o[0]], job->role[o[1]], job->convolution,
                 job->role[o[2]], PERFS, &n, perf);
    for (int i = 0; status == 0 && i < n && i < PERFS; ++i)
        if (perf[i].status == 0 && (job->wanted != DETERMINISTIC || perf[i].deterministic == 1)) {
            *algorithm = perf[i].algorithm;
            cf_chose("algorithm", "%d", perf[i].algorithm);
            cf_chose("determinism", "%d", perf[i].deterministic);
            return CF_DONE;
        }
    return cf_cudnn_check(job->library, status == 0 ? CF_CUDNN_UNSUPPORTED : status,
                          "choosing an algorithm");
}

static int convolve(struct job *job, int algorithm, const struct cf_gpu_buffer *operand)
{
    struct cf_library *library = job->library;
    const struct cf_gpu *gpu = &library->gpu;
    const int *o = order[job->way];
    struct cf_gpu_buffer memory = {0};
    void *data[3];
    int status = library->api.workspace[job->way](library->handle, job->role[o[0]], job->role[o[1]],
                                                  job->convolution, job->role[o[2]], algorithm,
                                                  &memory.n_bytes);

    status = cf_cudnn_check(library, status, "the workspace of an algorithm");
    if (status == CF_DONE)
        status = cf_gpu_check(gpu, gpu->driver.allocate(&memory.whole, memory.n_bytes + 1),
                              "a workspace");
    if (status != CF_DONE)
        return status;
    for (int i = 0; i < 3; ++i)
        data[cf_cudnn_role[job->way][i]] = cf_cudnn_pointer(&operand[i]);
    status = cf_cudnn_check(
        library,
        library->api.convolve[job->way](library->handle, cf_cudnn_one(job->in), job->role[o[0]],
                                        data[o[0]], job->role[o[1]], data[o[1]], job->convolution,
                                        algorithm, (void *)(uintptr_t)memory.whole, memory.n_bytes,
                                        cf_cudnn_zero(job->in), job->role[o[2]], data[o[2]]),
        "a convolution");
    if (status == CF_DONE)
        status = cf_gpu_check(gpu, gpu->driver.synchronize(), "a convolution");
    cf_gpu_free(gpu, &memory);
    return status;
}

static int body(void *context, const struct cf_gpu_buffer *operand)
{
    struct job *job = context;
    int algorithm, status = describe(job);

    if (status == CF_DONE)
        status = choose(job, &algorithm);
    if (status == CF_DONE)
        status = convolve(job, algorithm, operand);
    if (status == CF_DONE) /* as read back, whatever type the answer of the choice named */
        cf_chose("math", "%d", (int)cf_gpu_flag(job->library->keys, "math", 0));
    forget(job);
    return status;
}

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[], enum cf_way way,
                          int wanted)
{
    struct job job = {
        .library = library, .way = way, .in = in[0].dtype, .out = out[0].dtype, .wanted = wanted};

    if (cf_window_read(&job.g, way, attributes, in, out) != CF_DONE || job.g.n == 0)
        return CF_UNSUPPORTED;
    job.g.nhwc = cf_cudnn_layout(library, attributes);
    return (enum cf_status)cf_cudnn_call(library, job.g.nhwc, in, 2, out, 1, body, &job);
}

#define RUN(op, WAY, name, WANTED)                                                                 \
    static enum cf_status run_##op##_##name(struct cf_library *library,                            \
                                            const struct cf_pairs *attributes,                     \
                                            const struct cf_tensor in[], struct cf_tensor out[])   \
    {                                                                                              \
        return run(library, attributes, in, out, WAY, WANTED);                                     \
    }
#define THREE(name, WANTED)                                                                        \
    RUN(fwd, CF_FWD, name, WANTED)                                                                 \
    RUN(bwd_data, CF_BWD_DATA, name, WANTED)                                                       \
    RUN(bwd_filter, CF_BWD_FILTER, name, WANTED)
THREE(algo0, 0)
THREE(algo1, 1)
THREE(algo2, 2)
THREE(algo3, 3)
THREE(algo4, 4)
THREE(algo5, 5)
RUN(fwd, CF_FWD, algo6, 6)
RUN(bwd_filter, CF_BWD_FILTER, algo6, 6)
RUN(fwd, CF_FWD, algo7, 7)
THREE(first, FIRST)
THREE(deterministic, DETERMINISTIC)
THREE(fastest, FASTEST)

#define ENTRY(op_, name_, id)                                                                      \
    {                                                                                              \
        .op = "conv2d_" #op_, .name = name_, .backend = &cf_backend_cudnn, .run = run_##op_##_##id \
    }
#define ENTRIES(name, id)                                                                          \
    ENTRY(fwd, name, id), ENTRY(bwd_data, name, id), ENTRY(bwd_filter, name, id)

/* The algorithms by FFT (fwd 4, 5; bwd_data 2, 3; bwd_filter 2, 6) and Winograd (fwd 6, 7; bwd_data
 * 4, 5; bwd_filter 4, 5) are transforms; cuDNN 9 has none of them for sm_90. Their growth is that
 * of F(4,3), as in kernels/onednn/conv2d.c. */
#define FAST(op_, name_, id)                                                                       \
    {                                                                                              \
        .op = "conv2d_" #op_, .name = name_, .backend = &cf_backend_cudnn,                         \
        .run = run_##op_##_##id, .class = CF_FAST, .growth = 36100                                 \
    }

extern const struct cf_kernel cf_kernels_cudnn_legacy[];
const struct cf_kernel cf_kernels_cudnn_legacy[] = {ENTRIES("legacy", first),
                                                    ENTRIES("legacy-deterministic", deterministic),
                                                    ENTRIES("find", fastest),
                                                    ENTRIES("algo0", algo0),
                                                    ENTRIES("algo1", algo1),
                                                    ENTRY(fwd, "algo2", algo2),
                                                    FAST(bwd_data, "algo2", algo2),
                                                    FAST(bwd_filter, "algo2", algo2),
                                                    ENTRY(fwd, "algo3", algo3),
                                                    FAST(bwd_data, "algo3", algo3),
                                                    ENTRY(bwd_filter, "algo3", algo3),
                                                    FAST(fwd, "algo4", algo4),
                                                    FAST(bwd_data, "algo4", algo4),
                                                    FAST(bwd_filter, "algo4", algo4),
                                                    FAST(fwd, "algo5", algo5),
                                                    FAST(bwd_data, "algo5", algo5),
                                                    FAST(bwd_filter, "algo5", algo5),
                                                    FAST(fwd, "algo6", algo6),
                                                    FAST(bwd_filter, "algo6", algo6),
                                                    FAST(fwd, "algo7", algo7),
                                                    {.op = NULL}};
