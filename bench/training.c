/* training: what bit-identity costs. A training run in settings of one library after another: for
 * each claim (the same bits in a new process, on any number of threads, on any instruction set) the
 * cheapest setting under which it holds, and its time over that of the fastest setting of all.
 *
 * A claim holds for a setting when everything that it leaves free gives one digest: "threads"
 * leaves threads= free at the setting's core type, "isa" leaves coretype= free as well; pinning
 * what a claim leaves free makes it hold by itself, at the price of the pin. bench-training
 * [LIBRARY...] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reference.h"
#include "talk.h"

#define ROUNDS       7
#define THREADS      2
#define SETTINGS_MAX 16

static const char *const workloads[] = {
    "train_mlp f32 steps=8 batch=128 hidden=256 lr=0.05 fill=digits seed=1",
    "train_mlp f64 steps=8 batch=128 hidden=256 lr=0.05 fill=digits seed=1",
    "train_cnn f32 steps=4 batch=32 hidden=16 lr=0.01 fill=digits seed=1",
};

/* One setting of a library: threads and what pins its instruction set ("": nothing). */
struct setting {
    char text[400];
    int threads, family; /* family: which pin */
    struct cf_digest digest;
    int is_steady; /* every process gave the digest */
    int n;
    double ms[ROUNDS];
};

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* One run in a fresh process. 0: it ran. */
static int run_once(struct setting *s, const struct cf_case *c, const struct cf_tensor in[],
                    const struct cf_tensor shape[], const char *worker)
{
    struct cf_talk *talk = cf_talk_start(s->text, worker, 60000, NULL);
    struct cf_tensor out[CF_OPERANDS_MAX];
    struct cf_digest digest;
    struct cf_told told;

    memcpy(out, shape, sizeof out);
    cf_talk_run(talk, c->op, &c->keys, in, CF_N_TRAINING_INPUTS, out, CF_N_TRAINING_OUTPUTS, &told);
    cf_talk_stop(talk);
    if (told.fate != CF_RAN)
        return -1;
    cf_digest_of(&digest, out[CF_OUT_WEIGHTS].bits, cf_tensor_bytes(&out[CF_OUT_WEIGHTS]));
    if (s->n == 0) {
        s->digest = digest;
        s->is_steady = 1;
    }
    s->is_steady &= cf_digest_equal(&s->digest, &digest);
    s->ms[s->n++] = (double)told.wall_ns / 1e6;
    for (int o = 0; o < CF_N_TRAINING_OUTPUTS; ++o)
        cf_tensor_free(&out[o]);
    return 0;
}

/* Settings in turn, round after round, so that a disturbance meets all of them. */
static void measure(struct setting settings[], int n, const char *line, const char *worker)
{
    struct cf_tensor in[CF_OPERANDS_MAX], shape[CF_OPERANDS_MAX];
    struct cf_case c;

    CF_CHECK(cf_case_parse(&c, line, cf_op_grammar, NULL) == 0 &&
             cf_case_draw(&c, cf_op_find(c.op), in, shape, NULL) == 0);
    for (int i = 0; i < n; ++i)
        settings[i].n = 0;
    for (int round = 0; round < ROUNDS; ++round)
        for (int i = 0; i < n; ++i)
            if (settings[i].n == round)
                run_once(&settings[i], &c, in, shape, worker);
    for (int o = 0; o < CF_N_TRAINING_INPUTS; ++o)
        cf_tensor_free(&in[o]);
    cf_case_free(&c);
}

static double median_ms(const struct setting *s)
{
    double sorted[ROUNDS];

    memcpy(sorted, s->ms, sizeof sorted);
    qsort(sorted, ROUNDS, sizeof sorted[0], by_size);
    return sorted[ROUNDS / 2];
}

/* Do all settings that agree with s in what the claim holds fast give its bits? */
static int holds(const struct setting settings[], int n, const struct setting *s, int free_threads,
                 int free_isa)
{
    for (int i = 0; i < n; ++i) {
        const struct setting *o = &settings[i];

        if (o->n < ROUNDS || (!free_threads && o->threads != s->threads) ||
            (!free_isa && o->family != s->family))
            continue;
        if (!o->is_steady || !cf_digest_equal(&o->digest, &s->digest))
            return 0;
    }
    return s->is_steady;
}

static const struct setting *cheapest(const struct setting settings[], int n, int free_threads,
                                      int free_isa, int needs_claim)
{
    const struct setting *best = NULL;

    for (int i = 0; i < n; ++i)
        if (settings[i].n == ROUNDS && (!best || median_ms(&settings[i]) < median_ms(best)) &&
            (!needs_claim || holds(settings, n, &settings[i], free_threads, free_isa)))
            best = &settings[i];
    return best;
}

static void print_row(const char *claim, const char *line, const struct setting *s,
                      const struct setting *fastest)
{
    double ratio[ROUNDS];

    for (int i = 0; i < ROUNDS; ++i)
        ratio[i] = s->ms[i] / fastest->ms[i];
    qsort(ratio, ROUNDS, sizeof ratio[0], by_size);
    printf("%s\t%s\t%s\t%.2f\t%.2f\t%.2f\t# %s: %.2f ms, fastest: %.2f ms\n", claim, fastest->text,
           line, ratio[0], ratio[ROUNDS / 2], ratio[ROUNDS - 1], s->text, median_ms(s),
           median_ms(fastest));
}

/* A claim that no free setting keeps is kept by pinning what it would leave free: the same setting,
 * everywhere. */
static void print_claims(const struct setting settings[], int n, const char *line)
{
    static const struct {
        const char *claim, *pinned;
        int free_threads, free_isa;
    } claims[] = {
        {"bits across processes", NULL, 0, 0},
        {"bits across threads", "bits across threads, threads pinned", 1, 0},
        {"bits across isa", "bits across isa, core type pinned", 0, 1},
        {"bits across threads and isa", "bits across both, both pinned", 1, 1},
    };
    const struct setting *fastest = cheapest(settings, n, 0, 0, 0);

    /* With one instruction set there is nothing to leave free, and no claim. */
    for (int k = 0; fastest && k < (settings[n - 1].family > 0 ? CF_COUNT(claims) : 2); ++k) {
        const struct setting *const free_one =
            cheapest(settings, n, claims[k].free_threads, claims[k].free_isa, 1);
        const struct setting *pinned = NULL;

        if (free_one) {
            print_row(claims[k].claim, line, free_one, fastest);
            continue;
        }
        for (int i = 0; claims[k].pinned && i < n; ++i) {
            const struct setting *s = &settings[i];
            const int portable = !claims[k].free_isa || s->family > 0;

            if (s->n == ROUNDS && s->is_steady && portable &&
                (!claims[k].free_threads || s->threads == 1) &&
                (!pinned || median_ms(s) < median_ms(pinned)))
                pinned = s;
        }
        if (pinned)
            print_row(claims[k].pinned, line, pinned, fastest);
        else
            printf("# %s: no setting keeps it: %s\n", claims[k].claim, line);
    }
}

/* The settings of one library or kernel. */
static int list_settings(struct setting settings[], const char *base, const char *const pins[])
{
    int n = 0;

    for (int family = 0; pins[family]; ++family)
        for (int threads = 1; threads <= THREADS; ++threads) {
            struct setting *s = &settings[n++];

            *s = (struct setting){.threads = threads, .family = family};
            snprintf(s->text, sizeof s->text, "%s threads=%d%s%s", base, threads,
                     *pins[family] ? " " : "", pins[family]);
        }
    return n;
}

static void bench_one(const char *base, const char *const pins[], const char *worker)
{
    static struct setting settings[SETTINGS_MAX];
    const int n = list_settings(settings, base, pins);

    for (int w = 0; w < CF_COUNT(workloads); ++w) {
        measure(settings, n, workloads[w], worker);
        print_claims(settings, n, workloads[w]);
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    static const char *const found[] = {"/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3",
                                        "/usr/lib/x86_64-linux-gnu/blis-pthread/libblas.so.3",
                                        "/usr/lib/x86_64-linux-gnu/atlas/libblas.so.3", NULL};
    static const char *const none[] = {"", NULL};
    static const char *const cores[] = {"", "coretype=Haswell", "coretype=Prescott", NULL};
    static const char *const kernels[] = {"forward", "pairwise", "chunks", "arrival", NULL};
    char *worker =
        cf_format("%.*s/conform-worker",
                  (int)(strrchr(argv[0], '/') ? strrchr(argv[0], '/') - argv[0] : 0), argv[0]);

    if (access(worker, X_OK) != 0) { /* bench/ lies below the build folder */
        free(worker);
        worker =
            cf_format("%.*s/../conform-worker",
                      (int)(strrchr(argv[0], '/') ? strrchr(argv[0], '/') - argv[0] : 0), argv[0]);
    }
    printf("# what\tpeer\tcase\tratio min\tmedian\tmax\n");
    for (int i = 0; kernels[i]; ++i) {
        char *base = cf_format("plain kernel=%s", kernels[i]);

        bench_one(base, none, worker);
        free(base);
    }
    for (int i = 0; argc > 1 ? i + 1 < argc : found[i] != NULL; ++i) {
        const char *path = argc > 1 ? argv[i + 1] : found[i];
        char *base = cf_format("blas lib=%s", path);

        if (access(path, R_OK) == 0)
            bench_one(base, strstr(path, "openblas") ? cores : none, worker);
        free(base);
    }
    free(worker);
    return 0;
}
