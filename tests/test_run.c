/* run: every planned request has a record, whatever its worker does; honest configurations beside
 * liars are as they are alone. */
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "reference.h"
#include "run_support.h"

TestSuite(run, .init = make_folder, .fini = remove_folder, .timeout = 60);

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A script of the test's own that goes before tests/fakes/adapter.sh: "$1" of it is `lie`. */
static void write_script(const char *name, const char *before, const char *lie)
{
    char *file = cf_format("%s/%s", folder, name);
    FILE *out = fopen(file, "w");

    cr_assert(out);
    fprintf(out, "%s\nexec sh '" CF_SOURCE_DIR "/tests/fakes/adapter.sh' %s\n", before, lie);
    cr_assert_eq(fclose(out), 0);
    free(file);
}

static char *script_line(const char *name)
{
    return cf_format("fake command=sh%%20%s/%s", folder, name);
}

static int count_lines(const char *name)
{
    char *file = cf_format("%s/%s", folder, name), line[1000];
    FILE *in = fopen(file, "r");
    int n = 0;

    while (in && fgets(line, sizeof line, in))
        ++n;
    if (in)
        fclose(in);
    free(file);
    return n;
}

/* sum f64 in the order of plain kernel=forward, from inputs drawn here. */
static struct cf_digest forward_sum(const char *line, struct cf_digest *inputs)
{
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    struct cf_digest digest;
    struct cf_case c;
    double y[16] = {0};

    cr_assert_eq(cf_case_parse(&c, line, cf_op_grammar, NULL), 0);
    cr_assert_eq(cf_case_draw(&c, cf_op_find("sum"), in, out, NULL), 0);
    cr_assert_leq(in[0].dim[0], 16);
    for (int64_t i = 0; i < in[0].dim[0]; ++i)
        for (int64_t j = 0; j < in[0].dim[1]; ++j)
            y[i] += ((const double *)in[0].bits)[i * in[0].dim[1] + j];
    cf_digest_of(&digest, y, (uint64_t)in[0].dim[0] * sizeof y[0]);
    cf_inputs_digest(inputs, in, 1);
    cf_tensor_free(&in[0]);
    cf_case_free(&c);
    return digest;
}

static int take_inputs(void *context, const struct cf_plan_case *c)
{
    *(struct cf_digest *)context = c->inputs;
    return 0;
}

Test(run, bits_are_those_of_the_case_and_the_order)
{
    static const char *const lines[] = {"sum f64 m=3 n=100 fill=normal seed=1",
                                        "sum f64 m=3 n=100 fill=normal seed=1 row=2",
                                        "sum f64 m=3 n=100 fill=normal seed=1 rowperm=1"};

    for (int i = 0; i < CF_COUNT(lines); ++i) {
        struct cf_plan plan = {.level = CF_NUMERICAL};
        struct cf_digest expected, inputs, stored;
        struct cf_store *store;
        struct dump dump;
        char name[33], *complete;

        add_configuration(&plan, "plain kernel=forward");
        add_case(&plan, lines[i], 2, 3);
        dump = run_plan(&plan, 20000);
        expected = forward_sum(lines[i], &inputs);
        cf_digest_print(name, &expected);
        cr_assert_eq(dump.n_fates[CF_RAN], 6, "%s", dump.last_reason);
        for (const char *at = dump.text; *at; at = strchr(at, '\n') + 1)
            cr_expect(strncmp(strstr(at, "ran ") + 4, name, 32) == 0, "%s: %.60s", lines[i], at);
        store = open_or_fail(CF_STORE_READ);
        cr_assert_eq(cf_store_each_case(store, take_inputs, &stored), 0);
        cr_expect(cf_digest_equal(&stored, &inputs));
        complete = cf_store_get_meta(store, "complete");
        cr_expect_str_eq(complete, "yes");
        free(complete);
        cf_store_close(store);
        unlink(path);
        free(dump.text);
    }
}

struct lie {
    const char *line;
    enum cf_fate fate;
};

/* One configuration a lie, honest ones beside them. */
static const struct lie lies[] = {
    {"plain kernel=forward", CF_RAN},
    {"fake threads=1 " FAKE "crash", CF_CRASHED},
    {"fake threads=1 " FAKE "exit", CF_CRASHED},
    {"fake threads=1 " FAKE "more", CF_PROTOCOL},
    {"fake threads=1 " FAKE "flood", CF_RAN},
    {"fake threads=1 " FAKE "child", CF_RAN},
    {"fake threads=1 " FAKE "hello_exit", CF_NOT_OPENED},
    {"fake threads=8 " FAKE "threads", CF_STATE_MISMATCH},
    {"plain kernel=direct-crs", CF_NOT_OFFERED},
    {"plain kernel=unheard-of", CF_NOT_OPENED},
    {"nonsense", CF_NOT_OPENED},
    {"blas lib=" CF_BINARY_DIR "/liars/libliar_truncated.so", CF_NOT_OPENED},
    {"blas lib=" CF_BINARY_DIR "/liars/libliar_crashes.so", CF_CRASHED},
    {"blas lib=" CF_BINARY_DIR "/liars/libliar_exits.so", CF_CRASHED},
    {"blas lib=" CF_BINARY_DIR "/liars/libliar_honest.so", CF_RAN}};

static const struct lie sleepers[] = {{"fake threads=1 " FAKE "hang", CF_TIMED_OUT},
                                      {"fake threads=1 " FAKE "hello_hang", CF_TIMED_OUT}};

static void expect_fates(const struct lie rows[], int n, int timeout_ms)
{
    struct cf_plan plan = {.level = CF_NUMERICAL};
    struct dump dump;

    for (int i = 0; i < n; ++i)
        add_configuration(&plan, rows[i].line);
    add_case(&plan, "dot f64 m=1 n=40 fill=integer seed=1", 2, 1);
    add_case(&plan, "dot f64 m=1 n=41 fill=integer seed=1", 1, 2);
    add_case(&plan, "dot f64 m=1 n=42 fill=integer seed=1", 2, 1);
    dump = run_plan(&plan, timeout_ms);
    cr_assert_eq(dump.n, 6 * n);
    for (const char *at = dump.text; *at; at = strchr(at, '\n') + 1) {
        int i;
        char fate[40];

        cr_assert_eq(sscanf(at, "%*d %d %*d %*d %39s", &i, fate), 2);
        cr_expect_str_eq(fate, cf_fate_name(rows[i - 1].fate), "%s is %s", rows[i - 1].line, fate);
    }
    free(dump.text);
}

Test(run, every_planned_request_has_a_record)
{
    expect_fates(lies, CF_COUNT(lies), 20000);
}

Test(run, and_so_have_those_of_workers_that_sleep)
{
    expect_fates(sleepers, CF_COUNT(sleepers), 300);
}

Test(run, what_does_not_open_is_tried_twice_and_no_more)
{
    struct cf_plan plan = {.level = CF_NUMERICAL};
    char *line = script_line("a.sh"), *before = cf_format("echo x >>'%s/starts'", folder);
    struct dump dump;

    write_script("a.sh", before, "hello_exit");
    add_configuration(&plan, line);
    for (int n = 1; n <= 20; ++n) {
        char *text = cf_format("dot f64 m=1 n=%d fill=normal seed=1", n);

        add_case(&plan, text, 10, 2);
        free(text);
    }
    dump = run_plan(&plan, 10000);
    cr_expect_eq(dump.n_fates[CF_NOT_OPENED], 400);
    cr_expect(strstr(dump.last_reason, "no more paper"), "%s", dump.last_reason);
    cr_expect_eq(count_lines("starts"), 2);
    free(dump.text);
    free(before);
    free(line);
}

Test(run, an_op_that_times_out_again_and_again_is_given_up)
{
    struct cf_plan plan = {.level = CF_NUMERICAL};
    const double start = now();
    struct dump dump;

    add_configuration(&plan, "fake " FAKE "hang");
    for (int n = 1; n <= 40; ++n) {
        char *text = cf_format("dot f64 m=1 n=%d fill=normal seed=1", n);

        add_case(&plan, text, 1, 1);
        free(text);
    }
    dump = run_plan(&plan, 200);
    cr_expect_eq(dump.n_fates[CF_TIMED_OUT], 40);
    cr_expect(strstr(dump.last_reason, "not asked"), "%s", dump.last_reason);
    cr_expect_lt(now() - start, 5);
    free(dump.text);
}

/* Dies at its first request ever, then is honest. */
Test(run, a_lost_adapter_is_asked_once_more)
{
    struct cf_plan plan = {.level = CF_NUMERICAL};
    char *line = script_line("b.sh");
    char *before = cf_format("lie=honest; mkdir '%s/met' 2>/dev/null && lie=crash", folder);
    struct dump dump;

    write_script("b.sh", before, "$lie");
    add_configuration(&plan, line);
    add_case(&plan, "dot f64 m=1 n=4 fill=normal seed=1", 1, 1);
    dump = run_plan(&plan, 10000);
    cr_expect_eq(dump.n_fates[CF_RAN], 1);
    cr_expect(strstr(dump.last_reason, "retried: before, it died of signal 11"), "%s",
              dump.last_reason);
    free(dump.text);
    free(before);
    free(line);
}

static char *read_all(const char *name)
{
    char *file = cf_format("%s/%s", folder, name), *text = cf_alloc_zero(1 << 16);
    FILE *in = fopen(file, "r");

    cr_assert(in, "%s", file);
    cr_assert_lt(fread(text, 1, (1 << 16) - 1, in), (1 << 16) - 1);
    fclose(in);
    free(file);
    return text;
}

/* The adapter's requests, as it read them: one file a process, numbered by the order of starts. */
Test(run, later_processes_take_the_cases_in_another_order)
{
    struct cf_plan plan = {.level = CF_NUMERICAL};
    char *line = script_line("c.sh"), *first, *second;
    char *before =
        cf_format("n=0; until mkdir '%s/p'$n 2>/dev/null; do n=$((n+1)); done\n"
                  "tee '%s/order'$n | sh '" CF_SOURCE_DIR "/tests/fakes/adapter.sh' honest; exit",
                  folder, folder);
    int differs = 0;
    struct dump dump;

    write_script("c.sh", before, "honest");
    add_configuration(&plan, line);
    for (int n = 1; n <= 12; ++n) {
        char *text = cf_format("dot f64 m=1 n=%d fill=normal seed=1", n + 100);

        add_case(&plan, text, 2, 1);
        free(text);
    }
    dump = run_plan(&plan, 10000);
    cr_assert_eq(dump.n_fates[CF_RAN], 24, "%s", dump.last_reason);
    first = read_all("order0");
    second = read_all("order1");
    for (int n = 101; n <= 112; ++n) {
        char *key = cf_format(" n=%d ", n);

        cr_assert(strstr(first, key) && strstr(second, key), "each is asked for each");
        differs |= strstr(first, key) - first != strstr(second, key) - second;
        cr_expect(n == 101 || strstr(strstr(first, " n=101 "), key), "the first is in order");
        free(key);
    }
    cr_expect(differs);
    free(first);
    free(second);
    free(dump.text);
    free(before);
    free(line);
}

static volatile int interrupted;

static void interrupt_after(void *context, int64_t done, int64_t total, const char *what)
{
    (void)total;
    (void)what;
    if (done >= *(const int64_t *)context)
        interrupted = 1;
}

static void make_slow_plan(struct cf_plan *plan)
{
    *plan = (struct cf_plan){.level = CF_NUMERICAL};
    add_configuration(plan, "plain kernel=forward");
    add_configuration(plan, "plain kernel=pairwise threads=2");
    for (int n = 1; n <= 60; ++n) {
        char *text = cf_format("sum f64 m=4 n=%d fill=normal seed=1", n * 100);

        add_case(plan, text, 3, 2);
        free(text);
    }
}

Test(run, an_interrupted_run_goes_on_to_the_same_records)
{
    struct cf_plan plan;
    struct cf_run_options options = options_of(20000);
    int64_t after = 1;
    struct cf_error err = {{0}, 0};
    struct cf_store *store;
    struct dump whole, part, resumed;

    make_slow_plan(&plan);
    whole = run_plan(&plan, 20000);
    unlink(path);
    make_slow_plan(&plan);
    store = open_or_fail(CF_STORE_CREATE);
    cr_assert_eq(cf_plan_store(&plan, store, NULL), 0);
    options.interrupted = &interrupted;
    options.progress = interrupt_after;
    options.context = &after;
    cr_assert_eq(cf_run(&plan, store, &options, &err), 130, "%s", err.text);
    part = dump_store(store);
    cr_expect(part.n > 0 && part.n < whole.n, "%d of %d", part.n, whole.n);
    cr_expect_eq(part.n_fates[CF_RAN], part.n, "what was in flight is whole");
    cf_store_close(store);
    store = open_or_fail(CF_STORE_RESUME);
    cr_assert_eq(cf_plan_store(&plan, store, &err), 0, "%s", err.text);
    interrupted = 0;
    after = INT64_MAX;
    cr_assert_eq(cf_run(&plan, store, &options, &err), 0, "%s", err.text);
    resumed = dump_store(store);
    cr_expect_str_eq(resumed.text, whole.text);
    cr_assert_eq(cf_run(&plan, store, &options, &err), 0, "nothing is left to do");
    cf_store_close(store);
    cf_plan_free(&plan);
    free(whole.text);
    free(part.text);
    free(resumed.text);
}

Test(run, a_full_disk_stops_the_run_and_keeps_its_records)
{
    struct cf_plan plan;
    const struct cf_run_options options = options_of(20000);
    struct cf_error err = {{0}, 0};
    struct cf_store *store = open_or_fail(CF_STORE_CREATE);
    struct dump dump;

    make_slow_plan(&plan);
    cr_assert_eq(cf_plan_store(&plan, store, NULL), 0);
    /* SQLite takes the file's present size for a limit that is too small. */
    cr_assert_eq(cf_store_sql(store, "PRAGMA max_page_count = 1", NULL), 0);
    cr_expect_eq(cf_run(&plan, store, &options, &err), -1);
    cr_expect(err.exit_code == 3 && strstr(err.text, "SQLITE_FULL"), "%s", err.text);
    cf_store_close(store);
    store = open_or_fail(CF_STORE_RESUME);
    cr_assert_eq(cf_run(&plan, store, &options, &err), 0, "%s", err.text);
    dump = dump_store(store);
    cr_expect_eq(dump.n, cf_plan_count(&plan));
    cr_expect_eq(dump.n_fates[CF_RAN], dump.n);
    cf_store_close(store);
    cf_plan_free(&plan);
    free(dump.text);
}

Test(run, a_worker_that_is_not_there_is_a_sentence)
{
    struct cf_plan plan = {.level = CF_NUMERICAL};
    const struct cf_run_options options = {.worker = "no/such/worker"};
    struct cf_error err = {{0}, 0};
    struct cf_store *store = open_or_fail(CF_STORE_CREATE);

    add_configuration(&plan, "plain kernel=forward");
    add_case(&plan, "dot f64 m=1 n=4 fill=normal seed=1", 1, 1);
    cr_assert_eq(cf_plan_store(&plan, store, NULL), 0);
    cr_expect_eq(cf_run(&plan, store, &options, &err), -1);
    cr_expect(err.exit_code == 3 && strstr(err.text, "no/such/worker"), "%s", err.text);
    cf_store_close(store);
    cf_plan_free(&plan);
}

/* A folder that holds nothing but this machine's loader and libraries. */
static int make_sysroot(const char *root)
{
    static const char copy[] = "mkdir -p '%s/lib/x86_64-linux-gnu' && cd /lib/x86_64-linux-gnu && "
                               "cp ld-linux-x86-64.so.2 libc.so.6 libm.so.6 libdl.so.2 "
                               "libpthread.so.0 '%s/lib/x86_64-linux-gnu'";
    char *command = cf_format(copy, root, root);
    const int result = access("/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", F_OK) == 0 &&
                       access("/lib/x86_64-linux-gnu/libdl.so.2", F_OK) == 0 &&
                       system(command) == 0;

    free(command);
    return result;
}

static int count_below(void *context, int64_t configuration, const struct cf_mapped *mapped)
{
    char *root = cf_format("%s/root/lib/", folder);
    int *n = context;

    if (configuration == 2 && strncmp(mapped->path, root, strlen(root)) == 0) {
        cr_expect_eq(strlen(mapped->sha256), 64, "%s", mapped->path);
        ++*n;
    }
    free(root);
    return 0;
}

Test(run, a_sysroot_starts_the_worker_under_its_own_loader_and_libraries)
{
    struct cf_plan plan = {.level = CF_NUMERICAL};
    char *root = cf_format("%s/root", folder);
    char *line = cf_format("plain kernel=forward sysroot=%s", root);
    struct cf_store *store;
    struct dump dump;
    int n = 0;

    if (!make_sysroot(root))
        cr_skip_test("this machine keeps its loader elsewhere");
    add_configuration(&plan, "plain kernel=forward");
    add_configuration(&plan, line);
    add_case(&plan, "sum f64 m=4 n=100 fill=normal seed=1", 1, 1);
    dump = run_plan(&plan, 20000);
    cr_assert_eq(dump.n_fates[CF_RAN], 2, "%s", dump.last_reason);
    cr_expect_eq(strncmp(strstr(dump.text, "ran") + 4, strrchr(dump.text, ' ') + 1, 32), 0);
    store = open_or_fail(CF_STORE_READ);
    cr_assert_eq(cf_store_each_library(store, count_below, &n), 0);
    cr_expect_geq(n, 2, "loader and libc are those of the sysroot");
    cf_store_close(store);
    free(dump.text);
    free(line);
    free(root);
}
