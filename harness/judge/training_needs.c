#include "training_needs.h"

#include <stdlib.h>
#include <string.h>

#include "training_claims.h"
#include "training_levels.h"

/* The look that comes after n seeds; 0: none. */
static int next_look(const struct cf_cell_judged *one)
{
    for (int k = 0; k + 1 < CF_LOOKS; ++k)
        if (one->n >= cf_look_seeds[k] && one->n < cf_look_seeds[k + 1])
            return one->bank->n >= cf_look_seeds[k + 1] ? cf_look_seeds[k + 1] : 0;
    return 0;
}

/* Does an undecided claim of the configuration speak of this cell? */
static int claim_is_open(const struct cf_training *t, int cell, int configuration)
{
    struct cf_claim_judged claim[CF_CLAIMS_MAX];
    const int n = cf_claims_judge(t->j, &t->trained, t->all, t->n, configuration,
                                  t->trained.cell[cell].group, claim, CF_CLAIMS_MAX);

    for (int i = 0; i < n; ++i)
        if (!claim[i].refused && claim[i].evidence.verdict == CF_UNKNOWN &&
            (claim[i].better == cell || claim[i].worse == cell))
            return 1;
    return 0;
}

static int is_open(const struct cf_training *t, int cell, int configuration, enum cf_level required)
{
    const struct cf_cell_judged *one = cf_training_cell(t, cell, configuration);

    if (!one->bank || one->n_other_data > 0 || next_look(one) == 0)
        return 0;
    if (one->look.verdict == CF_UNKNOWN)
        return 1;
    if (required >= CF_STATISTICAL || one->look.verdict == CF_PASS)
        return 0;
    return one->floor == CF_UNKNOWN ||
           (one->floor == CF_PASS && claim_is_open(t, cell, configuration));
}

/* Configurations of one cell stand at the same look or are decided: the earliest one is next. */
static void add_cell(struct cf_needs *needs, const struct cf_training *t, int cell,
                     enum cf_level required)
{
    const struct cf_ledger *ledger = &t->j->ledger;
    struct cf_need need = {.n_configurations = ledger->n_configurations,
                           .asked = cf_alloc_zero((size_t)ledger->n_configurations + 1)};

    for (int i = 0; i < ledger->n_configurations; ++i) {
        const struct cf_cell_judged *one = cf_training_cell(t, cell, i);

        if (i == ledger->baseline || !is_open(t, cell, i, required))
            continue;
        if (need.n_undecided > 0 && one->n + 1 > need.from)
            continue;
        if (one->n + 1 < need.from) {
            memset(need.asked, 0, (size_t)ledger->n_configurations);
            need.n_undecided = 0;
        }
        need.from = one->n + 1;
        need.to = next_look(one) + 1;
        need.asked[i] = 1;
        ++need.n_undecided;
    }
    if (need.n_undecided == 0) {
        free(need.asked);
        return;
    }
    need.asked[ledger->baseline] = 1;
    need.cell = cf_strdup(t->trained.cell[cell].text);
    need.suite = cf_strdup(ledger->group[t->trained.cell[cell].group].suite);
    needs->all = cf_realloc(needs->all, (size_t)(needs->n + 1) * sizeof needs->all[0]);
    needs->all[needs->n++] = need;
}

int cf_training_needs(struct cf_needs *needs, struct cf_store *store, enum cf_level required,
                      struct cf_error *err)
{
    struct cf_judgement *j = cf_alloc_zero(sizeof *j);
    struct cf_training t;
    int result;

    *needs = (struct cf_needs){0};
    j->store = store;
    result = cf_ledger_read(&j->ledger, store, &j->arena, err);
    if (result == 0) {
        result = cf_training_open(&t, j, err);
        for (int c = 0; result == 0 && !t.no_bank && c < t.trained.n_cells; ++c)
            if (cf_training_counts(&t, c))
                add_cell(needs, &t, c, required);
        if (result == 0)
            cf_training_close(&t);
        cf_ledger_free(&j->ledger);
    }
    cf_arena_free(&j->arena);
    free(j);
    return result;
}

void cf_needs_free(struct cf_needs *needs)
{
    for (int i = 0; i < needs->n; ++i) {
        free(needs->all[i].cell);
        free(needs->all[i].suite);
        free(needs->all[i].asked);
    }
    free(needs->all);
    *needs = (struct cf_needs){0};
}
