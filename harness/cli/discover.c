#include "discover.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a place holds, and how it is varied: threads=..., then further keys each by itself. */
struct provider {
    const char *pattern; /* below a library folder */
    const char *variants[4];
};

/* In the order of preference for the baseline. Debian keeps each provider in a folder of its own;
 * other systems tell them apart by name. Thread counts that do not divide the usual block sizes (3)
 * and that exceed small machines (8) are where splits differ. */
static const struct provider providers[] = {
    {"openblas*-pthread/libopenblas*.so*",
     {"threads={1,2,3,4,8}", "threads=1 coretype=@", "threads=1 align={8,4}"}},
    {"openblas*-openmp/libopenblas*.so*", {"threads={1,2,3,4,8}"}},
    {"openblas*-serial/libopenblas*.so*", {"threads=1"}},
    {"libopenblas*.so*", {"threads={1,2,3,4,8}"}},
    {"blis-pthread/libblis*.so*", {"threads={1,2,4}"}},
    {"blis-openmp/libblis*.so*", {"threads={1,2,4}"}},
    {"blis-serial/libblis*.so*", {"threads=1"}},
    {"libblis*.so*", {"threads={1,2,4}"}},
    {"atlas/libblas.so*", {""}},
    {"lib[st]atlas.so*", {""}},
    {"blas/libblas.so*", {""}},
    {"libblas.so.3.*", {""}},
    {"libmkl_rt.so*", {"threads={1,2,4}"}},
    {"python3*/site-packages/scipy_openblas*/lib/lib*openblas*.so*", {"threads={1,2}"}},
    {"python3*/dist-packages/scipy_openblas*/lib/lib*openblas*.so*", {"threads={1,2}"}},
    {"python3*/site-packages/*.libs/lib*openblas*.so*", {"threads={1,2}"}},
    {"python3*/dist-packages/*.libs/lib*openblas*.so*", {"threads={1,2}"}}};

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
                                   "plain kernel=arrival threads=4"};

/* Names that OpenBLAS takes and reads back, with what the CPU must have for all its kernels: found
 * by asking 0.3.21 for each. Families with instructions that were given up (FMA4, 3DNow) are left
 * out. */
static const struct {
    const char *name, *needs;
} core_types[] = {
    {"Prescott", "pni"},    {"Nehalem", "sse4_2"},
    {"Sandybridge", "avx"}, {"Haswell", "avx2 fma"},
    {"Zen", "avx2 fma"},    {"SkylakeX", "avx512f avx512dq avx512bw avx512vl avx512cd"}};

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
static char *usable_core_types(const char *flags)
{
    char *list = cf_strdup("");

    for (int i = 0; i < CF_COUNT(core_types); ++i)
        if (has_all(flags, core_types[i].needs)) {
            char *longer = cf_format("%s%s%s", list, *list ? "," : "{", core_types[i].name);

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

static int add_library(struct cf_matrix *matrix, const struct provider *provider, const char *path,
                       const char *types, struct cf_error *err)
{
    char *escaped = cf_pairs_escape(path);
    int result = 0;

    for (int i = 0; i < CF_COUNT(provider->variants) && provider->variants[i] && result == 0; ++i) {
        const char *variant = provider->variants[i], *at = strchr(variant, '@');
        char *line;

        if (at && !*types)
            continue;
        line = at ? cf_format("blas lib=%s %.*s%s", escaped, (int)(at - variant), variant, types)
                  : cf_format("blas lib=%s %s", escaped, variant);
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
                  const char *root, const char *types, struct seen *seen, struct cf_error *err)
{
    char *pattern = cf_format("%s%s/%s", root, folder, provider->pattern);
    glob_t found;
    int result = 0;

    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc && result == 0; ++i) {
            char real[PATH_MAX];

            if (realpath(found.gl_pathv[i], real) && strstr(real, ".so") && is_new(seen, real))
                result = add_library(matrix, provider, real, types, err);
        }
        globfree(&found);
    }
    free(pattern);
    return result;
}

static int find_baseline(const struct cf_matrix *matrix)
{
    static const char *const preferred[] = {"*openblas*-pthread/* threads=1", "*/blas/libblas.so*",
                                            "plain kernel=pairwise"};

    for (int k = 0; k < CF_COUNT(preferred); ++k)
        for (int i = 0; i < matrix->n; ++i)
            if (cf_glob_match(preferred[k], matrix->line[i]))
                return i;
    return 0;
}

int cf_discover(struct cf_matrix *matrix, const char *root, const char *flags, struct cf_error *err)
{
    char *own = flags ? cf_strdup(flags) : machine_flags(), *types = usable_core_types(own);
    struct seen seen = {0};
    int result = 0;

    for (int p = 0; p < CF_COUNT(providers); ++p)
        for (int f = 0; f < CF_COUNT(folders) && result == 0; ++f)
            result = search(matrix, &providers[p], folders[f], root, types, &seen, err);
    for (int i = 0; i < CF_COUNT(ours) && result == 0; ++i)
        result = cf_matrix_add(matrix, ours[i], NULL, NULL, err);
    matrix->baseline = find_baseline(matrix);
    for (int i = 0; i < seen.n; ++i)
        free(seen.path[i]);
    free(seen.path);
    free(types);
    free(own);
    return result;
}
