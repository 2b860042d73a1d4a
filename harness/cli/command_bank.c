/* bank: the baseline with many seeds. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bank_file.h"
#include "commands.h"
#include "documents.h"
#include "equivalence.h"
#include "reference.h"
#include "seed_bank.h"
#include "suite.h"
#include "select.h"
#include "task.h"
#include "terminal.h"
#include "train.h"

#define LEAST_SEEDS 20 /* of a cell that is about distributions */
#define RECHECKED   10 /* seeds of a cell (levels.md, section 4) */

/* The cells of a suite that are judged against a bank. */
struct cells {
    int n;
    char *text[64];
    int n_seeds[64];
};

static int list_cells(struct cells *cells, const char *suite, struct cf_error *err)
{
    struct cf_plan plan = {.level = CF_STATISTICAL};
    int n = 0;

    *cells = (struct cells){.n = 0};
    if (cf_plan_add_suite(&plan, suite, NULL, 0, 0, err) < 0)
        return -1;
    for (int i = 0; i < plan.n_cases; ++i) {
        char *text;
        int k = 0;

        if (cf_training_model(plan.cases[i].c.op) < 0)
            continue;
        text = cf_trained_cell_text(&plan.cases[i].c);
        while (k < n && strcmp(cells->text[k], text) != 0)
            ++k;
        if (k == n && n < CF_COUNT(cells->text))
            cells->text[n++] = cf_strdup(text);
        if (k < n)
            ++cells->n_seeds[k];
        free(text);
    }
    for (int k = 0; k < n; ++k) {
        if (cells->n_seeds[k] >= LEAST_SEEDS)
            cells->text[cells->n++] = cells->text[k];
        else
            free(cells->text[k]);
    }
    cf_plan_free(&plan);
    return cells->n > 0 ? 0
                        : cf_fail(err,
                                  "the suite %s has no training cell with %d seeds; training and "
                                  "smoke have",
                                  suite, LEAST_SEEDS);
}

static void free_cells(struct cells *cells)
{
    for (int i = 0; i < cells->n; ++i)
        free(cells->text[i]);
}

struct adding {
    struct cf_plan *plan;
    const char *suite;
    struct cf_error *err;
};

static int add_case(const char *line, void *context)
{
    struct adding *adding = context;

    return cf_plan_add_case(adding->plan, line, adding->suite, 1, 1, adding->err) < 0 ? -1 : 0;
}

static int add_line(void *context, const char *line)
{
    struct adding *adding = context;

    return cf_pairs_expand(line, add_case, adding, adding->err);
}

/* The baseline alone: the first configuration that is written out, else the matrix's. */
static int add_baseline(const struct cf_options *options, struct cf_plan *plan,
                        struct cf_error *err)
{
    struct cf_options own = *options;
    struct cf_matrix matrix;
    int result;

    own.scope = CF_TO_BASELINE;
    if (cf_select_matrix(&own, &matrix, err) != 0)
        return -1;
    result = cf_plan_add_configuration(plan, matrix.line[matrix.baseline],
                                       matrix.label[matrix.baseline], err);
    cf_matrix_free(&matrix);
    return result < 0 ? -1 : 0;
}

static int make_plan(const struct cf_options *options, const char *suite, struct cf_plan *plan,
                     struct cf_error *err)
{
    struct adding adding = {plan, suite, err};
    struct cells cells;
    int result = list_cells(&cells, suite, err);

    *plan = (struct cf_plan){.level = CF_STATISTICAL};
    if (result == 0)
        result = add_baseline(options, plan, err);
    for (int i = 0; i < cells.n && result == 0; ++i)
        result = cf_seed_bank_plan(cells.text[i], CF_BANK_SEEDS, add_line, &adding);
    free_cells(&cells);
    return result;
}

/* A twin differs by rounding alone: a baseline whose twin is not equivalent to it is none. */
static int qualify(const struct cf_bank_cell *cell, const struct cf_trained *trained, int at,
                   struct cf_error *err)
{
    double twin[LEAST_SEEDS];
    struct cf_bank bank;
    struct cf_metric metric = {"loss", &bank, &cf_margins_default, twin};
    struct cf_look look = {.verdict = CF_SKIP};
    const char *why = "a run did not end";

    for (int s = 0; s < LEAST_SEEDS; ++s) {
        const struct cf_trained_run *run = cf_trained_find(trained, at, s + 1, 0, 1, 0);

        twin[s] = run && run->ran ? run->loss : NAN;
    }
    if (cell->n >= CF_BANK_SEEDS_LEAST && cell->n_twin_seeds == CF_BANK_TWIN_SEEDS &&
        cell->n_rungs == CF_BANK_RUNGS &&
        cf_bank_init(&bank, cell->loss, cell->n, CF_LOWER_IS_BETTER)) {
        look = cf_equivalence_look(&metric, 1, 0);
        why = look.reason;
    }
    if (look.verdict == CF_PASS)
        return 0;
    return cf_fail_with(err, 3, "the baseline does not qualify in `%s`: %s", cell->text, why);
}

static void print_bank(const struct cf_seed_bank *bank, const char *suite, const char *path)
{
    printf("bank %.12s: %d cells of `%s`, %d seeds each; %s\n", bank->hash, bank->n, bank->baseline,
           bank->cell[0].n, path);
    for (int i = 0; cf_suites[i]; ++i)
        if (strcmp(cf_suites[i]->name, suite) == 0)
            cf_claims_print(stdout, bank, cf_suites[i]);
}

static int finish(const struct cf_options *options, const char *suite, struct cf_store *store,
                  const char *path, struct cf_error *err)
{
    struct cf_arena arena = {0};
    struct cf_ledger ledger;
    struct cf_trained trained;
    struct cf_seed_bank bank;
    char *text;
    int result;

    if (cf_ledger_read(&ledger, store, &arena, err) != 0)
        return -1;
    result = cf_trained_read(&trained, &ledger, store, err);
    if (result == 0) {
        cf_seed_bank_make(&bank, ledger.configuration[0].text, &trained, 0);
        for (int i = 0; i < bank.n && result == 0; ++i)
            result = qualify(&bank.cell[i], &trained, i, err);
        text = cf_seed_bank_print(&bank);
        if (result == 0)
            result = cf_document_put(path, text, strlen(text), err);
        if (result == 0 && !options->quiet)
            print_bank(&bank, suite, path);
        free(text);
        cf_seed_bank_free(&bank);
        cf_trained_free(&trained);
    }
    cf_ledger_free(&ledger);
    cf_arena_free(&arena);
    return result;
}

static struct cf_store *open_records(const char *records, const struct cf_plan *plan,
                                     struct cf_error *err)
{
    const int is_there = access(records, F_OK) == 0;
    struct cf_store *store =
        cf_store_open(records, is_there ? CF_STORE_RESUME : CF_STORE_CREATE, err);
    char *why;

    if (!store || cf_plan_store(plan, store, err) == 0)
        return store;
    cf_store_close(store);
    why = cf_strdup(err->text);
    cf_fail_with(err, err->exit_code,
                 "%s (%s holds an interrupted build; remove it to begin again)", why, records);
    free(why);
    return NULL;
}

/* Records go into PATH.db: an interrupted build goes on where it was. A finished one needs them no
 * longer. */
static int build(struct cf_options *options, const char *suite, struct cf_error *err)
{
    struct cf_plan plan;
    struct cf_store *store = NULL;
    char *path = NULL, *records = NULL;
    int result = make_plan(options, suite, &plan, err);

    if (result == 0)
        path = cf_bank_path(options, suite, plan.configurations[0].config.text, err);
    if (path) {
        records = cf_format("%s.db", path);
        store = open_records(records, &plan, err);
    }
    result = store ? cf_task_run(options, &plan, store, err) : -1;
    if (result == 0)
        result = finish(options, suite, store, path, err);
    else if (result > 0 && !options->quiet)
        fprintf(stderr, "conform: interrupted; the same command goes on\n");
    if (store)
        cf_store_close(store);
    if (result == 0)
        unlink(records);
    cf_plan_free(&plan);
    free(records);
    free(path);
    return result;
}

/* One seed again: 1 when it ends in another loss or another chain of all its steps. */
static int check_seed(const struct cf_seed_bank *bank, const struct cf_bank_cell *cell, int seed,
                      const char *worker, struct cf_error *err)
{
    const struct cf_train_options how = {.worker = worker};
    char *line = cf_format("%s seed=%d", cell->text, seed);
    struct cf_train_result result;
    const int failed = cf_train(line, bank->baseline, &how, &result, err);
    const struct cf_tensor *hashes = &result.out[CF_OUT_HASHES];
    uint64_t link;
    double loss;

    free(line);
    if (failed)
        return -1;
    loss = cf_tensor_get(&result.out[CF_OUT_METRICS], CF_METRIC_LOSS);
    link = ((const uint64_t *)hashes->bits)[hashes->dim[0] * CF_N_STAGES - 1];
    cf_train_result_free(&result);
    return link != cell->link[seed - 1] || memcmp(&loss, &cell->loss[seed - 1], sizeof loss) != 0;
}

/* The first seeds of a cell again. Returns how many end elsewhere, or -1 and a sentence. */
static int check_cell(const struct cf_seed_bank *bank, const struct cf_bank_cell *cell,
                      const char *worker, struct cf_error *err)
{
    int n_differ = 0, differs = 0;

    for (int s = 1; s <= RECHECKED && s <= cell->n && differs >= 0; ++s) {
        differs = check_seed(bank, cell, s, worker, err);
        n_differ += differs;
    }
    return differs < 0 ? -1 : n_differ;
}

static int check_all(const struct cf_seed_bank *bank, struct cf_error *err)
{
    char *worker = cf_task_worker(err);
    int n_differ = 0;

    for (int i = 0; worker && i < bank->n; ++i) {
        const int n = check_cell(bank, &bank->cell[i], worker, err);

        if (n < 0) {
            free(worker);
            return -1;
        }
        printf("%d of %d seeds differ  %s\n", n, RECHECKED, bank->cell[i].text);
        n_differ += n;
    }
    if (!worker)
        return -1;
    free(worker);
    printf(n_differ
               ? "`%s` does not end where the bank %.12s says: build it again with `conform bank "
                 "build`\n"
               : "`%s` ends where the bank %.12s says\n",
           bank->baseline, bank->hash);
    return n_differ > 0;
}

static int check(struct cf_options *options, const char *suite, struct cf_error *err)
{
    struct cf_plan plan = {.level = CF_STATISTICAL};
    struct cf_seed_bank bank;
    char *path = NULL, *text = NULL;
    int result = options->bank ? 0 : add_baseline(options, &plan, err);

    if (result == 0)
        path = cf_bank_path(options, suite, options->bank ? "" : plan.configurations[0].config.text,
                            err);
    if (path)
        text = cf_bank_read(path, err);
    result = text ? cf_seed_bank_parse(&bank, text, path, err) : -1;
    if (result == 0) {
        result = check_all(&bank, err);
        cf_seed_bank_free(&bank);
    }
    cf_plan_free(&plan);
    free(text);
    free(path);
    return result;
}

int cf_command_bank(struct cf_options *options, struct cf_error *err)
{
    const char *word = options->rest.n == 1 ? options->rest.word[0] : "";
    const char *suite = options->suite ? options->suite : "training";

    if (strcmp(word, "build") == 0)
        return build(options, suite, err);
    if (strcmp(word, "check") == 0)
        return check(options, suite, err);
    return cf_fail(err,
                   "write `conform bank build`, which runs the baseline's seeds, or `conform bank "
                   "check`, which runs ten of them again");
}
