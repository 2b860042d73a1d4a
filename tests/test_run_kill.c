/* run_kill: a manager that is killed at any moment leaves a store that opens, holds what it had
 * acknowledged, and goes on to the records of a run that nobody killed. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

#include "philox.h"
#include "run_support.h"

#define PROGRAM CF_BINARY_DIR "/tests/run_program"
#define KILLS   20
#define ENOUGH  30 /* seconds after which fewer kills do, as under a sanitizer */

extern char **environ;

TestSuite(run_kill, .init = make_folder, .fini = remove_folder, .timeout = 100);

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Its standard output goes to `output`. */
static pid_t start(const char *mode, const char *output)
{
    const char *const argv[] = {PROGRAM, mode, path, WORKER, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_eq(
        posix_spawn(&pid, PROGRAM, &actions, NULL, (char *const *)(uintptr_t)argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static int wait_for(pid_t pid)
{
    int status;

    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return status;
}

/* The last number of the file: records that were committed when it was printed. */
static int acknowledged(const char *output)
{
    FILE *in = fopen(output, "r");
    int n = 0, next;

    while (in && fscanf(in, "%d", &next) == 1)
        n = next;
    if (in)
        fclose(in);
    return n;
}

static char *dump_file(int *n)
{
    struct cf_store *store = open_or_fail(CF_STORE_READ);
    struct dump dump = dump_store(store);

    cf_store_close(store);
    *n = dump.n;
    return dump.text;
}

static void remove_store(void)
{
    char *log = cf_format("%s-wal", path), *shared = cf_format("%s-shm", path);

    unlink(path);
    unlink(log);
    unlink(shared);
    free(log);
    free(shared);
}

/* Kills the run after `ms`; 1 when the store was complete before that. */
static int kill_after(const char *mode, const char *output, int ms)
{
    const pid_t pid = start(mode, output);
    int status;

    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
    kill(pid, SIGKILL);
    status = wait_for(pid);
    cr_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "status %x", status);
    return WIFEXITED(status);
}

/* A run that was killed before it had made its store leaves none, or an empty one. */
static int check_store(const char *output, int before)
{
    struct cf_error err = {{0}, 0};
    struct cf_store *store = cf_store_open(path, CF_STORE_READ, &err);
    struct dump dump;

    if (!store) {
        cr_expect(strstr(err.text, "is empty") || strstr(err.text, "does not exist"), "%s",
                  err.text);
        cr_expect_eq(acknowledged(output), 0);
        return 0;
    }
    dump = dump_store(store);
    cf_store_close(store);
    cr_expect_geq(dump.n, acknowledged(output), "acknowledged records are kept");
    cr_expect_geq(dump.n, before, "and those of the run before");
    free(dump.text);
    return dump.n;
}

Test(run_kill, kills_at_random_moments_lose_nothing)
{
    const struct cf_stream stream = {(uint64_t)getpid(), 1};
    char *output = cf_format("%s/output", folder), *whole, *again;
    int n_whole, n, before = 0, n_stores = 0, n_partial = 0;
    const double begun = seconds();
    uint64_t span_ms;

    cr_assert_eq(wait_for(start("create", output)), 0);
    span_ms = (uint64_t)(1000 * (seconds() - begun));
    whole = dump_file(&n_whole);
    cr_assert_gt(n_whole, 500);
    cr_assert_eq(acknowledged(output), n_whole);
    remove_store();
    for (int i = 0; i < KILLS && (n_stores < 3 || seconds() - begun < ENOUGH); ++i) {
        const int ms = (int)cf_stream_below(&stream, (uint64_t)i, span_ms);
        const char *mode = access(path, F_OK) == 0 ? "resume" : "create";
        const int complete = kill_after(mode, output, ms);

        before = check_store(output, before);
        n_partial += before > 0 && before < n_whole;
        if (!complete && i % 4 != 3)
            continue;
        cr_assert_eq(wait_for(start(access(path, F_OK) == 0 ? "resume" : "create", output)), 0);
        again = dump_file(&n);
        cr_expect_str_eq(again, whole, "after kill %d at %d ms", i, ms);
        free(again);
        remove_store();
        before = 0;
        ++n_stores;
    }
    cr_log_info("%d stores, %d kills in the middle of a run", n_stores, n_partial);
    cr_expect_gt(n_stores, 2);
    cr_expect_gt(n_partial, 0, "no kill hit a run");
    free(whole);
    free(output);
}

Test(run_kill, a_terminated_run_ends_well)
{
    char *output = cf_format("%s/output", folder);
    const pid_t pid = start("create", output);
    int status;

    nanosleep(&(struct timespec){0, 150000000}, NULL);
    kill(pid, SIGTERM);
    status = wait_for(pid);
    cr_expect(WIFEXITED(status) && (WEXITSTATUS(status) == 130 || WEXITSTATUS(status) == 0),
              "status %x", status);
    check_store(output, 0);
    free(output);
}
