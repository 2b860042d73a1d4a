/* worker: what it costs to reach a subject through a process of its own.
 *
 *   bench-worker [WORKER [LIBRARY]]   WORKER: by default conform-worker one folder up; LIBRARY: any
 *                                     CBLAS, by default the first that a Debian machine has
 *
 * start    from the spawn of a worker to its answer to hello. The peer is a forked child that opens
 *          the same library and exits (plain: that only exits): what nobody can save.
 * request  one request to a warm worker, inputs from a file, outputs into a file, read and checked.
 *          The peers are a null request (the same lines to and from a child that answers without
 *          looking) and a bare loop that calls the same function in this process.
 * Rows: what, peer, size, ratio min, median, max; our time over the peer's in the same round. */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "block.h"
#include "session.h"

#define ROUNDS     15
#define LINE       400  /* bytes of a typical request */
#define IN_PROCESS 1e-3 /* seconds that a bare loop is timed for */

typedef double (*dot_function)(int n, const double *x, int, const double *y, int);

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double values[], int n)
{
    qsort(values, (size_t)n, sizeof values[0], by_value);
    return values[n / 2];
}

static void print_row(const char *what, const char *peer, const char *size, const double ours[],
                      const double theirs[])
{
    double ratio[ROUNDS], a[ROUNDS], b[ROUNDS];

    for (int i = 0; i < ROUNDS; ++i)
        ratio[i] = ours[i] / theirs[i];
    memcpy(a, ours, sizeof a);
    memcpy(b, theirs, sizeof b);
    median(ratio, ROUNDS);
    printf("%s\t%s\t%s\t%.3g\t%.3g\t%.3g\t# %.4g ms against %.4g ms\n", what, peer, size, ratio[0],
           ratio[ROUNDS / 2], ratio[ROUNDS - 1], 1e3 * median(a, ROUNDS), 1e3 * median(b, ROUNDS));
    fflush(stdout);
}

/* One session: timed from its start to its hello, and over `left` requests in a row. */
struct trip {
    struct cf_ask ask;
    int n, left;
    double start, opened, asked, answered;
    char failure[400];
};

static void next(struct trip *trip, struct cf_session *s)
{
    if (trip->left-- > 0)
        cf_session_ask(s, &trip->ask);
    else
        cf_session_leave(s);
}

static void on_opened(void *context, struct cf_session *s, struct cf_reply *reply)
{
    struct trip *trip = context;

    trip->opened = trip->asked = now();
    if (reply->fate == CF_RAN)
        next(trip, s);
    else
        snprintf(trip->failure, sizeof trip->failure, "%s", reply->reason);
}

/* The first request is not timed: it brings the library's code in. */
static void on_answered(void *context, struct cf_session *s, struct cf_reply *reply)
{
    struct trip *trip = context;

    if (reply->fate != CF_RAN)
        snprintf(trip->failure, sizeof trip->failure, "%s", reply->reason);
    if (trip->left == trip->n)
        trip->asked = now();
    trip->answered = now();
    if (cf_session_ready(s))
        next(trip, s);
}

static void on_closed(void *context, struct cf_session *s)
{
    (void)context;
    (void)s;
}

static const struct cf_session_events events = {on_opened, on_answered, on_closed};

static struct cf_config config;
static const char *worker;

static struct trip travel(const struct cf_ask *ask, int n)
{
    const struct cf_session_options options = {worker, 60000, 30000, 2000};
    struct trip trip = {.n = n, .left = ask ? n + 1 : 0};
    uv_loop_t loop;

    if (ask)
        trip.ask = *ask;
    uv_loop_init(&loop);
    trip.start = now();
    cf_session_start(&loop, &config, &options, &events, &trip);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    if (trip.failure[0]) {
        fprintf(stderr, "bench-worker: %s: %s\n", config.text, trip.failure);
        exit(1);
    }
    return trip;
}

static double seconds_of(const struct timeval *t)
{
    return (double)t->tv_sec + 1e-6 * (double)t->tv_usec;
}

/* Of this process and of children that have ended. */
static double processor_time(void)
{
    struct rusage self, children;

    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    return seconds_of(&self.ru_utime) + seconds_of(&self.ru_stime) +
           seconds_of(&children.ru_utime) + seconds_of(&children.ru_stime);
}

/* Seconds of processor time a request, both sides, start and end left out: what a machine with
 * other work to do can still measure. */
static double time_of_request(const struct cf_ask *ask, int n)
{
    double few, many, start = processor_time();

    travel(ask, n);
    few = processor_time() - start;
    start = processor_time();
    travel(ask, 6 * n);
    many = processor_time() - start;
    return (many - few) / (5 * n);
}

/* A child that opens the library, if any, and leaves. */
static double bare_start(const char *library)
{
    const double start = now();
    const pid_t pid = fork();

    if (pid == 0)
        _exit(library && !dlopen(library, RTLD_NOW | RTLD_LOCAL));
    if (pid < 0 || waitpid(pid, NULL, 0) != pid)
        exit(1);
    return now() - start;
}

static void bench_start(const char *name, const char *library)
{
    double ours[ROUNDS], theirs[ROUNDS], beyond[ROUNDS], work[ROUNDS];

    travel(NULL, 0);
    for (int i = 0; i < ROUNDS; ++i) {
        const double start = processor_time();
        const struct trip trip = travel(NULL, 0);
        const double middle = processor_time();

        ours[i] = trip.opened - trip.start;
        theirs[i] = bare_start(library);
        beyond[i] = ours[i] - theirs[i];
        work[i] = middle - start - (processor_time() - middle);
    }
    print_row("start", library ? "fork, dlopen, exit" : "fork, exit", name, ours, theirs);
    printf("# start %s: %.3g ms beyond the peer (goal: 5), %.3g ms of processor time\n", name,
           1e3 * median(beyond, ROUNDS), 1e3 * median(work, ROUNDS));
}

/* A child that answers each line with another. */
struct echo {
    pid_t pid;
    FILE *to, *from;
};

static struct echo start_echo(void)
{
    struct echo echo;
    int to[2], from[2];

    if (pipe(to) != 0 || pipe(from) != 0)
        exit(1);
    echo.pid = fork();
    if (echo.pid == 0) {
        char line[LINE + 2];
        FILE *in = fdopen(to[0], "r");

        close(to[1]);
        while (fgets(line, sizeof line, in))
            if (write(from[1], line, strlen(line)) < 0)
                break;
        _exit(0);
    }
    close(to[0]);
    close(from[1]);
    echo.to = fdopen(to[1], "w");
    echo.from = fdopen(from[0], "r");
    return echo;
}

static void stop_echo(struct echo *echo)
{
    fclose(echo->to);
    fclose(echo->from);
    waitpid(echo->pid, NULL, 0);
}

static double null_request(const struct echo *echo, int n)
{
    const double start = now();
    char line[LINE + 2];

    for (int i = 0; i < n; ++i) {
        fprintf(echo->to, "%*d\n", LINE, i);
        fflush(echo->to);
        if (!fgets(line, sizeof line, echo->from))
            exit(1);
    }
    return (now() - start) / n;
}

static double forward_dot(int n, const double *x, int step_x, const double *y, int step_y)
{
    double sum = 0;

    for (int i = 0; i < n; ++i)
        sum += x[i * step_x] * y[i * step_y];
    return sum;
}

static volatile double sink; /* where answers go, so that no call is left out */

static double bare_call(dot_function dot, int n)
{
    static double x[1 << 20], y[1 << 20];
    double start;
    int calls = 0;

    for (int i = 0; i < n; ++i)
        x[i] = y[i] = 1.0 / (i + 1);
    sink = sink + dot(n, x, 1, y, 1);
    start = now();
    for (; calls < 3 || now() - start < IN_PROCESS; ++calls)
        sink = sink + dot(n, x, 1, y, 1);
    return (now() - start) / calls;
}

static void bench_size(const char *name, dot_function dot, int n, struct cf_workplace *place)
{
    double ours[ROUNDS], null[ROUNDS], bare[ROUNDS];
    const int count = n > 100000 ? 20 : 200;
    char *line = cf_format("dot f64 m=1 n=%d fill=integer seed=1", n), label[64];
    struct cf_plan plan = {.level = CF_NUMERICAL};
    struct cf_block block;
    struct cf_error err;
    char *out = cf_format("%s/bench.out", place->path);
    struct echo echo = start_echo();
    struct cf_ask ask;

    if (cf_plan_add_case(&plan, line, "bench", 1, 1, &err) < 0 ||
        cf_block_draw(&block, &plan, 0, 1, "\1", place, 1, &err) != 0) {
        fprintf(stderr, "bench-worker: %s\n", err.text);
        exit(1);
    }
    ask = (struct cf_ask){block.cases[0].params, block.cases[0].outputs, 1, out};
    for (int i = 0; i < ROUNDS; ++i) {
        const struct trip trip = travel(&ask, count);

        ours[i] = (trip.answered - trip.asked) / count;
        null[i] = null_request(&echo, count);
        bare[i] = bare_call(dot, n);
    }
    snprintf(label, sizeof label, "%s dot f64 n=%d", name, n);
    print_row("request", "null request", label, ours, null);
    print_row("request", "call in process", label, ours, bare);
    printf("# request %s: %.3g ms of processor time on both sides\n", label,
           1e3 * time_of_request(&ask, count));
    stop_echo(&echo);
    cf_block_free(&block);
    cf_plan_free(&plan);
    free(out);
    free(line);
}

static void bench_requests(const char *name, dot_function dot)
{
    struct cf_workplace place;
    struct cf_error err;

    if (cf_workplace_make(&place, 64u << 20, &err) != 0) {
        fprintf(stderr, "bench-worker: %s\n", err.text);
        exit(1);
    }
    for (int n = 64; n <= 1 << 20; n *= 128)
        bench_size(name, dot, n, &place);
    cf_workplace_remove(&place);
}

static char *worker_beside(void)
{
    char own[4096];
    const ssize_t n = readlink("/proc/self/exe", own, sizeof own - 1);

    if (n <= 0)
        return NULL;
    own[n] = '\0';
    *strrchr(own, '/') = '\0';
    return cf_format("%s/../conform-worker", own);
}

static const char *find_library(void)
{
    static const char *const names[] = {"openblas-pthread/libblas.so.3", "libopenblas.so.0",
                                        "blas/libblas.so.3", "libblas.so.3"};
    static char path[256];

    for (int i = 0; i < CF_COUNT(names); ++i) {
        snprintf(path, sizeof path, "/usr/lib/x86_64-linux-gnu/%s", names[i]);
        if (access(path, R_OK) == 0)
            return path;
    }
    return NULL;
}

static void bench_library(const char *library)
{
    char *line = cf_format("blas lib=%s threads=1", library);
    dot_function dot = NULL;
    void *handle, *symbol;

    if (cf_config_parse(&config, line, NULL) != 0)
        exit(1);
    bench_start("blas", library);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    symbol = handle ? dlsym(handle, "cblas_ddot") : NULL;
    memcpy(&dot, &symbol, sizeof dot);
    if (dot)
        bench_requests("blas", dot);
    cf_config_free(&config);
    free(line);
}

int main(int argc, char **argv)
{
    char *beside = worker_beside();
    const char *library = argc > 2 ? argv[2] : find_library();

    worker = argc > 1 ? argv[1] : beside;
    signal(SIGPIPE, SIG_IGN);
    puts("# what\tpeer\tsize\tratio min\tmedian\tmax");
    if (cf_config_parse(&config, "plain kernel=forward", NULL) != 0)
        return 1;
    bench_start("plain", NULL);
    bench_requests("plain", forward_dot);
    cf_config_free(&config);
    if (library)
        bench_library(library);
    else
        puts("# no CBLAS was found; name one");
    free(beside);
    return 0;
}
