/* symv: the kernels of plain by the gates of the program, the order that each says it has, and the
 * half of the matrix that nobody may read; every CBLAS of this machine likewise. */
#include <criterion/criterion.h>
#include <glob.h>
#include <math.h>
#include <stdlib.h>

#include "kernel_check.h"
#include "registry.h"
#include "worker_client.h"

#define N 65

static const char *const names[] = {"forward", "columns"};

static struct cf_library *open_plain(void)
{
    struct cf_error err = {{0}, 0};
    struct cf_pairs keys;
    struct cf_library *library;

    cr_assert_eq(cf_pairs_parse(&keys, "the configuration", "plain", &err), 0);
    library = cf_backend_find("plain")->open(&keys, &err);
    cr_assert(library != NULL, "%s", err.text);
    cf_pairs_free(&keys);
    return library;
}

struct check {
    const struct cf_kernel *kernel;
    struct cf_library *library;
    int n;
};

static int check_line(const char *line, void *context)
{
    struct check *check = context;
    const struct cf_check got = cf_check_kernel(check->kernel, check->library, line);
    char failed[32];

    cf_check_failures(failed, &got);
    cr_expect(got.status == CF_DONE && failed[0] == '\0', "%s: %s: status %d, gates %s",
              check->kernel->name, line, got.status, failed);
    ++check->n;
    return 0;
}

Test(symv, every_order_keeps_the_bounds)
{
    struct check check = {.library = open_plain()};

    for (int k = 0; k < CF_COUNT(names); ++k) {
        check.kernel = cf_kernel_find(cf_backend_find("plain"), "symv", names[k]);
        cr_assert(check.kernel != NULL);
        cr_expect_eq(cf_pairs_expand("symv {f32,f64} n={1,2,17,130} fill={integer,small,spike,"
                                     "normal,uniform,wide,tiny,special} seed=1",
                                     check_line, &check, NULL),
                     0);
    }
    cr_expect_eq(check.n, 128);
}

/* Small integers with a sign; what stands above the diagonal is `above` (NaN: its own). */
static void draw(struct cf_tensor in[2], enum cf_dtype dtype, int n, double above)
{
    in[0] = make_tensor(dtype, n, n);
    in[1] = make_tensor(dtype, n, -1);
    for (int i = 0; i < n * n; ++i)
        cf_tensor_set(&in[0], i, i % n > i / n ? above : i * 7 % 11 - 5);
    for (int i = 0; i < n; ++i)
        cf_tensor_set(&in[1], i, i * 3 % 13 - 6);
}

static double answer(const struct cf_tensor in[2], int n, int i)
{
    double sum = 0;

    for (int j = 0; j < n; ++j)
        sum += cf_tensor_get(&in[0], j <= i ? i * n + j : j * n + i) * cf_tensor_get(&in[1], j);
    return sum;
}

/* How many elements of a kernel's answer are wrong where NaN stands above the diagonal. */
static int n_wrong(const char *op, const char *name, struct cf_library *library,
                   enum cf_dtype dtype)
{
    struct cf_tensor in[2], y = make_tensor(dtype, N, -1);
    int n = 0;

    draw(in, dtype, N, NAN);
    cr_assert_eq(cf_kernel_find(cf_backend_find("plain"), op, name)->run(library, NULL, in, &y),
                 CF_DONE);
    for (int i = 0; i < N; ++i)
        n += cf_tensor_get(&y, i) != answer(in, N, i);
    cf_tensor_free(&in[0]);
    cf_tensor_free(&in[1]);
    cf_tensor_free(&y);
    return n;
}

/* The liar is gemv, which reads all of the matrix. */
Test(symv, the_other_half_is_not_read)
{
    struct cf_library *library = open_plain();

    for (int k = 0; k < CF_COUNT(names); ++k)
        for (int wide = 0; wide < 2; ++wide)
            cr_expect_eq(n_wrong("symv", names[k], library, wide ? CF_F64 : CF_F32), 0, "%s",
                         names[k]);
    cr_expect_eq(n_wrong("gemv", "forward", library, CF_F64), N - 1);
}

/* s x of row 0: 1, then M and -M: in the order of columns the two below the diagonal meet first. */
Test(symv, each_adds_in_the_order_that_it_says)
{
    const double first[] = {0, 1};
    struct cf_library *library = open_plain();

    for (int k = 0; k < CF_COUNT(names); ++k) {
        struct cf_tensor in[2], y = make_tensor(CF_F64, 3, -1);

        draw(in, CF_F64, 3, NAN);
        cf_tensor_set(&in[0], 0, 1);
        cf_tensor_set(&in[0], 3, 0x1p60);
        cf_tensor_set(&in[0], 6, -0x1p60);
        for (int i = 0; i < 3; ++i)
            cf_tensor_set(&in[1], i, 1);
        cf_kernel_find(cf_backend_find("plain"), "symv", names[k])->run(library, NULL, in, &y);
        cr_expect_eq(cf_tensor_get(&y, 0), first[k], "%s: %a", names[k], cf_tensor_get(&y, 0));
        cf_tensor_free(&in[0]);
        cf_tensor_free(&in[1]);
        cf_tensor_free(&y);
    }
}

static void ask(struct client *client, const char *path, enum cf_dtype dtype, int n)
{
    struct cf_tensor in[2], y = make_tensor(dtype, n, -1);
    json_t *reply;

    draw(in, dtype, n, NAN);
    reply = client_run(client, "symv", "", in, 2, &y, 8);
    cr_expect_str_eq(reply_code(reply), "", "%s: %s", path, reply_message(reply));
    for (int i = 0; i < n; ++i)
        cr_assert_eq(cf_tensor_get(&y, i), answer(in, n, i), "%s %s n=%d element %d: %a", path,
                     cf_dtype_name(dtype), n, i, cf_tensor_get(&y, i));
    json_decref(reply);
    cf_tensor_free(&in[0]);
    cf_tensor_free(&in[1]);
    cf_tensor_free(&y);
}

Test(symv, every_library_reads_the_lower_half)
{
    static const char *const patterns[] = {"/usr/lib/*-linux-gnu/openblas-*/libopenblas.so.0",
                                           "/usr/lib/*-linux-gnu/blis-*/libblis.so.*",
                                           "/usr/lib/*-linux-gnu/atlas/libblas.so.3",
                                           "/usr/lib/*-linux-gnu/blas/libblas.so.3",
                                           "/usr/lib/*-linux-gnu/openblas64-*/libopenblas64.so.0"};
    static const int sizes[] = {1, 2, 37, 200};
    static struct client client;
    glob_t found = {0};

    for (int i = 0; i < CF_COUNT(patterns); ++i)
        glob(patterns[i], i ? GLOB_APPEND : 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; ++i) {
        char *configuration = cf_format("blas lib=%s", found.gl_pathv[i]);
        const char *const argv[] = {WORKER, configuration, NULL};
        const char *const environment[] = {"CONFORM_FD=3", "LC_ALL=C", SANITIZER_OPTIONS, NULL};

        client_spawn(&client, argv, environment);
        json_decref(client_hello(&client, 10000));
        for (int s = 0; s < CF_COUNT(sizes); ++s) {
            ask(&client, found.gl_pathv[i], CF_F32, sizes[s]);
            ask(&client, found.gl_pathv[i], CF_F64, sizes[s]);
        }
        client_stop(&client);
        free(configuration);
    }
    globfree(&found);
}
