/* Layers of cuDNN, f32 and f64:
 *   maxpool_fwd, _bwd  max: mode MAX, whose backward is documented as non-deterministic;
 *                      max-deterministic: MAX_DETERMINISTIC. Backward runs forward first, for it
 *                      wants y
 *   avgpool_fwd, _bwd  average: padding counts as divisor= says; backward, x and y are asked for
 *                      though no value of theirs matters: zeros
 *   softmax_fwd, _bwd  accurate: shifted by the row's maximum
 *   batchnorm_fwd, _bwd  spatial; spatial-persistent: may be faster, with a narrower range */
#include <string.h>

#include "cudnn.h"

enum { MAX = 0, AVERAGE_WINDOW = 1, AVERAGE_TAPS = 2, MAX_DETERMINISTIC = 3 };
enum { SPATIAL = 1, PERSISTENT = 2, ACCURATE = 1, INSTANCE = 0 };

/* The float nearest to 1e-5: what the reference adds to the variance, for every type. */
#define EPSILON 0x1.4f8b58p-17

struct job {
    struct cf_library *library;
    struct cf_window g;
    enum cf_dtype dtype;
    int mode, backward;
    void *x, *y, *pooling; /* descriptors; of softmax and norms: x only, y a vector's */
    size_t x_bytes, y_bytes;
};

static int takes(const struct cf_tensor in[], int n_in, const struct cf_tensor *out)
{
    for (int i = 0; i < n_in; ++i)
        if (in[i].dtype != out->dtype)
            return 0;
    return (out->dtype == CF_F32 || out->dtype == CF_F64) && cf_tensor_count(&in[0]) > 0;
}

static void forget(struct job *job)
{
    const struct cf_cudnn_api *api = &job->library->api;

    if (job->x)
        api->tensor_destroy(job->x);
    if (job->y)
        api->tensor_destroy(job->y);
    if (job->pooling)
        api->pooling_destroy(job->pooling);
}

/* ---- Pooling ---- */

static int pool_back(struct job *job, const struct cf_gpu_buffer *operand)
{
    const struct cf_library *library = job->library;
    const struct cf_cudnn_api *api = &library->api;
    const struct cf_gpu *gpu = &library->gpu;
    const void *one = cf_cudnn_one(job->dtype), *zero = cf_cudnn_zero(job->dtype);
    void *x = cf_cudnn_pointer(&operand[0]), *y;
    unsigned long long pooled = 0;
    int status = cf_gpu_check(gpu, gpu->driver.allocate(&pooled, job->y_bytes + 1), "pooled");

    if (status != CF_DONE)
        return status;
    y = (void *)(uintptr_t)pooled;
    status = api->pool(library->handle, job->pooling, one, job->x, x, zero, job->y, y);
    if (status == 0)
        status = api->pool_back(library->handle, job->pooling, one, job->y, y, job->y,
                                cf_cudnn_pointer(&operand[1]), job->x, x, zero, job->x,
                                cf_cudnn_pointer(&operand[2]));
    status = cf_cudnn_check(library, status, "pooling backward");
    if (status == CF_DONE)
        status = cf_gpu_check(gpu, gpu->driver.synchronize(), "pooling backward");
    gpu->driver.release(pooled);
    return status;
}

static int is_average(const struct job *job)
{
    return job->mode == AVERAGE_TAPS || job->mode == AVERAGE_WINDOW;
}

/* dy, then dx. */
static int average_back(struct job *job, const struct cf_gpu_buffer *operand)
{
    const struct cf_library *library = job->library;
    const struct cf_gpu *gpu = &library->gpu;
    const size_t n_bytes = job->x_bytes + job->y_bytes + 512;
    unsigned long long zeros = 0;
    int status = cf_gpu_check(gpu, gpu->driver.allocate(&zeros, n_bytes), "zeros");
    void *y = (void *)(uintptr_t)zeros, *x;

    if (status != CF_DONE)
        return status;
    x = (void *)(uintptr_t)(zeros + (job->y_bytes + 255) / 256 * 256);
    status = cf_gpu_check(gpu, gpu->driver.set_bytes(zeros, 0, n_bytes), "zeros");
    if (status == CF_DONE)
        status = cf_cudnn_check(library,
                                library->api.pool_back(library->handle, job->pooling,
                                                       cf_cudnn_one(job->dtype), job->y, y, job->y,
                                                       cf_cudnn_pointer(&operand[0]), job->x, x,
                                                       cf_cudnn_zero(job->dtype), job->x,
                                                       cf_cudnn_pointer(&operand[1])),
                                "average pooling backward");
    if (status == CF_DONE)
        status = cf_gpu_check(gpu, gpu->driver.synchronize(), "average pooling backward");
    gpu->driver.release(zeros);
    return status;
}

static int pool_body(void *context, const struct cf_gpu_buffer *operand)
{
    struct job *job = context;
    const struct cf_window *g = &job->g;
    const struct cf_cudnn_api *api = &job->library->api;
    int status = api->pooling_create(&job->pooling);

    job->x = cf_cudnn_tensor(job->library, job->dtype, g->nhwc, g->n, g->c, g->h, g->w);
    job->y = cf_cudnn_tensor(job->library, job->dtype, g->nhwc, g->n, g->c, g->p, g->q);
    if (status == 0 && (!job->x || !job->y))
        status = CF_CUDNN_UNSUPPORTED;
    if (status == 0) /* 1: NaN goes through, as in the reference */
        status = api->pooling_set(job->pooling, job->mode, 1, (int)g->r, (int)g->s, (int)g->pad,
                                  (int)g->pad, (int)g->stride, (int)g->stride);
    if (status == 0 && job->backward)
        return (is_average(job) ? average_back : pool_back)(job, operand);
    if (status == 0)
        status = api->pool(job->library->handle, job->pooling, cf_cudnn_one(job->dtype), job->x,
                           cf_cudnn_pointer(&operand[0]), cf_cudnn_zero(job->dtype), job->y,
                           cf_cudnn_pointer(&operand[1]));
    return cf_cudnn_check(job->library, status, "pooling");
}

static enum cf_status run_pool(struct cf_library *library, const struct cf_pairs *attributes,
                               const struct cf_tensor in[], struct cf_tensor out[], int mode,
                               int backward)
{
    struct job job = {.library = library, .dtype = in[0].dtype, .mode = mode, .backward = backward};
    const int average = mode == AVERAGE_TAPS, n_in = backward && !average ? 2 : 1;
    const struct cf_tensor *pooled = !backward ? &out[0] : average ? &in[0] : &in[1];
    const struct cf_tensor *image = backward ? &out[0] : &in[0];
    const char *divisor = cf_pairs_get(attributes, "divisor");
    enum cf_status status;

    if (average && divisor && strcmp(divisor, "window") == 0)
        job.mode = AVERAGE_WINDOW;
    if (!takes(in, n_in, &out[0]) ||
        cf_window_read_pool(&job.g, attributes, image, pooled) != CF_DONE || job.g.dilation != 1 ||
        cf_tensor_count(pooled) == 0)
        return CF_UNSUPPORTED;
    job.g.nhwc = cf_cudnn_layout(library, attributes);
    job.x_bytes = cf_tensor_bytes(image);
    job.y_bytes = cf_tensor_bytes(pooled);
    status = (enum cf_status)cf_cudnn_call(library, job.g.nhwc, in, n_in, out, 1, pool_body, &job);
    forget(&job);
    return status;
}

/* ---- Softmax ---- */

static int softmax_body(void *context, const struct cf_gpu_buffer *operand)
{
    struct job *job = context;
    const struct cf_cudnn_api *api = &job->library->api;
    const void *one = cf_cudnn_one(job->dtype), *zero = cf_cudnn_zero(job->dtype);
    void *handle = job->library->handle, *a = cf_cudnn_pointer(&operand[0]);
    int status;

    job->x = cf_cudnn_tensor(job->library, job->dtype, 0, job->g.n, job->g.c, 1, 1);
    if (!job->x)
        return CF_UNSUPPORTED;
    if (job->backward)
        status = api->softmax_back(handle, ACCURATE, INSTANCE, one, job->x, a, job->x,
                                   cf_cudnn_pointer(&operand[1]), zero, job->x,
                                   cf_cudnn_pointer(&operand[2]));
    else
        status = api->softmax(handle, ACCURATE, INSTANCE, one, job->x, a, zero, job->x,
                              cf_cudnn_pointer(&operand[1]));
    return cf_cudnn_check(job->library, status, "softmax");
}

static enum cf_status run_softmax(struct cf_library *library, const struct cf_pairs *attributes,
                                  const struct cf_tensor in[], struct cf_tensor out[], int mode,
                                  int backward)
{
    struct job job = {.library = library, .dtype = in[0].dtype, .backward = backward};
    enum cf_status status;

    (void)attributes;
    (void)mode;
    if (!takes(in, 1 + backward, &out[0]) || in[0].rank != 2)
        return CF_UNSUPPORTED;
    job.g.n = in[0].dim[0];
    job.g.c = in[0].dim[1];
    status =
        (enum cf_status)cf_gpu_call(&library->gpu, in, 1 + backward, out, 1, softmax_body, &job);
    forget(&job);
    return status;
}

/* ---- Batch norm: fwd x, gamma, beta -> y; bwd x, gamma, dy -> dx, dgamma, dbeta ---- */

static int norm_body(void *context, const struct cf_gpu_buffer *operand)
{
    struct job *job = context;
    const struct cf_window *g = &job->g;
    const struct cf_cudnn_api *api = &job->library->api;
    const void *one = cf_cudnn_one(job->dtype), *zero = cf_cudnn_zero(job->dtype);
    void *handle = job->library->handle, *p[6] = {0};
    int status;

    for (int i = 0; i < (job->backward ? 6 : 4); ++i)
        p[i] = cf_cudnn_pointer(&operand[i]);
    job->x = cf_cudnn_tensor(job->library, job->dtype, g->nhwc, g->n, g->c, g->h, g->w);
    job->y = cf_cudnn_tensor(job->library, job->dtype, 0, 1, g->c, 1, 1);
    if (!job->x || !job->y)
        return CF_UNSUPPORTED;
    if (job->backward)
        status = api->norm_back(handle, job->mode, one, zero, one, zero, job->x, p[0], job->x, p[2],
                                job->x, p[3], job->y, p[1], p[4], p[5], EPSILON, NULL, NULL);
    else
        status = api->norm(handle, job->mode, one, zero, job->x, p[0], job->x, p[3], job->y, p[1],
                           p[2], 1, NULL, NULL, EPSILON, NULL, NULL);
    return cf_cudnn_check(job->library, status, "batch norm");
}

static enum cf_status run_norm(struct cf_library *library, const struct cf_pairs *attributes,
                               const struct cf_tensor in[], struct cf_tensor out[], int mode,
                               int backward)
{
    const struct cf_tensor *x = &in[0];
    struct job job = {.library = library, .dtype = x->dtype, .mode = mode, .backward = backward};
    const int nhwc = cf_cudnn_layout(library, attributes);
    enum cf_status status;

    if (!takes(in, 3, &out[0]) || x->rank != 4 || nhwc < 0)
        return CF_UNSUPPORTED;
    job.g = (struct cf_window){
        .n = x->dim[0], .c = x->dim[1], .h = x->dim[2], .w = x->dim[3], .nhwc = nhwc};
    status =
        (enum cf_status)cf_cudnn_call(library, nhwc, in, 3, out, backward ? 3 : 1, norm_body, &job);
    forget(&job);
    return status;
}

#define RUN(name, function, MODE, BACKWARD)                                                        \
    static enum cf_status name(struct cf_library *library, const struct cf_pairs *attributes,      \
                               const struct cf_tensor in[], struct cf_tensor out[])                \
    {                                                                                              \
        return function(library, attributes, in, out, MODE, BACKWARD);                             \
    }
RUN(max_fwd, run_pool, MAX, 0)
RUN(max_bwd, run_pool, MAX, 1)
RUN(deterministic_fwd, run_pool, MAX_DETERMINISTIC, 0)
RUN(deterministic_bwd, run_pool, MAX_DETERMINISTIC, 1)
RUN(average_fwd, run_pool, AVERAGE_TAPS, 0)
RUN(average_bwd, run_pool, AVERAGE_TAPS, 1)
RUN(soft_fwd, run_softmax, ACCURATE, 0)
RUN(soft_bwd, run_softmax, ACCURATE, 1)
RUN(spatial_fwd, run_norm, SPATIAL, 0)
RUN(spatial_bwd, run_norm, SPATIAL, 1)
RUN(persistent_fwd, run_norm, PERSISTENT, 0)
RUN(persistent_bwd, run_norm, PERSISTENT, 1)

#define ENTRY(op_, name_, function)                                                                \
    {                                                                                              \
        .op = op_, .name = name_, .backend = &cf_backend_cudnn, .run = function                    \
    }

extern const struct cf_kernel cf_kernels_cudnn_layers[];
const struct cf_kernel cf_kernels_cudnn_layers[] = {
    ENTRY("maxpool_fwd", "max", max_fwd),
    ENTRY("maxpool_bwd", "max", max_bwd),
    ENTRY("maxpool_fwd", "max-deterministic", deterministic_fwd),
    ENTRY("maxpool_bwd", "max-deterministic", deterministic_bwd),
    ENTRY("avgpool_fwd", "average", average_fwd),
    ENTRY("avgpool_bwd", "average", average_bwd),
    ENTRY("softmax_fwd", "accurate", soft_fwd),
    ENTRY("softmax_bwd", "accurate", soft_bwd),
    ENTRY("batchnorm_fwd", "spatial", spatial_fwd),
    ENTRY("batchnorm_bwd", "spatial", spatial_bwd),
    ENTRY("batchnorm_fwd", "spatial-persistent", persistent_fwd),
    ENTRY("batchnorm_bwd", "spatial-persistent", persistent_bwd),
    {.op = NULL}};
