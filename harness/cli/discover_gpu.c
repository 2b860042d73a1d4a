#include "discover_gpu.h"

#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *const driver_files[] = {
    "/usr/lib/*-linux-gnu*/libcuda.so.1", "/usr/lib64/libcuda.so.1", "/usr/lib/libcuda.so.1",
    "/usr/lib/wsl/lib/libcuda.so.1", "/usr/local/nvidia/lib64/libcuda.so.1"};

static const char *const folders[] = {"/usr/local/cuda*/lib64",
                                      "/usr/local/cuda*/lib",
                                      "/usr/local/cuda*/targets/*/lib",
                                      "/opt/cuda/lib64",
                                      "/usr/lib/*-linux-gnu*",
                                      "/usr/lib64",
                                      "/usr/lib/python3*/site-packages/nvidia/*/lib",
                                      "/usr/local/lib/python3*/site-packages/nvidia/*/lib",
                                      "/usr/local/lib/python3*/dist-packages/nvidia/*/lib"};

/* What is measured on each device, by the suite that it is for; NULL: all that are not named. The
 * kernel that a configuration names is taken for the ops that have it. */
struct field {
    const char *suite;
    const char *ours[3];           /* words behind `cuda device=N` */
    const char *cublas, *cudnn[2]; /* words behind `device=N lib=FILE`; NULL: nothing of it */
};
static const struct field fields[] = {
    {"convolutions",
     {"kernel={direct,direct-rsc,atomic}", "kernel={tree,forward}", NULL},
     NULL,
     {"kernel={heuristic,deterministic}", "kernel={algo0,algo1,legacy}"}},
    {"training", {"kernel={tree,atomic}", NULL}, "kernel={default,pedantic}", {NULL, NULL}},
    {NULL,
     {"kernel={tree,shuffle,last,grid,atomic,atomic-double,fixed}",
      "kernel={serial,tiled,split,split-atomic,forward}", NULL},
     "kernel={default,pedantic,lt}",
     {NULL, NULL}}};

static int exists(const char *root, const char *pattern)
{
    char *path = cf_format("%s%s", root, pattern);
    glob_t found;
    const int result = glob(path, 0, NULL, &found) == 0;

    if (result)
        globfree(&found);
    free(path);
    return result;
}

const char *cf_discover_gpu_missing(const char *root)
{
    int driver = 0;

    for (int i = 0; i < CF_COUNT(driver_files); ++i)
        driver |= exists(root, driver_files[i]);
    if (!driver)
        return "no CUDA driver: libcuda.so.1 is not found";
    return exists(root, "/dev/nvidia[0-9]*") ? NULL : "no GPU: there is no /dev/nvidia0";
}

static int add(struct cf_matrix *matrix, struct cf_error *err, const char *backend, const char *lib,
               const char *words)
{
    char *escaped = lib ? cf_pairs_escape(lib) : NULL;
    char *line =
        cf_format("%s device=0%s%s %s", backend, lib ? " lib=" : "", lib ? escaped : "", words);
    const int result = cf_matrix_add(matrix, line, NULL, NULL, err);

    free(line);
    free(escaped);
    return result;
}

/* Each file that the pattern names below the folders, once by its real path: other links to it are
 * the same configuration, which the matrix holds once. */
static int add_libraries(struct cf_matrix *matrix, const char *root, const char *backend,
                         const char *pattern, const char *const words[2], struct cf_error *err)
{
    int result = 0;

    for (int f = 0; f < CF_COUNT(folders); ++f) {
        char *path = cf_format("%s%s/%s", root, folders[f], pattern), real[PATH_MAX];
        glob_t found;

        if (glob(path, 0, NULL, &found) == 0) {
            for (size_t i = 0; i < found.gl_pathc; ++i)
                for (int w = 0; w < 2 && words[w] && result == 0; ++w)
                    if (realpath(found.gl_pathv[i], real))
                        result = add(matrix, err, backend, real, words[w]);
            globfree(&found);
        }
        free(path);
    }
    return result;
}

int cf_discover_gpu(struct cf_matrix *matrix, const char *root, const char *suite,
                    struct cf_error *err)
{
    const struct field *field = fields;
    int result = 0;

    while (field->suite && (!suite || strcmp(suite, field->suite) != 0))
        ++field;
    for (int i = 0; i < 3 && field->ours[i] && result == 0; ++i)
        result = add(matrix, err, "cuda", NULL, field->ours[i]);
    if (result == 0 && field->cublas)
        result = add_libraries(matrix, root, "cublas", "libcublas.so.1[23]",
                               (const char *const[]){field->cublas, NULL}, err);
    if (result == 0 && field->cudnn[0])
        result = add_libraries(matrix, root, "cudnn", "libcudnn.so.9", field->cudnn, err);
    return result;
}
