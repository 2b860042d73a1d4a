#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gating.h"

static const char *clause(enum cf_level wanted, enum cf_level kept)
{
    static const char *const clauses[CF_N_LEVELS] = {
        [CF_NUMERICAL] = "the old answers are kept numerically",
        [CF_STATISTICAL] = "the old answers are kept statistically only",
        [CF_SCIENTIFIC] = "the old answers are kept scientifically only",
        [CF_FUNCTIONAL] = "the old answers are kept functionally only",
        [CF_NONE] = "the old answers are kept at no level"};

    return wanted == CF_NUMERICAL ? "level numerical wants the same bits" : clauses[kept];
}

/* What the judge says of the new side's group against the old side, when it fails the level that
 * was asked for, as a clause. *undecided: there is not enough evidence. */
static const char *below(const struct cf_gate_result *g, int i, int *undecided)
{
    const struct cf_history *h = &g->v->history;
    const struct cf_ledger_group *group = &h->ledger.group[h->ledger.cases[i].group];

    *undecided = 0;
    for (int k = 0; g->findings && k < g->findings->n_cells; ++k) {
        const struct cf_cell_finding *cell = &g->findings->cells[k];

        if (cell->configuration != g->new || strcmp(cell->suite, group->suite) != 0 ||
            strcmp(cell->group, group->name) != 0)
            continue;
        *undecided = cell->verdict == CF_UNKNOWN;
        return cell->verdict == CF_FAIL ? clause(g->options->level, cell->level) : NULL;
    }
    return NULL;
}

static void count(struct cf_gate_result *g, struct cf_gated *one, int undecided, double *sum,
                  int *n_ratios)
{
    const enum cf_move move = one->moved.move;
    const int other_bits =
        move == CF_MOVE_CHANGED || move == CF_MOVE_IMPROVED || move == CF_MOVE_REGRESSED;
    const int any = g->options->fail_on && strcmp(g->options->fail_on, "changed") == 0;

    ++g->n[move];
    one->fails = move == CF_MOVE_REGRESSED || (any && other_bits);
    g->n_failing += one->fails;
    g->n_undecided += undecided && other_bits && !one->fails;
    if (other_bits && one->moved.ratio > 0 && isfinite(one->moved.ratio)) {
        *sum += log(one->moved.ratio);
        ++*n_ratios;
    }
}

int cf_gate_decide(struct cf_gate_result *g, const struct cf_versions *v,
                   const struct cf_options *options, int old, int new,
                   const struct cf_findings *findings, struct cf_error *err)
{
    double sum = 0;
    int n_ratios = 0;

    *g = (struct cf_gate_result){
        .v = v, .options = options, .old = old, .new = new, .findings = findings};
    if (options->fail_on && strcmp(options->fail_on, "changed") != 0 &&
        strcmp(options->fail_on, "regressed") != 0)
        return cf_fail(err, "--fail-on=%s: write regressed or changed", options->fail_on);
    g->one = cf_alloc_zero((size_t)(v->plan.n_cases + 1) * sizeof g->one[0]);
    for (int i = 0; i < v->plan.n_cases; ++i) {
        struct cf_gated *one = &g->one[i];
        int undecided;
        const char *level = below(g, i, &undecided);

        cf_standing_read(&one->old, &v->history, old, i);
        cf_standing_read(&one->new, &v->history, new, i);
        cf_move_decide(&one->moved, &v->history, i, old, new, level);
        count(g, one, undecided, &sum, &n_ratios);
    }
    g->ratio = n_ratios > 0 ? exp(sum / n_ratios) : NAN;
    return 0;
}

/* The failing cases that this waiver is the first to match. */
static int gather(const struct cf_gate_result *g, const struct cf_waivers *waivers, int w,
                  const char *text[], struct cf_digest digest[], int index[])
{
    int n = 0;

    for (int i = 0; i < g->v->plan.n_cases; ++i) {
        const char *words = g->v->plan.cases[i].c.text;

        if (!g->one[i].fails || cf_waivers_find(waivers, words) != w)
            continue;
        text[n] = words;
        digest[n] = cf_standing_digest(&g->one[i].new, &g->v->history, i);
        index[n++] = i;
    }
    return n;
}

static void refuse(struct cf_gate_result *g, const char *reason)
{
    const size_t used = strlen(g->refusals);

    snprintf(g->refusals + used, sizeof g->refusals - used, "%s%s", used ? "\n" : "", reason);
}

int cf_gate_waive(struct cf_gate_result *g, const char *path, struct cf_error *err)
{
    const size_t most = (size_t)g->v->plan.n_cases + 1;
    const char **text = cf_alloc(most * sizeof *text);
    struct cf_digest *digest = cf_alloc(most * sizeof *digest);
    int *index = cf_alloc(most * sizeof *index);
    struct cf_waivers waivers;
    const time_t now = time(NULL);
    char today[16], reason[300];
    int result = cf_waivers_read(&waivers, path, err);

    strftime(today, sizeof today, "%Y-%m-%d", gmtime(&now));
    for (int w = 0; result == 0 && w < waivers.n; ++w) {
        const int n = gather(g, &waivers, w, text, digest, index);

        if (n == 0)
            continue;
        if (!cf_waiver_holds(&waivers.waiver[w], today, text, digest, n, reason)) {
            refuse(g, reason);
            continue;
        }
        for (int i = 0; i < n; ++i)
            g->one[index[i]].is_waived = 1;
        g->n_waived += n;
        g->n_failing -= n;
    }
    if (result == 0)
        cf_waivers_free(&waivers);
    free(text);
    free(digest);
    free(index);
    return result;
}

void cf_gate_free(struct cf_gate_result *g)
{
    free(g->one);
    free(g->components);
    free(g->state);
    free(g->chosen);
    free(g->blame);
    free(g->cause.sentence);
    free(g->cause.knob);
    free(g->cause.both);
    free(g->cause.both_knob);
    for (int i = 0; i < g->n_orders; ++i)
        free(g->order[i].sentence);
}

int cf_gate_exit_code(const struct cf_gate_result *g)
{
    if (g->n_failing > 0 || *g->refusals)
        return 1;
    return g->n[CF_MOVE_ERROR] > 0 || g->n_undecided > 0 ? 3 : 0;
}
