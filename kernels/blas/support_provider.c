/* The families of BLAS libraries, and how each says what it is and what is in effect. */
#include "blas.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Calls of the library's own functions of no argument, or a fallback where there is none. */
static const char *word_of(const struct cf_library *library, const char *name, const char *fallback)
{
    void (*function)(void) = cf_blas_find(library, name);
    const char *word = function ? ((const char *(*)(void))function)() : NULL;

    return word ? word : fallback;
}

static int int_of(const struct cf_library *library, const char *name, int fallback)
{
    void (*function)(void) = cf_blas_find(library, name);

    return function ? ((int (*)(void))function)() : fallback;
}

static void set_int(const struct cf_library *library, const char *name, int value)
{
    void (*function)(void) = cf_blas_find(library, name);

    if (function)
        ((void (*)(int))function)(value);
}

/* ---- OpenBLAS ---- */

static int openblas_ilp64(const struct cf_library *library)
{
    return strstr(word_of(library, "openblas_get_config", ""), "USE64BITINT") != NULL;
}

static void openblas_set_threads(const struct cf_library *library, int threads)
{
    set_int(library, "openblas_set_num_threads", threads);
}

static int openblas_threads(const struct cf_library *library)
{
    return int_of(library, "openblas_get_num_threads", -1);
}

static void openblas_state(const struct cf_library *library,
                           void (*emit)(void *, const char *, const char *), void *context)
{
    static const char *const layers[] = {"sequential", "pthreads", "openmp"};
    const char *config = word_of(library, "openblas_get_config", "");
    const int layer = int_of(library, "openblas_get_parallel", -1);
    char version[32];

    if (sscanf(config, "OpenBLAS %31s", version) == 1)
        emit(context, "version", version);
    emit(context, "config", config);
    emit(context, "coretype", word_of(library, "openblas_get_corename", "unknown"));
    emit(context, "threading_layer", layer >= 0 && layer < 3 ? layers[layer] : "unknown");
}

static const struct cf_blas_provider openblas = {.name = "openblas",
                                                 .sign = "openblas_get_config",
                                                 .ilp64 = openblas_ilp64,
                                                 .set_threads = openblas_set_threads,
                                                 .threads = openblas_threads,
                                                 .state = openblas_state};

/* ---- BLIS: counts are dim_t or gint_t, 64 bits on 64-bit machines ---- */

static int64_t count_of(const struct cf_library *library, const char *name, int64_t fallback)
{
    void (*function)(void) = cf_blas_find(library, name);

    return function ? ((int64_t(*)(void))function)() : fallback;
}

static int blis_ilp64(const struct cf_library *library)
{
    return count_of(library, "bli_info_get_blas_int_type_size", 32) == 64;
}

static void blis_set_threads(const struct cf_library *library, int threads)
{
    void (*function)(void) = cf_blas_find(library, "bli_thread_set_num_threads");

    if (function)
        ((void (*)(int64_t))function)(threads);
}

/* A build without threads keeps whatever number it is told; -1 is "nobody said", which is one. */
static int blis_threads(const struct cf_library *library)
{
    const int64_t said = count_of(library, "bli_thread_get_num_threads", -1);

    if (count_of(library, "bli_info_get_enable_threading", 1) == 0)
        return 1;
    return said < 1 ? 1 : said > INT_MAX ? INT_MAX : (int)said;
}

static const char *blis_layer(const struct cf_library *library)
{
    if (count_of(library, "bli_info_get_enable_openmp", 0) == 1)
        return "openmp";
    return count_of(library, "bli_info_get_enable_pthreads", 0) == 1 ? "pthreads" : "sequential";
}

static void blis_state(const struct cf_library *library,
                       void (*emit)(void *, const char *, const char *), void *context)
{
    void (*name)(void) = cf_blas_find(library, "bli_arch_string");
    const int id = int_of(library, "bli_arch_query_id", -1);

    emit(context, "version", word_of(library, "bli_info_get_version_str", "unknown"));
    emit(context, "coretype", name && id >= 0 ? ((const char *(*)(int))name)(id) : "unknown");
    emit(context, "threading_layer", blis_layer(library));
}

static const struct cf_blas_provider blis = {.name = "blis",
                                             .sign = "bli_info_get_version_str",
                                             .ilp64 = blis_ilp64,
                                             .set_threads = blis_set_threads,
                                             .threads = blis_threads,
                                             .state = blis_state};

/* ---- MKL ---- */

static void mkl_set_threads(const struct cf_library *library, int threads)
{
    set_int(library, "MKL_Set_Dynamic", 0); /* or MKL takes fewer where it thinks it better */
    set_int(library, "MKL_Set_Num_Threads", threads);
}

static int mkl_threads(const struct cf_library *library)
{
    return int_of(library, "MKL_Get_Max_Threads", -1);
}

static void mkl_state(const struct cf_library *library,
                      void (*emit)(void *, const char *, const char *), void *context)
{
    void (*get)(void) = cf_blas_find(library, "MKL_Get_Version_String");
    void (*cbwr)(void) = cf_blas_find(library, "MKL_CBWR_Get");
    char text[256] = "", version[32] = "unknown";

    ((void (*)(char *, int))get)(text, (int)sizeof text - 1); /* our sign: it is there */
    sscanf(text, "%*[^0-9]%31[0-9.]", version); /* "... Library Version 2024.2.2-Product Build" */
    emit(context, "version", version);
    emit(context, "config", text);
    snprintf(text, sizeof text, "%d", cbwr ? ((int (*)(int))cbwr)(-1) : -1); /* MKL_CBWR_ALL */
    emit(context, "cbwr", text);
    emit(context, "coretype", "unknown");
}

static const struct cf_blas_provider mkl = {.name = "mkl",
                                            .sign = "MKL_Get_Version_String",
                                            .set_threads = mkl_set_threads,
                                            .threads = mkl_threads,
                                            .state = mkl_state};

/* ---- ATLAS, the reference and whoever else says nothing about itself ---- */

static int silent_threads(const struct cf_library *library)
{
    (void)library;
    return cf_blas_imports_threads() ? -1 : 1;
}

/* "libblas.so.3.11.0" holds a version, unless it is only the interface's. */
static void silent_state(const struct cf_library *library,
                         void (*emit)(void *, const char *, const char *), void *context)
{
    char *real = realpath(library->path, NULL);
    const char *version = real ? strstr(real, ".so.") : NULL;

    if (version && strchr(version + 4, '.')) {
        emit(context, "version", version + 4);
        emit(context, "version_source", "the file's name");
    }
    emit(context, "coretype", "none");
    free(real);
}

static const struct cf_blas_provider atlas = {
    .name = "atlas", .sign = "ATL_buildinfo", .threads = silent_threads, .state = silent_state};
static const struct cf_blas_provider netlib = {
    .name = "netlib", .sign = "CBLAS_CallFromC", .threads = silent_threads, .state = silent_state};
static const struct cf_blas_provider other = {
    .name = "unknown", .threads = silent_threads, .state = silent_state};

const struct cf_blas_provider *const cf_blas_providers[] = {&openblas, &blis,   &mkl,
                                                            &atlas,    &netlib, &other};
