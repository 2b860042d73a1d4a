/* convolutions: how long it takes to judge a list of real shapes, every element exactly, against
 * the way in which oneDNN's own tests judge them: the library's reference primitive, whose sums
 * round.
 *
 *   bench-convolutions [libdnnl.so [rounds [benchdnn]]]
 *
 * Both work on the same operands of one process, on two threads (OMP_NUM_THREADS). Ours: the exact
 * value of every element, rounded once, and the comparison of an answer with it. The peer's: the
 * reference primitive (the first implementation called ref) and the same comparison without
 * exactness, a plain difference of floats. Rows: what, peer, size in MMAC, our time / peer's time
 * (min, median, max over the rounds), then both times in ms, and how many of the reference
 * primitive's elements are not the rounded exact value: what a test that trusts it cannot see. In a
 * round each contender runs once, so that a disturbance of the machine hits both.
 *
 * benchdnn: the path of oneDNN's own tester, linked to the same library. Then each line has a
 * second row: the whole of our work on it (draw, run the primitive, judge every element exactly)
 * against `benchdnn --mode=C` on the same shape (fill, run, its reference, compare), less what the
 * same program takes for one multiplication: starting the process is no part of judging. */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <math.h>
#include <stdio.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"
#include "reference.h"
#include "registry.h"

#define THREADS    2
#define ROUNDS_MAX 21

static const char *const lines[] = {
    "conv2d_fwd f32 n=1 c=3 h=112 w=112 k=64 r=7 s=7 stride=2 pad=3 fill=normal",
    "conv2d_fwd f32 n=1 c=64 h=56 w=56 k=64 r=3 s=3 pad=1 fill=normal",
    "conv2d_fwd f32 n=1 c=256 h=14 w=14 k=256 r=3 s=3 pad=1 fill=normal",
    "conv2d_fwd f32 n=1 c=512 h=7 w=7 k=512 r=3 s=3 pad=1 fill=normal",
    "conv2d_fwd f32 n=1 c=64 h=56 w=56 k=256 r=1 s=1 fill=normal",
    "conv2d_fwd f32 n=1 c=256 h=56 w=56 k=128 r=1 s=1 stride=2 fill=normal",
    "conv2d_fwd f32 n=1 c=512 h=14 w=14 k=512 r=3 s=3 pad=1 groups=512 fill=normal",
    "conv2d_fwd f32 n=8 c=16 h=32 w=32 k=16 r=3 s=3 pad=1 fill=normal",
    "conv2d_fwd f32 n=16 c=1 h=28 w=28 k=6 r=5 s=5 pad=2 fill=normal",
    "conv2d_bwd_data f32 n=1 c=64 h=56 w=56 k=64 r=3 s=3 pad=1 fill=normal",
    "conv2d_bwd_data f32 n=1 c=128 h=28 w=28 k=128 r=3 s=3 stride=2 pad=1 fill=normal",
    "conv2d_bwd_filter f32 n=1 c=64 h=56 w=56 k=64 r=3 s=3 pad=1 fill=normal",
    "conv2d_bwd_filter f32 n=8 c=16 h=32 w=32 k=16 r=3 s=3 pad=1 fill=normal",
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* One line of the list while it is timed. */
struct problem {
    struct cf_case c;
    const struct cf_op *op;
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX], answer;
    struct cf_truth *truth;
    int64_t n, n_inexact;
    double worst;
};

static void start(struct problem *p, const char *line)
{
    struct cf_error err = {{0}, 0};

    *p = (struct problem){.n = 0};
    if (cf_case_parse(&p->c, line, cf_op_grammar, &err) != 0 ||
        cf_case_draw(&p->c, cf_op_find(p->c.op), p->in, p->out, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(2);
    }
    p->op = cf_op_find(p->c.op);
    cf_tensor_alloc(&p->out[0]);
    p->answer = p->out[0];
    cf_tensor_alloc(&p->answer);
    p->n = cf_tensor_count(&p->answer);
    p->truth = cf_alloc((size_t)(p->n + 1) * sizeof p->truth[0]);
}

static void stop(struct problem *p)
{
    for (int o = 0; o < p->op->n_inputs; ++o)
        cf_tensor_free(&p->in[o]);
    cf_tensor_free(&p->out[0]);
    cf_tensor_free(&p->answer);
    free(p->truth);
    cf_case_free(&p->c);
}

/* Ours: the exact values, and the answer's errors against them. */
static void judge_exactly(struct problem *p)
{
    const float *got = p->answer.bits;

    p->op->fast(p->truth, &p->c, p->in, 0, THREADS);
    p->worst = 0;
    p->n_inexact = 0;
    for (int64_t i = 0; i < p->n; ++i) {
        const double error = fabs((got[i] - p->truth[i].rounded) - p->truth[i].lo);

        p->worst = fmax(p->worst, error / p->truth[i].scale);
        p->n_inexact += got[i] != p->truth[i].rounded;
    }
}

/* The peer's: its reference primitive, and the answer's distance from that. */
static int judge_by_peer(struct problem *p, const struct cf_kernel *kernel,
                         struct cf_library *library)
{
    const float *got = p->answer.bits, *expected = p->out[0].bits;

    if (kernel->run(library, &p->c.keys, p->in, p->out) != CF_DONE)
        return -1;
    for (int64_t i = 0; i < p->n; ++i)
        p->worst = fmax(p->worst, fabs((double)got[i] - (double)expected[i]));
    return 0;
}

static double terms_of(const struct problem *p)
{
    double sum = 0;

    for (int64_t i = 0; i < p->n; ++i)
        sum += (double)p->op->terms(&p->c, 0, i);
    return sum;
}

/* The shape in benchdnn's words. */
static void describe(char *text, size_t size, const struct cf_case *c)
{
    const char *keys[] = {"n", "c", "h", "w", "k", "r", "s", "stride", "pad", "groups"};
    int64_t v[CF_COUNT(keys)];

    for (int i = 0; i < CF_COUNT(keys); ++i)
        v[i] = cf_case_int(c, keys[i], i == 7 || i == 9 ? 1 : 0);
    snprintf(text, size,
             "g%lldmb%lldic%lldih%lldiw%lldoc%lldoh%lldow%lldkh%lldkw%lldsh%lldsw%lldph%lldpw%lld",
             (long long)v[9], (long long)v[0], (long long)v[1], (long long)v[2], (long long)v[3],
             (long long)v[4], (long long)((v[2] + 2 * v[8] - v[5]) / v[7] + 1),
             (long long)((v[3] + 2 * v[8] - v[6]) / v[7] + 1), (long long)v[5], (long long)v[6],
             (long long)v[7], (long long)v[7], (long long)v[8], (long long)v[8]);
}

/* Milliseconds of one benchdnn process; -1: it failed. */
static double run_benchdnn(const char *program, const char *direction, const char *shape)
{
    char path[PATH_MAX], conv[] = "--conv", mode[] = "--mode=C", dir[16], problem[200];
    char *argv[] = {path, conv, mode, dir, problem, NULL};
    posix_spawn_file_actions_t actions;
    const double start = now();
    int status = -1;
    pid_t pid;

    snprintf(path, sizeof path, "%s", program);
    snprintf(dir, sizeof dir, "--dir=%s", direction);
    snprintf(problem, sizeof problem, "%s", shape);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (posix_spawn(&pid, program, &actions, NULL, argv, environ) != 0 ||
        waitpid(pid, &status, 0) != pid)
        status = -1;
    posix_spawn_file_actions_destroy(&actions);
    return status == 0 ? now() - start : -1;
}

/* The whole of our work on a line. */
static double run_ours(const char *line, const struct cf_kernel *subject,
                       struct cf_library *library)
{
    const double begin = now();
    struct problem p;

    start(&p, line);
    if (subject->run(library, &p.c.keys, p.in, &p.answer) == CF_DONE)
        judge_exactly(&p);
    stop(&p);
    return now() - begin;
}

static void sort_and_print(const char *line, const char *peer, double mmac, double *ratio,
                           int rounds)
{
    qsort(ratio, (size_t)rounds, sizeof ratio[0], by_value);
    printf("%s\t%s\t%.1f\t%.3f\t%.3f\t%.3f", line, peer, mmac, ratio[0], ratio[rounds / 2],
           ratio[rounds - 1]);
}

static void row_of_benchdnn(const char *line, const char *program, const struct cf_kernel *subject,
                            struct cf_library *library, const struct cf_case *c, double mmac,
                            int rounds)
{
    const char *direction = strstr(c->op, "data")     ? "BWD_D"
                            : strstr(c->op, "filter") ? "BWD_W"
                                                      : "FWD_D";
    double ratio[ROUNDS_MAX], ours[ROUNDS_MAX], peers[ROUNDS_MAX];
    char shape[200];

    describe(shape, sizeof shape, c);
    for (int r = 0; r < rounds; ++r) {
        const double empty = run_benchdnn(program, direction, "mb1ic1ih1oc1oh1kh1");
        const double whole = run_benchdnn(program, direction, shape);

        if (!(empty > 0) || !(whole > empty)) {
            printf("# benchdnn gives no time: %s\n", line);
            return;
        }
        peers[r] = whole - empty;
        ours[r] = run_ours(line, subject, library);
        ratio[r] = ours[r] / peers[r];
    }
    sort_and_print(line, "benchdnn", mmac, ratio, rounds);
    qsort(ours, (size_t)rounds, sizeof ours[0], by_value);
    qsort(peers, (size_t)rounds, sizeof peers[0], by_value);
    printf("\t# %.2f ms, %.2f ms\n", ours[rounds / 2], peers[rounds / 2]);
}

static void row(const char *line, const struct cf_backend *onednn, struct cf_library *library,
                int rounds, const char *benchdnn)
{
    double ratio[ROUNDS_MAX], ours[ROUNDS_MAX], peers[ROUNDS_MAX];
    struct problem p;

    start(&p, line);
    const struct cf_kernel *kernel = cf_kernel_find(onednn, p.c.op, "ref");
    const struct cf_kernel *subject = cf_kernel_find(onednn, p.c.op, "direct");
    if (subject->run(library, &p.c.keys, p.in, &p.answer) != CF_DONE ||
        judge_by_peer(&p, kernel, library) != 0) {
        printf("# not offered: %s\n", line);
        stop(&p);
        return;
    }
    for (int r = 0; r < rounds; ++r) {
        const double t0 = now();

        judge_exactly(&p);
        const double t1 = now();
        judge_by_peer(&p, kernel, library);
        ours[r] = t1 - t0;
        peers[r] = now() - t1;
        ratio[r] = ours[r] / peers[r];
    }
    memcpy(p.answer.bits, p.out[0].bits, cf_tensor_bytes(&p.answer));
    judge_exactly(&p); /* the reference primitive itself */
    qsort(ours, (size_t)rounds, sizeof ours[0], by_value);
    qsort(peers, (size_t)rounds, sizeof peers[0], by_value);
    sort_and_print(line, "onednn ref", terms_of(&p) * 1e-6, ratio, rounds);
    printf("\t# %.2f ms, %.2f ms; peer's reference: %lld of %lld elements not correctly rounded\n",
           ours[rounds / 2], peers[rounds / 2], (long long)p.n_inexact, (long long)p.n);
    if (benchdnn)
        row_of_benchdnn(line, benchdnn, subject, library, &p.c, terms_of(&p) * 1e-6, rounds);
    fflush(stdout);
    stop(&p);
}

/* The path of what the system's loader finds; the caller frees. NULL: not installed. */
static char *find_library(const char *soname)
{
    void *file = dlopen(soname, RTLD_LAZY | RTLD_LOCAL);
    struct link_map *map;

    return file && dlinfo(file, RTLD_DI_LINKMAP, &map) == 0 ? cf_strdup(map->l_name) : NULL;
}

int main(int argc, char **argv)
{
    const struct cf_backend *onednn = cf_backend_find("onednn");
    const int asked = argc > 2 ? atoi(argv[2]) : 3;
    const int rounds = asked < 1 ? 1 : asked > ROUNDS_MAX ? ROUNDS_MAX : asked;
    struct cf_error err = {{0}, 0};
    struct cf_pairs keys;

    setenv("OMP_NUM_THREADS", "2", 1); /* before the library is loaded */
    char *path = argc > 1 ? cf_strdup(argv[1]) : find_library("libdnnl.so.2");
    if (!path) {
        fprintf(stderr, "there is no libdnnl.so.2 here; name a oneDNN library\n");
        return 2;
    }
    char *line = cf_format("onednn lib=%s", path);
    CF_CHECK(cf_pairs_parse(&keys, "the configuration", line, &err) == 0);
    struct cf_library *library = onednn->open(&keys, &err);
    if (!library) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    printf("# what\tpeer\tMMAC\tratio min\tmedian\tmax\n");
    for (int i = 0; i < CF_COUNT(lines); ++i)
        row(lines[i], onednn, library, rounds, argc > 3 ? argv[3] : NULL);
    free(line);
    free(path);
    return 0;
}
