/* cublas: call sequences, read-back and errors of kernels/cublas, against a fake library that
 * multiplies on the host, checks what it is told, and lies on demand (tests/fakes/cublas.c). */
#include <criterion/criterion.h>
#include <math.h>

#include "gpu_client.h"

#define LIB "cublas device=0 lib=" FAKES "/libcublas.so.13"
#define M   3
#define K   6
#define N   5

static struct client client;

static void tear_down(void)
{
    if (client.pid > 0)
        client_stop(&client);
    client.pid = 0;
}

TestSuite(cublas, .fini = tear_down);

static const struct {
    const char *configuration, *lie, *code, *says;
} refused[] = {
    {"cublas device=0", "", "not-opened", "needs lib="},
    {"cublas device=0 lib=libcublas.so.13", "", "not-opened", "no absolute path"},
    {"cublas device=0 lib=" FAKES "/libcuda.so.1", "", "not-opened", "has no cublasCreate_v2"},
    {"cublas device=0 lib=" FAKES "/absent.so", "", "not-opened", "absent.so"},
    {LIB, "no-device", "not-opened", "CUDA_ERROR_NO_DEVICE"},
    {LIB " flags=atomics:0", "atomics", "state-mismatch",
     "atomics:0 was asked for and cuBLAS says 1"},
    {LIB " flags=sms:66", "sms", "state-mismatch", "sms:66 was asked for and cuBLAS says 132"},
    {LIB " flags=workspace:1000", "", "state-mismatch", "workspace of 1000 bytes"},
    {LIB " flags=streams:99", "", "state-mismatch", "1 to 16 streams"},
    {LIB " flags=speed:9", "", "state-mismatch", "flags=speed:9 is not known"},
    {LIB " flags=streams:2+x", "", "state-mismatch", "flags=x is not known"},
    {LIB " flags=streams:2+atomics:0+sms:66+workspace:4096", "", "", ""},
};

Test(cublas, opens_as_asked_or_says_why_not)
{
    for (int i = 0; i < CF_COUNT(refused); ++i) {
        json_t *reply;

        gpu_client_start(&client, refused[i].configuration, refused[i].lie);
        reply = client_hello(&client, 5000);
        cr_expect_str_eq(reply_code(reply), refused[i].code, "%s: %s: %s", refused[i].configuration,
                         reply_code(reply), reply_message(reply));
        cr_expect(strstr(reply_message(reply), refused[i].says), "%s: %s", refused[i].configuration,
                  reply_message(reply));
        json_decref(reply);
    }
}

Test(cublas, says_what_it_is)
{
    json_t *reply;

    gpu_client_start(&client, LIB " flags=workspace:4096", "");
    reply = client_hello(&client, 5000);
    cr_expect_str_eq(gpu_client_said(reply, "version"), "13.1.0");
    cr_expect_str_eq(gpu_client_said(reply, "atomics"), "not allowed");
    cr_expect_str_eq(gpu_client_said(reply, "workspace"), "4096");
    cr_expect_str_eq(gpu_client_said(reply, "lt_algorithms.f32"), "1 3 7");
    cr_expect_str_eq(gpu_client_said(reply, "lt_algorithms.tf32"), "nothing");
    cr_expect_str_eq(gpu_client_said(reply, "device_name"), "Fake A");
    json_decref(reply);
}

/* a[i,l] = 1 + i + l / 4, b[l,j] = 1 - 2^-12 + l - j: exact in f32 and f64; TF32 loses the 2^-12.
 */
static double term_a(int i, int l)
{
    return 1 + i + l / 4.;
}

static double term_b(int l, int j)
{
    return 1 - 0x1p-12 + l - j;
}

/* Runs a product; the largest difference from the exact one, or NaN where there is no answer. */
static double worst_error(const char *kernel, enum cf_dtype dtype, json_t **reply)
{
    struct cf_tensor in[2] = {make_tensor(dtype, M, K), make_tensor(dtype, K, N)};
    struct cf_tensor c = make_tensor(dtype, M, N);
    double worst = 0;

    for (int l = 0; l < K; ++l) {
        for (int i = 0; i < M; ++i)
            cf_tensor_set(&in[0], i * K + l, term_a(i, l));
        for (int j = 0; j < N; ++j)
            cf_tensor_set(&in[1], l * N + j, term_b(l, j));
    }
    *reply = client_run(&client, "gemm", kernel, in, 2, &c, 0);
    for (int e = 0; e < M * N; ++e) {
        double exact_sum = 0;

        for (int l = 0; l < K; ++l)
            exact_sum += term_a(e / N, l) * term_b(l, e % N);
        worst = fmax(worst, fabs(cf_tensor_get(&c, e) - exact_sum));
    }
    for (int i = 0; i < 2; ++i)
        cf_tensor_free(&in[i]);
    cf_tensor_free(&c);
    return strcmp(reply_code(*reply), "") == 0 ? worst : NAN;
}

static const struct {
    const char *flags, *lie, *kernel;
    enum cf_dtype dtype;
    const char *code;
    int exact;
} products[] = {
    {"", "", "default", CF_F64, "", 1},
    {"", "", "default", CF_F32, "", 1},
    {"", "", "pedantic", CF_F32, "", 1},
    {"", "", "tf32", CF_F32, "", 0}, /* the narrowing shows: the compute type arrives */
    {"", "", "tf32", CF_F64, "not-offered", 0},
    {"", "no-tf32", "tf32", CF_F32, "not-offered", 0},
    {"", "", "fast-f16", CF_F32, "", 1},
    {"", "", "wide-reduction", CF_F32, "", 1},
    {"", "", "autotune", CF_F64, "", 1},
    {"", "", "emulated-f64", CF_F64, "", 1},
    {"", "no-emulation", "emulated-f64", CF_F64, "not-offered", 0},
    {"", "", "emulated-f64", CF_F32, "not-offered", 0},
    {"", "", "emulated-bf16x9", CF_F32, "not-offered", 0},
    {"", "math", "default", CF_F32, "", 1},
    {"", "math", "pedantic", CF_F32, "broke", 0}, /* the mode read back is another */
    {"", "math", "tf32", CF_F32, "broke", 0},
    {"", "no-memory", "default", CF_F32, "out-of-memory", 0},
    {"", "fails", "default", CF_F32, "broke", 0},
    {" flags=streams:4", "", "default", CF_F64, "", 1},
    {" flags=streams:4+handles:1+workspace:4096", "", "default", CF_F32, "", 1},
    {"", "", "lt", CF_F64, "", 1},
    {"", "", "lt-unsplit", CF_F32, "", 1},
    {" flags=algo:1", "", "lt", CF_F32, "", 1},
    {" flags=algo:1+splitk:2+scheme:2+tile:20", "", "lt", CF_F64, "", 1},
    {" flags=algo:3", "", "lt", CF_F32, "not-offered", 0}, /* refused by the check */
    {" flags=algo:5", "", "lt", CF_F32, "not-offered", 0}, /* there is none */
};

Test(cublas, every_product_is_asked_for_as_it_should_be)
{
    for (int i = 0; i < CF_COUNT(products); ++i) {
        char *configuration = cf_format("%s%s", LIB, products[i].flags);
        json_t *reply;
        double error;

        gpu_client_start(&client, configuration, products[i].lie);
        reply = client_hello(&client, 5000);
        cr_assert_str_eq(reply_code(reply), "", "%s: %s", configuration, reply_message(reply));
        json_decref(reply);
        error = worst_error(products[i].kernel, products[i].dtype, &reply);
        cr_expect_str_eq(reply_code(reply), products[i].code, "%s %s, lie `%s`: %s (%s)",
                         configuration, products[i].kernel, products[i].lie, reply_code(reply),
                         reply_message(reply));
        if (products[i].code[0] == '\0')
            cr_expect((error == 0) == products[i].exact, "%s %s: error %a", configuration,
                      products[i].kernel, error);
        json_decref(reply);
        free(configuration);
    }
}

/* The value of a byte of e4m3 (bias 7, no infinity) or e5m2 (bias 15), written out once more. */
static double byte_value(int byte, int is_e4m3)
{
    const int fraction = is_e4m3 ? 3 : 2, e = (byte & 0x7f) >> fraction;
    const int f = byte & ((1 << fraction) - 1), bias = is_e4m3 ? 7 : 15;
    const double size =
        e ? ldexp(f + (1 << fraction), e - bias - fraction) : ldexp(f, 1 - bias - fraction);

    if (is_e4m3 ? (byte & 0x7f) == 0x7f : e == 31)
        return NAN;
    return byte & 0x80 ? -size : size;
}

/* To nearest, ties to the even byte, by looking at all; beyond the largest of e4m3: the largest. */
static double nearest(double x, int is_e4m3)
{
    double best = NAN;
    int at = 0;

    for (int byte = 0; byte < 256; ++byte) {
        const double value = byte_value(byte, is_e4m3);

        if (isnan(value) || signbit(value) != signbit(x))
            continue;
        if (isnan(best) || fabs(value - x) < fabs(best - x) ||
            (fabs(value - x) == fabs(best - x) && at % 2)) {
            best = value;
            at = byte;
        }
    }
    return best;
}

#define EIGHT 16 /* rows and columns: what 8-bit operands may have */

/* a times the identity is a, rounded. */
static void times_identity(const char *kernel, enum cf_dtype dtype, const double a[],
                           double got[EIGHT * EIGHT], json_t **reply)
{
    struct cf_tensor in[2] = {make_tensor(dtype, EIGHT, EIGHT), make_tensor(dtype, EIGHT, EIGHT)};
    struct cf_tensor c = make_tensor(dtype, EIGHT, EIGHT);

    for (int i = 0; i < EIGHT * EIGHT; ++i) {
        cf_tensor_set(&in[0], i, a[i]);
        cf_tensor_set(&in[1], i, i / EIGHT == i % EIGHT);
    }
    *reply = client_run(&client, "gemm", kernel, in, 2, &c, 0);
    for (int i = 0; i < EIGHT * EIGHT; ++i)
        got[i] = cf_tensor_get(&c, i);
    cf_tensor_free(&in[0]);
    cf_tensor_free(&in[1]);
    cf_tensor_free(&c);
}

Test(cublas, operands_of_eight_bits_are_rounded_to_nearest_even)
{
    static const struct {
        const char *kernel;
        enum cf_dtype dtype;
        int is_e4m3;
    } rows[] = {{"lt-e4m3", CF_F32, 1},
                {"lt-e4m3", CF_BF16, 1},
                {"lt-e4m3-fast", CF_F32, 1},
                {"lt-e5m2-e4m3", CF_F32, 0},
                {"lt-e5m2-e4m3-fast", CF_F32, 0}};

    gpu_client_start(&client, LIB, "");
    json_decref(client_hello(&client, 5000));
    for (int r = 0; r < CF_COUNT(rows); ++r)
        for (int between = 0; between < 4; ++between) { /* on a value; half and around it */
            double a[EIGHT * EIGHT], got[EIGHT * EIGHT];
            json_t *reply;

            for (int i = 0; i < EIGHT * EIGHT; ++i) {
                const double low = byte_value(i, rows[r].is_e4m3);
                const double high = byte_value((i & 0x80) | ((i + 1) & 0x7f), rows[r].is_e4m3);

                a[i] = isnan(low) || isnan(high) || fabs(high) < fabs(low)
                           ? 1
                           : low + (high - low) * 0.25 * between;
            }
            times_identity(rows[r].kernel, rows[r].dtype, a, got, &reply);
            cr_assert_str_eq(reply_code(reply), "", "%s: %s", rows[r].kernel, reply_message(reply));
            for (int i = 0; i < EIGHT * EIGHT; ++i)
                cr_expect(got[i] == nearest(a[i], rows[r].is_e4m3), "%s: %a is %a, not %a",
                          rows[r].kernel, a[i], got[i], nearest(a[i], rows[r].is_e4m3));
            json_decref(reply);
        }
}

/* b is transposed on the way; fast accumulation arrives; what the library refuses is not offered.
 */
Test(cublas, products_of_eight_bits_are_asked_for_as_cublaslt_wants_them)
{
    static const struct {
        const char *kernel, *lie, *flags;
        int m, k, n;
        const char *code;
        int exact;
    } rows[] = {{"lt-e4m3", "", "", 16, 48, 32, "", 1},
                {"lt-e4m3", "", " flags=algo:1", 16, 48, 32, "", 1},
                {"lt-e4m3-fast", "", "", 16, 48, 32, "", 0},
                {"lt-e5m2-e4m3", "", "", 16, 48, 32, "", 1},
                {"lt-e5m2", "", "", 16, 48, 32, "not-offered", 0},
                {"lt-e5m2-fast", "", "", 16, 48, 32, "not-offered", 0},
                {"lt-e4m3", "", "", 16, 40, 32, "not-offered", 0},
                {"lt-e4m3", "no-fp8", "", 16, 48, 32, "not-offered", 0}};

    for (int r = 0; r < CF_COUNT(rows); ++r) {
        const int m = rows[r].m, k = rows[r].k, n = rows[r].n;
        struct cf_tensor in[2] = {make_tensor(CF_F32, m, k), make_tensor(CF_F32, k, n)};
        struct cf_tensor c = make_tensor(CF_F32, m, n);
        char *configuration = cf_format("%s%s", LIB, rows[r].flags);
        json_t *reply;
        int n_wrong = 0;

        /* Of both types, and their sums exact in f32, though not in 14 bits. */
        for (int i = 0; i < m * k; ++i)
            cf_tensor_set(&in[0], i, (i * 7 % 5 + 3) * (i % 3 ? 0.25 : 8));
        for (int i = 0; i < k * n; ++i)
            cf_tensor_set(&in[1], i, (i * 11 % 7 + 1) * (i / n % 4 ? 1 : 0.125));
        gpu_client_start(&client, configuration, rows[r].lie);
        json_decref(client_hello(&client, 5000));
        reply = client_run(&client, "gemm", rows[r].kernel, in, 2, &c, 0);
        cr_expect_str_eq(reply_code(reply), rows[r].code, "row %d: %s", r, reply_message(reply));
        for (int e = 0; rows[r].code[0] == '\0' && e < m * n; ++e) {
            const int is_mixed = strstr(rows[r].kernel, "e5m2") != NULL;
            double sum = 0;

            for (int l = 0; l < k; ++l)
                sum += nearest(cf_tensor_get(&in[0], e / n * k + l), !is_mixed) *
                       nearest(cf_tensor_get(&in[1], l * n + e % n), 1);
            n_wrong += cf_tensor_get(&c, e) != sum;
        }
        cr_expect(rows[r].code[0] || (n_wrong == 0) == rows[r].exact, "%s: %d of %d differ",
                  rows[r].kernel, n_wrong, m * n);
        json_decref(reply);
        for (int i = 0; i < 2; ++i)
            cf_tensor_free(&in[i]);
        cf_tensor_free(&c);
        free(configuration);
    }
}

/* The algorithm that ran is read back from itself; the next request starts anew. */
Test(cublas, says_what_it_chose)
{
    static const struct {
        const char *flags, *kernel, *chosen;
    } rows[] = {
        {"", "lt",
         "algo=7 tile=0 splitk=0 scheme=0 swizzle=0 custom=0 stages=0 implementation=0x0 "
         "workspace=4096"},
        {"", "lt-unsplit",
         "algo=1 tile=0 splitk=0 scheme=0 swizzle=0 custom=0 stages=0 implementation=0x0 "
         "workspace=4096"},
        {" flags=algo:1+splitk:2+scheme:2+tile:20", "lt",
         "algo=1 tile=20 splitk=2 scheme=2 swizzle=0 custom=0 stages=0 implementation=0x0 "
         "workspace=4096"},
        {"", "emulated-f64", "emulated_bits=55"},
        {"", "default", NULL},
    };

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        char *configuration = cf_format("%s%s", LIB, rows[i].flags);

        gpu_client_start(&client, configuration, "");
        json_decref(client_hello(&client, 5000));
        for (int again = 0; again < 2; ++again) {
            json_t *reply;
            const char *chosen;

            worst_error(rows[i].kernel, CF_F64, &reply);
            chosen = json_string_value(json_object_get(json_object_get(reply, "result"), "chosen"));
            cr_expect(rows[i].chosen ? chosen && strcmp(chosen, rows[i].chosen) == 0 : !chosen,
                      "%s: %s", rows[i].kernel, chosen ? chosen : "nothing");
            json_decref(reply);
        }
        free(configuration);
    }
}

#define SIDE 33

/* One symv, its upper half (of rows) NaN: the bits of the answer, and what was chosen. */
static void ask_symv(enum cf_dtype dtype, double y[SIDE], char chosen[64])
{
    struct cf_tensor in[2] = {make_tensor(dtype, SIDE, SIDE), make_tensor(dtype, SIDE, -1)};
    struct cf_tensor out = make_tensor(dtype, SIDE, -1);
    json_t *reply;
    const char *said;

    for (int i = 0; i < SIDE * SIDE; ++i)
        cf_tensor_set(&in[0], i, i % SIDE > i / SIDE ? NAN : 1 / (1. + i * 7 % 31));
    for (int i = 0; i < SIDE; ++i)
        cf_tensor_set(&in[1], i, 1 / (1. + i * 3 % 17));
    reply = client_run(&client, "symv", "default", in, 2, &out, 0);
    cr_assert_str_eq(reply_code(reply), "", "%s", reply_message(reply));
    said = json_string_value(json_object_get(json_object_get(reply, "result"), "chosen"));
    snprintf(chosen, 64, "%s", said ? said : "nothing");
    for (int i = 0; i < SIDE; ++i) {
        double sum = 0;

        y[i] = cf_tensor_get(&out, i);
        for (int j = 0; j < SIDE; ++j)
            sum += cf_tensor_get(&in[0], j <= i ? i * SIDE + j : j * SIDE + i) *
                   cf_tensor_get(&in[1], j);
        cr_expect(fabs(y[i] - sum) <= 2 * SIDE * cf_dtype_u(dtype) * sum, "%d: %a, not %a", i, y[i],
                  sum);
    }
    json_decref(reply);
    cf_tensor_free(&in[0]);
    cf_tensor_free(&in[1]);
    cf_tensor_free(&out);
}

/* cuBLAS's own default is: not allowed. */
Test(cublas, symv_repeats_unless_atomics_are_allowed)
{
    static const struct {
        const char *flags, *chosen;
        int same;
    } rows[] = {{"", "atomics=0", 1},
                {" flags=atomics:0", "atomics=0", 1},
                {" flags=atomics:1", "atomics=1", 0}};

    for (int r = 0; r < CF_COUNT(rows); ++r)
        for (int wide = 0; wide < 2; ++wide) {
            char *configuration = cf_format("%s%s", LIB, rows[r].flags), chosen[64];
            double first[SIDE], again[SIDE];

            gpu_client_start(&client, configuration, "");
            json_decref(client_hello(&client, 5000));
            ask_symv(wide ? CF_F64 : CF_F32, first, chosen);
            ask_symv(wide ? CF_F64 : CF_F32, again, chosen);
            cr_expect_str_eq(chosen, rows[r].chosen);
            cr_expect((memcmp(first, again, sizeof first) == 0) == rows[r].same, "%s",
                      configuration);
            free(configuration);
        }
}

Test(cublas, vectors_and_matrices_times_vectors)
{
    static const char *const ops[] = {"dot", "gemv"};
    double out[2];

    gpu_client_start(&client, LIB, "");
    json_decref(client_hello(&client, 5000));
    for (int i = 0; i < CF_COUNT(ops); ++i) {
        json_t *reply = client_run_eights(&client, ops[i], "default", out, 0);

        cr_expect_str_eq(reply_code(reply), "", "%s: %s", ops[i], reply_message(reply));
        cr_expect(out[0] == exact[0] && out[1] == exact[1], "%s: %a %a", ops[i], out[0], out[1]);
        json_decref(reply);
    }
    struct cf_tensor x = make_tensor(CF_F32, 2, 4), y = make_tensor(CF_F32, 2, -1);
    for (int i = 0; i < 8; ++i)
        cf_tensor_set(&x, i, i % 4 == 0 ? -2 : i % 4 == 1 ? 2 : i < 4 ? 2 : 0);
    for (int i = 0; i < 2; ++i) {
        json_t *reply = client_run(&client, i ? "nrm2" : "asum", "default", &x, 1, &y, 0);

        cr_expect_str_eq(reply_code(reply), "", "%s", reply_message(reply));
        cr_expect_eq(cf_tensor_get(&y, 0), i ? 4 : 8);
        json_decref(reply);
    }
    cf_tensor_free(&x);
    cf_tensor_free(&y);
}
