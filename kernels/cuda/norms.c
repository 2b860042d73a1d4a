/* batchnorm_fwd, batchnorm_bwd of [n,c,h,w] over n, h, w; layernorm_fwd, layernorm_bwd of [n,c]
 * over c. Formulas: norms.cu. Orders: tree     sums by one block a group, 256 lanes and their tree
 *   forward  sums from the first term to the last: the bits of plain forward
 *   atomic   the sums for dgamma and dbeta in the order of arrival; the others as in tree */
#include <string.h>

#include "cuda.h"

struct norm {
    int per_group; /* batch norm; else layer norm */
    int backward, is_tree, atomic;
    enum cf_cuda_variant variant;
};

struct job {
    struct cf_library *library;
    const struct norm *norm;
    enum cf_dtype dtype;
    struct cf_cuda_norm p;
};

static int launch(const struct job *job, const char *name, long long blocks,
                  const struct cf_cuda_norm *p)
{
    return cf_cuda_run(job->library,
                       &(struct cf_cuda_launch){.name = name,
                                                .variant = job->norm->variant,
                                                .dtype = job->dtype,
                                                .grid_x = blocks,
                                                .grid_y = 1,
                                                .shared_bytes = CF_CUDA_THREADS * 8},
                       p);
}

/* `sums` sums of `terms` terms each. */
static int launch_sums(const struct job *job, const char *name, long long sums, long long terms)
{
    struct cf_cuda_norm p = job->p;

    p.lanes = 1;
    while (job->norm->is_tree && p.lanes < CF_CUDA_THREADS && p.lanes < terms)
        p.lanes *= 2;
    return launch(job, name, cf_cuda_blocks(sums * p.lanes), &p);
}

static int launch_elements(const struct job *job, const char *name)
{
    return launch(job, name, cf_cuda_blocks(job->p.outer * job->p.groups * job->p.inner), &job->p);
}

static int zero_both(const struct job *job, void *a, void *b, long long n)
{
    const int status = cf_cuda_zero(job->library, job->dtype, a, n);

    return status == CF_DONE ? cf_cuda_zero(job->library, job->dtype, b, n) : status;
}

/* Batch norm's sums over a group are dbeta and dgamma; layer norm's parameters are sums across
 * groups, of launches of their own. */
static int backward(struct job *job)
{
    const struct cf_cuda_norm *p = &job->p;
    const long long m = p->outer * p->inner;
    const int scatters = job->norm->atomic, batch = p->per_group;
    int status = CF_DONE;

    if (scatters)
        status = zero_both(job, p->dgamma, p->dbeta, batch ? p->groups : p->inner);
    if (status == CF_DONE)
        status = scatters && batch ? launch(job, "cf_cuda_norm_sums_atomic", p->groups, p)
                                   : launch_sums(job, "cf_cuda_norm_sums", p->groups, m);
    if (status == CF_DONE)
        status = launch_elements(job, "cf_cuda_norm_bwd");
    if (status != CF_DONE || batch)
        return status;
    return scatters ? launch_elements(job, "cf_cuda_norm_parameters_atomic")
                    : launch_sums(job, "cf_cuda_norm_parameters", p->inner, p->groups);
}

static int compute(struct job *job, const struct cf_gpu_buffer *operand)
{
    struct cf_cuda_norm *p = &job->p;
    int status = launch_sums(job, "cf_cuda_norm_statistics", p->groups, p->outer * p->inner);

    p->out = cf_cuda_pointer(&operand[3]);
    if (status == CF_DONE)
        status = job->norm->backward ? backward(job) : launch_elements(job, "cf_cuda_norm_fwd");
    if (status == CF_DONE)
        status = cf_gpu_check(&job->library->gpu, job->library->gpu.driver.synchronize(), "a norm");
    return status;
}

static int body(void *context, const struct cf_gpu_buffer *operand)
{
    struct job *job = context;
    struct cf_cuda_norm *p = &job->p;
    struct cf_gpu_buffer scratch;
    char *place;
    int status = cf_cuda_scratch(job->library, &scratch, (size_t)p->groups * 4 * 8);

    place = cf_cuda_pointer(&scratch);
    p->mean = place;
    p->sigma = place + p->groups * 8;
    p->x = cf_cuda_pointer(&operand[0]);
    p->gamma = cf_cuda_pointer(&operand[1]);
    p->b = cf_cuda_pointer(&operand[2]);
    if (job->norm->backward) {
        p->dgamma = cf_cuda_pointer(&operand[4]);
        p->dbeta = cf_cuda_pointer(&operand[5]);
    }
    p->sum = p->per_group ? p->dbeta : place + p->groups * 16;
    p->sum_z = p->per_group ? p->dgamma : place + p->groups * 24;
    if (status == CF_DONE)
        status = compute(job, operand);
    cf_gpu_free(&job->library->gpu, &scratch);
    return status;
}

/* x, gamma, beta -> y; x, gamma, dy -> dx, dgamma, dbeta. */
static int fits(const struct norm *norm, const struct cf_tensor in[], const struct cf_tensor out[])
{
    const struct cf_tensor *x = &in[0];
    const int64_t width = x->rank < 2 ? 0 : x->dim[1];
    const int n_out = norm->backward ? 3 : 1;

    if (x->rank != (norm->per_group ? 4 : 2) || cf_tensor_count(x) == 0 ||
        cf_tensor_count(&in[1]) != width || cf_tensor_count(&out[0]) != cf_tensor_count(x) ||
        cf_tensor_count(&in[2]) != (norm->backward ? cf_tensor_count(x) : width))
        return 0;
    for (int o = 0; o < n_out; ++o)
        if (!cf_cuda_takes(in, 3, &out[o]) || (o > 0 && cf_tensor_count(&out[o]) != width))
            return 0;
    return 1;
}

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[],
                          const struct norm *norm)
{
    const char *layout = cf_pairs_get(attributes, "layout");
    const int64_t *dim = in[0].dim;
    struct job job = {.library = library, .norm = norm, .dtype = in[0].dtype};

    if (!fits(norm, in, out) || (layout && strcmp(layout, "nchw") != 0))
        return CF_UNSUPPORTED;
    job.p.per_group = norm->per_group;
    job.p.outer = norm->per_group ? dim[0] : 1;
    job.p.groups = norm->per_group ? dim[1] : dim[0];
    job.p.inner = norm->per_group ? dim[2] * dim[3] : dim[1];
    return (enum cf_status)cf_gpu_call(&library->gpu, in, 3, out, norm->backward ? 3 : 1, body,
                                       &job);
}

#define NORM(op, name, per_group, backward, is_tree, atomic, VARIANT)                              \
    static enum cf_status run_##op##_##name(struct cf_library *library,                            \
                                            const struct cf_pairs *attributes,                     \
                                            const struct cf_tensor in[], struct cf_tensor out[])   \
    {                                                                                              \
        static const struct norm norm = {per_group, backward, is_tree, atomic, VARIANT};           \
                                                                                                   \
        return run(library, attributes, in, out, &norm);                                           \
    }
#define FOUR(name, is_tree, VARIANT)                                                               \
    NORM(batchnorm_fwd, name, 1, 0, is_tree, 0, VARIANT)                                           \
    NORM(batchnorm_bwd, name, 1, 1, is_tree, 0, VARIANT)                                           \
    NORM(layernorm_fwd, name, 0, 0, is_tree, 0, VARIANT)                                           \
    NORM(layernorm_bwd, name, 0, 1, is_tree, 0, VARIANT)
FOUR(tree, 1, CF_CUDA_PLAIN)
FOUR(tree_fma, 1, CF_CUDA_FMA)
FOUR(forward, 0, CF_CUDA_PLAIN)
NORM(batchnorm_bwd, atomic, 1, 1, 1, 1, CF_CUDA_PLAIN)
NORM(layernorm_bwd, atomic, 0, 1, 1, 1, CF_CUDA_PLAIN)

#define ENTRY(op_, name_, order)                                                                   \
    {                                                                                              \
        .op = #op_, .name = name_, .backend = &cf_backend_cuda, .run = run_##op_##_##order         \
    }
#define ENTRIES(name, order)                                                                       \
    ENTRY(batchnorm_fwd, name, order), ENTRY(batchnorm_bwd, name, order),                          \
        ENTRY(layernorm_fwd, name, order), ENTRY(layernorm_bwd, name, order)

extern const struct cf_kernel cf_kernels_cuda_norms[];
const struct cf_kernel cf_kernels_cuda_norms[] = {ENTRIES("tree", tree),
                                                  ENTRIES("tree-fma", tree_fma),
                                                  ENTRIES("forward", forward),
                                                  ENTRY(batchnorm_bwd, "atomic", atomic),
                                                  ENTRY(layernorm_bwd, "atomic", atomic),
                                                  {.op = NULL}};
