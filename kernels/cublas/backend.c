#include "cublas.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    "cublasCreate_v2",        "cublasDestroy_v2",       "cublasGetProperty",
    "cublasSetStream_v2",     "cublasSetWorkspace_v2",  "cublasSetMathMode",
    "cublasGetMathMode",      "cublasSetAtomicsMode",   "cublasGetAtomicsMode",
    "cublasSetSmCountTarget", "cublasGetSmCountTarget", "cublasGetStatusName",
    "cublasGemmEx",           "cublasSgemv_v2",         "cublasDgemv_v2",
    "cublasSdot_v2",          "cublasDdot_v2",          "cublasSasum_v2",
    "cublasDasum_v2",         "cublasSnrm2_v2",         "cublasDnrm2_v2"};
_Static_assert(sizeof names / sizeof names[0] * sizeof(void *) == sizeof(struct cf_cublas_api),
               "a name for every function");

static const char *const switches[] = {"workspace", "streams", "handles", "atomics", "sms",
                                       "algo",      "tile",    "stages",  "splitk",  "scheme",
                                       "swizzle",   "custom",  NULL};

int cf_cublas_check(const struct cf_library *library, int status, const char *what)
{
    if (status == CF_CUBLAS_OK)
        return CF_DONE;
    fprintf(stderr, "cublas: %s: %s (%d)\n", what, library->api.status_name(status), status);
    cf_gpu_check(&library->gpu, library->gpu.driver.synchronize(), what); /* ends a lost context */
    return status == CF_CUBLAS_NO_MEMORY                                 ? CF_NO_MEMORY
           : status == CF_CUBLAS_ARCH || status == CF_CUBLAS_UNSUPPORTED ? CF_UNSUPPORTED
                                                                         : CF_BROKEN;
}

static int make_streams(struct cf_library *library, const struct cf_pairs *keys,
                        struct cf_error *err)
{
    const int64_t n = cf_gpu_flag(keys, "streams", 1);
    const int each = cf_gpu_flag(keys, "handles", 0) != 0;

    if (n < 1 || n > CF_CUBLAS_STREAMS)
        return cf_fail_with(err, 3, "flags=streams:%lld: 1 to %d streams can be had", (long long)n,
                            CF_CUBLAS_STREAMS);
    library->n_streams = (int)n;
    library->n_handles = each ? (int)n : 1;
    for (int i = 0; i < library->n_handles; ++i) {
        const int status = library->api.create(&library->handle[i]);

        if (status != 0)
            return cf_fail(err, "cublasCreate answers %s", library->api.status_name(status));
    }
    for (int i = 0; n > 1 && i < n; ++i)
        if (library->gpu.driver.stream_create(&library->stream[i], 1) != 0) /* non-blocking */
            return cf_fail(err, "the device gives no %lld streams", (long long)n);
    return 0;
}

/* Each switch that cuBLAS can tell is asked for again. */
static int set_switches(struct cf_library *library, const struct cf_pairs *keys,
                        struct cf_error *err)
{
    const struct cf_cublas_api *api = &library->api;
    const int atomics = (int)cf_gpu_flag(keys, "atomics", -1);
    const int sms = (int)cf_gpu_flag(keys, "sms", -1);

    for (int i = 0; i < library->n_handles; ++i) {
        int got = atomics;

        if (atomics >= 0 && (api->set_atomics(library->handle[i], atomics) != 0 ||
                             api->get_atomics(library->handle[i], &got) != 0 || got != atomics))
            return cf_fail_with(err, 3, "atomics:%d was asked for and cuBLAS says %d", atomics,
                                got);
        got = sms;
        if (sms >= 0 && (api->set_sms(library->handle[i], sms) != 0 ||
                         api->get_sms(library->handle[i], &got) != 0 || got != sms))
            return cf_fail_with(err, 3, "sms:%d was asked for and cuBLAS says %d", sms, got);
    }
    return 0;
}

static int set_workspace(struct cf_library *library, const struct cf_pairs *keys,
                         struct cf_error *err)
{
    const int64_t n_bytes = cf_gpu_flag(keys, "workspace", 0);
    struct cf_gpu_buffer *memory = &library->workspace;
    int status;

    if (n_bytes <= 0)
        return 0;
    memory->n_bytes = (size_t)n_bytes;
    status = library->gpu.driver.allocate(&memory->whole, memory->n_bytes);
    memory->data = memory->whole;
    for (int i = 0; i < library->n_handles && status == 0; ++i)
        status = library->api.set_workspace(library->handle[i], (void *)(uintptr_t)memory->data,
                                            memory->n_bytes);
    return status == 0 ? 0
                       : cf_fail_with(err, 3, "cuBLAS does not take a workspace of %lld bytes",
                                      (long long)n_bytes);
}

static int start(struct cf_library *library, const struct cf_pairs *keys, struct cf_error *err)
{
    const char *missing;

    if (cf_gpu_flags_check(keys, switches, err) != 0 || cf_gpu_open(&library->gpu, keys, err) != 0)
        return -1;
    library->file = cf_gpu_library(keys, "libcublas", err);
    if (!library->file)
        return -1;
    missing = cf_gpu_bind(library->file, &library->api, names, CF_COUNT(names));
    if (missing)
        return cf_fail(err, "%s has no %s: it is no cuBLAS 12 or 13", cf_pairs_get(keys, "lib"),
                       missing);
    if (make_streams(library, keys, err) != 0 || set_switches(library, keys, err) != 0)
        return -1;
    return set_workspace(library, keys, err);
}

static struct cf_library *open_cublas(const struct cf_pairs *keys, struct cf_error *err)
{
    struct cf_library *library = cf_alloc_zero(sizeof *library);

    library->keys = cf_gpu_flags_copy(keys, err);
    if (library->keys && start(library, keys, err) == 0)
        return library;
    cf_gpu_flags_free(library->keys);
    free(library); /* the files stay mapped: what was started cannot be unloaded safely */
    return NULL;
}

static void close_cublas(struct cf_library *library)
{
    for (int i = 0; i < library->n_handles; ++i)
        library->api.destroy(library->handle[i]);
    cf_gpu_free(&library->gpu, &library->workspace);
    cf_gpu_close(&library->gpu);
    cf_gpu_flags_free(library->keys);
    free(library);
}

static void state(struct cf_library *library, void (*emit)(void *, const char *, const char *),
                  void *context)
{
    int part[3] = {0, 0, 0}, mode = -1;
    char text[64];

    for (int i = 0; i < 3; ++i)
        library->api.property(i, &part[i]);
    snprintf(text, sizeof text, "%d.%d.%d", part[0], part[1], part[2]);
    emit(context, "internal_api", "cublas");
    emit(context, "version", text);
    if (library->api.get_math(library->handle[0], &mode) == 0) {
        snprintf(text, sizeof text, "%d", mode);
        emit(context, "math_mode", text);
    }
    if (library->api.get_atomics(library->handle[0], &mode) == 0)
        emit(context, "atomics", mode ? "allowed" : "not allowed");
    if (library->workspace.whole) {
        snprintf(text, sizeof text, "%zu", library->workspace.n_bytes);
        emit(context, "workspace", text);
    }
    cf_cublas_lt_state(library, emit, context);
    cf_gpu_state(&library->gpu, emit, context);
}

const struct cf_backend cf_backend_cublas = {.name = "cublas",
                                             .why = "cuBLAS and cuBLASLt on a GPU, by path",
                                             .kernel = "default",
                                             .open = open_cublas,
                                             .close = close_cublas,
                                             .state = state};
