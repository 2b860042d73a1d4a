/* blas: every CBLAS of this machine answers sums that are exact in any order exactly, in every
 * shape, and what it says of itself is what was asked for. Libraries of liars/ are always there. */
#include <criterion/criterion.h>
#include <glob.h>
#include <math.h>

#include "worker_client.h"

static struct client client;

static void tear_down(void)
{
    if (client.pid > 0)
        client_stop(&client);
}

TestSuite(kernels_blas, .fini = tear_down);

static const char *const patterns[] = {LIARS "libliar_honest.so",
                                       "/usr/lib/*-linux-gnu/openblas-*/libopenblas.so.0",
                                       "/usr/lib/*-linux-gnu/blis-*/libblis.so.*",
                                       "/usr/lib/*-linux-gnu/atlas/libblas.so.3",
                                       "/usr/lib/*-linux-gnu/blas/libblas.so.3",
                                       "/usr/lib/*-linux-gnu/openblas64-*/libopenblas64.so.0"};

static void find_libraries(glob_t *found)
{
    for (int i = 0; i < CF_COUNT(patterns); ++i)
        glob(patterns[i], i ? GLOB_APPEND : 0, NULL, found);
}

/* A worker for a library with more keys and up to two variables. Returns hello's reply. */
static json_t *start(const char *path, const char *more, const char *variable)
{
    char *configuration = cf_format("blas lib=%s%s", path, more);
    const char *const argv[] = {WORKER, configuration, NULL};
    const char *const environment[] = {"CONFORM_FD=3", "LC_ALL=C", SANITIZER_OPTIONS, variable,
                                       NULL};
    json_t *reply;

    client_spawn(&client, argv, environment);
    reply = client_hello(&client, 10000);
    free(configuration);
    return reply;
}

static void stop(json_t *reply)
{
    json_decref(reply);
    client_stop(&client);
    client.pid = 0;
}

static const char *effective(const json_t *reply, const char *key)
{
    const char *text = json_string_value(
        json_object_get(json_object_get(json_object_get(reply, "result"), "effective"), key));

    return text ? text : "";
}

/* Small integers with a sign, different in every place. */
static double element(int64_t i, int operand)
{
    return (double)((i * 7 + operand * 3) % 11 - 5);
}

static struct cf_tensor make(enum cf_dtype dtype, int64_t rows, int64_t columns, int operand)
{
    struct cf_tensor t = make_tensor(dtype, rows, columns);

    for (int64_t i = 0; i < cf_tensor_count(&t); ++i)
        cf_tensor_set(&t, i, element(i, operand));
    return t;
}

static const char *const ops[] = {"asum", "dot", "nrm2", "gemv", "gemm"};

/* Element (i, j) of the output of ops[op] in exact integers. */
static double answer(int op, int64_t k, int64_t columns, int64_t i, int64_t j)
{
    double sum = 0;

    for (int64_t l = 0; l < k; ++l) {
        const double x = element(i * k + l, 0);

        sum += op == 0   ? fabs(x)
               : op == 1 ? x * element(i * k + l, 1)
               : op == 2 ? x * x
               : op == 3 ? x * element(l, 1)
                         : x * element(l * columns + j, 1);
    }
    return sum;
}

static void check(const char *path, int op, enum cf_dtype dtype, int64_t m, int64_t k, int64_t n)
{
    const int64_t columns = op == 4 ? n : 1;
    struct cf_tensor in[2] = {make(dtype, m, k, 0), op == 1   ? make(dtype, m, k, 1)
                                                    : op == 3 ? make(dtype, k, -1, 1)
                                                              : make(dtype, k, n, 1)};
    struct cf_tensor out = make_tensor(dtype, m, op == 4 ? n : -1);
    json_t *reply = client_run(&client, ops[op], "", in, op == 0 || op == 2 ? 1 : 2, &out, 8);

    cr_expect_str_eq(reply_code(reply), "", "%s %s %s m=%ld k=%ld n=%ld: %s", path, ops[op],
                     cf_dtype_name(dtype), (long)m, (long)k, (long)n, reply_message(reply));
    for (int64_t e = 0; e < cf_tensor_count(&out); ++e) {
        const double exact = answer(op, k, columns, e / columns, e % columns);
        const double got = cf_tensor_get(&out, e);

        /* The root rounds, and some scale first: each of k steps may round. */
        cr_assert(op == 2
                      ? fabs(got - sqrt(exact)) <= (double)(k + 4) * cf_dtype_u(dtype) * sqrt(exact)
                      : got == exact,
                  "%s %s %s m=%ld k=%ld n=%ld element %ld: %a, not %a", path, ops[op],
                  cf_dtype_name(dtype), (long)m, (long)k, (long)n, (long)e, got, exact);
    }
    json_decref(reply);
    cf_tensor_free(&in[0]);
    cf_tensor_free(&in[1]);
    cf_tensor_free(&out);
}

static void check_all(const char *path)
{
    static const int64_t shapes[][3] = {{1, 1, 1}, {3, 37, 5}, {2, 129, 3}, {65, 64, 33},
                                        {2, 0, 3}, {0, 4, 2},  {2, 4, 0},   {1, 20000, 1}};

    for (int s = 0; s < CF_COUNT(shapes); ++s)
        for (int op = 0; op < CF_COUNT(ops); ++op) {
            check(path, op, CF_F32, shapes[s][0], shapes[s][1], shapes[s][2]);
            check(path, op, CF_F64, shapes[s][0], shapes[s][1], shapes[s][2]);
        }
}

Test(kernels_blas, every_library_is_exact_where_exactness_is_due)
{
    glob_t found;

    find_libraries(&found);
    cr_assert(found.gl_pathc >= 1, "not even the honest liar was built");
    for (size_t i = 0; i < found.gl_pathc; ++i) {
        json_t *reply = start(found.gl_pathv[i], "", NULL);

        cr_expect_str_eq(reply_code(reply), "", "%s: %s", found.gl_pathv[i], reply_message(reply));
        cr_expect_str_eq(effective(reply, "changed_by_load"), "");
        if (!*reply_code(reply))
            check_all(found.gl_pathv[i]);
        stop(reply);
    }
    globfree(&found);
}

/* Two threads where the library has threads; a refusal that says so where it has not. */
Test(kernels_blas, threads_are_read_back)
{
    glob_t found;

    find_libraries(&found);
    for (size_t i = 0; i < found.gl_pathc; ++i) {
        const char *path = found.gl_pathv[i];
        const int serial = !strstr(path, "pthread") && !strstr(path, "openmp");
        json_t *reply = start(path, " threads=2", NULL);

        cr_expect_str_eq(reply_code(reply), serial ? "state-mismatch" : "", "%s: %s", path,
                         reply_message(reply));
        if (!serial) {
            cr_expect_str_eq(effective(reply, "threads"), "2", "%s", path);
            check_all(path);
        }
        stop(reply);
        reply = start(path, " threads=1", NULL);
        cr_expect_str_eq(effective(reply, "threads"), "1", "%s: %s", path, reply_message(reply));
        stop(reply);
    }
    globfree(&found);
}

/* The baseline kernels of x86-64 run everywhere; a name that OpenBLAS does not know selects others
 * silently. */
Test(kernels_blas, core_types_are_read_back)
{
    glob_t found;
    int n = 0;

    glob(patterns[1], 0, NULL, &found);
#if defined __x86_64__
    for (size_t i = 0; i < found.gl_pathc; ++i, ++n) {
        json_t *reply =
            start(found.gl_pathv[i], " coretype=Prescott", "OPENBLAS_CORETYPE=Prescott");

        cr_expect_str_eq(effective(reply, "coretype"), "Prescott", "%s", reply_message(reply));
        stop(reply);
        reply = start(found.gl_pathv[i], " coretype=bogus", "OPENBLAS_CORETYPE=bogus");
        cr_expect_str_eq(reply_code(reply), "state-mismatch");
        cr_expect(strstr(reply_message(reply), "coretype=bogus was asked for"), "%s",
                  reply_message(reply));
        stop(reply);
    }
#endif
    globfree(&found);
    if (n == 0)
        cr_skip_test("no OpenBLAS on this machine");
}
