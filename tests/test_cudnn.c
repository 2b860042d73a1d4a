/* cudnn: kernels/cudnn against a fake cuDNN that computes on the host, checks what it is told,
 * differs from call to call where cuDNN documents it, and lies on demand (tests/fakes/cudnn*.c).
 * Answers are judged against MPFR in this process; how it opens is asked of the worker. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdlib.h>

#include "gpu_client.h"
#include "kernel_check.h"
#include "registry.h"

#define LIB  "cudnn device=0 lib=" FAKES "/libcudnn.so.9"
#define RUNS 4

static struct client client;

static void tear_down(void)
{
    if (client.pid > 0)
        client_stop(&client);
    client.pid = 0;
}

TestSuite(cudnn, .fini = tear_down);

static const struct {
    const char *configuration, *lie, *code, *says;
} opened[] = {
    {"cudnn device=0", "", "not-opened", "needs lib="},
    {"cudnn device=0 lib=" FAKES "/libcublas.so.13", "", "not-opened", "has no cudnnGetVersion"},
    {LIB, "old", "not-opened", "says that it is version 8907"},
    {LIB, "mixed", "state-mismatch",
     "of different versions: cudnnOpsVersionCheck answers CUDNN_STA"},
    {LIB, "no-device", "not-opened", "CUDA_ERROR_NO_DEVICE"},
    {LIB " flags=algo:1", "", "state-mismatch", "flags=algo:1 is not known"},
    {LIB " flags=math:3+tf32:0", "", "", ""},
};

Test(cudnn, opens_as_asked_or_says_why_not)
{
    for (int i = 0; i < CF_COUNT(opened); ++i) {
        json_t *reply;

        gpu_client_start(&client, opened[i].configuration, opened[i].lie);
        reply = client_hello(&client, 5000);
        cr_expect_str_eq(reply_code(reply), opened[i].code, "%s: %s", opened[i].configuration,
                         reply_message(reply));
        cr_expect(strstr(reply_message(reply), opened[i].says), "%s: %s", opened[i].configuration,
                  reply_message(reply));
        if (opened[i].code[0] == '\0')
            cr_expect_str_eq(gpu_client_said(reply, "version"), "9.19.0");
        json_decref(reply);
    }
}

/* ---- In this process ---- */

/* The library keeps none of the keys. */
static struct cf_library *open_here(const char *flags, const char *lie)
{
    char *line = cf_format("%s%s", LIB, flags);
    struct cf_error err = {{0}, 0};
    struct cf_library *library;
    struct cf_pairs keys;

    setenv("FAKE_GPU", lie, 1);
    CF_CHECK(dlopen(FAKES "/libcuda.so.1", RTLD_NOW | RTLD_GLOBAL) != NULL);
    CF_CHECK(cf_pairs_parse(&keys, "the configuration", line, &err) == 0);
    library = cf_backend_find("cudnn")->open(&keys, &err);
    cr_assert(library != NULL, "%s: %s", line, err.text);
    cf_pairs_free(&keys);
    free(line);
    return library;
}

static const struct {
    const char *op;
    const char *lines[3];
} cases[] = {
    {"conv2d_fwd",
     {"{f32,f64} n=2 c=4 h=7 w=6 k=6 r=3 s=3 pad=1 fill={normal,uniform} seed=1",
      "{f32,f64} n=1 c=4 h=9 w=8 k=4 r=3 s=2 stride=2 groups=2 fill=normal seed=1",
      "{f32,f64} n=1 c=2 h=9 w=9 k=3 r=3 s=3 pad=2 dilation=2 fill=normal seed=1"}},
    {"conv2d_bwd_data",
     {"{f32,f64} n=2 c=4 h=7 w=6 k=6 r=3 s=3 pad=1 fill={normal,uniform} seed=1",
      "{f32,f64} n=1 c=4 h=9 w=8 k=4 r=3 s=2 stride=2 groups=2 fill=normal seed=1",
      "{f32,f64} n=1 c=2 h=9 w=9 k=3 r=3 s=3 pad=2 dilation=2 fill=normal seed=1"}},
    {"conv2d_bwd_filter",
     {"{f32,f64} n=2 c=4 h=7 w=6 k=6 r=3 s=3 pad=1 fill={normal,uniform} seed=1",
      "{f32,f64} n=1 c=4 h=9 w=8 k=4 r=3 s=2 stride=2 groups=2 fill=normal seed=1",
      "{f32,f64} n=1 c=2 h=9 w=9 k=3 r=3 s=3 pad=2 dilation=2 fill=normal seed=1"}},
    {"maxpool_fwd", {"{f32,f64} n=2 c=3 h=7 w=6 r=3 s=2 stride=2 pad=1 fill=normal seed=1"}},
    {"maxpool_bwd", {"{f32,f64} n=2 c=3 h=7 w=6 r=3 s=2 stride=1 fill=normal seed=1"}},
    {"avgpool_fwd",
     {"{f32,f64} n=2 c=3 h=7 w=6 r=3 s=2 stride=2 pad=1 fill=normal seed=1",
      "f64 n=2 c=3 h=7 w=6 r=3 s=2 pad=1 divisor=window fill=normal seed=1"}},
    {"avgpool_bwd",
     {"{f32,f64} n=2 c=3 h=7 w=6 r=3 s=2 stride=2 pad=1 fill=normal seed=1",
      "f64 n=2 c=3 h=7 w=6 r=3 s=2 pad=1 divisor=window fill=normal seed=1"}},
    {"softmax_fwd", {"{f32,f64} n=5 c=9 fill=normal seed=1"}},
    {"softmax_bwd", {"{f32,f64} n=5 c=9 fill=normal seed=1"}},
    {"batchnorm_fwd", {"{f32,f64} n=3 c=4 h=5 w=5 fill=normal seed=1"}},
    {"batchnorm_bwd", {"{f32,f64} n=3 c=4 h=5 w=5 fill=normal seed=1"}},
};

struct check {
    const struct cf_kernel *kernel;
    struct cf_library *library;
    int n;
};

/* What the fake does not have: algorithm 6; without flags no engine is named. */
static int check_line(const char *line, void *context)
{
    struct check *check = context;
    const struct cf_kernel *kernel = check->kernel;
    const int absent = strcmp(kernel->name, "algo6") == 0 || strcmp(kernel->name, "engine") == 0;
    char *text = cf_format("%s %s", kernel->op, line), failed[32];
    const struct cf_check got = cf_check_kernel(kernel, check->library, text);

    cf_check_failures(failed, &got);
    cr_expect(absent ? got.status == CF_UNSUPPORTED : got.status == CF_DONE && failed[0] == '\0',
              "%s: %s: status %d, gates %s", kernel->name, text, got.status, failed);
    ++check->n;
    free(text);
    return 0;
}

static void check_every_kernel(const char *flags)
{
    const struct cf_backend *backend = cf_backend_find("cudnn");
    struct cf_library *library = open_here(flags, "still");
    int n = 0;

    for (int t = 0; cf_kernel_tables[t]; ++t)
        for (const struct cf_kernel *k = cf_kernel_tables[t]; k->op; ++k) {
            struct check check = {k, library, 0};

            for (int i = 0; k->backend == backend && i < CF_COUNT(cases); ++i)
                for (int l = 0; strcmp(cases[i].op, k->op) == 0 && l < 3 && cases[i].lines[l]; ++l)
                    cr_assert_eq(cf_pairs_expand(cases[i].lines[l], check_line, &check, NULL), 0);
            cr_expect(k->backend != backend || check.n > 0, "%s %s has no case", k->op, k->name);
            n += check.n > 0;
        }
    cr_expect_geq(n, 39, "%d kernels", n);
}

Test(cudnn, every_kernel_asks_for_its_operation)
{
    check_every_kernel("");
}

Test(cudnn, every_kernel_asks_for_its_operation_with_channels_last)
{
    check_every_kernel(" flags=nhwc:1");
}

/* A case may ask for the layout too; a library that takes one layout for the other is seen. */
Test(cudnn, the_layout_arrives)
{
    static const struct {
        const char *op, *kernel, *line;
    } rows[] = {{"conv2d_fwd", "algo1", "f32 n=2 c=4 h=7 w=6 k=6 r=3 s=3 pad=1 layout=nhwc seed=1"},
                {"conv2d_bwd_data", "heuristic",
                 "f64 n=2 c=4 h=7 w=6 k=6 r=3 s=3 pad=1 layout=nhwc seed=1"},
                {"conv2d_bwd_filter", "legacy",
                 "f32 n=1 c=4 h=9 w=8 k=4 r=3 s=2 groups=2 layout=nhwc seed=1"},
                {"maxpool_bwd", "max", "f32 n=2 c=3 h=7 w=6 r=3 s=2 layout=nhwc seed=1"},
                {"avgpool_bwd", "average", "f64 n=2 c=3 h=7 w=6 r=3 s=2 layout=nhwc seed=1"},
                {"batchnorm_bwd", "spatial", "f64 n=3 c=4 h=5 w=6 layout=nhwc seed=1"}};
    static const char *const lies[] = {"still", "layout"};

    for (int lie = 0; lie < CF_COUNT(lies); ++lie)
        for (int i = 0; i < CF_COUNT(rows); ++i) {
            struct cf_library *library = open_here("", lies[lie]);
            char *text = cf_format("%s %s", rows[i].op, rows[i].line), failed[32];
            const struct cf_check got = cf_check_kernel(
                cf_kernel_find(cf_backend_find("cudnn"), rows[i].op, rows[i].kernel), library,
                text);

            cf_check_failures(failed, &got);
            cr_expect_eq(got.status, CF_DONE, "%s: %d", text, got.status);
            cr_expect_eq(failed[0] != '\0', lie, "%s, lie `%s`: gates %s", text, lies[lie], failed);
            free(text);
            cf_backend_find("cudnn")->close(library);
        }
}

/* How many of RUNS answers differ from the first; -1: not offered; -2: broke. */
static int differing(struct cf_library *library, const char *op, const char *name)
{
    const struct cf_kernel *kernel = cf_kernel_find(cf_backend_find("cudnn"), op, name);
    const int pools = strcmp(op, "maxpool_bwd") == 0, forward = strcmp(op, "conv2d_fwd") == 0;
    const int filter = strcmp(op, "conv2d_bwd_filter") == 0;
    struct cf_pairs keys;
    struct cf_tensor image = {.dtype = CF_F64, .rank = 4, .dim = {2, 3, 8, 8}};
    struct cf_tensor weight = {.dtype = CF_F64, .rank = 4, .dim = {4, 3, 3, 3}};
    struct cf_tensor output = {.dtype = CF_F64, .rank = 4, .dim = {2, pools ? 3 : 4, 6, 6}};
    struct cf_tensor *const all[] = {&image, &weight, &output};
    double first[512] = {0};
    int n = 0;

    CF_CHECK(cf_pairs_parse(&keys, "attributes", "a r=3 s=3", NULL) == 0);
    for (int i = 0; i < 3; ++i) {
        cf_tensor_alloc(all[i]);
        for (int64_t e = 0; e < cf_tensor_count(all[i]); ++e)
            cf_tensor_set(all[i], e, (double)(1 + (7 * e + i) % 29) / 8);
    }
    for (int run = 0; run < RUNS; ++run) {
        struct cf_tensor in[2] = {filter || forward || pools ? image : output,
                                  filter || pools ? output : weight};
        struct cf_tensor out = forward ? output : filter ? weight : image;
        enum cf_status status;

        cf_tensor_alloc(&out);
        status = kernel->run(library, &keys, in, &out);
        if (run == 0)
            memcpy(first, out.bits, cf_tensor_bytes(&out));
        n += memcmp(first, out.bits, cf_tensor_bytes(&out)) != 0;
        cf_tensor_free(&out);
        if (status != CF_DONE)
            n = status == CF_UNSUPPORTED ? -1 - n : -2;
        if (status != CF_DONE)
            break;
    }
    for (int i = 0; i < 3; ++i)
        cf_tensor_free(all[i]);
    cf_pairs_free(&keys);
    return n;
}

static const struct {
    const char *flags, *lie, *op, *kernel;
    int expected; /* 0: the same bits; 1: others; -1: not offered; -2: broke */
} repeats[] = {
    {"", "", "conv2d_fwd", "heuristic", 0},
    {"", "", "conv2d_bwd_data", "heuristic", 1}, /* engine 1: its note says so */
    {"", "", "conv2d_bwd_filter", "heuristic", 1},
    {"", "", "conv2d_bwd_data", "deterministic", 0}, /* PyTorch's rule leaves it out */
    {"", "", "conv2d_bwd_filter", "deterministic", 0},
    {" flags=tf32:0", "", "conv2d_bwd_filter", "deterministic", 0},
    {" flags=engine:1", "", "conv2d_bwd_filter", "engine", 1},
    {" flags=engine:0+knob:2+value:1", "", "conv2d_bwd_filter", "engine", 0},
    {" flags=engine:2", "", "conv2d_bwd_filter", "engine", -1}, /* does not finalize */
    {" flags=engine:9", "", "conv2d_fwd", "engine", -1},
    {"", "", "conv2d_bwd_filter", "algo0", 1},
    {"", "", "conv2d_bwd_filter", "algo1", 0},
    {"", "", "conv2d_bwd_filter", "algo3", 1},
    {"", "", "conv2d_bwd_data", "algo0", 1},
    {"", "", "conv2d_bwd_data", "algo1", 0},
    {"", "", "conv2d_fwd", "algo6", -1},
    {"", "", "conv2d_bwd_data", "legacy", 1},
    {"", "", "conv2d_bwd_data", "legacy-deterministic", 0},
    {"", "", "conv2d_bwd_filter", "find", 1}, /* now the one is faster, now the other */
    {" flags=nhwc:1", "", "conv2d_bwd_filter", "algo1", 0},
    {" flags=nhwc:1", "", "conv2d_bwd_data", "deterministic", 0},
    {"", "", "maxpool_bwd", "max", 1},
    {"", "", "maxpool_bwd", "max-deterministic", 0},
    {" flags=math:3", "", "conv2d_fwd", "algo1", 0},
    {" flags=math:3", "math", "conv2d_fwd", "algo1", -2}, /* read back as 0 */
    {"", "fails", "conv2d_fwd", "deterministic", -2},
    {"", "fickle", "conv2d_bwd_data", "deterministic", 1}, /* a note that is not true shows */
    {"", "fickle", "conv2d_bwd_filter", "algo1", 1},
};

Test(cudnn, what_is_deterministic_repeats_and_what_lies_is_seen)
{
    for (int i = 0; i < CF_COUNT(repeats); ++i) {
        struct cf_library *library = open_here(repeats[i].flags, repeats[i].lie);
        const int got = differing(library, repeats[i].op, repeats[i].kernel);

        cr_expect(repeats[i].expected == 1 ? got > 0 : got == repeats[i].expected,
                  "%s%s %s, lie `%s`: %d", repeats[i].op, repeats[i].flags, repeats[i].kernel,
                  repeats[i].lie, got);
        cf_backend_find("cudnn")->close(library);
    }
}
