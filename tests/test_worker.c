/* worker: it answers the protocol, guards its operands, reads back the state, and turns each lie
 * that it can see into the error that liars/liar.c promises. */
#include <criterion/criterion.h>
#include <sys/resource.h>
#include <math.h>
#include <sys/stat.h>
#include <time.h>

#include "worker_client.h"

static struct client client;

static void tear_down(void)
{
    if (client.pid > 0)
        client_stop(&client);
}

TestSuite(worker, .fini = tear_down);

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void start_liar(const char *lie)
{
    char *configuration = cf_format("blas lib=%slibliar_%s.so", LIARS, lie);

    client_start(&client, configuration);
    free(configuration);
}

static json_t *run(const char *op, const char *kernel, double out[2], int align)
{
    return client_run_eights(&client, op, kernel, out, align);
}

static const char *text_at(const json_t *reply, const char *outer, const char *inner)
{
    const char *text = json_string_value(
        json_object_get(json_object_get(json_object_get(reply, "result"), outer), inner));

    return text ? text : "";
}

/* The words of an array, each followed by ';'. */
static void join(const json_t *array, char text[256])
{
    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(array); ++i)
        snprintf(text + strlen(text), 256 - strlen(text), "%s;",
                 json_string_value(json_array_get(array, i)));
}

Test(worker, says_hello_and_runs)
{
    double out[2];
    json_t *reply;

    client_start(&client, "plain threads=2");
    reply = client_hello(&client, 5000);
    cr_assert_str_eq(reply_code(reply), "", "%s", reply_message(reply));
    cr_assert_eq(json_integer_value(json_object_get(reply, "id")), 0);
    cr_assert_eq(json_integer_value(json_object_get(json_object_get(reply, "result"), "protocol")),
                 1);
    cr_assert_str_eq(json_string_value(json_object_get(json_object_get(reply, "result"), "name")),
                     "plain");
    cr_assert_str_eq(text_at(reply, "effective", "threads"), "2");
    cr_assert_str_eq(text_at(reply, "effective", "rounding"), "nearest");
    cr_assert_str_eq(text_at(reply, "effective", "mxcsr_after_load"),
                     text_at(reply, "effective", "mxcsr_before_load"));
    json_decref(reply);
    for (int align = 0; align <= 72; align += 8) {
        reply = run("dot", "pairwise", out, align);
        cr_assert_str_eq(reply_code(reply), "", "%s", reply_message(reply));
        cr_assert_eq(json_integer_value(json_object_get(reply, "id")), 1 + align / 8);
        cr_assert(out[0] == exact[0] && out[1] == exact[1], "%a %a", out[0], out[1]);
        cr_assert(
            json_integer_value(json_object_get(json_object_get(reply, "result"), "wall_ns")) >= 0);
        json_decref(reply);
    }
}

/* A lie, the op that shows it, and what the reply to the first run must say. */
static const struct {
    const char *lie, *op, *code, *says;
} told_in_run[] = {
    {"honest", "dot", "", ""},
    {"honest", "gemv", "", ""},
    {"silent", "gemv", "broke", "2 of 2 elements of y0 were never written"},
    {"half", "gemv", "broke", "1 of 2 elements of y0 were never written"},
    {"past", "gemv", "broke", "wrote past the end of its output y0"},
    {"before", "gemv", "broke", "wrote before the start of its output y0"},
    {"input", "dot", "broke", "changed its input x0"},
    {"nothing", "dot", "not-offered", "dot"},
    {"crashes", "dot", "no answer", ""},
    {"exits", "dot", "no answer", ""},
    {"grows", "dot", "no answer", ""},
    {"closes", "dot", "no answer", ""},
    {"hoards", "dot", "broke", "Too many open files"},
    {"chatty", "dot", "", ""},
};

/* What a login may set: the worker's own limit is the lower one. */
static void raise_file_limit(void)
{
    struct rlimit held;

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &held), 0);
    held.rlim_cur = held.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &held), 0);
}

Test(worker, sees_the_lies_told_in_a_call)
{
    raise_file_limit();
    for (int i = 0; i < CF_COUNT(told_in_run); ++i) {
        double out[2];
        json_t *reply;

        start_liar(told_in_run[i].lie);
        reply = client_hello(&client, 5000);
        cr_expect_str_eq(reply_code(reply), "", "%s: %s", told_in_run[i].lie, reply_message(reply));
        json_decref(reply);
        reply = run(told_in_run[i].op, "", out, 8);
        cr_expect_str_eq(reply_code(reply), told_in_run[i].code, "%s %s: %s, %s",
                         told_in_run[i].lie, told_in_run[i].op, reply_code(reply),
                         reply_message(reply));
        cr_expect(strstr(reply_message(reply), told_in_run[i].says), "%s: %s", told_in_run[i].lie,
                  reply_message(reply));
        if (!*told_in_run[i].code)
            cr_expect(out[0] == exact[0] && out[1] == exact[1], "%s: %a %a", told_in_run[i].lie,
                      out[0], out[1]);
        json_decref(reply);
        client_stop(&client);
        client.pid = 0;
    }
}

Test(worker, hangs_end_with_the_group)
{
    static const char *const lies[] = {"hangs_load", "hangs"};

    for (int i = 0; i < CF_COUNT(lies); ++i) {
        const double start = seconds();
        double out[2];
        json_t *reply;
        int status;

        start_liar(lies[i]);
        reply = client_hello(&client, i == 0 ? 300 : 5000);
        cr_expect_str_eq(reply_code(reply), i == 0 ? "no answer" : "");
        json_decref(reply);
        if (i == 1) {
            reply = run("dot", "", out, 0); /* waits for two seconds */
            cr_expect_null(reply);
            kill(-client.pid, SIGTERM);
            usleep(50000);
            cr_expect_eq(kill(client.pid, 0), 0, "SIGTERM was not ignored");
        }
        status = client_stop(&client);
        client.pid = 0;
        cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        cr_expect(seconds() - start < 4);
    }
}

Test(worker, memory_that_a_library_keeps_is_out_of_memory)
{
    const char *const argv[] = {WORKER, "--memory-mb", "512", "blas lib=" LIARS "libliar_hungry.so",
                                NULL};
    double out[2];

#if defined __SANITIZE_ADDRESS__
    cr_skip_test("a sanitized worker needs more data than any limit");
#endif
    client_spawn(&client, argv, NULL);
    json_decref(client_hello(&client, 5000));
    for (int i = 0; i < 3; ++i) {
        json_t *reply = run("dot", "", out, 0);

        cr_assert_str_eq(reply_code(reply), "out-of-memory", "%d: %s, %s", i, reply_code(reply),
                         reply_message(reply));
        json_decref(reply);
    }
}

/* What a lie changes, as hello and the first two runs report it. */
static const struct {
    const char *lie, *by_load, *first, *second, *mxcsr;
} changes[] = {
    {"honest", "", "", "", "0x1f80"},
#if defined __x86_64__
    {"flushes", "mxcsr;", "", "", "0x9fc0"},
    {"rounds_up", "", "mxcsr;rounding;x87;", "", "0x5f80"},
#endif
    {"moves", "", "cwd;handler SIGFPE;locale;umask;", "cwd;umask;", "0x1f80"},
};

Test(worker, reads_the_state_back)
{
    for (int i = 0; i < CF_COUNT(changes); ++i) {
        const char *const expected[] = {changes[i].first, changes[i].second};
        char text[256];
        double out[2];
        json_t *reply, *state;

        start_liar(changes[i].lie);
        reply = client_hello(&client, 5000);
        join(json_object_get(json_object_get(json_object_get(reply, "result"), "effective"),
                             "changed_by_load"),
             text);
        cr_expect_str_eq(text, changes[i].by_load, "%s: load changed %s", changes[i].lie, text);
        json_decref(reply);
        for (int call = 0; call < 2; ++call) {
            reply = run("dot", "", out, 0);
            state = json_object_get(json_object_get(reply, "result"), "state");
            join(json_object_get(state, "changed"), text);
            cr_expect_str_eq(text, expected[call], "%s: call %d changed %s", changes[i].lie, call,
                             text);
#if defined __x86_64__
            cr_expect_str_eq(text_at(reply, "state", "mxcsr"), changes[i].mxcsr, "%s",
                             changes[i].lie);
#endif
            json_decref(reply);
        }
        client_stop(&client);
        client.pid = 0;
    }
}

/* Requests that make no sense: each is answered with "protocol" and the worker lives on. */
static const char *const senseless[] = {
    "hello",
    "[]",
    "{",
    "{\"id\":1}",
    "{\"id\":1,\"id\":2,\"method\":\"hello\"}",
    "{\"id\":1,\"method\":\"dance\"}",
    "{\"id\":1,\"method\":\"run\"}",
    "{\"id\":1,\"method\":\"run\",\"params\":{\"op\":\"sum\",\"in\":\"/\",\"out\":\"/x\"}}",
    "{\"id\":1,\"method\":\"run\",\"params\":{\"op\":\"sum\",\"in\":\"/\",\"out\":\"/x\","
    "\"outputs\":[{\"name\":\"y0\",\"dtype\":\"f64\",\"shape\":[-1]}]}}",
    "{\"id\":1,\"method\":\"run\",\"params\":{\"op\":\"sum\",\"in\":\"/\",\"out\":\"/x\","
    "\"outputs\":[{\"name\":\"y0\",\"dtype\":\"f64\",\"shape\":[4294967296,4294967296]}]}}",
    "{\"id\":1,\"method\":\"run\",\"params\":{\"op\":\"sum\",\"in\":\"/\",\"out\":\"/x\","
    "\"outputs\":[{\"name\":\"y0\",\"dtype\":\"f63\",\"shape\":[1]}]}}",
    "{\"id\":1,\"method\":\"run\",\"params\":{\"op\":\"sum\",\"in\":\"/dev/zero\",\"out\":\"/x\","
    "\"outputs\":[{\"name\":\"y0\",\"dtype\":\"f64\",\"shape\":[1]}]}}",
    "{\"id\":1,\"method\":\"run\",\"params\":{\"op\":\"sum\",\"in\":\"/\",\"out\":\"/x\","
    "\"align\":1000000,\"outputs\":[{\"name\":\"y0\",\"dtype\":\"f64\",\"shape\":[1]}]}}",
};

Test(worker, survives_senseless_requests)
{
    double out[2];
    json_t *reply;

    client_start(&client, "plain");
    json_decref(client_hello(&client, 5000));
    for (int i = 0; i < CF_COUNT(senseless); ++i) {
        char *line;

        dprintf(client.in, "%s\n", senseless[i]);
        line = client_line(&client, 2000);
        reply = line ? json_loads(line, 0, NULL) : NULL;
        cr_expect_str_eq(reply_code(reply), "protocol", "%s: %s", senseless[i],
                         line ? line : "no answer");
        json_decref(reply);
        free(line);
    }
    reply = run("dot", "forward", out, 0);
    cr_assert_str_eq(reply_code(reply), "", "%s", reply_message(reply));
    json_decref(reply);
}

Test(worker, an_output_that_no_memory_holds_is_out_of_memory)
{
    struct cf_tensor x = make_tensor(CF_F64, 1, 4);
    struct cf_tensor y = {.dtype = CF_F64, .rank = 1, .dim = {(int64_t)1 << 50}};
    json_t *reply;

    client_start(&client, "plain");
    json_decref(client_hello(&client, 5000));
    reply = client_run(&client, "sum", "forward", &x, 1, &y, 0);
    cr_assert_str_eq(reply_code(reply), "out-of-memory", "%s", reply_message(reply));
    json_decref(reply);
    cf_tensor_free(&x);
}

Test(worker, unknown_ops_kernels_and_types_are_not_offered)
{
    struct cf_tensor x = make_tensor(CF_I32, 1, 4), y = make_tensor(CF_I32, 1, -1);
    double out[2];
    json_t *reply;

    client_start(&client, "plain");
    json_decref(client_hello(&client, 5000));
    reply = run("dance", "", out, 0);
    cr_expect_str_eq(reply_code(reply), "not-offered");
    json_decref(reply);
    reply = run("dot", "sideways", out, 0);
    cr_expect_str_eq(reply_code(reply), "not-offered");
    json_decref(reply);
    reply = client_run(&client, "sum", "forward", &x, 1, &y, 0);
    cr_expect_str_eq(reply_code(reply), "not-offered");
    json_decref(reply);
    cf_tensor_free(&x);
    cf_tensor_free(&y);
}

/* Killed -9, the manager cannot kill anybody: its worker goes by itself, though it hangs in a
 * constructor, and so does the process that it probes the library with. */
Test(worker, dies_with_its_parent)
{
    const char *const argv[] = {"/bin/sh", "-c", "exec 4<&0; " WORKER " \"$0\" <&4 & wait",
                                "blas lib=" LIARS "libliar_hangs_load.so", NULL};
    struct pollfd ready;
    char byte;

    client_spawn(&client, argv, NULL);
    cr_expect_null(client_hello(&client, 300));
    ready = (struct pollfd){client.out, POLLIN, 0};
    cr_assert_eq(poll(&ready, 1, 0), 0, "there was no hanging worker to begin with");
    kill(client.pid, SIGKILL);
    cr_assert_eq(poll(&ready, 1, 3000), 1, "somebody still holds the reply pipe");
    cr_assert_eq(read(client.out, &byte, 1), 0);
}

static int exit_code_of(const char *const argv[], const char *const environment[])
{
    struct client c;
    int status;

    client_spawn(&c, argv, environment);
    close(c.in);
    c.in = -1;
    for (int i = 0; i < 200 && waitpid(c.pid, &status, WNOHANG) == 0; ++i)
        usleep(10000);
    client_stop(&c);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(worker, bad_usage_is_exit_code_2_and_an_end_is_0)
{
    const char *const none[] = {WORKER, NULL}, *const two[] = {WORKER, "plain", "blas", NULL};
    const char *const unknown[] = {WORKER, "--dance", NULL};
    const char *const memory[] = {WORKER, "--memory-mb", "x", "plain", NULL};
    const char *const bad[] = {WORKER, "plain threads=many", NULL};
    const char *const good[] = {WORKER, "plain", NULL}, *const list[] = {WORKER, "--list", NULL};
    const char *const version[] = {WORKER, "--version", NULL};
    const char *const wrong_fd[] = {"CONFORM_FD=77", SANITIZER_OPTIONS, NULL};

    cr_expect_eq(exit_code_of(none, NULL), 2);
    cr_expect_eq(exit_code_of(two, NULL), 2);
    cr_expect_eq(exit_code_of(unknown, NULL), 2);
    cr_expect_eq(exit_code_of(memory, NULL), 2);
    cr_expect_eq(exit_code_of(bad, NULL), 2);
    cr_expect_eq(exit_code_of(good, wrong_fd), 2);
    cr_expect_eq(exit_code_of(good, NULL), 0);
    cr_expect_eq(exit_code_of(list, NULL), 0);
    cr_expect_eq(exit_code_of(version, NULL), 0);
}

/* Without dynamic libraries of its own it also starts under another release's loader. */
Test(worker, links_nothing_but_the_c_library)
{
    FILE *ldd = popen("ldd " WORKER " | grep -vE 'linux-vdso|libc\\.so|libm\\.so|libdl\\.so|"
                      "libpthread\\.so|ld-linux'",
                      "r");
    char line[256];

#if defined __SANITIZE_ADDRESS__
    cr_skip_test("the sanitizer links libraries of its own");
#endif
    while (ldd && fgets(line, sizeof line, ldd))
        cr_expect(0, "%s", line);
    cr_assert(ldd && pclose(ldd) >= 0);
}
