#include "blas.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Is the word in a list "a,b,c"? */
static int has_flag(const struct cf_pairs *keys, const char *flag)
{
    const char *flags = cf_pairs_get(keys, "flags");
    const size_t length = strlen(flag);

    for (const char *at = flags; at && (at = strstr(at, flag)); at += length)
        if ((at == flags || strchr(",+", at[-1])) && (!at[length] || strchr(",+", at[length])))
            return 1;
    return 0;
}

/* Loads what the descriptor holds, and asks for the threads. */
static int load(struct cf_library *library, int fd, const struct cf_pairs *keys,
                struct cf_error *err)
{
    int64_t threads;

    if (cf_blas_probe(library->path, has_flag(keys, "ilp64"), err) != 0 ||
        cf_blas_load(library, library->path, has_flag(keys, "ilp64"), err) != 0)
        return -1;
    if (!cf_blas_file_is_mapped(fd))
        return cf_fail_with(err, 3,
                            "%s is not the file that was loaded: it was replaced, or it is a "
                            "linker script",
                            library->path);
    if (cf_pairs_int(keys, "threads", 0, &threads, err) != 0)
        return -1;
    if (threads > 0 && library->provider->set_threads)
        library->provider->set_threads(library, (int)threads);
    return 0;
}

static struct cf_library *open_blas(const struct cf_pairs *keys, struct cf_error *err)
{
    const char *path = cf_pairs_get(keys, "lib");
    struct cf_library *library;
    int fd, result;

    if (!path) {
        cf_fail(err, "the backend blas needs lib=, the absolute path of a library");
        return NULL;
    }
    fd = cf_blas_file_open(path, has_flag(keys, "unsafe-paths"), err);
    if (fd < 0)
        return NULL;
    library = cf_alloc_zero(sizeof *library);
    library->path = cf_strdup(path);
    result = load(library, fd, keys, err);
    close(fd);
    if (result == 0)
        return library;
    free(library->path); /* what is loaded stays: unloading runs its code once more */
    free(library);
    return NULL;
}

static void close_blas(struct cf_library *library)
{
    free(library->path);
    free(library);
}

/* The names that a kernel would need and the library does not have. */
static void emit_missing(const struct cf_library *library,
                         void (*emit)(void *, const char *, const char *), void *context)
{
    char text[CF_BLAS_N_SYMBOLS * 40] = "";

    for (int i = 0; i < CF_BLAS_N_SYMBOLS; ++i)
        if (!library->symbol[i]) {
            const size_t length = strlen(text);

            snprintf(text + length, sizeof text - length, "%s%s", length ? " " : "",
                     cf_blas_symbol_name((enum cf_blas_symbol)i));
        }
    if (text[0])
        emit(context, "not_offered", text);
    if (!library->prefix)
        emit(context, "names_tried", "{,scipy_}cblas_*{,64_,_64,_}");
}

static void state(struct cf_library *library, void (*emit)(void *, const char *, const char *),
                  void *context)
{
    const int threads = library->provider->threads ? library->provider->threads(library) : -1;
    char *real = realpath(library->path, NULL), text[80];

    emit(context, "user_api", "blas");
    emit(context, "internal_api", library->provider->name);
    emit(context, "filepath", real ? real : library->path);
    emit(context, "prefix", library->prefix ? library->prefix : "");
    snprintf(text, sizeof text, "%scblas_ddot%s", library->prefix ? library->prefix : "",
             library->suffix ? library->suffix : "");
    emit(context, "symbol", text);
    emit(context, "integers", library->ilp64 ? "ilp64" : "lp64");
    emit(context, "integers_source", library->width_source);
    if (library->provider->state)
        library->provider->state(library, emit, context);
    snprintf(text, sizeof text, "%d", threads);
    if (threads > 0)
        emit(context, "threads", text);
    else
        emit(context, "threads_source", "the library does not say how many it uses");
    emit_missing(library, emit, context);
    free(real);
}

const struct cf_backend cf_backend_blas = {.name = "blas",
                                           .why = "any library that exports CBLAS, by path",
                                           .kernel = "cblas",
                                           .open = open_blas,
                                           .close = close_blas,
                                           .state = state};
