#include "fftw.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* Binds "<prefix>_<name>"; 0, or -1. */
static int bind_one(struct cf_library *library, const char *prefix, const char *name, void *to)
{
    char *symbol = cf_format("%s_%s", prefix, name);
    void *found = dlsym(library->file, symbol);

    memcpy(to, &found, sizeof found);
    free(symbol);
    return found ? 0 : -1;
}

static int bind_all(struct cf_library *library, const char *prefix, enum cf_dtype dtype)
{
    library->dtype = dtype;
    return bind_one(library, prefix, "version", &library->version) ||
           bind_one(library, prefix, "plan_dft_r2c_2d", &library->plan_forward) ||
           bind_one(library, prefix, "plan_dft_c2r_2d", &library->plan_backward) ||
           bind_one(library, prefix, "execute", &library->execute) ||
           bind_one(library, prefix, "destroy_plan", &library->destroy_plan);
}

static int start(struct cf_library *library, const struct cf_pairs *keys, struct cf_error *err)
{
    const char *path = cf_pairs_get(keys, "lib");

    if (!path || path[0] != '/')
        return cf_fail(err, "fftw needs lib=, the absolute path of a libfftw3f.so or libfftw3.so");
    library->file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library->file)
        return cf_fail(err, "%s", dlerror());
    if (bind_all(library, "fftwf", CF_F32) == 0 || bind_all(library, "fftw", CF_F64) == 0)
        return 0;
    return cf_fail(err, "%s is no FFTW 3 of float or double", path);
}

static struct cf_library *open_fftw(const struct cf_pairs *keys, struct cf_error *err)
{
    struct cf_library *library = cf_alloc_zero(sizeof *library);

    if (start(library, keys, err) == 0)
        return library;
    free(library);
    return NULL;
}

static void close_fftw(struct cf_library *library)
{
    free(library);
}

static void state(struct cf_library *library, void (*emit)(void *, const char *, const char *),
                  void *context)
{
    emit(context, "internal_api", "fftw");
    emit(context, "version", library->version);
    emit(context, "threads", "1");
}

const struct cf_backend cf_backend_fftw = {.name = "fftw",
                                           .why = "convolutions by FFTW's transforms, by path",
                                           .open = open_fftw,
                                           .close = close_fftw,
                                           .state = state};
