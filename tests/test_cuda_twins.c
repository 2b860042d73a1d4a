/* cuda_twins: the kernels of kernels/cuda, run on the host by their scheduler: each keeps what its
 * class promises; those that fix their order give the same bits in every schedule, those that add
 * in the order of arrival do not; and orders that claim to be another's give that one's bits. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_problems.h"
#include "kernel_check.h"

#define SCHEDULES 3

#define POOLS                                                                                      \
    "{f32,f64} n=2 c=3 h=9 w=8 r=3 s=2 stride=2 pad=1 fill={normal,wide} seed=1",                  \
        "{f32,f64} n=1 c=2 h=11 w=10 r=2 s=3 dilation=2 fill={normal,small} seed=1"
#define MEANS "{f32,f64} n=1 c=2 h=9 w=9 r=3 s=3 pad=1 divisor=window fill={normal,small} seed=1"

static const struct {
    const char *op;
    const char *lines[4];
} cases[] = {
    {"sum",
     {"{f32,f64,bf16} m=3 n={1,257,2100} fill={normal,wide,integer,cancel10} seed=1",
      "f16 m=3 n={1,257,2100} fill={normal,small,cancel10} seed=1",
      "{f32,f64} m=6 n=64 fill={special,tiny} seed=1"}},
    {"asum",
     {"{f32,f64,bf16} m=3 n={257,2100} fill={wide,integer} seed=1",
      "f16 m=3 n={257,2100} fill={normal,small} seed=1"}},
    {"dot",
     {"{f32,f64,bf16} m=3 n={1,257,2100} fill={normal,wide,integer,cancel10} seed=1",
      "f16 m=3 n={1,257,2100} fill={normal,small,cancel10} seed=1",
      "{f32,f64} m=6 n=64 fill={special,tiny} seed=1"}},
    {"nrm2",
     {"{f32,f64} m=3 n={257,2100} fill={wide,integer} seed=1",
      "{f32,f64} m=6 n=64 fill={special,tiny} seed=1"}},
    {"gemm",
     {"{f32,f64,bf16} m=5 n=17 k={1,33,520} fill={wide,integer} seed=1",
      "f16 m=5 n=17 k={1,33,520} fill={normal,small} seed=1",
      "{f32,f64} m=3 n=5 k=64 fill={special,tiny} seed=1"}},
    {"gemv", {"{f32,f64} m=17 n={1,33,520} fill={wide,integer} seed=1"}},
    {"conv2d_fwd",
     {"{f32,f64,f16,bf16} n=2 c=4 h=7 w=6 k=6 r=3 s=3 pad=1 layout={nchw,nhwc} fill={wide,small} "
      "seed=1",
      "{f32,f64,f16} n=1 c=4 h=9 w=8 k=4 r=3 s=2 stride=2 groups=2 layout={nchw,nhwc} fill=normal "
      "seed=1",
      "{f32,f64} n=1 c=2 h=9 w=9 k=3 r=3 s=3 pad=2 dilation=2 fill=normal seed=1"}},
    {"conv2d_bwd_data",
     {"{f32,f64,f16,bf16} n=2 c=4 h=7 w=6 k=6 r=3 s=3 pad=1 layout={nchw,nhwc} fill={wide,small} "
      "seed=1",
      "{f32,f64,f16} n=1 c=4 h=9 w=8 k=4 r=3 s=2 stride=2 groups=2 layout={nchw,nhwc} fill=normal "
      "seed=1",
      "{f32,f64} n=1 c=2 h=9 w=9 k=3 r=3 s=3 pad=2 dilation=2 fill=normal seed=1"}},
    {"conv2d_bwd_filter",
     {"{f32,f64,f16,bf16} n=2 c=4 h=7 w=6 k=6 r=3 s=3 pad=1 layout={nchw,nhwc} fill={wide,small} "
      "seed=1",
      "{f32,f64,f16} n=1 c=4 h=9 w=8 k=4 r=3 s=2 stride=2 groups=2 layout={nchw,nhwc} fill=normal "
      "seed=1",
      "{f32,f64} n=1 c=2 h=9 w=9 k=3 r=3 s=3 pad=2 dilation=2 fill=normal seed=1"}},
    {"chain", {"{f32,f64} n=384 rounds=300 passes=2 fused={0,1} fill=uniform seed=1"}},
    {"relu_fwd", {"{f32,f64} n=2 c=3 h=4 w=5 fill=normal seed=1"}},
    {"relu_bwd", {"{f32,f64} n=2 c=3 h=4 w=5 fill=normal seed=1"}},
    {"bias_fwd", {"{f32,f64} n=2 c=3 h=4 w=5 fill=normal seed=1"}},
    {"bias_bwd", {"{f32,f64} n=4 c=3 h=9 w=9 fill={normal,wide} seed=1"}},
    {"maxpool_fwd", {POOLS}},
    {"maxpool_bwd", {POOLS}},
    {"avgpool_fwd", {POOLS, MEANS}},
    {"avgpool_bwd", {POOLS, MEANS}},
    {"batchnorm_fwd", {"{f32,f64} n=3 c=2 h={1,10} w=9 fill={normal,wide} seed=1"}},
    {"batchnorm_bwd", {"{f32,f64} n=3 c=2 h={1,10} w=9 fill={normal,wide} seed=1"}},
    {"layernorm_fwd", {"{f32,f64} n=3 c={1,17,70} fill={normal,wide} seed=1"}},
    {"layernorm_bwd", {"{f32,f64} n={5,60} c={1,9} fill={normal,wide} seed=1"}},
    {"allreduce", {"{f32,f64} parts={1,33} n=17 fill={wide,integer} seed=1"}},
    {"embedding_bwd", {"{f32,f64} n={1,60} v=7 c=9 fill={normal,wide,integer} seed=1"}},
    {"gelu_fwd", {"{f32,f64} n=300 seed=1"}},
    {"softmax_fwd", {"{f32,f64} n=5 c=17 fill=normal seed=1"}},
    {"softmax_bwd", {"{f32,f64} n=5 c=17 fill=normal seed=1"}},
    {"crossentropy_fwd", {"{f32,f64} n=5 c=17 fill=normal seed=1"}},
    {"crossentropy_bwd", {"{f32,f64} n=5 c=17 fill=normal seed=1"}},
};

struct check {
    const struct cf_kernel *kernel;
    struct cf_library *library;
    int n_done;
};

/* Sums in double are those of f32 alone; nothing adds to a 16-bit result, no root is taken of one,
 * and wide has none. */
static int refuses(const struct cf_kernel *kernel, const char *line)
{
    const int narrow = strncmp(line, "f16", 3) == 0 || strncmp(line, "bf16", 4) == 0;
    const int convolves = strncmp(kernel->op, "conv2d", 6) == 0;

    if (strcmp(kernel->name, "atomic-double") == 0)
        return narrow || strncmp(line, "f64", 3) == 0;
    return narrow && !convolves &&
           (strstr(kernel->name, "atomic") || strcmp(kernel->name, "wide") == 0 ||
            strcmp(kernel->op, "nrm2") == 0);
}

static int check_line(const char *line, void *context)
{
    struct check *check = context;
    char *text = cf_format("%s %s", check->kernel->op, line), failed[32];
    const struct cf_check got = cf_check_kernel(check->kernel, check->library, text);

    cf_check_failures(failed, &got);
    if (refuses(check->kernel, line))
        cr_expect_eq(got.status, CF_UNSUPPORTED, "%s %s", check->kernel->name, text);
    else
        cr_expect(got.status == CF_DONE && failed[0] == '\0', "%s: %s: status %d, gates %s",
                  check->kernel->name, text, got.status, failed);
    check->n_done += got.status == CF_DONE;
    free(text);
    return 0;
}

/* Every kernel of the backend; returns how many cases ran. */
static int check_kernel(const struct cf_kernel *kernel, struct cf_library *library)
{
    struct check check = {kernel, library, 0};

    for (int i = 0; i < CF_COUNT(cases); ++i)
        for (int l = 0; strcmp(cases[i].op, kernel->op) == 0 && l < 4 && cases[i].lines[l]; ++l)
            cr_assert_eq(cf_pairs_expand(cases[i].lines[l], check_line, &check, NULL), 0);
    return check.n_done;
}

Test(cuda_twins, every_kernel_keeps_its_class)
{
    struct cf_library *library = open_here("cuda device=cpu");
    int n = 0;

    for (int t = 0; cf_kernel_tables[t]; ++t)
        for (const struct cf_kernel *k = cf_kernel_tables[t]; k->op; ++k)
            if (k->backend == &cf_backend_cuda && !is_for_devices(k) && !is_of_units(k) &&
                strcmp(k->op, "chain_where") != 0) {
                cr_expect(check_kernel(k, library) > 0, "%s %s has no case", k->op, k->name);
                ++n;
            }
    cr_expect_geq(n, 90, "%d kernels", n);
    cf_backend_cuda.close(library);
}

/* ---- bits ---- */

/* Do two kernels give a problem the same bits? -1: one of them does not take it. */
static int agree(struct cf_library *library_a, const struct cf_kernel *a,
                 struct cf_library *library_b, const struct cf_kernel *b, enum cf_dtype dtype,
                 int reverse_b)
{
    const struct problem *problem = problem_of(a->op);
    struct answer x = ask(library_a, a, problem, dtype, 0);
    struct answer y = ask(library_b, b, problem, dtype, reverse_b);
    const int same = x.status != CF_DONE || y.status != CF_DONE ? -1 : same_bits(&x, &y);

    discard(&x);
    discard(&y);
    return same;
}

/* 16-bit operands share each line with f32: one schedule tells. */
static int differing_schedules(struct cf_library *fixed, struct cf_library *shuffled,
                               const struct cf_kernel *kernel, enum cf_dtype dtype)
{
    const int schedules = dtype == CF_F64 || dtype == CF_F32 ? SCHEDULES : 1;
    const struct problem *problem = problem_of(kernel->op);
    struct answer first = ask(fixed, kernel, problem, dtype, 0);
    int n = 0;

    for (int i = 0; i < schedules && first.status == CF_DONE; ++i) {
        struct answer other = ask(shuffled, kernel, problem, dtype, 0);

        n += !same_bits(&first, &other);
        discard(&other);
    }
    discard(&first);
    return n;
}

/* What docs/gpu.md expects of devices: the kernels with a fixed order are numerically reproducible
 * across runs, those with atomics are not. */
Test(cuda_twins, a_fixed_order_survives_every_schedule_and_arrival_does_not)
{
    struct cf_library *fixed = open_here("cuda device=cpu");
    struct cf_library *shuffled = open_here("cuda device=cpu flags=shuffled");
    int n[2] = {0, 0};

    for (int t = 0; cf_kernel_tables[t]; ++t)
        for (const struct cf_kernel *k = cf_kernel_tables[t]; k->op; ++k) {
            const int arrives = strstr(k->name, "atomic") != NULL;
            int differ = 0;

            if (k->backend != &cf_backend_cuda || is_for_devices(k) || !problem_of(k->op))
                continue;
            /* atomic-double rounds to float in the end, so that its float answers may well agree */
            for (int d = CF_F64; d <= CF_BF16; ++d)
                differ += differing_schedules(fixed, shuffled, k, (enum cf_dtype)d);
            if (strcmp(k->name, "atomic-double") != 0)
                cr_expect_eq(differ > 0, arrives, "%s %s: %d of %d schedules differ", k->op,
                             k->name, differ, 2 * SCHEDULES + 2);
            ++n[arrives];
        }
    cr_expect(n[0] >= 72 && n[1] >= 16, "%d and %d kernels", n[0], n[1]);
    cf_backend_cuda.close(fixed);
    cf_backend_cuda.close(shuffled);
}

/* Kernels of cuda (device=cpu) and what has to have their bits. */
static const struct {
    const char *op, *kernel, *backend, *other;
    int reversed, same;
} twins[] = {
    {"gemm", "serial", "plain", "forward", 0, 1},
    {"gemm", "serial-fma", "plain", "fma", 0, 1},
    {"gemv", "serial", "plain", "forward", 0, 1},
    {"gemm", "tiled", "cuda", "serial", 0, 1},
    {"gemm", "tiled-fma", "cuda", "serial-fma", 0, 1},
    {"gemm", "serial-fma", "cuda", "serial", 0, 0},
    {"gemm", "split", "cuda", "serial", 0, 0},
    {"conv2d_fwd", "direct", "plain", "direct-crs", 0, 1},
    {"conv2d_fwd", "direct-fma", "plain", "direct-crs-fma", 0, 1},
    {"conv2d_bwd_data", "direct", "plain", "direct-crs", 0, 1},
    {"conv2d_bwd_filter", "direct", "plain", "direct-crs", 0, 1},
    {"conv2d_bwd_filter", "direct-fma", "cuda", "direct", 0, 0},
    {"sum", "tree", "cuda", "last", 0, 1},
    {"dot", "tree", "cuda", "grid", 0, 1},
    {"nrm2", "last", "cuda", "grid", 0, 1},
    {"dot", "tree-fma", "cuda", "tree", 0, 0},
    {"sum", "tree", "cuda", "shuffle", 0, 0},
    {"sum", "tree", "cuda", "wide", 0, 0},
    {"sum", "tree", "cuda", "tree", 1, 0},
    {"sum", "fixed", "cuda", "fixed", 1, 1},
    {"asum", "fixed", "cuda", "fixed", 1, 1},
    {"dot", "fixed", "cuda", "fixed", 1, 1},
    {"bias_bwd", "forward", "plain", "forward", 0, 1},
    {"softmax_fwd", "forward", "plain", "forward", 0, 1},
    {"conv2d_fwd", "direct-rsc", "plain", "direct-rsc", 0, 1},
    {"conv2d_bwd_data", "direct-rsc", "plain", "direct-rsc", 0, 1},
    {"conv2d_bwd_filter", "direct-rsc", "plain", "direct-rsc", 0, 1},
    {"conv2d_bwd_data", "direct-rsc-fma", "plain", "direct-rsc-fma", 0, 1},
    {"conv2d_fwd", "direct-rsc", "cuda", "direct", 0, 0},
    {"maxpool_fwd", "forward", "plain", "forward", 0, 1},
    {"maxpool_bwd", "forward", "plain", "forward", 0, 1},
    {"avgpool_fwd", "forward", "plain", "forward", 0, 1},
    {"avgpool_bwd", "forward", "plain", "forward", 0, 1},
    {"batchnorm_fwd", "forward", "plain", "forward", 0, 1},
    {"batchnorm_bwd", "forward", "plain", "forward", 0, 1},
    {"layernorm_fwd", "forward", "plain", "forward", 0, 1},
    {"layernorm_bwd", "forward", "plain", "forward", 0, 1},
    {"batchnorm_fwd", "tree", "cuda", "forward", 0, 0},
    {"batchnorm_bwd", "tree-fma", "cuda", "tree", 0, 0},
    {"layernorm_bwd", "tree", "cuda", "forward", 0, 0},
    {"allreduce", "forward", "plain", "rank_order", 0, 1},
};

Test(cuda_twins, orders_have_the_bits_that_they_claim)
{
    struct cf_library *cuda = open_here("cuda device=cpu"), *plain = open_here("plain");

    for (int i = 0; i < CF_COUNT(twins); ++i)
        for (int d = 0; d < 2; ++d) {
            const struct cf_backend *other = cf_backend_find(twins[i].backend);
            const struct cf_kernel *a =
                cf_kernel_find(&cf_backend_cuda, twins[i].op, twins[i].kernel);
            const struct cf_kernel *b = cf_kernel_find(other, twins[i].op, twins[i].other);

            cr_assert(a && b, "%s: %s or %s is not there", twins[i].op, twins[i].kernel,
                      twins[i].other);
            cr_expect_eq(agree(cuda, a, other == &cf_backend_cuda ? cuda : plain, b,
                               d ? CF_F32 : CF_F64, twins[i].reversed),
                         twins[i].same, "%s %s against %s %s, %s", twins[i].op, twins[i].kernel,
                         twins[i].backend, twins[i].other, d ? "f32" : "f64");
        }
    cf_backend_cuda.close(cuda);
    cf_backend_find("plain")->close(plain);
}

/* The order of tree, written out once more: 5000 terms are 4 blocks of 256 threads. */
static double tree_of(const double *x, int n, int blocks)
{
    double partial[256] = {0}, s[256];

    for (int b = 0; b <= blocks; ++b) {
        for (int t = 0; t < 256; ++t) {
            s[t] = b < blocks ? 0 : partial[t];
            for (int i = b * 256 + t; b < blocks && i < n; i += blocks * 256)
                s[t] += x[i];
        }
        for (int half = 128; half > 0; half /= 2)
            for (int t = 0; t < half; ++t)
                s[t] += s[t + half];
        if (b < blocks)
            partial[b] = s[0];
    }
    return s[0];
}

Test(cuda_twins, the_tree_is_the_one_that_is_written)
{
    struct cf_library *cuda = open_here("cuda device=cpu");
    const struct cf_kernel *tree = cf_kernel_find(&cf_backend_cuda, "sum", "tree");
    struct answer a = ask(cuda, tree, problem_of("sum"), CF_F64, 0);
    struct cf_tensor x = tensor(CF_F64, 2, problem_of("sum")->operand[0].dim);

    int others = 0;

    draw(&x, 1);
    cr_assert_eq(a.status, CF_DONE);
    for (int row = 0; row < ROWS; ++row) {
        const double wanted = tree_of((const double *)x.bits + row * 5000, 5000, 4);

        cr_expect(memcmp(&wanted, (const double *)a.out[0].bits + row, sizeof wanted) == 0,
                  "row %d: %a, not %a", row, cf_tensor_get(&a.out[0], row), wanted);
        others += wanted != tree_of((const double *)x.bits + row * 5000, 5000, 5);
    }
    cr_expect_gt(others, 0, "five blocks have the same bits in every row");
    cf_tensor_free(&x);
    discard(&a);
    cf_backend_cuda.close(cuda);
}

/* The order of wide, written out once more, for floats. */
static float wide_of(const float *x, int n, int blocks)
{
    float partial[256] = {0}, s[256];

    for (int b = 0; b <= blocks; ++b) {
        for (int t = 0; t < 256; ++t) {
            float sum[4] = {0, 0, 0, 0};

            for (int i = 4 * (b * 256 + t); b < blocks && i < n; i += 4 * blocks * 256)
                for (int v = 0; v < 4 && i + v < n; ++v)
                    sum[v] += x[i + v];
            s[t] = b < blocks ? (sum[0] + sum[2]) + (sum[1] + sum[3]) : partial[t];
        }
        for (int half = 128; half > 0; half /= 2)
            for (int t = 0; t < half; ++t)
                s[t] += s[t + half];
        if (b < blocks)
            partial[b] = s[0];
    }
    return s[0];
}

/* Rows of 20003 terms: 9 blocks, and a last vector of three; the second row starts at a multiple of
 * 4 bytes only, as all do with align=4. */
Test(cuda_twins, wide_is_the_order_that_is_written_wherever_a_row_starts)
{
    static const char *const configurations[] = {"cuda device=cpu", "cuda device=cpu align=4",
                                                 "cuda device=cpu align=12 flags=shuffled"};
    const struct cf_kernel *wide = cf_kernel_find(&cf_backend_cuda, "sum", "wide");
    struct cf_tensor x = tensor(CF_F32, 2, (int64_t[4]){3, 20003});
    int others = 0;

    draw(&x, 1);
    for (int i = 0; i < CF_COUNT(configurations); ++i) {
        struct cf_library *cuda = open_here(configurations[i]);
        struct cf_tensor y = tensor(CF_F32, 1, x.dim);
        static const struct cf_pairs none = {0};

        cr_assert_eq(wide->run(cuda, &none, &x, &y), CF_DONE);
        for (int row = 0; row < 3; ++row) {
            const float *terms = (const float *)x.bits + row * 20003;
            const float wanted = wide_of(terms, 20003, 9);

            cr_expect(memcmp(&wanted, (const float *)y.bits + row, sizeof wanted) == 0,
                      "%s, row %d: %a, not %a", configurations[i], row, cf_tensor_get(&y, row),
                      wanted);
            others += wanted != wide_of(terms, 20003, 10);
        }
        cf_tensor_free(&y);
        cf_backend_cuda.close(cuda);
    }
    cr_expect_gt(others, 0, "ten blocks have the same bits in every row");
    cf_tensor_free(&x);
}

/* x [65536,2]: every 16-bit number, and another one. */
static void list_pairs(struct cf_tensor *x)
{
    for (uint32_t i = 0; i < 65536; ++i) {
        ((uint16_t *)x->bits)[2 * i] = (uint16_t)i;
        ((uint16_t *)x->bits)[2 * i + 1] = (uint16_t)(i * 40503u + 0x0200u);
    }
}

/* Is got the sum of both in float, rounded to nearest even? *n counts numbers. */
static int is_rounded(double a, double b, double got, enum cf_dtype dtype, int *n)
{
    const double sum = (double)((float)a + (float)b);
    uint16_t bits;
    struct cf_tensor wanted = {.dtype = dtype, .rank = 0, .bits = &bits};

    cf_tensor_set(&wanted, 0, sum);
    *n += !isnan(sum) && !isinf(got);
    return isnan(sum) ? isnan(got) : got == cf_tensor_get(&wanted, 0);
}

/* As one product with ones. */
Test(cuda_twins, sixteen_bits_go_in_exactly_and_come_out_rounded_once)
{
    static const enum cf_dtype types[] = {CF_F16, CF_BF16};
    static const struct cf_pairs none = {0};
    struct cf_library *cuda = open_here("cuda device=cpu");
    const struct cf_kernel *serial = cf_kernel_find(&cf_backend_cuda, "gemm", "serial");

    for (int d = 0; d < CF_COUNT(types); ++d) {
        struct cf_tensor in[2] = {tensor(types[d], 2, (const int64_t[4]){65536, 2}),
                                  tensor(types[d], 2, (const int64_t[4]){2, 1})};
        struct cf_tensor out = tensor(types[d], 2, (const int64_t[4]){65536, 1});
        int n_bad = 0, n = 0;

        list_pairs(&in[0]);
        cf_tensor_set(&in[1], 0, 1);
        cf_tensor_set(&in[1], 1, 1);
        cr_assert_eq(serial->run(cuda, &none, in, &out), CF_DONE);
        for (int64_t i = 0; i < 65536; ++i)
            n_bad += !is_rounded(cf_tensor_get(&in[0], 2 * i), cf_tensor_get(&in[0], 2 * i + 1),
                                 cf_tensor_get(&out, i), types[d], &n);
        cr_expect_eq(n_bad, 0, "%s: %d of 65536", cf_dtype_name(types[d]), n_bad);
        cr_expect_gt(n, 60000, "%s: %d numbers", cf_dtype_name(types[d]), n);
        cf_tensor_free(&in[0]);
        cf_tensor_free(&in[1]);
        cf_tensor_free(&out);
    }
    cf_backend_cuda.close(cuda);
}

/* Rows of one token are added up; tokens that are none of the table's are left out. */
Test(cuda_twins, rows_are_added_by_their_token)
{
    static const char *const names[] = {"forward", "atomic"};
    double tokens[] = {2, 0, 2, 4, -1}, dy[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    const double wanted[] = {3, 4, 0, 0, 6, 8, 0, 0};
    const struct cf_tensor in[2] = {{.dtype = CF_F64, .rank = 1, .dim = {5}, .bits = tokens},
                                    {.dtype = CF_F64, .rank = 2, .dim = {5, 2}, .bits = dy}};
    struct cf_library *cuda = open_here("cuda device=cpu");
    static const struct cf_pairs none = {0};

    for (int i = 0; i < CF_COUNT(names); ++i) {
        const struct cf_kernel *kernel =
            cf_kernel_find(&cf_backend_cuda, "embedding_bwd", names[i]);
        struct cf_tensor out = tensor(CF_F64, 2, (const int64_t[4]){4, 2});

        cr_assert_not_null(kernel);
        cr_expect_eq(kernel->run(cuda, &none, in, &out), CF_DONE);
        cr_expect(memcmp(out.bits, wanted, sizeof wanted) == 0, "%s", names[i]);
        cf_tensor_free(&out);
    }
    cf_backend_cuda.close(cuda);
}

Test(cuda_twins, fast_math_is_for_devices_only)
{
    struct cf_library *cuda = open_here("cuda device=cpu");
    const struct cf_kernel *fast = cf_kernel_find(&cf_backend_cuda, "dot", "tree-fast");
    struct answer a = ask(cuda, fast, problem_of("dot"), CF_F32, 0);

    cr_expect_eq(a.status, CF_UNSUPPORTED);
    discard(&a);
    cf_backend_cuda.close(cuda);
}

/* A kernel whose threads do not all reach the barrier is told, not waited for; and the scheduler
 * works on. */
static void half_waits(const void *parameters)
{
    (void)parameters;
    if (cf_grid_now.thread.x < 32)
        cf_grid_sync();
}

static void all_wait(const void *parameters)
{
    (void)parameters;
    cf_grid_block_sync();
    if (cf_grid_now.thread.x == 0)
        ++*(int *)(uintptr_t)parameters;
}

Test(cuda_twins, a_barrier_that_is_not_reached_is_an_error)
{
    int blocks = 0;
    struct cf_grid_launch launch = {
        .entry = half_waits, .grid = {2, 1, 1}, .block = {64, 1, 1}, .parameters = &blocks};

    cr_expect_eq(cf_grid_run(&launch), -1);
    launch.entry = all_wait;
    launch.grid.x = 5;
    for (int i = 0; i < 2; ++i) {
        launch.shuffled = i;
        cr_expect_eq(cf_grid_run(&launch), 0);
    }
    cr_expect_eq(blocks, 10);
}
