#include "discover.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discover_gpu.h"

/* What a place holds, and how it is varied: threads=..., then further keys each by itself; "@"
 * stands for what the CPU can run, coretype's or isa's names. */
struct provider {
    const char *pattern; /* below a library folder */
    const char *variants[4];
    const char *backend; /* NULL: blas */
};

/* In the order of preference for the baseline. Debian keeps each provider in a folder of its own;
 * other systems tell them apart by name. Thread counts that do not divide the usual block sizes (3)
 * and that exceed small machines (8) are where splits differ. */
static const struct provider providers[] = {
    {"openblas*-pthread/libopenblas*.so*",
     {"threads={1,2,3,4,8}", "threads=1 coretype=@", "threads=1 align={8,4}"},
     NULL},
    {"openblas*-openmp/libopenblas*.so*", {"threads={1,2,4}"}, NULL},
    {"openblas*-serial/libopenblas*.so*", {"threads=1"}, NULL},
    {"libopenblas*.so*", {"threads={1,2,3,4,8}"}, NULL},
    {"blis-pthread/libblis*.so*", {"threads={1,2,4}"}, NULL},
    {"blis-openmp/libblis*.so*", {"threads={1,2}"}, NULL},
    {"blis-serial/libblis*.so*", {"threads=1"}, NULL},
    {"libblis*.so*", {"threads={1,2,4}"}, NULL},
    {"atlas/libblas.so*", {""}, NULL},
    {"lib[st]atlas.so*", {""}, NULL},
    {"blas/libblas.so*", {""}, NULL},
    {"libblas.so.3.*", {""}, NULL},
    {"libmkl_rt.so*", {"threads={1,2,4}"}, NULL},
    {"python3*/site-packages/scipy_openblas*/lib/lib*openblas*.so*", {"threads={1,2}"}, NULL},
    {"python3*/dist-packages/scipy_openblas*/lib/lib*openblas*.so*", {"threads={1,2}"}, NULL},
    {"python3*/site-packages/*.libs/lib*openblas*.so*", {"threads={1,2}"}, NULL},
    {"python3*/dist-packages/*.libs/lib*openblas*.so*", {"threads={1,2}"}, NULL},
    {NULL, {NULL}, NULL}};

/* For convolutions a library of matrix products is one algorithm among many: fewer of its settings,
 * and the libraries that have convolutions of their own. */
static const struct provider convolution_providers[] = {
    {"libdnnl.so*",
     {"kernel=direct threads={1,2}", "kernel={blocked,gemm,winograd} threads=1",
      "kernel=direct threads=1 isa=@", "kernel=direct threads=1 align=4"},
     "onednn"},
    {"openblas*-pthread/libopenblas*.so*", {"threads={1,2}", "threads=1 align=4"}, NULL},
    {"libopenblas*.so*", {"threads={1,2}"}, NULL},
    {"blis-pthread/libblis*.so*", {"threads=1"}, NULL},
    {"libblis*.so*", {"threads=1"}, NULL},
    {"blas/libblas.so*", {""}, NULL},
    {"libblas.so.3.*", {""}, NULL},
    {"libfftw3f.so*", {""}, "fftw"},
    {"libfftw3.so*", {""}, "fftw"},
    {NULL, {NULL}, NULL}};

/* A training run is thousands of small calls, so threads that outnumber the CPUs cost minutes:
 * fewer counts. */
static const struct provider training_providers[] = {
    {"openblas*-pthread/libopenblas*.so*", {"threads={1,2,4}", "threads=1 coretype=@"}, NULL},
    {"openblas*-openmp/libopenblas*.so*", {"threads={1,2}"}, NULL},
    {"openblas*-serial/libopenblas*.so*", {"threads=1"}, NULL},
    {"libopenblas*.so*", {"threads={1,2}"}, NULL},
    {"blis-pthread/libblis*.so*", {"threads={1,2}"}, NULL},
    {"libblis*.so*", {"threads={1,2}"}, NULL},
    {"atlas/libblas.so*", {""}, NULL},
    {"blas/libblas.so*", {""}, NULL},
    {"libblas.so.3.*", {""}, NULL},
    {"libmkl_rt.so*", {"threads={1,2}"}, NULL},
    {NULL, {NULL}, NULL}};

static const char *const folders[] = {"/usr/lib/*-linux-gnu*",
                                      "/usr/lib64",
                                      "/usr/lib",
                                      "/usr/local/lib",
                                      "/usr/local/lib64",
                                      "/opt/*/lib",
                                      "/opt/intel/oneapi/mkl/latest/lib"};

/* Our own orders: always there. */
static const char *const ours[] = {"plain kernel={forward,pairwise,kahan,canon}",
                                   "plain kernel=chunks threads={1,2,4}",
                                   "plain kernel=arrival threads=4", NULL};
static const char *const convolution_ours[] = {
    "plain kernel={direct-crs,direct-rsc,direct-crs-fma,direct-rsc-fma,im2col-pairwise}",
    "plain kernel={winograd-f2x3,winograd-f4x3,canon}", "plain kernel=forward threads={1,2}", NULL};

static const char *const training_ours[] = {"plain kernel={forward,pairwise,canon}",
                                            "plain kernel={chunks,arrival} threads=2", NULL};

/* In the order of preference for the baseline. */
static const char *const preferred[] = {"*openblas*-pthread/* threads=1", "*/blas/libblas.so*",
                                        "plain kernel=pairwise", NULL};
/* canon has every op in every type. */
static const char *const convolution_preferred[] = {"plain kernel=canon", NULL};

/* What is looked for, by the suite that it is for; NULL: for all that are not named. */
static const struct {
    const char *suite;
    const struct provider *providers;
    const char *const *ours, *const *preferred;
} fields[] = {{"convolutions", convolution_providers, convolution_ours, convolution_preferred},
              {"training", training_providers, training_ours, preferred},
              {NULL, providers, ours, preferred}};

/* Names that OpenBLAS takes and reads back, with what the CPU must have for all its kernels: found
 * by asking 0.3.21 for each. Families with instructions that were given up (FMA4, 3DNow) are left
 * out. */
struct named {
    const char *name, *needs;
};
static const struct named core_types[] = {
    {"Prescott", "pni"},
    {"Nehalem", "sse4_2"},
    {"Sandybridge", "avx"},
    {"Haswell", "avx2 fma"},
    {"Zen", "avx2 fma"},
    {"SkylakeX", "avx512f avx512dq avx512bw avx512vl avx512cd"},
    {NULL, NULL}};

/* Names of ONEDNN_MAX_CPU_ISA that are read back, from 2.4 on. */
static const struct named isas[] = {{"SSE41", "sse4_1"},
                                    {"AVX2", "avx2 fma"},
                                    {"AVX512_CORE", "avx512f avx512dq avx512bw avx512vl avx512cd"},
                                    {NULL, NULL}};

static int has_word(const char *words, const char *word, size_t length)
{
    for (const char *at = words; (at = strstr(at, word)); ++at) {
        const char after = at[length];

        if ((at == words || strchr(" \t:", at[-1])) && (after == '\0' || strchr(" \t\n", after)))
            return 1;
    }
    return 0;
}

static int has_all(const char *flags, const char *needs)
{
    while (*needs) {
        char word[32];
        const size_t length = strcspn(needs, " ");

        snprintf(word, sizeof word, "%.*s", (int)length, needs);
        if (!has_word(flags, word, length))
            return 0;
        needs += length;
        needs += strspn(needs, " ");
    }
    return 1;
}

/* "{Haswell,Zen}", or "" when there is none. The caller frees. */
static char *usable(const struct named *names, const char *flags)
{
    char *list = cf_strdup("");

    for (; names->name; ++names)
        if (has_all(flags, names->needs)) {
            char *longer = cf_format("%s%s%s", list, *list ? "," : "{", names->name);

            free(list);
            list = longer;
        }
    if (*list) {
        char *closed = cf_format("%s}", list);

        free(list);
        return closed;
    }
    return list;
}

/* The line of flags of the first CPU, or "" (another architecture). The caller frees. */
static char *machine_flags(void)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char *line = NULL;
    size_t size = 0;

    while (file && getline(&line, &size, file) > 0)
        if (strncmp(line, "flags", 5) == 0) {
            fclose(file);
            return line;
        }
    if (file)
        fclose(file);
    free(line);
    return cf_strdup("");
}

/* The names that "@" stands for in each key. */
struct names {
    char *coretype, *isa;
};

static int add_library(struct cf_matrix *matrix, const struct provider *provider, const char *path,
                       const struct names *names, struct cf_error *err)
{
    const char *backend = provider->backend ? provider->backend : "blas";
    char *escaped = cf_pairs_escape(path);
    int result = 0;

    for (int i = 0; i < CF_COUNT(provider->variants) && provider->variants[i] && result == 0; ++i) {
        const char *variant = provider->variants[i], *at = strchr(variant, '@');
        const char *types = strstr(variant, "isa=@") ? names->isa : names->coretype;
        const int length = at ? (int)(at - variant) : (int)strlen(variant);
        char *line;

        if (at && !*types)
            continue;
        line = cf_format("%s lib=%s %.*s%s", backend, escaped, length, variant, at ? types : "");
        result = cf_matrix_add(matrix, line, NULL, NULL, err);
        free(line);
    }
    free(escaped);
    return result;
}

struct seen {
    int n;
    char **path;
};

static int is_new(struct seen *seen, const char *path)
{
    for (int i = 0; i < seen->n; ++i)
        if (strcmp(seen->path[i], path) == 0)
            return 0;
    seen->path = cf_realloc(seen->path, (size_t)(seen->n + 1) * sizeof seen->path[0]);
    seen->path[seen->n++] = cf_strdup(path);
    return 1;
}

static int search(struct cf_matrix *matrix, const struct provider *provider, const char *folder,
                  const char *root, const struct names *names, struct seen *seen,
                  struct cf_error *err)
{
    char *pattern = cf_format("%s%s/%s", root, folder, provider->pattern);
    glob_t found;
    int result = 0;

    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc && result == 0; ++i) {
            char real[PATH_MAX];

            if (realpath(found.gl_pathv[i], real) && strstr(real, ".so") && is_new(seen, real))
                result = add_library(matrix, provider, real, names, err);
        }
        globfree(&found);
    }
    free(pattern);
    return result;
}

static int find_baseline(const struct cf_matrix *matrix, const char *const globs[])
{
    for (int k = 0; globs[k]; ++k)
        for (int i = 0; i < matrix->n; ++i)
            if (cf_glob_match(globs[k], matrix->line[i]))
                return i;
    return 0;
}

static int field_of(const char *suite)
{
    int i = 0;

    while (fields[i].suite && (!suite || strcmp(suite, fields[i].suite) != 0))
        ++i;
    return i;
}

int cf_discover(struct cf_matrix *matrix, const char *root, const char *flags, const char *suite,
                struct cf_error *err)
{
    char *own = flags ? cf_strdup(flags) : machine_flags();
    const struct names names = {usable(core_types, own), usable(isas, own)};
    const int field = field_of(suite);
    struct seen seen = {0};
    int result = 0;

    for (const struct provider *p = fields[field].providers; p->pattern; ++p)
        for (int f = 0; f < CF_COUNT(folders) && result == 0; ++f)
            result = search(matrix, p, folders[f], root, &names, &seen, err);
    for (const char *const *line = fields[field].ours; *line && result == 0; ++line)
        result = cf_matrix_add(matrix, *line, NULL, NULL, err);
    if (result == 0 && !cf_discover_gpu_missing(root))
        result = cf_discover_gpu(matrix, root, suite, err);
    matrix->baseline = find_baseline(matrix, fields[field].preferred);
    for (int i = 0; i < seen.n; ++i)
        free(seen.path[i]);
    free(seen.path);
    free(names.coretype);
    free(names.isa);
    free(own);
    return result;
}
