/* Stores of made-up training runs: a subject is a function that says how a run of a seed ended, so
 * that shifts, spreads and distances are known exactly. Nothing is trained. */
#ifndef CF_TESTS_TRAINING_H
#define CF_TESTS_TRAINING_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pairs.h"
#include "reference.h"
#include "seed_bank.h"
#include "special.h"
#include "store.h"

#define CELL  "train_logreg f32 steps=4 batch=4 lr=0.3 rows=100 fill=drawn"
#define OTHER "train_logreg f32 steps=4 batch=4 lr=0.2 rows=100 fill=drawn"
#define SIGMA 0.012

/* A folder of its own, and a path in it. */
static char *made_folder(void)
{
    const char *tmp = getenv("TMPDIR");
    char *folder = cf_format("%s/conform-made-XXXXXX", tmp && *tmp ? tmp : "/tmp");

    CF_CHECK(mkdtemp(folder) != NULL);
    return folder;
}

static inline void made_clean(char *folder)
{
    char *command = cf_format("rm -rf '%s'", folder);

    CF_CHECK(system(command) == 0);
    free(command);
    free(folder);
}

struct made {
    enum cf_fate fate;
    double loss, accuracy, worst;
    double away; /* relative distance of the weights from the baseline's */
    int other_data;
};
typedef void behaviour(struct made *run, int64_t seed, int64_t twin, int64_t perturb);

struct maker {
    const char *text;
    behaviour *run;
};

/* Normal scores of 200 seeds in an order of its own for each stride (prime to 200). */
static double score(int64_t seed, int stride)
{
    return cf_normal_quantile_d((double)((seed * stride) % 200 + 0.5) / 200);
}

/* The baseline: sigma 0.012; a twin is 2^-24 away, a rung of the ladder 2^-bits. */
static inline void baseline(struct made *run, int64_t seed, int64_t twin, int64_t perturb)
{
    run->loss = 0.310 + SIGMA * score(seed, 77);
    run->accuracy = 0.952 - 0.1 * SIGMA * score(seed, 77);
    run->worst = 0.90;
    run->away = perturb > 0 ? ldexp(1, -(int)perturb) : twin > 0 ? ldexp(1, -24) : 0;
}

static void fill(struct cf_tensor out[], const struct made *run, int64_t seed)
{
    const int64_t n = out[CF_OUT_WEIGHTS].dim[0], steps = out[CF_OUT_HASHES].dim[0];

    for (int64_t i = 0; i < steps * CF_N_STAGES; ++i)
        ((int64_t *)out[CF_OUT_HASHES].bits)[i] = 1000 * seed + i + (run->other_data ? 7 : 0);
    ((int64_t *)out[CF_OUT_HASHES].bits)[steps * CF_N_STAGES - 1] =
        (int64_t)(run->loss * 1e15) + seed;
    cf_tensor_set(&out[CF_OUT_METRICS], CF_METRIC_LOSS, run->loss);
    cf_tensor_set(&out[CF_OUT_METRICS], CF_METRIC_ACCURACY, run->accuracy);
    for (int c = 0; c < CF_CLASSES; ++c)
        cf_tensor_set(&out[CF_OUT_METRICS], CF_METRIC_RECALL + c, run->worst);
    /* All weights are 1, and one is off: the relative distance is off / sqrt(n). */
    for (int64_t i = 0; i < n; ++i)
        cf_tensor_set(&out[CF_OUT_WEIGHTS], i, 1);
    cf_tensor_set(&out[CF_OUT_WEIGHTS], 0, 1 + run->away * sqrt((double)n));
    for (int64_t k = 0; k < out[CF_OUT_SNAPSHOTS].dim[0]; ++k)
        memcpy((char *)out[CF_OUT_SNAPSHOTS].bits +
                   k * (int64_t)cf_tensor_bytes(&out[CF_OUT_WEIGHTS]),
               out[CF_OUT_WEIGHTS].bits, cf_tensor_bytes(&out[CF_OUT_WEIGHTS]));
}

/* All outputs of a run, back to back. The caller frees. */
static char *make_bits(const struct cf_case *c, const struct made *run, uint64_t *n_bytes)
{
    const struct cf_op *op = cf_op_find(c->op);
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    char *bits;

    CF_CHECK(op->shape(c, in, out, NULL) == 0);
    *n_bytes = 0;
    for (int o = 0; o < op->n_outputs; ++o)
        *n_bytes += cf_tensor_bytes(&out[o]);
    bits = cf_alloc_zero(*n_bytes + 1);
    *n_bytes = 0;
    for (int o = 0; o < op->n_outputs; ++o) {
        out[o].bits = bits + *n_bytes;
        *n_bytes += cf_tensor_bytes(&out[o]);
    }
    fill(out, run, (int64_t)c->seed);
    return bits;
}

struct making {
    struct cf_store *store;
    const struct maker *makers;
    int n_makers, n_cases;
};

static int64_t number(const struct cf_case *c, const char *key)
{
    int64_t value;

    CF_CHECK(cf_pairs_int(&c->keys, key, 0, &value, NULL) == 0);
    return value;
}

static void put_run(struct making *m, const struct cf_case *c, int64_t id, int maker)
{
    struct made run = {.fate = CF_RAN};
    struct cf_record record = {
        .configuration = maker + 1, .case_id = id, .fate = CF_RAN, .wall_ns = 1};
    struct cf_error err = {.text = ""};
    uint64_t n_bytes;
    char *bits;

    baseline(&run, (int64_t)c->seed, number(c, "twin"), number(c, "perturb"));
    m->makers[maker].run(&run, (int64_t)c->seed, number(c, "twin"), number(c, "perturb"));
    bits = make_bits(c, &run, &n_bytes);
    record.fate = run.fate;
    if (run.fate == CF_RAN)
        cf_digest_of(&record.digest, bits, n_bytes);
    CF_CHECK(cf_store_put_record(m->store, &record, bits, n_bytes, &err) == 0);
    free(bits);
}

static int put_one(const char *line, void *context)
{
    struct making *m = context;
    struct cf_plan_case row = {.suite = "made", .processes = 1, .repetitions = 1};
    struct cf_error err = {.text = ""};
    struct cf_case c;

    CF_CHECK(cf_case_parse(&c, line, cf_op_grammar, &err) == 0);
    row.text = c.text;
    CF_CHECK(cf_store_put_case(m->store, &row, &err) == 0);
    for (int i = 0; i < m->n_makers; ++i)
        put_run(m, &c, row.id, i);
    cf_case_free(&c);
    ++m->n_cases;
    return 0;
}

static inline int put_line(void *context, const char *line)
{
    struct cf_error err = {.text = ""};

    CF_CHECK(cf_pairs_expand(line, put_one, context, &err) == 0);
    return 0;
}

/* A store with these configurations, the first of them the baseline. */
static struct making make_store(const char *path, const struct maker *makers, int n)
{
    struct cf_error err = {.text = ""};
    struct making m = {cf_store_open(path, CF_STORE_CREATE, &err), makers, n, 0};

    CF_CHECK(m.store != NULL && cf_store_begin(m.store, &err) == 0);
    for (int i = 0; i < n; ++i) {
        struct cf_plan_configuration row = {
            .text = makers[i].text, .label = makers[i].text, .requested = "{}", .effective = "{}"};

        CF_CHECK(cf_store_put_configuration(m.store, &row, &err) == 0);
    }
    CF_CHECK(cf_store_put_meta(m.store, "baseline", makers[0].text, &err) == 0);
    return m;
}

/* The bank of the made-up baseline for a cell, without running anything. */
static inline void make_bank_cell(struct cf_bank_cell *cell, const char *text, int n, double shift)
{
    struct cf_case c;
    struct cf_error err;

    CF_CHECK(cf_case_parse(&c, text, cf_op_grammar, &err) == 0);
    *cell = (struct cf_bank_cell){.text = cf_trained_cell_text(&c),
                                  .n = n,
                                  .n_curve = 3,
                                  .n_twin_seeds = CF_BANK_TWIN_SEEDS,
                                  .n_rungs = CF_BANK_RUNGS,
                                  .step = {1, 2, 4}};
    cf_case_free(&c);
    cell->loss = cf_alloc((size_t)n * sizeof cell->loss[0]);
    cell->accuracy = cf_alloc((size_t)n * sizeof cell->accuracy[0]);
    cell->worst = cf_alloc((size_t)n * sizeof cell->worst[0]);
    cell->link = cf_alloc_zero((size_t)n * sizeof cell->link[0]);
    for (int s = 0; s < n; ++s) {
        struct made run = {.fate = CF_RAN};

        baseline(&run, s + 1, 0, 0);
        cell->loss[s] = (float)(run.loss + shift); /* as the f32 metrics hold them */
        cell->accuracy[s] = (float)run.accuracy;
        cell->worst[s] = (float)run.worst;
    }
    for (int k = 0; k < CF_BANK_TWINS * CF_BANK_TWIN_SEEDS * 3; ++k)
        cell->twin[k / 3 / CF_BANK_TWIN_SEEDS][k / 3 % CF_BANK_TWIN_SEEDS][k % 3] = ldexp(1, -24);
    for (int r = 0; r < CF_BANK_RUNGS; ++r) {
        cell->bits[r] = 24 - 2 * r;
        for (int k = 0; k < 3; ++k)
            cell->rung[r][k] = ldexp(1, -(24 - 2 * r));
    }
}

static inline void put_bank(struct cf_store *store, const struct cf_seed_bank *bank)
{
    char *text = cf_seed_bank_print(bank);
    struct cf_error err = {.text = ""};

    CF_CHECK(cf_store_put_meta(store, "bank", text, &err) == 0);
    free(text);
}

#endif
