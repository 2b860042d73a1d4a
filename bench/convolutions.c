/* convolutions: how long it takes to judge a list of real shapes, every element exactly, against
 * the way in which oneDNN's own tests judge them: the library's reference primitive, whose sums
 * round.
 *
 *   bench-convolutions [libdnnl.so [rounds]]
 *
 * Both work on the same operands of one process, on two threads (OMP_NUM_THREADS). Ours: the exact
 * value of every element, rounded once, and the comparison of an answer with it. The peer's: the
 * reference primitive (the first implementation called ref) and the same comparison without
 * exactness, a plain difference of floats. Rows: what, peer, size in MMAC, our time / peer's time
 * (min, median, max over the rounds), then both times in ms, and how many of the reference
 * primitive's elements are not the rounded exact value: what a test that trusts it cannot see. In a
 * round each contender runs once, so that a disturbance of the machine hits both. */
#include <dlfcn.h>
#include <link.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static void row(const char *line, const struct cf_backend *onednn, struct cf_library *library,
                int rounds)
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
    qsort(ratio, (size_t)rounds, sizeof ratio[0], by_value);
    qsort(ours, (size_t)rounds, sizeof ours[0], by_value);
    qsort(peers, (size_t)rounds, sizeof peers[0], by_value);
    printf("%s\tonednn ref\t%.1f\t%.3f\t%.3f\t%.3f\t# %.2f ms, %.2f ms; peer's reference: %lld of "
           "%lld "
           "elements not correctly rounded\n",
           line, terms_of(&p) * 1e-6, ratio[0], ratio[rounds / 2], ratio[rounds - 1],
           ours[rounds / 2], peers[rounds / 2], (long long)p.n_inexact, (long long)p.n);
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
        row(lines[i], onednn, library, rounds);
    free(line);
    free(path);
    return 0;
}
