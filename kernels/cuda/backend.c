#include "cuda.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_device(struct cf_library *library, const struct cf_pairs *keys,
                       struct cf_error *err)
{
    const char *flags = cf_pairs_get(keys, "flags");

    if (flags && strcmp(flags, "graph") != 0)
        return cf_fail_with(err, 3,
                            "flags=%s: a device knows only flags=graph; it has a schedule of its "
                            "own, so flags=shuffled goes with device=cpu",
                            flags);
    library->graph = flags != NULL;
    if (cf_cuda_image(CF_CUDA_PLAIN).n_bytes == 0)
        return cf_fail(err, "this build has no device code: it was made without nvcc; device=cpu "
                            "runs the same kernels on the host");
    return cf_gpu_open(&library->gpu, keys, err);
}

static int open_host(struct cf_library *library, const struct cf_pairs *keys, struct cf_error *err)
{
    const char *flags = cf_pairs_get(keys, "flags");

    if (flags && strcmp(flags, "shuffled") != 0)
        return cf_fail_with(err, 3, "flags=%s: device=cpu knows only flags=shuffled", flags);
    library->on_host = 1;
    library->shuffled = flags != NULL;
    cf_gpu_open_host(&library->gpu, keys);
    return 0;
}

static struct cf_library *open_cuda(const struct cf_pairs *keys, struct cf_error *err)
{
    const char *device = cf_pairs_get(keys, "device"), *path = cf_pairs_get(keys, "lib");
    struct cf_library *library = cf_alloc_zero(sizeof *library);
    const int on_host = device && strcmp(device, "cpu") == 0;

    snprintf(library->cudart_path, sizeof library->cudart_path, "%s", path ? path : "");
    if (path && (path[0] != '/' || strlen(path) >= sizeof library->cudart_path))
        cf_fail(err, "lib=%s is no absolute path of a libcudart; libraries are never searched for",
                path);
    else if ((on_host ? open_host : open_device)(library, keys, err) == 0)
        return library;
    free(library);
    return NULL;
}

static void close_cuda(struct cf_library *library)
{
    cf_gpu_close(&library->gpu);
    free(library);
}

static void state(struct cf_library *library, void (*emit)(void *, const char *, const char *),
                  void *context)
{
    emit(context, "version", "1"); /* of the orders: changes when their bits do */
    emit(context, "internal_api", "cuda");
    if (library->on_host)
        emit(context, "schedule", library->shuffled ? "shuffled" : "fixed");
    if (library->on_host)
        emit(context, "matrix_unit", "the fragments of a device, the arithmetic of model h100");
    if (library->shuffled)
        emit(context, "flags", "shuffled");
    if (library->graph)
        emit(context, "flags", "graph");
    if (library->cudart_path[0])
        emit(context, "lib", library->cudart_path);
    cf_gpu_state(&library->gpu, emit, context);
}

const struct cf_backend cf_backend_cuda = {.name = "cuda",
                                           .why =
                                               "the orders that GPUs use, on a GPU or on the host",
                                           .kernel = "tree",
                                           .open = open_cuda,
                                           .close = close_cuda,
                                           .state = state};
