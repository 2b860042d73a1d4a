#include "blas.h"

#include <dlfcn.h>
#include <limits.h>

#include <stdio.h>
#include <string.h>

static const char *const names[CF_BLAS_N_SYMBOLS] = {
    "cblas_sdot",  "cblas_ddot",  "cblas_sasum", "cblas_dasum", "cblas_snrm2", "cblas_dnrm2",
    "cblas_sgemv", "cblas_dgemv", "cblas_sgemm", "cblas_dgemm", "cblas_ssymv", "cblas_dsymv"};

const char *cf_blas_symbol_name(enum cf_blas_symbol symbol)
{
    return names[symbol];
}

static void (*find(void *handle, const char *prefix, const char *name, const char *suffix))(void)
{
    char full[128];
    void *object;
    void (*function)(void);

    snprintf(full, sizeof full, "%s%s%s", prefix, name, suffix);
    object = dlsym(handle, full);
    memcpy(&function, &object, sizeof function); /* POSIX: a symbol's address fits both */
    return function;
}

void (*cf_blas_find(const struct cf_library *library, const char *name))(void)
{
    void (*function)(void) = NULL;

    if (library->prefix)
        function = find(library->handle, library->prefix, name, library->suffix);
    return function ? function : find(library->handle, "", name, "");
}

/* The first spelling under which any symbol is there; all others must be spelled alike. */
static void resolve(struct cf_library *library)
{
    static const char *const prefixes[] = {"", "scipy_"};
    static const char *const suffixes[] = {"", "64_", "_64", "_"};

    for (int p = 0; p < CF_COUNT(prefixes); ++p)
        for (int s = 0; s < CF_COUNT(suffixes); ++s) {
            int found = 0;

            for (int i = 0; i < CF_BLAS_N_SYMBOLS; ++i) {
                library->symbol[i] = find(library->handle, prefixes[p], names[i], suffixes[s]);
                found += library->symbol[i] != NULL;
            }
            if (found > 0) {
                library->prefix = prefixes[p];
                library->suffix = suffixes[s];
                return;
            }
        }
}

static const struct cf_blas_provider *recognise(const struct cf_library *library)
{
    int i = 0;

    while (cf_blas_providers[i]->sign && !cf_blas_find(library, cf_blas_providers[i]->sign))
        ++i;
    return cf_blas_providers[i];
}

/* From the name, the library's word or the user's; never guessed. */
static void find_width(struct cf_library *library, int declared_ilp64)
{
    const int by_name = library->suffix && strstr(library->suffix, "64") != NULL;
    const int by_word = library->provider->ilp64 && library->provider->ilp64(library) == 1;

    library->ilp64 = by_name || by_word || declared_ilp64;
    library->width_source = by_name                    ? "the symbols' suffix"
                            : by_word                  ? "the library's configuration"
                            : declared_ilp64           ? "flags=ilp64"
                            : library->provider->ilp64 ? "the library's configuration"
                                                       : "the symbols' names";
}

int cf_blas_load(struct cf_library *library, const char *path, int declared_ilp64,
                 struct cf_error *err)
{
    library->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library->handle)
        return cf_fail(err, "%s cannot be loaded: %s", path, dlerror());
    resolve(library);
    library->provider = recognise(library);
    find_width(library, declared_ilp64);
    return 0;
}

#define SMOKE(name, real, integer)                                                                 \
    static int name(void (*function)(void))                                                        \
    {                                                                                              \
        static const real x[] = {1, 2, 4}, y[] = {8, 16, 32};                                      \
        real (*dot)(integer, const real *, integer, const real *, integer) =                       \
            (real(*)(integer, const real *, integer, const real *, integer))function;              \
                                                                                                   \
        return dot(3, x, -1, y, 1) == 96; /* 4 * 8 + 2 * 16 + 1 * 32; 168 the other way */         \
    }

SMOKE(sdot_lp64, float, int)
SMOKE(ddot_lp64, double, int)
SMOKE(sdot_ilp64, float, int64_t)
SMOKE(ddot_ilp64, double, int64_t)

int cf_blas_smoke(const struct cf_library *library)
{
    void (*sdot)(void) = library->symbol[CF_SDOT], (*ddot)(void) = library->symbol[CF_DDOT];

    if (!sdot && !ddot)
        return -1;
    if (sdot && !(library->ilp64 ? sdot_ilp64(sdot) : sdot_lp64(sdot)))
        return 0;
    return !ddot || (library->ilp64 ? ddot_ilp64(ddot) : ddot_lp64(ddot));
}

static int dims_fit(const struct cf_tensor *tensor)
{
    for (int i = 0; i < tensor->rank; ++i)
        if (tensor->dim[i] > INT_MAX)
            return 0;
    return 1;
}

int cf_blas_fits(const struct cf_library *library, void (*function)(void),
                 const struct cf_tensor in[], int n_in, const struct cf_tensor *out)
{
    if (!function || (in[0].dtype != CF_F32 && in[0].dtype != CF_F64) || out->dtype != in[0].dtype)
        return 0;
    for (int i = 0; i < n_in; ++i)
        if (in[i].dtype != in[0].dtype || (!library->ilp64 && !dims_fit(&in[i])))
            return 0;
    return 1;
}
