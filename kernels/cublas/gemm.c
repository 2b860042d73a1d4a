/* gemm by cublasGemmEx: c [m,n] = a [m,k] b [k,n]. A kernel is a compute type and a math mode,
 * which is read back before the call:
 *   default, pedantic          what cuBLAS takes by itself; standard arithmetic only
 *   tf32, fast-f16, fast-bf16  f32 operands that may be rounded to a narrower type first
 *   wide-reduction             16-bit operands, no reduction in their own type
 *   autotune                   the algorithm that was fastest at the first call: a negative case,
 *                              for time decides
 *   emulated-f64               f64 by fixed point, eager, 55 bits; where the library says that it
 *                              did not emulate (the bit count reads -1) it is not offered
 *   emulated-bf16x9            f32 by bf16 products (compute capability 10.x only) */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cublas.h"

#define AUTOTUNE     999
#define DEFAULT_ALGO (-1)
#define EAGER        2
#define FIXED        1
#define BITS         55

#define COUNT_POINTER "cublasSetFixedPointEmulationMantissaBitCountPointer"

struct mode {
    const char *name;
    int math, wide, narrow; /* math mode; compute types of f64 and of the others; -1: not offered */
    int algorithm, emulated;
};

struct job {
    struct cf_library *library;
    const struct mode *mode;
    int m, n, k, type, out_type, compute;
    size_t out_bytes;
};

int cf_cublas_is_product(const struct cf_tensor in[], const struct cf_tensor *out)
{
    const struct cf_tensor *a = &in[0], *b = &in[1];

    if (a->rank != 2 || b->rank != 2 || out->rank != 2 || a->dtype != b->dtype ||
        a->dtype > CF_BF16 ||
        (out->dtype != a->dtype && (out->dtype != CF_F32 || a->dtype == CF_F64)))
        return 0;
    for (int i = 0; i < 2; ++i)
        if (a->dim[i] > 0x7fffffff || b->dim[i] > 0x7fffffff)
            return 0;
    return b->dim[0] == a->dim[1] && out->dim[0] == a->dim[0] && out->dim[1] == b->dim[1];
}

static int call(const struct job *job, int stream, const struct cf_gpu_buffer *operand, void *out)
{
    static const float one_f = 1, zero_f = 0;
    static const double one_d = 1, zero_d = 0;
    struct cf_library *library = job->library;
    const struct cf_cublas_api *api = &library->api;
    void *handle = library->handle[stream % library->n_handles];
    const int is_f64 = job->type == CF_R_64F;
    int mode = -1, status = api->set_stream(handle, library->stream[stream]);

    if (status == 0 && library->workspace.whole) /* a new stream forgets the workspace */
        status = api->set_workspace(handle, (void *)(uintptr_t)library->workspace.data,
                                    library->workspace.n_bytes);
    if (status == 0)
        status = api->set_math(handle, job->mode->math);
    if (status == 0)
        status = api->get_math(handle, &mode);
    if (status == 0 && mode != job->mode->math) {
        fprintf(stderr, "cublas: math mode %d was asked for and %d is in effect\n", job->mode->math,
                mode);
        return CF_BROKEN;
    }
    if (status == 0) /* row-major c = a b is column-major c' = b' a' */
        status =
            api->gemm(handle, 0, 0, job->n, job->m, job->k, is_f64 ? (const void *)&one_d : &one_f,
                      (void *)(uintptr_t)operand[1].data, job->type, job->n,
                      (void *)(uintptr_t)operand[0].data, job->type, job->k > 0 ? job->k : 1,
                      is_f64 ? (const void *)&zero_d : &zero_f, out, job->out_type, job->n,
                      job->compute, job->mode->algorithm);
    return cf_cublas_check(library, status, "cublasGemmEx");
}

/* N copies at once, each into memory of its own; the answer is one of them, another one each time.
 */
static int on_streams(const struct job *job, const struct cf_gpu_buffer *operand)
{
    struct cf_library *library = job->library;
    const struct cf_gpu_driver *driver = &library->gpu.driver;
    const int n = library->n_streams, answer = (int)(library->n_calls++ % n);
    unsigned long long copy[CF_CUBLAS_STREAMS] = {0};
    int status = CF_DONE;

    for (int i = 0; i < n && status == CF_DONE; ++i) {
        copy[i] = operand[2].data;
        if (i != answer)
            status = cf_gpu_check(&library->gpu, driver->allocate(&copy[i], job->out_bytes + 1),
                                  "a copy");
        if (status != CF_DONE)
            copy[i] = 0;
    }
    for (int i = 0; i < n && status == CF_DONE; ++i)
        status = call(job, i, operand, (void *)(uintptr_t)copy[i]);
    if (status == CF_DONE)
        status = cf_gpu_check(&library->gpu, driver->synchronize(), "streams");
    for (int i = 0; i < n; ++i)
        if (i != answer && copy[i])
            driver->release(copy[i]);
    return status;
}

/* ---- Emulation, which may silently not happen ---- */

typedef int set_int(void *handle, int value);
typedef int set_pointer(void *handle, int *pointer);

static int find(const struct job *job, const char *name, void *function)
{
    void *symbol = dlsym(job->library->file, name);

    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

/* The product, with the mantissa bits of an emulation in *used, which stays -2 where the library
 * did not say, and is -1 where it did not emulate. */
static int counted(const struct job *job, const struct cf_gpu_buffer *operand, set_pointer *count,
                   int *used)
{
    const struct cf_gpu *gpu = &job->library->gpu;
    void *handle = job->library->handle[0];
    struct cf_gpu_buffer memory;
    int status;

    *used = -2;
    status = cf_gpu_upload(gpu, &memory, used, sizeof *used);
    if (status == CF_DONE && count(handle, (int *)(uintptr_t)memory.data) != 0)
        status = CF_UNSUPPORTED;
    if (status == CF_DONE)
        status = call(job, 0, operand, (void *)(uintptr_t)operand[2].data);
    count(handle, NULL);
    if (status == CF_DONE)
        status = cf_gpu_download(gpu, &memory, used);
    cf_gpu_free(gpu, &memory);
    return status;
}

static int emulated(const struct job *job, const struct cf_gpu_buffer *operand)
{
    void *handle = job->library->handle[0];
    set_int *strategy, *control, *bits;
    set_pointer *count;
    int used = -2, status;

    if (!find(job, "cublasSetEmulationStrategy", &strategy) ||
        !find(job, "cublasSetFixedPointEmulationMantissaControl", &control) ||
        !find(job, "cublasSetFixedPointEmulationMaxMantissaBitCount", &bits) ||
        !find(job, COUNT_POINTER, &count))
        return CF_UNSUPPORTED; /* before CUDA 13.0 update 2 */
    status = cf_cublas_check(job->library,
                             strategy(handle, EAGER) || control(handle, FIXED) || bits(handle, BITS)
                                 ? CF_CUBLAS_UNSUPPORTED
                                 : CF_CUBLAS_OK,
                             "asking for emulation");
    if (status == CF_DONE)
        status = counted(job, operand, count, &used);
    if (status == CF_DONE && used < 0) {
        fprintf(stderr, "cublas: emulation was asked for and not used (bit count %d)\n", used);
        return CF_UNSUPPORTED;
    }
    if (status == CF_DONE)
        cf_chose("emulated_bits", "%d", used);
    return status;
}

/* The environment may turn an ordinary product into an emulated one: then it is asked whether it
 * was. */
static int maybe_emulated(const struct job *job, const struct cf_gpu_buffer *operand)
{
    set_pointer *count;
    int used, status;

    if (job->type != CF_R_64F || !getenv("CUBLAS_EMULATE_DOUBLE_PRECISION") ||
        !find(job, COUNT_POINTER, &count))
        return call(job, 0, operand, (void *)(uintptr_t)operand[2].data);
    status = counted(job, operand, count, &used);
    if (status == CF_DONE && used >= 0)
        cf_chose("emulated_bits", "%d", used);
    else if (status == CF_DONE)
        cf_chose("emulated_bits", "%s", used == -1 ? "none" : "unknown");
    return status;
}

static int body(void *context, const struct cf_gpu_buffer *operand)
{
    const struct job *job = context;

    if (job->mode->emulated)
        return emulated(job, operand);
    if (job->library->n_streams > 1)
        return on_streams(job, operand);
    return maybe_emulated(job, operand);
}

static enum cf_status run(struct cf_library *library, const struct cf_tensor in[],
                          struct cf_tensor out[], const struct mode *mode)
{
    struct job job = {.library = library, .mode = mode};

    if (!cf_cublas_is_product(in, &out[0]))
        return CF_UNSUPPORTED;
    job.m = (int)in[0].dim[0];
    job.k = (int)in[0].dim[1];
    job.n = (int)in[1].dim[1];
    job.type = cf_cublas_type(in[0].dtype);
    job.out_type = cf_cublas_type(out[0].dtype);
    job.compute = in[0].dtype == CF_F64 ? mode->wide : mode->narrow;
    job.out_bytes = cf_tensor_bytes(&out[0]);
    if (job.compute < 0 ||
        (mode->narrow >= CF_COMPUTE_32F_FAST_16F && in[0].dtype != CF_F32 && in[0].dtype != CF_F64))
        return CF_UNSUPPORTED;
    if (cf_tensor_count(&out[0]) == 0)
        return CF_DONE;
    return (enum cf_status)cf_gpu_call(&library->gpu, in, 2, out, 1, body, &job);
}

#define MODE(id, text, math, wide, narrow, algorithm, emulated)                                    \
    static enum cf_status run_##id(struct cf_library *library, const struct cf_pairs *attributes,  \
                                   const struct cf_tensor in[], struct cf_tensor out[])            \
    {                                                                                              \
        static const struct mode mode = {text, math, wide, narrow, algorithm, emulated};           \
                                                                                                   \
        (void)attributes;                                                                          \
        return run(library, in, out, &mode);                                                       \
    }
MODE(standard, "default", CF_MATH_DEFAULT, CF_COMPUTE_64F, CF_COMPUTE_32F, DEFAULT_ALGO, 0)
MODE(pedantic, "pedantic", CF_MATH_PEDANTIC, CF_COMPUTE_64F_PEDANTIC, CF_COMPUTE_32F_PEDANTIC,
     DEFAULT_ALGO, 0)
MODE(tf32, "tf32", CF_MATH_TF32, -1, CF_COMPUTE_32F_FAST_TF32, DEFAULT_ALGO, 0)
MODE(fast_f16, "fast-f16", CF_MATH_DEFAULT, -1, CF_COMPUTE_32F_FAST_16F, DEFAULT_ALGO, 0)
MODE(fast_bf16, "fast-bf16", CF_MATH_DEFAULT, -1, CF_COMPUTE_32F_FAST_16BF, DEFAULT_ALGO, 0)
MODE(wide_reduction, "wide-reduction", CF_MATH_NARROW, -1, CF_COMPUTE_32F, DEFAULT_ALGO, 0)
MODE(autotune, "autotune", CF_MATH_DEFAULT, CF_COMPUTE_64F, CF_COMPUTE_32F, AUTOTUNE, 0)
MODE(emulated_f64, "emulated-f64", CF_MATH_DEFAULT, CF_COMPUTE_64F_EMULATED, -1, DEFAULT_ALGO, 1)
MODE(emulated_bf16x9, "emulated-bf16x9", CF_MATH_DEFAULT, -1, CF_COMPUTE_32F_EMULATED_16BFX9,
     DEFAULT_ALGO, 0)

#define ENTRY(text, id)                                                                            \
    {                                                                                              \
        .op = "gemm", .name = text, .backend = &cf_backend_cublas, .run = run_##id                 \
    }

extern const struct cf_kernel cf_kernels_cublas_gemm[];
const struct cf_kernel cf_kernels_cublas_gemm[] = {ENTRY("default", standard),
                                                   ENTRY("pedantic", pedantic),
                                                   ENTRY("tf32", tf32),
                                                   ENTRY("fast-f16", fast_f16),
                                                   ENTRY("fast-bf16", fast_bf16),
                                                   ENTRY("wide-reduction", wide_reduction),
                                                   ENTRY("autotune", autotune),
                                                   ENTRY("emulated-f64", emulated_f64),
                                                   ENTRY("emulated-bf16x9", emulated_bf16x9),
                                                   {.op = NULL}};
