/* gemm by cublasLtMatmul: c [m,n] = a [m,k] b [k,n], asked for as its transpose.
 *   lt          the algorithm of flags=algo:ID with its tile, stages, splitk, scheme, swizzle and
 *               custom option; without algo: what the heuristic names first
 *   lt-unsplit  what the heuristic names first when no reduction scheme is allowed: one sequence
 *   lt-e4m3, lt-e5m2, lt-e5m2-e4m3  operands (a, b) rounded to 8 bits first, as those of the model
 * of tensor cores are; scales of 1, summed in f32, output of the case's type. cuBLASLt takes dims
 * that are multiples of 16, and (13.0) no product of e5m2 with e5m2
 *   ...-fast    the same with CUBLASLT_MATMUL_DESC_FAST_ACCUM: partial sums are not promoted
 * An algorithm that cublasLtMatmulAlgoCheck refuses is not offered. Which one ran is in the
 * record: id, tile, stages, splits, scheme, and its implementation flags. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cublas.h"

#define WORKSPACE (32 << 20)
#define IDS       64

enum { ID, TILE, SPLITK, SCHEME, SWIZZLE, CUSTOM, STAGES, N_CONFIG }; /* ..._ALGO_CONFIG_... */
enum { TRANSPOSE_A = 3, FAST_ACCUM = 25 };                            /* CUBLASLT_MATMUL_DESC_... */
enum { CAP_IMPLEMENTATION = 15, MAX_WORKSPACE = 1, SCHEME_MASK = 3 };

static const char *const flag_names[N_CONFIG] = {"algo",    "tile",   "splitk", "scheme",
                                                 "swizzle", "custom", "stages"};

struct algorithm {
    uint64_t data[8];
};

struct heuristic {
    struct algorithm algorithm;
    size_t workspace;
    int state;
    float waves;
    int reserved[4];
};

struct api {
    int (*create)(void **handle);
    int (*destroy)(void *handle);
    int (*matmul)(void *handle, void *desc, const void *alpha, const void *a, void *a_layout,
                  const void *b, void *b_layout, const void *beta, const void *c, void *c_layout,
                  void *d, void *d_layout, const struct algorithm *algorithm, void *workspace,
                  size_t n_bytes, void *stream);
    int (*desc_create)(void **desc, int compute, int scale);
    int (*desc_set)(void *desc, int attribute, const void *value, size_t n_bytes);
    int (*desc_destroy)(void *desc);
    int (*layout_create)(void **layout, int type, uint64_t rows, uint64_t columns, int64_t lead);
    int (*layout_destroy)(void *layout);
    int (*preference_create)(void **preference);
    int (*preference_destroy)(void *preference);
    int (*preference_set)(void *preference, int attribute, const void *value, size_t n_bytes);
    int (*first)(void *handle, void *desc, void *a, void *b, void *c, void *d, void *preference,
                 int wanted, struct heuristic *results, int *n);
    int (*ids)(void *handle, int compute, int scale, int a, int b, int c, int d, int wanted,
               int *ids, int *n);
    int (*init)(void *handle, int compute, int scale, int a, int b, int c, int d, int id,
                struct algorithm *algorithm);
    int (*check)(void *handle, void *desc, void *a, void *b, void *c, void *d,
                 const struct algorithm *algorithm, struct heuristic *result);
    int (*config_set)(struct algorithm *algorithm, int attribute, const void *value, size_t n);
    int (*config_get)(const struct algorithm *algorithm, int attribute, void *value, size_t n,
                      size_t *written);
    int (*cap_get)(const struct algorithm *algorithm, int attribute, void *value, size_t n,
                   size_t *written);
};

static const char *const names[] = {"cublasLtCreate",
                                    "cublasLtDestroy",
                                    "cublasLtMatmul",
                                    "cublasLtMatmulDescCreate",
                                    "cublasLtMatmulDescSetAttribute",
                                    "cublasLtMatmulDescDestroy",
                                    "cublasLtMatrixLayoutCreate",
                                    "cublasLtMatrixLayoutDestroy",
                                    "cublasLtMatmulPreferenceCreate",
                                    "cublasLtMatmulPreferenceDestroy",
                                    "cublasLtMatmulPreferenceSetAttribute",
                                    "cublasLtMatmulAlgoGetHeuristic",
                                    "cublasLtMatmulAlgoGetIds",
                                    "cublasLtMatmulAlgoInit",
                                    "cublasLtMatmulAlgoCheck",
                                    "cublasLtMatmulAlgoConfigSetAttribute",
                                    "cublasLtMatmulAlgoConfigGetAttribute",
                                    "cublasLtMatmulAlgoCapGetAttribute"};
_Static_assert(sizeof names / sizeof names[0] * sizeof(void *) == sizeof(struct api),
               "a name for every function");

struct kind {
    int unsplit, is_fp8, fast;
    enum cf_tc_type a, b; /* with is_fp8 */
};

/* One product and its descriptions. `a` and `b` are cublasLt's: b' and a'; with 8 bits each is
 * stored with k contiguous, and a is transposed. */
struct job {
    struct cf_library *library;
    struct api api;
    const struct kind *kind;
    int type_a, type_b, out_type, compute, scale;
    uint64_t m, n, k;
    void *handle, *desc, *a, *b, *c;
    struct heuristic chosen;
};

static int check(const struct job *job, int status, const char *what)
{
    return cf_cublas_check(job->library, status, what);
}

static int describe(struct job *job)
{
    const struct api *api = &job->api;
    const int32_t transposed = 1; /* CUBLAS_OP_T */
    const int8_t fast = 1;
    int status = api->create(&job->handle);

    if (status == 0)
        status = api->desc_create(&job->desc, job->compute, job->scale);
    if (status == 0 && job->kind->is_fp8)
        status = api->desc_set(job->desc, TRANSPOSE_A, &transposed, sizeof transposed);
    if (status == 0 && job->kind->fast)
        status = api->desc_set(job->desc, FAST_ACCUM, &fast, sizeof fast);
    if (status == 0)
        status = job->kind->is_fp8
                     ? api->layout_create(&job->a, job->type_a, job->k, job->n, (int64_t)job->k)
                     : api->layout_create(&job->a, job->type_a, job->n, job->k, (int64_t)job->n);
    if (status == 0)
        status = api->layout_create(&job->b, job->type_b, job->k, job->m, (int64_t)job->k);
    if (status == 0)
        status = api->layout_create(&job->c, job->out_type, job->n, job->m, (int64_t)job->n);
    return check(job, status, "describing a product to cublasLt");
}

static void forget(struct job *job)
{
    const struct api *api = &job->api;
    void *const layouts[] = {job->a, job->b, job->c};

    for (int i = 0; i < 3; ++i)
        if (layouts[i])
            api->layout_destroy(layouts[i]);
    if (job->desc)
        api->desc_destroy(job->desc);
    if (job->handle)
        api->destroy(job->handle);
}

static int choose_first(struct job *job)
{
    const struct api *api = &job->api;
    const uint64_t most = WORKSPACE;
    const uint32_t no_scheme = 0;
    void *preference = NULL;
    int n = 0, status = api->preference_create(&preference);

    if (status == 0)
        status = api->preference_set(preference, MAX_WORKSPACE, &most, sizeof most);
    if (status == 0 && job->kind->unsplit)
        status = api->preference_set(preference, SCHEME_MASK, &no_scheme, sizeof no_scheme);
    if (status == 0)
        status = api->first(job->handle, job->desc, job->a, job->b, job->c, job->c, preference, 1,
                            &job->chosen, &n);
    if (preference)
        api->preference_destroy(preference);
    if (status == 0 && (n < 1 || job->chosen.state != 0))
        status = CF_CUBLAS_UNSUPPORTED;
    return check(job, status, "the heuristic of cublasLt");
}

static int choose_asked(struct job *job, int id)
{
    const struct api *api = &job->api;
    struct algorithm *algorithm = &job->chosen.algorithm;
    int status = api->init(job->handle, job->compute, job->scale, job->type_a, job->type_b,
                           job->out_type, job->out_type, id, algorithm);
    struct heuristic checked;

    for (int i = 1; i < N_CONFIG && status == 0; ++i) {
        const int32_t value = (int32_t)cf_gpu_flag(job->library->keys, flag_names[i], -1);

        if (value >= 0)
            status = api->config_set(algorithm, i, &value, sizeof value);
    }
    if (status == 0)
        status =
            api->check(job->handle, job->desc, job->a, job->b, job->c, job->c, algorithm, &checked);
    if (status == 0)
        job->chosen.workspace = checked.workspace;
    else if (status == 7) /* invalid value: not this algorithm with this configuration */
        status = CF_CUBLAS_UNSUPPORTED;
    return check(job, status, "cublasLtMatmulAlgoCheck");
}

/* What will run, read back from the algorithm itself. */
static void tell(const struct job *job)
{
    uint64_t flags = 0;
    size_t written;

    for (int i = 0; i < N_CONFIG; ++i) {
        int32_t value = -1;

        if (job->api.config_get(&job->chosen.algorithm, i, &value, sizeof value, &written) == 0)
            cf_chose(flag_names[i], "%d", (int)value);
    }
    if (job->api.cap_get(&job->chosen.algorithm, CAP_IMPLEMENTATION, &flags, sizeof flags,
                         &written) == 0)
        cf_chose("implementation", "0x%llx", (unsigned long long)flags);
    cf_chose("workspace", "%zu", job->chosen.workspace);
}

static int multiply(struct job *job, const struct cf_gpu_buffer *operand)
{
    static const float one_f = 1, zero_f = 0;
    static const double one_d = 1, zero_d = 0;
    const int is_f64 = job->scale == CF_R_64F;
    const struct cf_gpu *gpu = &job->library->gpu;
    void *c = (void *)(uintptr_t)operand[2].data;
    struct cf_gpu_buffer memory = {.n_bytes = job->chosen.workspace};
    int status =
        cf_gpu_check(gpu, gpu->driver.allocate(&memory.whole, memory.n_bytes + 1), "a workspace");

    if (status != CF_DONE)
        return status;
    status = check(job,
                   job->api.matmul(job->handle, job->desc, is_f64 ? (const void *)&one_d : &one_f,
                                   (void *)(uintptr_t)operand[1].data, job->a,
                                   (void *)(uintptr_t)operand[0].data, job->b,
                                   is_f64 ? (const void *)&zero_d : &zero_f, c, job->c, c, job->c,
                                   &job->chosen.algorithm, (void *)(uintptr_t)memory.whole,
                                   memory.n_bytes, NULL),
                   "cublasLtMatmul");
    if (status == CF_DONE)
        status = cf_gpu_check(gpu, gpu->driver.synchronize(), "cublasLtMatmul");
    cf_gpu_free(gpu, &memory);
    return status;
}

static int body(void *context, const struct cf_gpu_buffer *operand)
{
    struct job *job = context;
    const int id = (int)cf_gpu_flag(job->library->keys, "algo", -1);
    int status = describe(job);

    if (status == CF_DONE)
        status = id < 0 || job->kind->unsplit ? choose_first(job) : choose_asked(job, id);
    if (status == CF_DONE) {
        tell(job);
        status = multiply(job, operand);
    }
    forget(job);
    return status;
}

/* The operands are rounded here: the device gets bytes. */
static int run_fp8(struct job *job, const struct cf_tensor in[], struct cf_tensor out[])
{
    struct cf_tensor bytes[2] = {{.bits = NULL}, {.bits = NULL}};
    int status = cf_cublas_fp8_take(&bytes[0], &in[0], 0, job->kind->a);

    if (status == CF_DONE)
        status = cf_cublas_fp8_take(&bytes[1], &in[1], 1, job->kind->b);
    if (status == CF_DONE)
        status = cf_gpu_call(&job->library->gpu, bytes, 2, out, 1, body, job);
    free(bytes[0].bits);
    free(bytes[1].bits);
    return status;
}

static int type_of(enum cf_tc_type type)
{
    return type == CF_TC_E4M3 ? CF_R_E4M3 : CF_R_E5M2;
}

static enum cf_status run(struct cf_library *library, const struct cf_tensor in[],
                          struct cf_tensor out[], const struct kind *kind)
{
    const int is_f64 = in[0].dtype == CF_F64;
    struct job job = {.library = library,
                      .kind = kind,
                      .type_a = kind->is_fp8 ? type_of(kind->b) : cf_cublas_type(in[0].dtype),
                      .type_b = kind->is_fp8 ? type_of(kind->a) : cf_cublas_type(in[0].dtype),
                      .out_type = cf_cublas_type(out[0].dtype),
                      .compute = is_f64 ? CF_COMPUTE_64F : CF_COMPUTE_32F,
                      .scale = is_f64 ? CF_R_64F : CF_R_32F};

    if (!cf_cublas_is_product(in, &out[0]) || in[0].dim[1] == 0 || (kind->is_fp8 && is_f64) ||
        cf_gpu_bind(library->file, &job.api, names, CF_COUNT(names)))
        return CF_UNSUPPORTED;
    if (cf_tensor_count(&out[0]) == 0)
        return CF_DONE;
    job.m = (uint64_t)in[0].dim[0];
    job.k = (uint64_t)in[0].dim[1];
    job.n = (uint64_t)in[1].dim[1];
    return (enum cf_status)(kind->is_fp8 ? run_fp8(&job, in, out)
                                         : cf_gpu_call(&library->gpu, in, 2, out, 1, body, &job));
}

void cf_cublas_lt_state(struct cf_library *library,
                        void (*emit)(void *, const char *, const char *), void *context)
{
    static const struct {
        const char *key;
        int type, compute, scale;
    } types[] = {{"lt_algorithms.f64", CF_R_64F, CF_COMPUTE_64F, CF_R_64F},
                 {"lt_algorithms.f32", CF_R_32F, CF_COMPUTE_32F, CF_R_32F},
                 {"lt_algorithms.tf32", CF_R_32F, CF_COMPUTE_32F_FAST_TF32, CF_R_32F},
                 {"lt_algorithms.f16", CF_R_16F, CF_COMPUTE_32F, CF_R_32F},
                 {"lt_algorithms.bf16", CF_R_16BF, CF_COMPUTE_32F, CF_R_32F},
                 {"lt_algorithms.e4m3", CF_R_E4M3, CF_COMPUTE_32F, CF_R_32F}};
    struct api api;
    void *handle;

    if (cf_gpu_bind(library->file, &api, names, CF_COUNT(names)) || api.create(&handle) != 0)
        return;
    for (int t = 0; t < CF_COUNT(types); ++t) {
        const int type = types[t].type, out = type == CF_R_E4M3 ? CF_R_32F : type;
        int id[IDS], n = 0;
        char text[IDS * 5] = "";
        size_t length = 0;

        if (api.ids(handle, types[t].compute, types[t].scale, type, type, out, out, IDS, id, &n) !=
            0)
            continue;
        for (int i = 0; i < n && i < IDS && length < sizeof text; ++i)
            length +=
                (size_t)snprintf(text + length, sizeof text - length, "%s%d", i ? " " : "", id[i]);
        emit(context, types[t].key, text);
    }
    api.destroy(handle);
}

#define RUN(name, ...)                                                                             \
    static enum cf_status run_##name(struct cf_library *library,                                   \
                                     const struct cf_pairs *attributes,                            \
                                     const struct cf_tensor in[], struct cf_tensor out[])          \
    {                                                                                              \
        static const struct kind kind = {__VA_ARGS__};                                             \
                                                                                                   \
        (void)attributes;                                                                          \
        return run(library, in, out, &kind);                                                       \
    }
RUN(lt, .unsplit = 0)
RUN(lt_unsplit, .unsplit = 1)
RUN(e4m3, 0, 1, 0, CF_TC_E4M3, CF_TC_E4M3)
RUN(e4m3_fast, 0, 1, 1, CF_TC_E4M3, CF_TC_E4M3)
RUN(e5m2, 0, 1, 0, CF_TC_E5M2, CF_TC_E5M2)
RUN(e5m2_fast, 0, 1, 1, CF_TC_E5M2, CF_TC_E5M2)
RUN(mixed, 0, 1, 0, CF_TC_E5M2, CF_TC_E4M3)
RUN(mixed_fast, 0, 1, 1, CF_TC_E5M2, CF_TC_E4M3)

#define ENTRY(text, id)                                                                            \
    {                                                                                              \
        .op = "gemm", .name = text, .backend = &cf_backend_cublas, .run = run_##id                 \
    }

extern const struct cf_kernel cf_kernels_cublas_matmul[];
const struct cf_kernel cf_kernels_cublas_matmul[] = {ENTRY("lt", lt),
                                                     ENTRY("lt-unsplit", lt_unsplit),
                                                     ENTRY("lt-e4m3", e4m3),
                                                     ENTRY("lt-e4m3-fast", e4m3_fast),
                                                     ENTRY("lt-e5m2", e5m2),
                                                     ENTRY("lt-e5m2-fast", e5m2_fast),
                                                     ENTRY("lt-e5m2-e4m3", mixed),
                                                     ENTRY("lt-e5m2-e4m3-fast", mixed_fast),
                                                     {.op = NULL}};
