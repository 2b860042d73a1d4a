/* Gate S5: the error of a configuration is not twice that of the declared arithmetic. A cell is op,
 * type, extents and fill; a seed is the unit of evidence, its RMS error pools the outputs of the
 * case. L_k = ln(RMS_C / max(RMS_B, RMS_canon)) of seed k; canon is recursive summation in a random
 * order, the configuration `plain kernel=canon` of the same run. */
#include "judgement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gate.h"
#include "multiplicity.h"

#define SEEDS_NEEDED 20
#define LIMIT        2.0
/* Errors below a quarter of the denominator's tell no more: without this floor a seed without any
 * error would give -inf, and one very small one would widen the interval of a better subject. It
 * can only raise the mean. */
#define FLOOR (-2 * 0.69314718055994530942)
/* Where baseline and canon have no error at all. */
#define SMALLEST_NOISE 0x1p-20

/* The cells of all groups: their cases in order. */
struct cells {
    int n, *first, *next; /* first[cell], next[case]: case indices, -1 ends */
};

static struct cells list_cells(const struct cf_ledger *ledger)
{
    struct cells cells = {.n = ledger->n_cells};

    cells.first = cf_alloc((size_t)(ledger->n_cells + 1) * sizeof cells.first[0]);
    cells.next = cf_alloc((size_t)(ledger->n_cases + 1) * sizeof cells.next[0]);
    for (int c = 0; c < ledger->n_cells; ++c)
        cells.first[c] = -1;
    for (int i = ledger->n_cases - 1; i >= 0; --i) {
        const struct cf_ledger_case *one = &ledger->cases[i];

        if (one->is_variant || !cf_accuracy_is_random_fill(&one->c))
            continue;
        cells.next[i] = cells.first[one->cell];
        cells.first[one->cell] = i;
    }
    return cells;
}

static int count_seeds(const struct cells *cells, int cell)
{
    int n = 0;

    for (int i = cells->first[cell]; i >= 0; i = cells->next[i])
        ++n;
    return n;
}

/* The RMS error of a configuration's first answer to a case; -1 when there is none. */
static double noise_of(const struct cf_judgement *j, int configuration, int case_index)
{
    int64_t n;
    const struct cf_ledger_record *record =
        cf_ledger_records(&j->ledger, case_index, configuration, &n);
    const struct cf_accuracy *accuracy;

    record = cf_ledger_pick(record, n, -1, -1);
    if (!record)
        return -1;
    accuracy = cf_measure_of(&j->measure, &j->ledger, case_index, record);
    return accuracy->n_errors > 0 ? sqrt(accuracy->sum_squares / (double)accuracy->n_errors) : 0;
}

static int find_canon(const struct cf_ledger *ledger)
{
    for (int i = 0; i < ledger->n_configurations; ++i) {
        const char *kernel = cf_config_get(&ledger->configuration[i].config, "kernel");

        if (strcmp(ledger->configuration[i].config.backend, "plain") == 0 && kernel &&
            strcmp(kernel, "canon") == 0)
            return i;
    }
    return -1;
}

/* n: seeds that both sides have; 0: nothing to compare. */
struct judged {
    struct cf_ratio ratio;
    int cell, n;
};

/* L of every seed that both sides have; returns their number. *canon is set to -1 where it has no
 * answer to some seed. */
static int log_ratios(const struct cf_judgement *j, const struct cells *cells, int cell,
                      int configuration, int *canon, double *ratio_log)
{
    int n = 0;

    for (int i = cells->first[cell]; i >= 0; i = cells->next[i])
        if (*canon >= 0 && noise_of(j, *canon, i) < 0)
            *canon = -1;
    for (int i = cells->first[cell]; i >= 0; i = cells->next[i]) {
        const double c = noise_of(j, configuration, i), b = noise_of(j, j->ledger.baseline, i);
        double declared = *canon >= 0 ? noise_of(j, *canon, i) : 0, ratio;

        if (c < 0 || b < 0)
            continue;
        declared = declared > b ? declared : b;
        declared = declared > SMALLEST_NOISE ? declared : SMALLEST_NOISE;
        ratio = log(c / declared);
        ratio_log[n++] = ratio < FLOOR ? FLOOR : ratio;
    }
    return n;
}

static struct judged judge_cell(const struct cf_judgement *j, const struct cells *cells, int cell,
                                int configuration, int canon)
{
    const int n_planned = count_seeds(cells, cell);
    double *ratio_log = cf_alloc((size_t)(n_planned + 1) * sizeof ratio_log[0]);
    struct judged judged = {.cell = cell};

    judged.n = log_ratios(j, cells, cell, configuration, &canon, ratio_log);
    if (judged.n >= 2)
        judged.ratio = cf_gate_ratio(ratio_log, judged.n, LIMIT);
    if (judged.n < SEEDS_NEEDED) {
        judged.ratio.evidence.verdict = CF_UNKNOWN;
        judged.ratio.evidence.n_needed = SEEDS_NEEDED;
    } else if (canon < 0 && judged.ratio.evidence.verdict == CF_FAIL) {
        judged.ratio.evidence.verdict = CF_UNKNOWN;
    }
    free(ratio_log);
    return judged;
}

/* fail, then unknown, then pass; among equals the larger upper limit. */
static int is_worse(const struct judged *a, const struct judged *b)
{
    static const int gravity[CF_N_VERDICTS] = {
        [CF_PASS] = 0, [CF_SKIP] = 1, [CF_UNKNOWN] = 2, [CF_FAIL] = 3};
    const struct cf_evidence *x = &a->ratio.evidence, *y = &b->ratio.evidence;

    if (gravity[x->verdict] != gravity[y->verdict])
        return gravity[x->verdict] > gravity[y->verdict];
    return x->upper > y->upper;
}

/* What a fast algorithm pays: the bits by which its noise exceeds the declared arithmetic's. */
static const char *loss(struct cf_judgement *j, int configuration, int group, double ratio)
{
    const struct cf_measure *measure = &j->measure;
    const int rule = measure->rule_of[group * j->ledger.n_configurations + configuration];

    if (!(measure->rule[rule].growth > 0) || !(ratio > 0))
        return "";
    return cf_arena_format(&j->arena, "; a fast algorithm, it loses %.1f bits", log2(ratio));
}

static void tell(struct cf_judgement *j, const struct cells *cells, struct cf_finding *finding,
                 const struct judged *worst, int n_cells, int canon)
{
    const struct cf_evidence *evidence = &worst->ratio.evidence;
    const char *against = canon >= 0 ? "the baseline and canon" : "the baseline (no canon ran)";

    finding->verdict = evidence->verdict;
    finding->n_compared = n_cells;
    finding->n_different = evidence->verdict == CF_FAIL;
    finding->n_seeds = worst->n;
    finding->n_seeds_needed = evidence->n_needed > SEEDS_NEEDED ? evidence->n_needed : SEEDS_NEEDED;
    finding->case_text = j->ledger.cases[cells->first[worst->cell]].c.text;
    if (worst->n >= 2) {
        finding->estimate = evidence->estimate;
        finding->lower = evidence->lower;
        finding->upper = evidence->upper;
    }
    if (worst->n < SEEDS_NEEDED)
        finding->reason = cf_arena_format(&j->arena, "a cell has %d seeds of the %d needed",
                                          worst->n, SEEDS_NEEDED);
    else
        finding->reason = cf_arena_format(
            &j->arena,
            "the largest of %d cells: RMS error %.3g times that of %s, interval %.3g .. %.3g%s%s",
            n_cells, evidence->estimate, against, evidence->lower, evidence->upper,
            worst->ratio.equivalent ? ", EQ"
            : worst->ratio.superior ? ", superior"
                                    : "",
            loss(j, finding->configuration, j->ledger.cases[cells->first[worst->cell]].group,
                 evidence->estimate));
}

static void start(struct cf_finding *finding)
{
    finding->component = "S5";
    finding->unit = "ratio of RMS errors";
    finding->margin = LIMIT;
    finding->margin_source = "one bit, docs/levels.md, section 3";
    finding->verdict = CF_UNKNOWN;
    finding->reason = "no cell of the plan has 20 seeds";
}

/* Ops whose elements are defined by themselves; a training run is judged as a whole. */
static int has_reference(const struct cf_ledger *ledger, int group)
{
    for (int i = 0; i < ledger->n_cases; ++i)
        if (ledger->cases[i].group == group)
            return ledger->cases[i].op->element != NULL;
    return 0;
}

/* of_cell: [cells->n] of the configuration. */
static void judge_group(struct cf_judgement *j, const struct cells *cells,
                        const struct judged *of_cell, int configuration, int group, int canon)
{
    struct cf_finding *finding = cf_judgement_slot(j, configuration, group, CF_SLOT_S5);
    struct judged worst = {.cell = -1};
    int n = 0;

    start(finding);
    if (!has_reference(&j->ledger, group)) {
        finding->verdict = CF_SKIP;
        finding->reason =
            "a whole run has no error to compare; `conform train --truth` measures its distance";
        return;
    }
    if (cf_judgement_coverage(j, configuration, group)->n_fates[CF_RAN] == 0) {
        finding->verdict = CF_SKIP;
        finding->reason = "nothing ran";
        return;
    }
    if (cf_judgement_coverage(j, j->ledger.baseline, group)->n_fates[CF_RAN] == 0) {
        finding->verdict = CF_SKIP;
        finding->reason = "the baseline has no answer here to compare with";
        return;
    }
    for (int cell = 0; cell < cells->n; ++cell)
        if (of_cell[cell].n > 0 && j->ledger.cases[cells->first[cell]].group == group &&
            (n++ == 0 || is_worse(&of_cell[cell], &worst)))
            worst = of_cell[cell];
    if (n > 0)
        tell(j, cells, finding, &worst, n, canon);
}

/* Fails hold for all configurations and cells together: Holm, family-wise 5 % (docs/levels.md,
 * section 9). A fail that does not survive it is unknown. A cell without a number has p = 0. */
static void correct(struct judged *all, int n)
{
    double *p = cf_alloc((size_t)(n + 1) * sizeof p[0]);
    int n_tests = 0, k = 0;

    for (int i = 0; i < n; ++i)
        if (all[i].n >= SEEDS_NEEDED) {
            const struct cf_evidence *evidence = &all[i].ratio.evidence;

            p[n_tests++] = isnan(evidence->p_fail[0]) && evidence->verdict == CF_FAIL
                               ? 0
                               : evidence->p_fail[0];
        }
    cf_holm(p, p, n_tests);
    for (int i = 0; i < n; ++i) {
        struct cf_evidence *evidence = &all[i].ratio.evidence;

        if (all[i].n < SEEDS_NEEDED)
            continue;
        if (!(p[k++] <= CF_ALPHA) && evidence->verdict == CF_FAIL)
            evidence->verdict = CF_UNKNOWN;
    }
    free(p);
}

void cf_judge_noise(struct cf_judgement *j)
{
    const int n = j->ledger.n_configurations, canon = find_canon(&j->ledger);
    struct cells cells = list_cells(&j->ledger);
    struct judged *all = cf_alloc_zero((size_t)(n * cells.n + 1) * sizeof all[0]);

    for (int i = 0; i < n; ++i)
        for (int cell = 0; cell < cells.n; ++cell)
            if (count_seeds(&cells, cell) >= SEEDS_NEEDED)
                all[i * cells.n + cell] = judge_cell(j, &cells, cell, i, canon);
    correct(all, n * cells.n);
    for (int i = 0; i < n; ++i)
        for (int g = 0; g < j->ledger.n_groups; ++g)
            judge_group(j, &cells, &all[i * cells.n], i, g, canon);
    free(all);
    free(cells.first);
    free(cells.next);
}
