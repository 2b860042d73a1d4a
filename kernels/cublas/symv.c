/* symv: y = s x, s symmetric, of which the lower half of a [n,n] is read: the upper one of what
 * cuBLAS, which counts columns, sees. The one routine (with hemv) that cuBLAS documents as not
 * reproducible: with flags=atomics:1 it may add in the order of arrival. Without that flag cuBLAS's
 * own default holds, atomics not allowed. */
#include "cublas.h"

#include <dlfcn.h>
#include <string.h>

#define UPPER 1 /* CUBLAS_FILL_MODE_UPPER */

typedef int ssymv(void *handle, int uplo, int n, const float *alpha, const float *a, int ld,
                  const float *x, int step_x, const float *beta, float *y, int step_y);
typedef int dsymv(void *handle, int uplo, int n, const double *alpha, const double *a, int ld,
                  const double *x, int step_x, const double *beta, double *y, int step_y);

struct job {
    struct cf_library *library;
    int is_f64, n;
    ssymv *narrow;
    dsymv *wide;
};

static void find(const struct cf_library *library, const char *name, void *function)
{
    void *symbol = dlsym(library->file, name);

    memcpy(function, &symbol, sizeof symbol);
}

static int body(void *context, const struct cf_gpu_buffer *operand)
{
    static const float one_f = 1, zero_f = 0;
    static const double one_d = 1, zero_d = 0;
    const struct job *job = context;
    void *handle = job->library->handle[0], *p[3];
    int mode = -1, status;

    for (int i = 0; i < 3; ++i)
        p[i] = (void *)(uintptr_t)operand[i].data;
    status =
        job->is_f64
            ? job->wide(handle, UPPER, job->n, &one_d, p[0], job->n, p[1], 1, &zero_d, p[2], 1)
            : job->narrow(handle, UPPER, job->n, &one_f, p[0], job->n, p[1], 1, &zero_f, p[2], 1);
    if (status == 0 && job->library->api.get_atomics(handle, &mode) == 0)
        cf_chose("atomics", "%d", mode);
    return cf_cublas_check(job->library, status, "symv");
}

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[])
{
    struct job job = {.library = library, .is_f64 = in[0].dtype == CF_F64};

    (void)attributes;
    find(library, "cublasSsymv_v2", &job.narrow);
    find(library, "cublasDsymv_v2", &job.wide);
    if (!job.narrow || !job.wide || (in[0].dtype != CF_F32 && !job.is_f64) || in[0].rank != 2 ||
        in[1].rank != 1 || out[0].dtype != in[0].dtype || in[1].dtype != in[0].dtype ||
        in[0].dim[1] != in[0].dim[0] || in[0].dim[0] > 0x7fffffff)
        return CF_UNSUPPORTED;
    job.n = (int)in[0].dim[0];
    if (job.n == 0)
        return CF_DONE;
    return (enum cf_status)cf_gpu_call(&library->gpu, in, 2, out, 1, body, &job);
}

extern const struct cf_kernel cf_kernels_cublas_symv[];
const struct cf_kernel cf_kernels_cublas_symv[] = {
    {.op = "symv", .name = "default", .backend = &cf_backend_cublas, .run = run}, {.op = NULL}};
