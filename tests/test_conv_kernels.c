/* conv_kernels: every convolution of every backend that can be opened here keeps what its class
 * promises, and each planted fault of liars/conv.c is caught by the gate that its row names. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <dlfcn.h>
#include <link.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_check.h"
#include "liars/conv.h"
#include "registry.h"

static const char *const shapes[] = {
    "n=1 c=1 h=1 w=1 k=1 r=1 s=1",
    "n=2 c=3 h=5 w=7 k=4 r=3 s=3 pad=1",
    "n=1 c=17 h=6 w=6 k=2 r=3 s=3 pad=1",
    "n=1 c=20 h=10 w=9 k=17 r=3 s=3 pad=1",
    "n=1 c=2 h=9 w=8 k=3 r=3 s=3 stride=2 pad=1",
    "n=2 c=2 h=7 w=7 k=2 r=3 s=3 pad=2 dilation=2",
    "n=1 c=4 h=8 w=5 k=6 r=3 s=3 pad=1 groups=2",
    "n=1 c=5 h=4 w=6 k=5 r=3 s=3 pad=1 stride=2 groups=5",
    "n=1 c=2 h=3 w=3 k=2 r=5 s=5 pad=2",
    "n=1 c=3 h=11 w=5 k=2 r=2 s=1 stride=4",
    "n=0 c=3 h=5 w=5 k=2 r=3 s=3",
    "n=3 c=8 h=6 w=6 k=8 r=3 s=3",
};

struct opened {
    const struct cf_backend *backend;
    struct cf_library *library;
};

/* "<name> lib=<path>" of a library that the system's loader finds; NULL: there is none. The caller
 * frees. */
static char *find_library(const char *name, const char *soname)
{
    void *file = dlopen(soname, RTLD_LAZY | RTLD_LOCAL);
    struct link_map *map;

    if (!file || dlinfo(file, RTLD_DI_LINKMAP, &map) != 0) {
        fprintf(stderr, "skip: %s is not installed\n", soname);
        return NULL;
    }
    return cf_format("%s lib=%s", name, map->l_name);
}

/* NULL library and a sentence on stderr where the backend cannot be opened on this machine. */
static struct opened open_backend(const char *name, const char *configuration)
{
    struct opened o = {.backend = cf_backend_find(name)};
    struct cf_error err = {{0}, 0};
    struct cf_pairs keys;

    cr_assert(o.backend != NULL, "there is no backend %s", name);
    cr_assert_eq(cf_pairs_parse(&keys, "the configuration", configuration, &err), 0);
    o.library = o.backend->open(&keys, &err);
    if (!o.library)
        fprintf(stderr, "skip: %s\n", err.text);
    cf_pairs_free(&keys);
    return o;
}

/* A build with sanitizers, ten times as slow, takes every fifth of shapes x runs: all of either. */
#ifndef CF_STEP
#define CF_STEP 1
#endif

/* What is run of each type: every fill once, the slow f64 and the narrow types by their own two. */
static const char *const runs[] = {
    "f32 %s fill=integer", "f32 %s fill=small",  "f32 %s fill=normal",   "f32 %s fill=wide",
    "f64 %s fill=small",   "f64 %s fill=normal", "bf16 %s fill=integer", "bf16 %s fill=normal"};

/* Returns how many cases the kernel took. */
static int check_kernel(const struct cf_kernel *kernel, struct cf_library *library)
{
    char rest[200], line[240], failures[32];
    int taken = 0;

    for (int i = 0; i < CF_COUNT(shapes) * CF_COUNT(runs); i += CF_STEP) {
        snprintf(rest, sizeof rest, runs[i % CF_COUNT(runs)], shapes[i / CF_COUNT(runs)]);
        snprintf(line, sizeof line, "%s %s", kernel->op, rest);
        const struct cf_check check = cf_check_kernel(kernel, library, line);
        cr_expect(check.status == CF_DONE || check.status == CF_UNSUPPORTED, "%s: %s: status %d",
                  kernel->name, line, (int)check.status);
        if (check.status != CF_DONE)
            continue;
        ++taken;
        cf_check_failures(failures, &check);
        cr_expect_str_empty(failures, "%s %s: %s: gates %s", kernel->backend->name, kernel->name,
                            line, failures);
    }
    return taken;
}

static void check_backend(const char *name, const char *configuration)
{
    const struct opened o = open_backend(name, configuration);
    int kernels = 0;

    if (!o.library)
        return;
    for (int t = 0; cf_kernel_tables[t]; ++t)
        for (const struct cf_kernel *k = cf_kernel_tables[t]; k->op; ++k)
            if (k->backend == o.backend && strncmp(k->op, "conv2d_", 7) == 0) {
                const int taken = check_kernel(k, o.library);

                cr_log_info("%s %s %s: %d cases", name, k->op, k->name, taken);
                kernels += taken > 0;
            }
    cr_expect(kernels >= 3, "%s offers only %d convolutions", name, kernels);
    o.backend->close(o.library);
}

Test(conv_kernels, plain_keeps_its_classes)
{
    check_backend("plain", "plain threads=2");
}

Test(conv_kernels, onednn_keeps_its_classes)
{
    setenv("OMP_NUM_THREADS", "1", 1); /* before the library is loaded: small work, no spinning */
    char *configuration = find_library("onednn", "libdnnl.so.2");

    if (configuration)
        check_backend("onednn", configuration);
    free(configuration);
}

Test(conv_kernels, blas_keeps_its_classes)
{
    char *configuration = find_library("blas", "libblas.so.3");

    if (configuration)
        check_backend("blas", configuration);
    free(configuration);
}

Test(conv_kernels, fftw_keeps_its_class)
{
    static const char *const sonames[] = {"libfftw3f.so.3", "libfftw3.so.3"};

    for (int i = 0; i < 2; ++i) {
        char *configuration = find_library("fftw", sonames[i]);

        if (configuration)
            check_backend("fftw", configuration);
        free(configuration);
    }
}

/* Threads and layout change nothing in the orders that are written out. */
Test(conv_kernels, plain_bits_do_not_depend_on_threads_or_layout)
{
    struct cf_tensor out[2];
    struct opened team[2] = {open_backend("plain", "plain threads=1"),
                             open_backend("plain", "plain threads=3")};
    int compared = 0;

    for (int t = 0; cf_kernel_tables[t]; ++t)
        for (const struct cf_kernel *k = cf_kernel_tables[t]; k->op; ++k) {
            struct cf_tensor in[CF_OPERANDS_MAX], shape[CF_OPERANDS_MAX];
            enum cf_status status[2];
            struct cf_case c;
            char line[200];

            if (k->backend != team[0].backend || strncmp(k->op, "conv2d_", 7) != 0)
                continue;
            for (int side = 0; side < 2; ++side) {
                snprintf(line, sizeof line, "%s f32 n=2 c=6 h=7 w=6 k=4 r=3 s=3 pad=1%s", k->op,
                         side && strncmp(k->name, "direct", 6) == 0 ? " layout=nhwc" : "");
                cr_assert_eq(cf_case_parse(&c, line, cf_op_grammar, NULL), 0);
                cr_assert_eq(cf_case_draw(&c, cf_op_find(k->op), in, shape, NULL), 0);
                out[side] = shape[0];
                cf_tensor_alloc(&out[side]);
                status[side] = k->run(team[side].library, &c.keys, in, &out[side]);
                cf_tensor_free(&in[0]);
                cf_tensor_free(&in[1]);
                cf_case_free(&c);
            }
            cr_expect_eq(status[0], status[1]);
            cr_expect_eq(memcmp(out[0].bits, out[1].bits, cf_tensor_bytes(&out[0])), 0, "%s %s",
                         k->op, k->name);
            compared += status[0] == CF_DONE;
            cf_tensor_free(&out[0]);
            cf_tensor_free(&out[1]);
        }
    cr_expect(compared >= 10, "only %d kernels compared", compared);
}

/* The net: what the suite lays out for one convolution, in small. */
static const char *const net[] = {
    "conv2d_fwd f32 n=2 c=16 h=9 w=8 k=4 r=3 s=3 pad=1 fill=integer",
    "conv2d_fwd f32 n=1 c=8 h=9 w=9 k=4 r=3 s=3 stride=2 pad=1 fill=integer",
    "conv2d_fwd f32 n=1 c=8 h=6 w=6 k=4 r=3 s=3 pad=1 groups=2 fill=integer",
    "conv2d_fwd f32 n=1 c=64 h=6 w=6 k=4 r=3 s=3 pad=1 fill=integer",
    "conv2d_fwd f32 n=1 c=3 h=8 w=8 k=4 r=1 s=1 fill=normal",
    "conv2d_fwd f32 n=1 c=8 h=9 w=8 k=4 r=3 s=3 pad=1 fill=wide",
    "conv2d_fwd bf16 n=1 c=16 h=6 w=6 k=4 r=3 s=3 pad=1 fill=normal",
};

/* The gates that catch a fault somewhere in the net; of S4, which is a model, nothing is asked. */
struct liar {
    char name[32];
    int s1, s3;
};

static struct liar liars[] = {
    {"honest", 0, 0},           {"pad_off_by_one", 1, 1},  {"tap_dropped_at_border", 1, 1},
    {"stride_swapped", 1, 1},   {"group_bleed", 1, 1},     {"tf32_inputs", 0, 1},
    {"bf16_accumulator", 1, 1}, {"stale_workspace", 1, 1}, {"winograd_as_classical", 0, 1},
};

ParameterizedTestParameters(conv_kernels, liars_are_caught)
{
    return cr_make_param_array(struct liar, liars, CF_COUNT(liars));
}

ParameterizedTest(struct liar *row, conv_kernels, liars_are_caught)
{
    const struct opened plain = open_backend("plain", "plain threads=1");
    const struct cf_kernel *kernel = cf_liars_conv;
    int s1 = 0, s3 = 0;

    while (kernel->op && strcmp(kernel->name, row->name) != 0)
        ++kernel;
    cr_assert(kernel->op != NULL, "there is no liar %s", row->name);
    for (int i = 0; i < CF_COUNT(net); ++i) {
        const struct cf_check check = cf_check_kernel(kernel, plain.library, net[i]);

        if (check.status != CF_DONE)
            continue;
        s1 |= check.accuracy.gate[CF_S1].n_failed > 0;
        s3 |= check.accuracy.gate[CF_S3].n_failed > 0;
    }
    cr_expect_eq(s1, row->s1, "%s: gate S1 says %d", row->name, s1);
    cr_expect_eq(s3, row->s3, "%s: gate S3 says %d", row->name, s3);
}

/* What the minimal filtering costs, against the definition: the loss that the suite reports. */
Test(conv_kernels, winograd_loses_bits)
{
    static const char line[] = "conv2d_fwd f32 n=1 c=32 h=16 w=16 k=8 r=3 s=3 pad=1 fill=normal";
    const struct opened plain = open_backend("plain", "plain threads=2");
    const struct cf_check direct = cf_check_kernel(
        cf_kernel_find(plain.backend, "conv2d_fwd", "direct-crs"), plain.library, line);
    const struct cf_check small = cf_check_kernel(
        cf_kernel_find(plain.backend, "conv2d_fwd", "winograd-f2x3"), plain.library, line);
    const struct cf_check large = cf_check_kernel(
        cf_kernel_find(plain.backend, "conv2d_fwd", "winograd-f4x3"), plain.library, line);

    fprintf(stderr, "loss in bits: F(2,3) %.2f, F(4,3) %.2f\n",
            log2(cf_check_rms(&small) / cf_check_rms(&direct)),
            log2(cf_check_rms(&large) / cf_check_rms(&direct)));
    cr_expect(cf_check_rms(&large) > 2 * cf_check_rms(&direct));
    cr_expect(cf_check_rms(&large) > cf_check_rms(&small));
}
