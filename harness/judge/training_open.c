/* What training cells and the bank of a store come to, before any finding is made of it. */
#include "training_levels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "multiplicity.h"

struct cf_cell_judged *cf_training_cell(const struct cf_training *t, int cell, int configuration)
{
    return &t->all[cell * t->j->ledger.n_configurations + configuration];
}

int cf_training_counts(const struct cf_training *t, int cell)
{
    return t->trained.cell[cell].n_seeds >= cf_look_seeds[0];
}

/* Fails hold for the whole matrix: Holm over configurations and cells. One that does not survive
 * is unknown. */
static void correct(struct cf_training *t)
{
    double *p = cf_alloc((size_t)(t->n + 1) * sizeof p[0]);
    int n = 0, k = 0;

    for (int i = 0; i < t->n; ++i)
        if (t->all[i].look.n > 0)
            p[n++] = t->all[i].look.p_fail;
    cf_holm(p, p, n);
    for (int i = 0; i < t->n; ++i) {
        struct cf_cell_judged *one = &t->all[i];

        if (one->look.n == 0)
            continue;
        one->p_fail = p[k++];
        if (one->look.verdict == CF_FAIL && !(one->p_fail <= CF_ALPHA))
            one->look.verdict = CF_UNKNOWN;
    }
    free(p);
}

/* A list of the configurations that pass all their cells: the worst cell's p is the
 * configuration's, and Benjamini and Hochberg's method says what share of the list may be false. */
static double worst_pass(const struct cf_training *t, int configuration)
{
    double worst = -1;

    for (int c = 0; c < t->trained.n_cells; ++c) {
        const struct cf_cell_judged *one = cf_training_cell(t, c, configuration);

        if (cf_training_counts(t, c) && one->bank)
            worst = one->look.p_pass <= 1 ? fmax(worst, one->look.p_pass) : 1;
    }
    return worst < 0 ? 1 : worst;
}

static void list_passing(struct cf_training *t)
{
    const int n = t->j->ledger.n_configurations;
    double *p = cf_alloc((size_t)(n + 1) * sizeof p[0]);
    int n_listed = 0, k = 0;

    for (int i = 0; i < n; ++i)
        if (i != t->j->ledger.baseline)
            p[n_listed++] = worst_pass(t, i);
    cf_benjamini_hochberg(p, p, n_listed);
    for (int i = 0; i < n; ++i) {
        if (i == t->j->ledger.baseline)
            continue;
        for (int c = 0; c < t->trained.n_cells; ++c)
            if (cf_training_cell(t, c, i)->bank)
                cf_training_cell(t, c, i)->q = p[k];
        ++k;
    }
    free(p);
}

/* The baseline's seeds run again are those of the bank, bit for bit; else they must pass
 * statistical against it, as any configuration. */
static const char *recheck(struct cf_training *t)
{
    int n = 0;

    for (int c = 0; c < t->trained.n_cells; ++c) {
        const struct cf_cell_judged *one = cf_training_cell(t, c, t->j->ledger.baseline);
        int differ = 0;

        if (!cf_training_counts(t, c) || !one->bank)
            continue;
        for (int s = 0; s < one->n && s < one->bank->n; ++s) {
            differ += memcmp(&one->loss[s], &one->bank->loss[s], sizeof one->loss[s]) != 0;
            ++n;
        }
        if (differ > 0 && one->look.verdict != CF_PASS)
            return cf_arena_format(&t->j->arena,
                                   "the baseline is not the bank's: %d of %d seeds of `%s` end in "
                                   "another loss, and they are not equivalent; build the bank "
                                   "again with `conform bank build`",
                                   differ, one->n, t->trained.cell[c].text);
    }
    if (n < CF_RECHECKED)
        return cf_arena_format(&t->j->arena,
                               "only %d seeds of the baseline were run again, of the %d needed", n,
                               CF_RECHECKED);
    return NULL;
}

static int take_bank(struct cf_training *t, struct cf_error *err)
{
    const char *baseline;
    char *text;
    int result = 0;

    if (t->j->ledger.n_configurations == 0) /* a qualification */
        return 0;
    baseline = t->j->ledger.configuration[t->j->ledger.baseline].text;
    text = cf_store_get_meta(t->j->store, "bank");
    if (!text)
        t->no_bank = "no bank of the baseline's seeds; `conform bank build` makes one";
    else
        result = cf_seed_bank_parse(&t->bank, text, "in the store", err);
    free(text);
    if (result == 0 && t->bank.n > 0 && strcmp(t->bank.baseline, baseline) != 0)
        t->no_bank = cf_arena_format(&t->j->arena, "the bank is of another baseline, `%s`",
                                     t->bank.baseline);
    return result;
}

static void judge_cells(struct cf_training *t)
{
    const int n_configurations = t->j->ledger.n_configurations;

    t->n = t->trained.n_cells * n_configurations;
    t->all = cf_alloc_zero((size_t)(t->n + 1) * sizeof t->all[0]);
    for (int c = 0; c < t->trained.n_cells; ++c)
        for (int i = 0; i < n_configurations; ++i)
            cf_cell_judge(cf_training_cell(t, c, i), &t->trained,
                          t->no_bank || !cf_training_counts(t, c)
                              ? NULL
                              : cf_seed_bank_find(&t->bank, t->trained.cell[c].text),
                          c, i);
    correct(t);
    list_passing(t);
    if (!t->no_bank && t->trained.n_cells > 0)
        t->no_bank = recheck(t);
}

int cf_training_open(struct cf_training *t, struct cf_judgement *j, struct cf_error *err)
{
    *t = (struct cf_training){.j = j};
    if (cf_trained_read(&t->trained, &j->ledger, j->store, err) != 0)
        return -1;
    if (take_bank(t, err) != 0) {
        cf_training_close(t);
        return -1;
    }
    judge_cells(t);
    return 0;
}

void cf_training_close(struct cf_training *t)
{
    for (int i = 0; i < t->n; ++i)
        cf_cell_free(&t->all[i]);
    free(t->all);
    cf_seed_bank_free(&t->bank);
    cf_trained_free(&t->trained);
    *t = (struct cf_training){.j = NULL};
}
