/* One cell in one configuration. */
#include "training_levels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take_values(struct cf_cell_judged *one, const struct cf_trained *trained)
{
    const int planned = trained->cell[one->cell].n_seeds;

    one->loss = cf_alloc((size_t)(planned + 1) * sizeof one->loss[0]);
    one->accuracy = cf_alloc((size_t)(planned + 1) * sizeof one->accuracy[0]);
    one->worst = cf_alloc((size_t)(planned + 1) * sizeof one->worst[0]);
    for (int s = 1; s <= planned; ++s) {
        const struct cf_trained_run *run =
            cf_trained_find(trained, one->cell, s, one->configuration, 0, 0);

        if (!run || (!run->ran && !run->is_failure))
            break;
        one->loss[one->n] = run->loss;
        one->accuracy[one->n] = run->accuracy;
        one->worst[one->n++] = run->worst;
        one->n_other_data += run->ran && !run->same_data;
    }
}

/* Looks at 20, 40, 80 seeds, as far as seeds are there and until one decides. */
static void look(struct cf_cell_judged *one)
{
    struct cf_bank bank;
    const struct cf_metric metric = {"loss", &bank, &cf_margins_default, one->loss};

    one->look = (struct cf_look){.verdict = CF_UNKNOWN, .look = -1, .p_pass = NAN, .p_fail = NAN};
    snprintf(one->look.reason, sizeof one->look.reason,
             "%d seeds are recorded, the first look needs %d", one->n, cf_look_seeds[0]);
    if (!cf_bank_init(&bank, one->bank->loss, one->bank->n, CF_LOWER_IS_BETTER)) {
        one->look.verdict = CF_SKIP;
        snprintf(one->look.reason, sizeof one->look.reason,
                 "the bank has too few seeds that ended (%d seeds in all)", one->bank->n);
    }
    for (int k = 0; k < CF_LOOKS && one->look.verdict == CF_UNKNOWN && one->n >= cf_look_seeds[k];
         ++k)
        one->look = cf_equivalence_look(&metric, 1, k);
    cf_bank_clear(&bank);
}

const char *cf_cell_not_eligible(const struct cf_bank_cell *bank)
{
    const struct cf_moments m = cf_sample_moments(bank->accuracy, bank->n);

    return CF_LOSS_SHIFT * m.sd <= CF_QUALITY_LOSS * m.mean
               ? NULL
               : "0.954 sigma of the accuracy is more than 1 % of it: the cell is not "
                 "eligible until sigma is smaller (a larger test set)";
}

static void judge_quality_at(struct cf_cell_judged *one, int n)
{
    const struct cf_bank_cell *bank = one->bank;
    const struct cf_moments m = cf_sample_moments(bank->accuracy, n);
    const double alpha = CF_ALPHA / CF_LOOKS;

    one->quality =
        cf_gate_quality_paired(one->accuracy, bank->accuracy, n, CF_HIGHER_IS_BETTER,
                               CF_QUALITY_LOSS * m.mean, alpha, "1 % of the baseline's mean");
    one->recall = cf_gate_quality_paired(one->worst, bank->worst, n, CF_HIGHER_IS_BETTER,
                                         CF_RECALL_LOSS, alpha, "5 points of the worst class");
    one->failures = cf_gate_failures(cf_sample_failures(one->loss, n), n,
                                     cf_sample_failures(bank->loss, bank->n), bank->n,
                                     cf_margins_default.failures);
    one->floor = cf_evidence_all(
        (const struct cf_evidence *[]){&one->quality, &one->failures, &one->recall}, 3);
}

/* At the same looks as the metric, and sharing alpha like it. */
static void judge_quality(struct cf_cell_judged *one)
{
    const int n = one->n < one->bank->n ? one->n : one->bank->n;

    if (n < cf_look_seeds[0])
        judge_quality_at(one, n);
    one->floor = CF_UNKNOWN;
    for (int k = 0; k < CF_LOOKS && one->floor == CF_UNKNOWN && n >= cf_look_seeds[k]; ++k)
        judge_quality_at(one, cf_look_seeds[k]);
    one->not_eligible = cf_cell_not_eligible(one->bank);
}

static void find_bits(struct cf_cell_judged *one, const double *got, int usable[], int n_usable)
{
    const struct cf_bank_cell *bank = one->bank;

    for (int k = 0; k < 3; ++k) {
        const int at = n_usable > 0 ? usable[k * (n_usable - 1) / 2] : 0;
        double ladder[CF_BANK_RUNGS];

        one->effective[k] = (struct cf_effective_bits){NAN, 0};
        one->step[k] = n_usable > 0 ? bank->step[at] : NAN;
        for (int r = 0; r < bank->n_rungs; ++r)
            ladder[r] = bank->rung[r][at];
        if (n_usable > 0 && bank->n_rungs > 1)
            one->effective[k] = cf_effective_bits(bank->bits, ladder, bank->n_rungs, got[at]);
    }
}

/* Seeds are columns of the bank's twins; one horizon after the other. */
static void attribute(struct cf_cell_judged *one, const struct cf_trained *trained)
{
    const struct cf_bank_cell *bank = one->bank;
    const int seeds = bank->n_twin_seeds, points = bank->n_curve;
    double got[CF_CURVE_MAX][CF_BANK_TWIN_SEEDS], twin[2][CF_CURVE_MAX][CF_BANK_TWIN_SEEDS];
    double mean[CF_CURVE_MAX] = {0}, twins[CF_CURVE_MAX] = {0};
    struct cf_horizon horizon[CF_CURVE_MAX];
    int usable[CF_CURVE_MAX], n_usable = 0, complete = seeds > 0 && points > 0;

    for (int s = 0; s < seeds && complete; ++s) {
        const struct cf_trained_run *run =
            cf_trained_find(trained, one->cell, s + 1, one->configuration, 0, 0);

        complete = run && run->n_curve == points;
        for (int k = 0; k < points && complete; ++k) {
            got[k][s] = run->curve[k];
            mean[k] += log(run->curve[k]) / seeds;
            for (int t = 0; t < 2; ++t) {
                twin[t][k][s] = bank->twin[t][s][k];
                twins[k] += log(bank->twin[t][s][k]) / (2 * seeds);
            }
        }
    }
    for (int k = 0; k < points && complete; ++k) {
        horizon[k] = (struct cf_horizon){got[k], {twin[0][k], twin[1][k]}};
        mean[k] = exp(mean[k]);
        twins[k] = exp(twins[k]);
        if (cf_attribution_usable(&horizon[k], seeds))
            usable[n_usable++] = k;
    }
    one->attribution = cf_attribution_judge(horizon, complete ? points : 0, complete ? seeds : 0);
    find_bits(one, mean, usable, n_usable);
    one->growth = cf_growth(bank->step, twins, complete ? points : 0);
}

void cf_cell_judge(struct cf_cell_judged *one, const struct cf_trained *trained,
                   const struct cf_bank_cell *bank, int cell, int configuration)
{
    *one = (struct cf_cell_judged){
        .cell = cell, .configuration = configuration, .bank = bank, .floor = CF_UNKNOWN};
    take_values(one, trained);
    one->p_fail = one->q = NAN;
    if (!bank)
        return;
    look(one);
    one->p_fail = one->look.p_fail;
    judge_quality(one);
    attribute(one, trained);
}

void cf_cell_free(struct cf_cell_judged *one)
{
    free(one->loss);
    free(one->accuracy);
    free(one->worst);
}

const char *cf_cell_attribution(struct cf_judgement *j, const struct cf_cell_judged *one)
{
    static const char *const answers[] = {[CF_EXPLAINED] = "rounding",
                                          [CF_NOT_EXPLAINED] = "not rounding",
                                          [CF_UNDETERMINED] = "undetermined"};
    const struct cf_effective_bits *b = &one->effective[2]; /* of the longest run that tells */
    const char *bits = "", *relation = b->bound > 0 ? "at least " : b->bound < 0 ? "at most " : "";

    if (one->attribution.answer == CF_NOT_EXPLAINED && isfinite(b->bits))
        bits = cf_arena_format(&j->arena, "; behaves like %s%.1f bits", relation, b->bits);
    return cf_arena_format(&j->arena, "%s%s", answers[one->attribution.answer], bits);
}
