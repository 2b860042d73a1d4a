/* plain: each kernel adds in the order that its file says. The order is not computed again but
 * revealed from outside, as in FPRev (Xie, Gao and Yang, "FPRev: revealing floating-point
 * accumulation orders", USENIX ATC 2025): with +M at i, -M at j and ones elsewhere, M swallows all
 * ones that meet it before it is cancelled, so the sum is n less the number of terms below the
 * node where i and j meet. All pairs give the tree. */
#include <criterion/criterion.h>
#include <math.h>

#include "philox.h"
#include "worker_client.h"

#define N       37
#define PAIRS   (N * (N - 1) / 2)
#define THREADS 3

static struct client client;

static void set_up(void)
{
    client_start(&client, "plain threads=3");
    json_decref(client_hello(&client, 5000));
}

static void tear_down(void)
{
    client_stop(&client);
}

TestSuite(kernels_plain, .init = set_up, .fini = tear_down);

/* How many terms lie below the node where i < j meet. */
static int below_forward(int i, int j)
{
    (void)i;
    return j + 1;
}

static int below_reverse(int i, int j)
{
    (void)j;
    return N - i;
}

static int below_pairwise(int i, int j)
{
    int first = 0, n = N;

    for (;;) {
        const int half = n / 2;

        if (i < first + half && j >= first + half)
            return n;
        if (j < first + half)
            n = half;
        else {
            first += half;
            n -= half;
        }
    }
}

static int below_lanes(int lanes, int i, int j)
{
    int groups = lanes, n = 0;

    if (i % lanes == j % lanes)
        return j / lanes + 1;
    while (i % groups != j % groups)
        groups /= 2;
    for (int l = 0; l < N; ++l)
        n += l % groups == i % groups;
    return n;
}

static int below_lanes4(int i, int j)
{
    return below_lanes(4, i, j);
}

static int below_lanes8(int i, int j)
{
    return below_lanes(8, i, j);
}

static int below_lanes16(int i, int j)
{
    return below_lanes(16, i, j);
}

static int below_chunks(int i, int j)
{
    int chunk = THREADS - 1;

    while (chunk * N / THREADS > j)
        --chunk;
    /* Same chunk: from its start to j. Else all chunks up to that of j. */
    return i >= chunk * N / THREADS ? j - chunk * N / THREADS + 1 : (chunk + 1) * N / THREADS;
}

static int below_canon(int i, int j)
{
    const struct cf_stream stream = {.seed = N, .stream = 0x63616e6f};
    int64_t order[N];
    int at_i = 0, at_j = 0;

    cf_stream_permutation(&stream, order, N);
    for (int p = 0; p < N; ++p) {
        at_i = order[p] == i ? p : at_i;
        at_j = order[p] == j ? p : at_j;
    }
    return (at_i > at_j ? at_i : at_j) + 1;
}

static const struct {
    const char *kernel;
    int (*below)(int i, int j);
} orders[] = {{"forward", below_forward}, {"reverse", below_reverse}, {"pairwise", below_pairwise},
              {"lanes4", below_lanes4},   {"lanes8", below_lanes8},   {"lanes16", below_lanes16},
              {"chunks", below_chunks},   {"canon", below_canon},     {"fma", below_forward}};

/* One row a pair (i, j): +M at i, -M at j, ones elsewhere. */
static struct cf_tensor make_pairs(enum cf_dtype dtype)
{
    const double m = dtype == CF_F32 ? 0x1p40 : 0x1p80;
    struct cf_tensor x = make_tensor(dtype, PAIRS, N);
    int row = 0;

    for (int i = 0; i < N; ++i)
        for (int j = i + 1; j < N; ++j, ++row)
            for (int l = 0; l < N; ++l)
                cf_tensor_set(&x, row * N + l, l == i ? m : l == j ? -m : 1);
    return x;
}

static struct cf_tensor make_constant(enum cf_dtype dtype, int64_t rows, int64_t columns,
                                      double value)
{
    struct cf_tensor x = make_tensor(dtype, rows, columns);

    for (int64_t i = 0; i < cf_tensor_count(&x); ++i)
        cf_tensor_set(&x, i, value);
    return x;
}

static void expect_tree(const char *what, int (*below)(int, int), const struct cf_tensor *got,
                        int stride, double factor)
{
    int row = 0;

    for (int i = 0; i < N; ++i)
        for (int j = i + 1; j < N; ++j, ++row) {
            const double sum = cf_tensor_get(got, (int64_t)row * stride) / factor;

            cr_assert(sum == N - below(i, j), "%s: %d and %d meet above %g terms, not %d", what, i,
                      j, N - sum, below(i, j));
        }
}

static void reveal(const char *op, enum cf_dtype dtype, int k)
{
    const int gemm = strcmp(op, "gemm") == 0;
    struct cf_tensor in[2] = {make_pairs(dtype), strcmp(op, "dot") == 0
                                                     ? make_constant(dtype, PAIRS, N, 2)
                                                     : make_constant(dtype, N, gemm ? 2 : -1, 2)};
    struct cf_tensor out = make_tensor(dtype, PAIRS, gemm ? 2 : -1);
    char *what = cf_format("%s %s %s", op, cf_dtype_name(dtype), orders[k].kernel);
    const int n_in = strcmp(op, "sum") == 0 ? 1 : 2;
    json_t *reply = client_run(&client, op, orders[k].kernel, in, n_in, &out, 0);

    cr_assert_str_eq(reply_code(reply), "", "%s: %s", what, reply_message(reply));
    for (int column = 0; column <= gemm; ++column) {
        struct cf_tensor from = out;

        from.bits = (char *)out.bits + column * cf_dtype_size(dtype);
        expect_tree(what, orders[k].below, &from, gemm ? 2 : 1, n_in);
    }
    json_decref(reply);
    free(what);
    cf_tensor_free(&in[0]);
    cf_tensor_free(&in[1]);
    cf_tensor_free(&out);
}

Test(kernels_plain, each_adds_in_the_order_that_it_says)
{
    static const char *const ops[] = {"sum", "dot", "gemv", "gemm"};

    for (int op = 0; op < CF_COUNT(ops); ++op)
        for (int k = 0; k < CF_COUNT(orders); ++k) {
            reveal(ops[op], CF_F32, k);
            reveal(ops[op], CF_F64, k);
        }
}

/* One row through a kernel; the second operand may be NULL. */
static double reduce(const char *op, const char *kernel, enum cf_dtype dtype, int n,
                     const double *x, const double *y)
{
    struct cf_tensor in[2] = {make_tensor(dtype, 1, n), make_tensor(dtype, 1, n)};
    struct cf_tensor out = make_tensor(dtype, 1, -1);
    json_t *reply;
    double value;

    for (int i = 0; i < n; ++i) {
        cf_tensor_set(&in[0], i, x[i]);
        cf_tensor_set(&in[1], i, y ? y[i] : 0);
    }
    reply = client_run(&client, op, kernel, in, y ? 2 : 1, &out, 0);
    cr_assert_str_eq(reply_code(reply), "", "%s %s: %s", op, kernel, reply_message(reply));
    json_decref(reply);
    value = cf_tensor_get(&out, 0);
    cf_tensor_free(&in[0]);
    cf_tensor_free(&in[1]);
    cf_tensor_free(&out);
    return value;
}

static const char *const all[] = {"forward", "reverse", "pairwise", "lanes4", "lanes8", "lanes16",
                                  "kahan",   "fma",     "chunks",   "canon",  "arrival"};

/* Sums in which every order must agree, NaN equal to NaN. */
static const struct {
    const char *claim;
    double x[6], sum;
    int n;
} special[] = {
    {"no terms are +0", {0}, 0, 0},
    {"-0 alone is +0", {-0.0}, 0, 1},
    {"-0s are +0", {-0.0, -0.0, -0.0, -0.0, -0.0, -0.0}, 0, 6},
    {"one term is itself", {-3}, -3, 1},
    {"integers are exact", {1, 2, 4, 8, 16, 32}, 63, 6},
    {"infinity stays", {1, INFINITY, 2, 3, 4, 5}, INFINITY, 6},
    {"two infinities cancel to NaN", {1, INFINITY, 2, -INFINITY, 4, 5}, NAN, 6},
    {"NaN stays", {1, 2, NAN, INFINITY, 4, 5}, NAN, 6},
    {"all NaN", {NAN, NAN, NAN, NAN}, NAN, 4},
};

Test(kernels_plain, all_agree_on_special_values)
{
    for (int i = 0; i < CF_COUNT(special); ++i)
        for (int k = 0; k < CF_COUNT(all); ++k)
            for (int wide = 0; wide < 2; ++wide) {
                const double got =
                    reduce("sum", all[k], wide ? CF_F64 : CF_F32, special[i].n, special[i].x, NULL);

                cr_expect(isnan(special[i].sum)
                              ? isnan(got)
                              : got == special[i].sum && !signbit(got) == !signbit(special[i].sum),
                          "%s: %s gives %a", special[i].claim, all[k], got);
            }
}

Test(kernels_plain, an_overflow_is_an_infinity_in_every_order)
{
    const double x[6] = {0x1.8p1023, 0x1.8p1023, 1, 1, 1, 1};

    for (int k = 0; k < CF_COUNT(all); ++k)
        cr_expect(reduce("sum", all[k], CF_F64, 6, x, NULL) == INFINITY, "%s", all[k]);
}

Test(kernels_plain, kahan_keeps_what_forward_loses)
{
    double x[1001] = {1};

    for (int i = 1; i <= 1000; ++i)
        x[i] = 0x1p-53;
    cr_expect(reduce("sum", "forward", CF_F64, 1001, x, NULL) == 1);
    cr_expect(reduce("sum", "kahan", CF_F64, 1001, x, NULL) == 1 + 1000 * 0x1p-53);
    for (int i = 1; i <= 1000; ++i)
        x[i] = 0x1p-24;
    cr_expect(reduce("sum", "forward", CF_F32, 1001, x, NULL) == 1);
    cr_expect(reduce("sum", "kahan", CF_F32, 1001, x, NULL) == 1 + 1000 * 0x1p-24);
}

/* x * x less its own rounding: only a fused step sees the rest. */
Test(kernels_plain, fma_does_not_round_its_products)
{
    const double wide[2] = {1, 1 + 0x1p-30}, wide_y[2] = {-(1 + 0x1p-29), 1 + 0x1p-30};
    const double narrow[2] = {1, 1 + 0x1p-15}, narrow_y[2] = {-(1 + 0x1p-14), 1 + 0x1p-15};

    cr_expect(reduce("dot", "fma", CF_F64, 2, wide, wide_y) == 0x1p-60);
    cr_expect(reduce("dot", "forward", CF_F64, 2, wide, wide_y) == 0);
    cr_expect(reduce("dot", "fma", CF_F32, 2, narrow, narrow_y) == 0x1p-30);
    cr_expect(reduce("dot", "forward", CF_F32, 2, narrow, narrow_y) == 0);
}

/* Terms of many sizes, so that orders differ. */
static void fill(double *x, int n, uint64_t seed)
{
    const struct cf_stream stream = {.seed = seed, .stream = 1};

    for (int i = 0; i < n; ++i)
        x[i] = ldexp((double)(cf_stream_word(&stream, (uint64_t)i) >> 11) - 0x1p52, -52);
}

Test(kernels_plain, asum_is_the_sum_of_absolutes_and_nrm2_the_root_of_the_dot)
{
    double x[N], absolute[N], scaled[N];

    fill(x, N, 5);
    x[3] = 1.5; /* the largest: nrm2 scales by 1 */
    for (int i = 0; i < N; ++i)
        absolute[i] = fabs(x[i]);
    for (int k = 0; k + 1 < CF_COUNT(all); ++k) { /* arrival does not repeat itself */
        const double norm = reduce("nrm2", all[k], CF_F64, N, x, NULL);

        cr_expect(reduce("asum", all[k], CF_F64, N, x, NULL) ==
                      reduce("sum", all[k], CF_F64, N, absolute, NULL),
                  "%s", all[k]);
        cr_expect(norm == sqrt(reduce("dot", all[k], CF_F64, N, x, x)), "%s", all[k]);
        for (int e = -1060; e <= 1012; e += 518) {
            for (int i = 0; i < N; ++i)
                scaled[i] = ldexp(floor(x[i] * 8), e);
            cr_expect(reduce("nrm2", all[k], CF_F64, N, scaled, NULL) > 0 &&
                          isfinite(reduce("nrm2", all[k], CF_F64, N, scaled, NULL)),
                      "%s at 2^%d", all[k], e);
        }
        for (int i = 0; i < N; ++i)
            scaled[i] = ldexp(x[i], 1000);
        cr_expect(reduce("nrm2", all[k], CF_F64, N, scaled, NULL) == ldexp(norm, 1000), "%s",
                  all[k]);
        for (int i = 0; i < N; ++i)
            scaled[i] = ldexp(x[i], -900);
        cr_expect(reduce("nrm2", all[k], CF_F64, N, scaled, NULL) == ldexp(norm, -900), "%s",
                  all[k]);
    }
}

/* Counts different answers to one request, until there are two. */
static int answers(const char *configuration, const char *kernel, int most)
{
    double x[2000], first = 0;
    int different = 1;

    client_stop(&client);
    client_start(&client, configuration);
    json_decref(client_hello(&client, 5000));
    fill(x, 2000, 9);
    for (int i = 0; i < most && different == 1; ++i) {
        const double sum = reduce("sum", kernel, CF_F64, 2000, x, NULL);

        first = i == 0 ? sum : first;
        different += sum != first;
    }
    return different;
}

Test(kernels_plain, arrival_varies_with_threads_and_chunks_does_not)
{
    cr_expect_eq(answers("plain threads=2", "arrival", 1000), 2, "two threads never raced");
    cr_expect_eq(answers("plain threads=4", "arrival", 1000), 2, "four threads never raced");
    cr_expect_eq(answers("plain threads=1", "arrival", 50), 1);
    cr_expect_eq(answers("plain threads=4", "chunks", 200), 1);
}
