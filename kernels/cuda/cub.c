/* sum by CUB: x [m,n] -> y [m], m calls:
 *   cub-reduce  cub::DeviceReduce::Sum: documented to repeat on one device
 *   cub-scan    the last element of cub::DeviceScan::InclusiveSum, which is documented to differ
 *               from run to run (decoupled look-back; CCCL documentation, DeviceScan)
 * CUB's kernels are in libconform-cub.so next to the worker (target conform-cub); lib= names the
 * libcudart that it runs with. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cuda.h"

typedef int cub_function(void *scratch, size_t *n_bytes, const void *x, void *out, int n, int wide);

struct job {
    struct cf_library *library;
    cub_function *function;
    int scan, wide, m, n;
};

/* "<folder of the worker>/libconform-cub.so" */
static int module_path(char path[512])
{
    const ssize_t n = readlink("/proc/self/exe", path, 480);
    char *slash;

    if (n <= 0)
        return -1;
    path[n] = '\0';
    slash = strrchr(path, '/');
    snprintf(slash + 1, 31, "libconform-cub.so");
    return 0;
}

static int load(struct cf_library *library)
{
    char path[512];

    if (library->cub)
        return CF_DONE;
    if (library->on_host || !library->cudart_path[0] || module_path(path) != 0) {
        fprintf(stderr, "cub: needs a device and lib=, the path of a libcudart\n");
        return CF_UNSUPPORTED;
    }
    if (!library->cudart)
        library->cudart = dlopen(library->cudart_path, RTLD_NOW | RTLD_GLOBAL);
    if (library->cudart)
        library->cub = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library->cub)
        fprintf(stderr, "cub: %s (the target conform-cub makes libconform-cub.so)\n", dlerror());
    return library->cub ? CF_DONE : CF_UNSUPPORTED;
}

static int check(const struct job *job, int error)
{
    return cf_gpu_check(&job->library->gpu, error, job->scan ? "cub scan" : "cub reduce");
}

static int one_row(const struct job *job, const char *x, char *out, const struct cf_gpu_buffer *all,
                   const struct cf_gpu_buffer *scratch, size_t n_bytes)
{
    const size_t size = job->wide ? 8 : 4;
    const struct cf_gpu *gpu = &job->library->gpu;
    char last[8];
    int status;

    if (!job->scan)
        return check(job,
                     job->function(cf_cuda_pointer(scratch), &n_bytes, x, out, job->n, job->wide));
    status = check(job, job->function(cf_cuda_pointer(scratch), &n_bytes, x, cf_cuda_pointer(all),
                                      job->n, job->wide));
    if (status == CF_DONE)
        status = check(job, gpu->driver.synchronize());
    if (status == CF_DONE)
        status =
            check(job, gpu->driver.to_host(last, all->data + (size_t)(job->n - 1) * size, size));
    if (status == CF_DONE)
        status = check(job, gpu->driver.to_device((uintptr_t)out, last, size));
    return status;
}

static int body(void *context, const struct cf_gpu_buffer *operand)
{
    const struct job *job = context;
    const struct cf_gpu *gpu = &job->library->gpu;
    const size_t size = job->wide ? 8 : 4, row = (size_t)job->n * size;
    char *x = cf_cuda_pointer(&operand[0]), *out = cf_cuda_pointer(&operand[1]);
    struct cf_gpu_buffer scratch = {0}, all = {0};
    size_t n_bytes = 0;
    int status = check(job, job->function(NULL, &n_bytes, x, out, job->n, job->wide));

    if (status == CF_DONE)
        status = cf_cuda_scratch(job->library, &scratch, n_bytes);
    if (status == CF_DONE)
        status = cf_cuda_scratch(job->library, &all, job->scan ? row : 0);
    for (int i = 0; i < job->m && status == CF_DONE; ++i)
        status = one_row(job, x + (size_t)i * row, out + (size_t)i * size, &all, &scratch, n_bytes);
    if (status == CF_DONE)
        status = check(job, gpu->driver.synchronize());
    cf_gpu_free(gpu, &scratch);
    cf_gpu_free(gpu, &all);
    return status;
}

static enum cf_status run(struct cf_library *library, const struct cf_tensor in[],
                          struct cf_tensor out[], int scan)
{
    struct job job = {.library = library, .scan = scan, .wide = in[0].dtype == CF_F64};
    void *symbol;

    if (!cf_cuda_takes(in, 1, &out[0]) || in[0].rank != 2 || in[0].dim[0] > 0x7fffffff ||
        in[0].dim[1] > 0x7fffffff || in[0].dim[1] < 1 || load(library) != CF_DONE)
        return CF_UNSUPPORTED;
    symbol = dlsym(library->cub, scan ? "cf_cub_scan" : "cf_cub_sum");
    if (!symbol)
        return CF_UNSUPPORTED;
    memcpy(&job.function, &symbol, sizeof symbol);
    job.m = (int)in[0].dim[0];
    job.n = (int)in[0].dim[1];
    return (enum cf_status)cf_gpu_call(&library->gpu, in, 1, out, 1, body, &job);
}

#define RUN(name, scan)                                                                            \
    static enum cf_status run_##name(struct cf_library *library,                                   \
                                     const struct cf_pairs *attributes,                            \
                                     const struct cf_tensor in[], struct cf_tensor out[])          \
    {                                                                                              \
        (void)attributes;                                                                          \
        return run(library, in, out, scan);                                                        \
    }
RUN(reduce, 0)
RUN(scan, 1)

extern const struct cf_kernel cf_kernels_cuda_cub[];
const struct cf_kernel cf_kernels_cuda_cub[] = {
    {.op = "sum", .name = "cub-reduce", .backend = &cf_backend_cuda, .run = run_reduce},
    {.op = "sum", .name = "cub-scan", .backend = &cf_backend_cuda, .run = run_scan},
    {.op = NULL}};
