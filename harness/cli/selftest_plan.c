/* What the self-test runs: cells, configurations, seeds. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"
#include "seed_bank.h"
#include "selftest.h"

/* "SUITE|CASE": the suite is the cell's name in the store, so that each cell is judged alone. */
static const char *const cells_fast[] = {
    "logreg|train_logreg f32 steps=128 batch=16 lr=0.05 decay=0.0001 fill=digits",
    "mlp|train_mlp f32 steps=128 batch=16 hidden=16 optimizer=adam lr=0.003 decay=0.0001 "
    "dropout=30 "
    "fill=digits",
    NULL};
static const char *const cells_full[] = {
    "logreg|train_logreg f32 steps=320 batch=32 lr=0.05 decay=0.0001 fill=digits",
    "mlp|train_mlp f32 steps=384 batch=32 hidden=64 optimizer=adam lr=0.001 decay=0.0001 "
    "dropout=30 fill=digits",
    NULL};
/* Those of the suite training, whose claims are judged. */
static const char *const cells_claims[] = {
    "training|train_logreg f32 steps=320 batch=32 lr=0.05 fill=digits",
    "training|train_mlp f32 steps=384 batch=32 hidden=32 lr=0.003 optimizer=sgd dropout=0 "
    "fill=digits",
    "training|train_mlp f32 steps=384 batch=32 hidden=32 lr=0.003 optimizer=sgd dropout=30 "
    "fill=digits",
    "training|train_mlp f32 steps=384 batch=32 hidden=32 lr=0.003 optimizer=adam dropout=0 "
    "fill=digits",
    "training|train_mlp f32 steps=384 batch=32 hidden=32 lr=0.003 optimizer=adam dropout=30 "
    "fill=digits",
    NULL};
/* Short runs, many of them. */
static const char *const cells_pairs[] = {
    "sgd|train_logreg f32 steps=96 batch=16 lr=0.05 fill=digits",
    "sgd, slow|train_logreg f32 steps=96 batch=16 lr=0.01 fill=digits",
    "sgd, no momentum|train_logreg f32 steps=96 batch=16 lr=0.2 momentum=0 fill=digits",
    "adam|train_logreg f32 steps=96 batch=16 lr=0.01 optimizer=adam fill=digits",
    "adamw|train_logreg f32 steps=96 batch=16 lr=0.01 optimizer=adamw decay=0.01 fill=digits",
    "cosine|train_logreg f32 steps=96 batch=16 lr=0.05 schedule=cosine fill=digits",
    "clipped|train_logreg f32 steps=96 batch=16 lr=0.05 clip=0.5 fill=digits",
    "centred|train_logreg f32 steps=96 batch=16 lr=0.05 preprocess=centre fill=digits",
    "binary|train_logreg f32 steps=96 batch=16 lr=0.05 preprocess=binary fill=digits",
    "replaced|train_logreg f32 steps=96 batch=16 lr=0.05 sampling=replace fill=digits",
    "augmented|train_logreg f32 steps=96 batch=16 lr=0.05 augment=1 fill=digits",
    "mlp, sgd|train_mlp f32 steps=64 batch=16 hidden=16 lr=0.05 fill=digits",
    "mlp, adam|train_mlp f32 steps=64 batch=16 hidden=16 lr=0.01 optimizer=adam fill=digits",
    "mlp, dropout|train_mlp f32 steps=64 batch=16 hidden=16 lr=0.05 dropout=30 fill=digits",
    "mlp, two layers|train_mlp f32 steps=64 batch=16 hidden=16 layers=2 lr=0.05 fill=digits",
    NULL};
/* What a bug sees, and where honest orders are compared. S1 and S2 need few seeds, S5 twenty. */
static const struct sums {
    const char *fill, *seeds;
    int rows;
} fills[] = {{"integer", "{1..20}", 64}, {"normal", "{1..20}", 64}, {"uniform", "{1..20}", 64}},
  pair_fills[] = {{"integer", "{1,2}", 16},    {"spike", "{1,2}", 16},
                  {"special", "{1,2}", 16},    {"tiny", "{1,2}", 16},
                  {"normal", "{1..20}", 64},   {"uniform", "{1..20}", 64},
                  {"cancel10", "{1..20}", 64}, {"wide", "{1..20}", 64}};
static const int lengths[] = {64, 1024, 16384, 262144}, pair_lengths[] = {4, 17, 64, 257, 1024};

/* A plan in the making. */
struct making {
    struct cf_plan *plan;
    struct cf_error *err;
    const char *suite; /* of the lines that are being added */
    int result;
};

static int add_case(const char *line, void *context)
{
    struct making *making = context;

    return cf_plan_add_case(making->plan, line, making->suite, 1, 1, making->err) < 0 ? -1 : 0;
}

/* Adds a line with braces; the line is taken. */
static void add_line(struct making *making, const char *suite, char *line)
{
    making->suite = suite;
    if (making->result == 0)
        making->result = cf_pairs_expand(line, add_case, making, making->err);
    free(line);
}

static int add_bank_line(void *context, const char *line)
{
    struct making *making = context;

    add_line(making, making->suite, cf_strdup(line));
    return making->result;
}

static void add_configuration(struct making *making, const char *text)
{
    if (making->result == 0 && cf_plan_add_configuration(making->plan, text, NULL, making->err) < 0)
        making->result = -1;
}

static void add_expected(void *context, const struct cf_expectation *e)
{
    add_configuration(context, e->configuration);
}

/* Calls each(making, suite, case) for "SUITE|CASE" texts. */
static void each_cell(struct making *making, const char *const *cells,
                      void (*each)(struct making *, const char *suite, const char *cell))
{
    for (int i = 0; cells[i] && making->result == 0; ++i) {
        char *suite = cf_format("%.*s", (int)strcspn(cells[i], "|"), cells[i]);

        each(making, suite, strchr(cells[i], '|') + 1);
        free(suite);
    }
}

/* What a bank of the cell needs, of the baseline alone. */
static void add_bank(struct making *making, const char *suite, const char *cell)
{
    making->suite = suite;
    making->result = cf_seed_bank_plan(cell, CF_BANK_SEEDS, add_bank_line, making);
}

/* The first look's seeds; those that attribution reads with the weights on the way. */
static void add_seeds(struct making *making, const char *suite, const char *cell)
{
    add_line(making, suite, cf_format("%s snapshots=9 seed={1..%d}", cell, CF_BANK_TWIN_SEEDS));
    add_line(making, suite, cf_format("%s seed={%d..20}", cell, CF_BANK_TWIN_SEEDS + 1));
}

static void add_sums(struct making *making, const char *prefix, const struct sums *sums, int n)
{
    char *suite = cf_format("%s%d %s", prefix, n, sums->fill);

    add_line(making, suite,
             cf_format("dot f32 m=%d n=%d fill=%s seed=%s", n > 65536 ? 8 : sums->rows, n,
                       sums->fill, sums->seeds));
    free(suite);
}

static void add_all(struct making *making, const char *const texts[], int most)
{
    for (int i = 0; texts[i] && i < most; ++i)
        add_configuration(making, texts[i]);
}

static const char *const *cells_of(enum cf_selftest_stage stage, int full)
{
    if (stage == CF_STAGE_CLAIMS_BANK || stage == CF_STAGE_CLAIMS)
        return cells_claims;
    if (stage == CF_STAGE_PAIRS_BANK || stage == CF_STAGE_PAIRS)
        return cells_pairs;
    return full ? cells_full : cells_fast;
}

static void plan_sums(struct making *making, int full)
{
    add_configuration(making, "plain kernel=canon");
    cf_selftest_each(CF_SELFTEST_SUMS, full, add_expected, making);
    for (int i = 0; i < CF_COUNT(lengths) && (full || lengths[i] <= 1024); ++i)
        for (int f = 0; f < CF_COUNT(fills); ++f)
            add_sums(making, "n=", &fills[f], lengths[i]);
}

static void plan_flips(struct making *making)
{
    add_configuration(making, "plain kernel=canon");
    cf_selftest_each(CF_SELFTEST_FLIPS, 0, add_expected, making);
    for (int f = 0; f < CF_COUNT(fills); ++f)
        if (strcmp(fills[f].fill, "normal") != 0) /* where nothing is certain about a flip */
            add_sums(making, "n=", &fills[f], 64);
}

static void plan_sum_pairs(struct making *making)
{
    add_all(making, cf_selftest_orders, INT_MAX);
    for (int i = 0; i < CF_COUNT(pair_lengths); ++i)
        for (int f = 0; f < CF_COUNT(pair_fills); ++f)
            add_sums(making, "pair n=", &pair_fills[f], pair_lengths[i]);
}

static void plan_training(struct making *making, enum cf_selftest_stage stage, int full)
{
    const char *const *cells = cells_of(stage, full);

    if (stage == CF_STAGE_TRAINING)
        cf_selftest_each(CF_SELFTEST_TRAINING, full, add_expected, making);
    if (stage == CF_STAGE_CLAIMS)
        cf_selftest_each(CF_SELFTEST_CLAIMS, full, add_expected, making);
    if (stage == CF_STAGE_TRAINING || stage == CF_STAGE_PAIRS) {
        add_all(making, cf_selftest_orders, INT_MAX);
        add_all(making, cf_selftest_twins, full ? INT_MAX : 3);
    }
    each_cell(making, cells, add_seeds);
}

int cf_selftest_plan(struct cf_plan *plan, enum cf_selftest_stage stage, int full,
                     struct cf_error *err)
{
    struct making making = {.plan = plan, .err = err};

    *plan = (struct cf_plan){.level = stage == CF_STAGE_CLAIMS ? CF_FUNCTIONAL : CF_STATISTICAL};
    add_configuration(&making, CF_SELFTEST_BASELINE);
    if (stage == CF_STAGE_SUMS)
        plan_sums(&making, full);
    else if (stage == CF_STAGE_FLIPS)
        plan_flips(&making);
    else if (stage == CF_STAGE_SUM_PAIRS)
        plan_sum_pairs(&making);
    else if (cf_selftest_is_bank(stage))
        each_cell(&making, cells_of(stage, full), add_bank);
    else
        plan_training(&making, stage, full);
    return making.result;
}
