/* The self-test's runs: a store a stage, each of which goes on where it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "documents.h"
#include "extend.h"
#include "judge.h"
#include "seed_bank.h"
#include "select.h"
#include "selftest.h"
#include "task.h"
#include "terminal.h"

#define TRIALS_FAST    30 /* of each kind, with the losses of each pool */
#define TRIALS_FULL    2000
#define TRIALS_AT_ONCE 200
#define TRIAL_SEED     20260101

static const struct {
    const char *file, *what;
} stages[CF_N_STAGES_OF_SELFTEST] = {
    [CF_STAGE_SUM_PAIRS] = {"sum-pairs", "honest orders of sums"},
    [CF_STAGE_SUMS] = {"sums", "bugs of sums"},
    [CF_STAGE_FLIPS] = {"flips", "flipped bits"},
    [CF_STAGE_TRAINING_BANK] = {"training-bank", "a bank for the training bugs"},
    [CF_STAGE_TRAINING] = {"training", "training bugs"},
    [CF_STAGE_PAIRS_BANK] = {"pairs-bank", "banks for honest training"},
    [CF_STAGE_PAIRS] = {"pairs", "honest training"},
    [CF_STAGE_CLAIMS_BANK] = {"claims-bank", "banks for the claims"},
    [CF_STAGE_CLAIMS] = {"claims", "bugs and claims"}};

int cf_selftest_is_bank(enum cf_selftest_stage stage)
{
    return stage == CF_STAGE_TRAINING_BANK || stage == CF_STAGE_PAIRS_BANK ||
           stage == CF_STAGE_CLAIMS_BANK;
}

static int is_training(enum cf_selftest_stage stage)
{
    return stage == CF_STAGE_TRAINING || stage == CF_STAGE_PAIRS || stage == CF_STAGE_CLAIMS;
}

/* What one stage works with. */
struct work {
    enum cf_selftest_stage stage;
    struct cf_selftest *st;
    struct cf_options *options;
    struct cf_plan plan;
    struct cf_store *store;
    char *bank; /* of the stage before. Owned */
    int part;   /* announced so far */
};

/* A store that a killed run left before its plan was in it is a new one. */
static int open_store(struct work *w, struct cf_error *err)
{
    char *path = cf_format("%s/%s.db", w->st->folder, stages[w->stage].file), *level = NULL;
    const int there = access(path, F_OK) == 0;

    w->store = cf_store_open(path, there ? CF_STORE_RESUME : CF_STORE_CREATE, err);
    free(path);
    if (!w->store)
        return -1;
    level = cf_store_get_meta(w->store, "level");
    free(level);
    if (level && cf_select_stored(w->store, &w->plan, err) != 0)
        return -1;
    if (!level && cf_selftest_plan(&w->plan, w->stage, w->st->full, err) != 0)
        return -1;
    return cf_plan_store(&w->plan, w->store, err);
}

/* A bank that the store has already is kept: what was judged against it stays judged against it. */
static int attach_bank(struct work *w, struct cf_error *err)
{
    char *there = cf_store_get_meta(w->store, "bank");
    const int result = there || !w->bank ? 0 : cf_store_put_meta(w->store, "bank", w->bank, err);

    free(there);
    return result;
}

/* The full form goes on to 40 and 80 seeds where 20 decide nothing. */
static int work_off(struct work *w, struct cf_error *err)
{
    struct cf_options quiet = *w->options;
    int result, n_added = 0;

    quiet.quiet = 1;
    do {
        result = cf_task_run(w->options, &w->plan, w->store, err);
        if (result == 0 && w->st->full && is_training(w->stage))
            n_added = cf_extend(&quiet, &w->plan, w->store, err);
    } while (result == 0 && n_added > 0);
    return n_added < 0 ? -1 : result;
}

static int make_bank(struct work *w, struct cf_error *err)
{
    struct cf_arena arena = {0};
    struct cf_ledger ledger;
    struct cf_trained trained;
    struct cf_seed_bank bank;
    int result;

    if (cf_ledger_read(&ledger, w->store, &arena, err) != 0)
        return -1;
    result = cf_trained_read(&trained, &ledger, w->store, err);
    if (result == 0) {
        cf_seed_bank_make(&bank, ledger.configuration[0].text, &trained, 0);
        free(w->bank);
        w->bank = cf_seed_bank_print(&bank);
        cf_seed_bank_free(&bank);
        cf_trained_free(&trained);
    }
    cf_ledger_free(&ledger);
    cf_arena_free(&arena);
    return result;
}

struct observing {
    struct cf_selftest *st;
    const struct cf_findings *findings;
};

static void observe(void *context, const struct cf_expectation *e)
{
    struct observing *o = context;

    cf_selftest_observe(o->st, e, o->findings);
}

static int is_one_of(const char *text, const char *const *texts)
{
    while (*texts && strcmp(*texts, text) != 0)
        ++texts;
    return *texts != NULL;
}

static void count_pairs(struct cf_alarms *alarms, const struct cf_findings *findings)
{
    for (int i = 0; i < findings->n_configurations; ++i)
        if (is_one_of(findings->configurations[i].text, cf_selftest_orders) ||
            is_one_of(findings->configurations[i].text, cf_selftest_twins))
            cf_selftest_pair(alarms, findings, i);
}

static int judge(struct work *w, struct cf_error *err)
{
    static const enum cf_selftest_kind kinds[CF_N_STAGES_OF_SELFTEST] = {
        [CF_STAGE_SUMS] = CF_SELFTEST_SUMS,         [CF_STAGE_FLIPS] = CF_SELFTEST_FLIPS,
        [CF_STAGE_TRAINING] = CF_SELFTEST_TRAINING, [CF_STAGE_CLAIMS] = CF_SELFTEST_CLAIMS,
        [CF_STAGE_SUM_PAIRS] = CF_SELFTEST_N,       [CF_STAGE_PAIRS] = CF_SELFTEST_N};
    struct observing o = {.st = w->st};
    struct cf_options options = *w->options;
    struct cf_findings *findings;

    options.level = CF_FUNCTIONAL;
    options.scope = CF_TO_BASELINE;
    findings = cf_task_judge(&options, w->store, err);
    if (!findings)
        return -1;
    o.findings = findings;
    if (kinds[w->stage] != CF_SELFTEST_N)
        cf_selftest_each(kinds[w->stage], w->st->full, observe, &o);
    if (w->stage == CF_STAGE_SUM_PAIRS)
        count_pairs(&w->st->sums, findings);
    if (w->stage == CF_STAGE_TRAINING || w->stage == CF_STAGE_PAIRS)
        count_pairs(&w->st->training, findings);
    if (is_training(w->stage))
        cf_selftest_count_levels(w->st, findings);
    cf_findings_free(findings);
    return 0;
}

static void announce(struct work *w, const char *what, int64_t n, const char *unit)
{
    const int parts = (w->st->full ? CF_N_STAGES_OF_SELFTEST : CF_STAGE_PAIRS_BANK) + 1;

    if (!w->options->quiet)
        fprintf(stderr, "conform: selftest, part %d of %d: %s, %lld %s\n", ++w->part, parts, what,
                (long long)n, unit);
}

static void close_store(struct work *w)
{
    if (w->store)
        cf_store_close(w->store);
    w->store = NULL;
    cf_plan_free(&w->plan);
}

static int run_stage(struct work *w, struct cf_error *err)
{
    int result = open_store(w, err);

    if (result == 0)
        result = attach_bank(w, err);
    if (result == 0) {
        announce(w, stages[w->stage].what, cf_plan_count(&w->plan), "runs");
        result = work_off(w, err);
    }
    if (result == 0)
        result = cf_selftest_is_bank(w->stage) ? make_bank(w, err) : judge(w, err);
    close_store(w);
    return result;
}

/* Counts of a boundary are kept in the bank's store, so that a killed self-test goes on. */
static int keep_margin(struct cf_store *store, const char *key, const struct cf_boundary *b,
                       struct cf_error *err)
{
    char *text = cf_format("%d %d %d %d", b->n, b->n_pass, b->n_fail, b->n_first);
    const int result = cf_store_put_meta(store, key, text, err);

    free(text);
    return result;
}

static void recall_margin(struct cf_store *store, const char *key, struct cf_boundary *b, int most)
{
    char *text = cf_store_get_meta(store, key);
    struct cf_boundary kept = *b;

    if (text &&
        sscanf(text, "%d %d %d %d", &kept.n, &kept.n_pass, &kept.n_fail, &kept.n_first) == 4 &&
        kept.n > 0 && kept.n <= most) {
        *b = kept;
        cf_boundary_bound(b);
    }
    free(text);
}

/* Trials of one kind with the losses of one cell. */
static int try_one(struct work *w, struct cf_progress *progress, int place,
                   const struct cf_bank_cell *cell, struct cf_error *err)
{
    const int most = w->st->full ? TRIALS_FULL : TRIALS_FAST;
    const int total = most * CF_N_BOUNDARIES * CF_SELFTEST_POOLS;
    struct cf_boundary b =
        cf_boundary_start((enum cf_boundary_kind)(place / CF_SELFTEST_POOLS), cell->loss, cell->n);
    char *key = cf_format("margin.%d", place);
    int result = 0;

    recall_margin(w->store, key, &b, most);
    while (b.n < most && result == 0) {
        cf_progress_show(progress, (int64_t)place * most + b.n, total, "trials at the margin");
        cf_boundary_try(&b, cell->loss, cell->n,
                        b.n + TRIALS_AT_ONCE < most ? TRIALS_AT_ONCE : most - b.n, TRIAL_SEED);
        result = keep_margin(w->store, key, &b, err);
    }
    free(key);
    w->st->boundary[w->st->n_boundaries++] = b;
    return result;
}

/* With the losses of the cells of the training bugs. */
static int try_margin(struct work *w, struct cf_error *err)
{
    struct cf_seed_bank bank;
    struct cf_progress progress;
    int result = open_store(w, err);

    if (result == 0)
        result = cf_seed_bank_parse(&bank, w->bank, "of the self-test", err);
    if (result == 0) {
        CF_CHECK(bank.n == CF_SELFTEST_POOLS);
        announce(w, "the margin",
                 (w->st->full ? TRIALS_FULL : TRIALS_FAST) * CF_N_BOUNDARIES * CF_SELFTEST_POOLS,
                 "trials");
        cf_progress_start(&progress, w->options);
        for (int k = 0; k < CF_N_BOUNDARIES * CF_SELFTEST_POOLS && result == 0; ++k)
            result = try_one(w, &progress, k, &bank.cell[k % CF_SELFTEST_POOLS], err);
        cf_progress_clear(&progress);
        cf_seed_bank_free(&bank);
    }
    close_store(w);
    return result;
}

int cf_selftest_run(struct cf_selftest *st, struct cf_options *options, struct cf_error *err)
{
    const int n = st->full ? CF_N_STAGES_OF_SELFTEST : CF_STAGE_PAIRS_BANK;
    const int64_t start = cf_terminal_clock();
    struct work w = {.st = st, .options = options};
    char *training_bank = NULL;
    int result = 0;

    for (int stage = 0; stage < n && result == 0; ++stage) {
        w.stage = (enum cf_selftest_stage)stage;
        result = run_stage(&w, err);
        if (result == 0 && stage == CF_STAGE_TRAINING_BANK)
            training_bank = cf_strdup(w.bank);
    }
    free(w.bank);
    w.bank = training_bank;
    w.stage = CF_STAGE_TRAINING_BANK;
    if (result == 0)
        result = try_margin(&w, err);
    free(w.bank);
    st->seconds = (double)(cf_terminal_clock() - start) * 1e-9;
    return result;
}
