/* dot x, y [m,n] -> [m]; asum, nrm2 x [m,n] -> [m]: m calls; gemv a [m,n], x [n] -> y [m]: one call
 * on a' (cuBLAS counts columns). Scalars come back to the host. */
#include "cublas.h"

enum op { DOT, ASUM, NRM2, GEMV };

struct job {
    struct cf_library *library;
    enum op op;
    int is_f64, m, n;
    void *answers; /* on the host, [m] */
};

static int one_row(const struct job *job, int row, const struct cf_gpu_buffer *operand)
{
    const struct cf_cublas_api *api = &job->library->api;
    void *handle = job->library->handle[0];
    const size_t at = (size_t)row * (size_t)job->n;
    const double *x = (const double *)(uintptr_t)operand[0].data + at;
    const double *y = (const double *)(uintptr_t)operand[1].data + at;
    const float *u = (const float *)(uintptr_t)operand[0].data + at;
    const float *v = (const float *)(uintptr_t)operand[1].data + at;
    double *wide = (double *)job->answers + row;
    float *narrow = (float *)job->answers + row;

    switch (job->op) {
    case DOT:
        return job->is_f64 ? api->ddot(handle, job->n, x, 1, y, 1, wide)
                           : api->sdot(handle, job->n, u, 1, v, 1, narrow);
    case ASUM:
        return job->is_f64 ? api->dasum(handle, job->n, x, 1, wide)
                           : api->sasum(handle, job->n, u, 1, narrow);
    default:
        return job->is_f64 ? api->dnrm2(handle, job->n, x, 1, wide)
                           : api->snrm2(handle, job->n, u, 1, narrow);
    }
}

static int gemv(const struct job *job, const struct cf_gpu_buffer *operand)
{
    static const float one_f = 1, zero_f = 0;
    static const double one_d = 1, zero_d = 0;
    const struct cf_cublas_api *api = &job->library->api;
    void *handle = job->library->handle[0];
    const int transposed = 1, lead = job->n > 0 ? job->n : 1;

    if (job->is_f64)
        return api->dgemv(handle, transposed, job->n, job->m, &one_d,
                          (const double *)(uintptr_t)operand[0].data, lead,
                          (const double *)(uintptr_t)operand[1].data, 1, &zero_d,
                          (double *)(uintptr_t)operand[2].data, 1);
    return api->sgemv(handle, transposed, job->n, job->m, &one_f,
                      (const float *)(uintptr_t)operand[0].data, lead,
                      (const float *)(uintptr_t)operand[1].data, 1, &zero_f,
                      (float *)(uintptr_t)operand[2].data, 1);
}

static int body(void *context, const struct cf_gpu_buffer *operand)
{
    const struct job *job = context;
    const size_t size = job->is_f64 ? 8 : 4;
    int status = CF_DONE;

    if (job->op == GEMV)
        return cf_cublas_check(job->library, gemv(job, operand), "gemv");
    for (int i = 0; i < job->m && status == CF_DONE; ++i)
        status = cf_cublas_check(job->library, one_row(job, i, operand), "a reduction");
    if (status == CF_DONE) /* to where the call's output is looked for */
        status =
            cf_gpu_check(&job->library->gpu,
                         job->library->gpu.driver.to_device(operand[job->op == DOT ? 2 : 1].data,
                                                            job->answers, (size_t)job->m * size),
                         "copy to it");
    return status;
}

static enum cf_status run(struct cf_library *library, const struct cf_tensor in[],
                          struct cf_tensor out[], enum op op)
{
    const int n_in = op == DOT || op == GEMV ? 2 : 1;
    struct job job = {.library = library, .op = op, .is_f64 = in[0].dtype == CF_F64};

    if ((in[0].dtype != CF_F32 && !job.is_f64) || in[0].rank != 2 || out[0].rank != 1 ||
        out[0].dtype != in[0].dtype || in[0].dim[0] > 0x7fffffff || in[0].dim[1] > 0x7fffffff)
        return CF_UNSUPPORTED;
    job.m = (int)in[0].dim[0];
    job.n = (int)in[0].dim[1];
    if (job.m == 0)
        return CF_DONE;
    job.answers = out[0].bits;
    return (enum cf_status)cf_gpu_call(&library->gpu, in, n_in, out, 1, body, &job);
}

#define RUN(op, OP)                                                                                \
    static enum cf_status run_##op(struct cf_library *library, const struct cf_pairs *attributes,  \
                                   const struct cf_tensor in[], struct cf_tensor out[])            \
    {                                                                                              \
        (void)attributes;                                                                          \
        return run(library, in, out, OP);                                                          \
    }
RUN(dot, DOT)
RUN(asum, ASUM)
RUN(nrm2, NRM2)
RUN(gemv, GEMV)

#define ENTRY(op_)                                                                                 \
    {                                                                                              \
        .op = #op_, .name = "default", .backend = &cf_backend_cublas, .run = run_##op_             \
    }

extern const struct cf_kernel cf_kernels_cublas_vectors[];
const struct cf_kernel cf_kernels_cublas_vectors[] = {
    ENTRY(dot), ENTRY(asum), ENTRY(nrm2), ENTRY(gemv), {.op = NULL}};
