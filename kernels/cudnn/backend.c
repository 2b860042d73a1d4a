#include "cudnn.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"cudnnGetVersion",
                                    "cudnnGetErrorString",
                                    "cudnnCreate",
                                    "cudnnDestroy",
                                    "cudnnCreateTensorDescriptor",
                                    "cudnnSetTensor4dDescriptor",
                                    "cudnnDestroyTensorDescriptor",
                                    "cudnnCreateFilterDescriptor",
                                    "cudnnSetFilter4dDescriptor",
                                    "cudnnDestroyFilterDescriptor",
                                    "cudnnCreateConvolutionDescriptor",
                                    "cudnnSetConvolution2dDescriptor",
                                    "cudnnSetConvolutionGroupCount",
                                    "cudnnSetConvolutionMathType",
                                    "cudnnGetConvolutionMathType",
                                    "cudnnDestroyConvolutionDescriptor",
                                    "cudnnConvolutionForward",
                                    "cudnnConvolutionBackwardData",
                                    "cudnnConvolutionBackwardFilter",
                                    "cudnnGetConvolutionForwardWorkspaceSize",
                                    "cudnnGetConvolutionBackwardDataWorkspaceSize",
                                    "cudnnGetConvolutionBackwardFilterWorkspaceSize",
                                    "cudnnGetConvolutionForwardAlgorithm_v7",
                                    "cudnnGetConvolutionBackwardDataAlgorithm_v7",
                                    "cudnnGetConvolutionBackwardFilterAlgorithm_v7",
                                    "cudnnFindConvolutionForwardAlgorithm",
                                    "cudnnFindConvolutionBackwardDataAlgorithm",
                                    "cudnnFindConvolutionBackwardFilterAlgorithm",
                                    "cudnnCreatePoolingDescriptor",
                                    "cudnnSetPooling2dDescriptor",
                                    "cudnnDestroyPoolingDescriptor",
                                    "cudnnPoolingForward",
                                    "cudnnPoolingBackward",
                                    "cudnnSoftmaxForward",
                                    "cudnnSoftmaxBackward",
                                    "cudnnBatchNormalizationForwardTraining",
                                    "cudnnBatchNormalizationBackward",
                                    "cudnnBackendCreateDescriptor",
                                    "cudnnBackendDestroyDescriptor",
                                    "cudnnBackendSetAttribute",
                                    "cudnnBackendGetAttribute",
                                    "cudnnBackendFinalize",
                                    "cudnnBackendExecute"};
_Static_assert(sizeof names / sizeof names[0] * sizeof(void *) == sizeof(struct cf_cudnn_api),
               "a name for every function");

static const char *const switches[] = {"math", "tf32", "engine", "knob", "value", "nhwc", NULL};

const int cf_cudnn_role[3][3] = {
    [CF_FWD] = {0, 1, 2}, [CF_BWD_DATA] = {2, 1, 0}, [CF_BWD_FILTER] = {0, 2, 1}};

int cf_cudnn_check(const struct cf_library *library, int status, const char *what)
{
    if (status == CF_CUDNN_OK)
        return CF_DONE;
    fprintf(stderr, "cudnn: %s: %s (%d)\n", what, library->api.error(status), status);
    cf_gpu_check(&library->gpu, library->gpu.driver.synchronize(), what); /* ends a lost context */
    return status >= CF_CUDNN_UNSUPPORTED && status < CF_CUDNN_INTERNAL ? CF_UNSUPPORTED
                                                                        : CF_BROKEN;
}

const void *cf_cudnn_one(enum cf_dtype dtype)
{
    static const float narrow = 1;
    static const double wide = 1;

    return dtype == CF_F64 ? (const void *)&wide : &narrow;
}

const void *cf_cudnn_zero(enum cf_dtype dtype)
{
    static const float narrow = 0;
    static const double wide = 0;

    return dtype == CF_F64 ? (const void *)&wide : &narrow;
}

void *cf_cudnn_tensor(const struct cf_library *library, enum cf_dtype dtype, int nhwc, int64_t n,
                      int64_t c, int64_t h, int64_t w)
{
    void *desc = NULL;

    if (library->api.tensor_create(&desc) != 0)
        return NULL;
    if (library->api.tensor_set(desc, nhwc, cf_cudnn_type(dtype), (int)n, (int)c, (int)h, (int)w) ==
        0)
        return desc;
    library->api.tensor_destroy(desc);
    return NULL;
}

/* A cuDNN is a dozen files, which a search path can mix: each part can tell (9.x). */
static int check_parts(struct cf_library *library, const char *path, struct cf_error *err)
{
    static const char *const parts[] = {"cudnnGraphVersionCheck", "cudnnOpsVersionCheck",
                                        "cudnnCnnVersionCheck", "cudnnAdvVersionCheck"};

    for (int i = 0; i < CF_COUNT(parts); ++i) {
        void *symbol = dlsym(library->file, parts[i]);
        int (*version_check)(void);
        int status;

        memcpy(&version_check, &symbol, sizeof symbol);
        status = symbol ? version_check() : 0;
        if (status != 0)
            return cf_fail_with(err, 3,
                                "the files of %s are of different versions: %s answers %s; "
                                "env.LD_LIBRARY_PATH should name one version's folder",
                                path, parts[i], library->api.error(status));
    }
    return 0;
}

static int start(struct cf_library *library, const struct cf_pairs *keys, struct cf_error *err)
{
    const char *missing, *path = cf_pairs_get(keys, "lib");
    int status;

    if (cf_gpu_flags_check(keys, switches, err) != 0 || cf_gpu_open(&library->gpu, keys, err) != 0)
        return -1;
    library->file = cf_gpu_library(keys, "libcudnn", err);
    if (!library->file)
        return -1;
    missing = cf_gpu_bind(library->file, &library->api, names, CF_COUNT(names));
    if (missing)
        return cf_fail(err, "%s has no %s: it is no cuDNN 9", path, missing);
    if (library->api.version() / 10000 != 9)
        return cf_fail(err, "%s says that it is version %zu; cuDNN 9 is known", path,
                       library->api.version());
    if (check_parts(library, path, err) != 0)
        return -1;
    status = library->api.create(&library->handle);
    return status == 0 ? 0 : cf_fail(err, "cudnnCreate answers %s", library->api.error(status));
}

static struct cf_library *open_cudnn(const struct cf_pairs *keys, struct cf_error *err)
{
    struct cf_library *library = cf_alloc_zero(sizeof *library);

    library->keys = cf_gpu_flags_copy(keys, err);
    if (library->keys && start(library, keys, err) == 0)
        return library;
    cf_gpu_flags_free(library->keys);
    free(library); /* the files stay mapped: what was started cannot be unloaded safely */
    return NULL;
}

static void close_cudnn(struct cf_library *library)
{
    library->api.destroy(library->handle);
    cf_gpu_close(&library->gpu);
    cf_gpu_flags_free(library->keys);
    free(library);
}

static void state(struct cf_library *library, void (*emit)(void *, const char *, const char *),
                  void *context)
{
    const size_t version = library->api.version(); /* 91900: 9.19.0 */
    char text[48];

    snprintf(text, sizeof text, "%zu.%zu.%zu", version / 10000, version % 10000 / 100,
             version % 100);
    emit(context, "internal_api", "cudnn");
    emit(context, "version", text);
    cf_gpu_state(&library->gpu, emit, context);
}

const struct cf_backend cf_backend_cudnn = {.name = "cudnn",
                                            .why =
                                                "cuDNN's convolutions and layers on a GPU, by path",
                                            .kernel = "heuristic",
                                            .open = open_cudnn,
                                            .close = close_cudnn,
                                            .state = state};
