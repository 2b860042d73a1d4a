/* Training groups: from cells to the findings of their slots. */
#include "training_levels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "training_claims.h"

static int graver(enum cf_verdict a, enum cf_verdict b)
{
    static const int gravity[CF_N_VERDICTS] = {
        [CF_PASS] = 0, [CF_SKIP] = 1, [CF_UNKNOWN] = 2, [CF_FAIL] = 3};

    return gravity[a] > gravity[b];
}

static void start(struct cf_training *t, int configuration, int group)
{
    static const struct {
        enum cf_slot slot;
        enum cf_level level;
        const char *component;
    } rows[] = {{CF_SLOT_EQUIVALENCE, CF_STATISTICAL, "equivalence"},
                {CF_SLOT_D, CF_SCIENTIFIC, "claims"},
                {CF_SLOT_USE, CF_FUNCTIONAL, "quality"},
                {CF_SLOT_ATTRIBUTION, CF_NONE, "attribution"}};

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        struct cf_finding *f = cf_judgement_slot(t->j, configuration, group, rows[i].slot);

        f->demand = (struct cf_demand){rows[i].level, CF_TO_BASELINE};
        f->component = rows[i].component;
        f->other = configuration == t->j->ledger.baseline ? -1 : t->j->ledger.baseline;
        f->verdict = CF_UNKNOWN;
        f->unit = "";
        f->n_seeds_needed = rows[i].level == CF_NONE ? 0 : cf_look_seeds[0];
        f->margin_source =
            t->bank.n > 0 ? cf_arena_format(&t->j->arena, "bank %.12s", t->bank.hash) : "";
        f->reason = t->no_bank ? t->no_bank : "no cell of the plan has 20 seeds";
    }
}

static const char *a_case(const struct cf_training *t, int cell)
{
    const struct cf_trained_run *run =
        cf_trained_find(&t->trained, cell, 1, t->j->ledger.baseline, 0, 0);

    return run ? t->j->ledger.cases[run->case_index].c.text : NULL;
}

static void put_evidence(struct cf_finding *f, const struct cf_evidence *e)
{
    f->estimate = e->estimate;
    f->lower = e->lower;
    f->upper = e->upper;
    f->margin = isfinite(e->high) ? e->high : e->low;
    f->unit = e->unit ? e->unit : "";
    if (e->margin_source)
        f->margin_source = e->margin_source;
    f->n_seeds = e->n;
    f->n_seeds_needed = e->n_needed;
}

/* The component of a look that decided: the first with the look's verdict. */
static const struct cf_evidence *decisive(const struct cf_look *look)
{
    for (int i = 0; i < look->n_components; ++i)
        if (look->component[i].evidence.verdict == look->verdict)
            return &look->component[i].evidence;
    return look->n_components > 0 ? &look->component[0].evidence : NULL;
}

static void tell_equivalence(struct cf_training *t, const struct cf_cell_judged *one,
                             struct cf_finding *f)
{
    const struct cf_evidence *e = decisive(&one->look);

    f->verdict = one->look.verdict;
    f->case_text = a_case(t, one->cell);
    if (e)
        put_evidence(f, e);
    f->p_pass = one->look.p_pass;
    f->p_fail = one->p_fail;
    f->q = one->q;
    f->n_compared = one->n;
    f->n_seeds = one->look.n > 0 ? one->look.n : one->n;
    f->n_seeds_needed = one->look.n_needed;
    f->reason = cf_arena_format(&t->j->arena, "%s: %s%s", t->trained.cell[one->cell].text,
                                one->look.reason, one->look.borderline ? " (borderline)" : "");
    if (f->verdict == CF_PASS && one->q > CF_ALPHA)
        f->reason = cf_arena_format(&t->j->arena,
                                    "%s; in a published list of all that pass it has no place (q "
                                    "%.2g)",
                                    f->reason, one->q);
}

static void tell_quality(struct cf_training *t, const struct cf_cell_judged *one,
                         struct cf_finding *f)
{
    static const char *const names[] = {"accuracy", "failures", "worst class"};
    const struct cf_evidence *all[] = {&one->quality, &one->failures, &one->recall};
    int at = 0;

    f->verdict = one->not_eligible && one->floor != CF_FAIL ? CF_UNKNOWN : one->floor;
    while (at < 2 && all[at]->verdict != one->floor)
        ++at;
    put_evidence(f, all[at]);
    f->case_text = a_case(t, one->cell);
    f->n_compared = one->n;
    f->reason =
        cf_arena_format(&t->j->arena, "%s: %s", t->trained.cell[one->cell].text,
                        f->verdict == CF_UNKNOWN && one->not_eligible
                            ? one->not_eligible
                            : cf_arena_format(&t->j->arena, "%s: %s", names[at], all[at]->reason));
}

/* The answer is beside the level: the verdict says whether there is one. */
static void tell_attribution(struct cf_training *t, const struct cf_cell_judged *one,
                             struct cf_finding *f)
{
    const char *growth = "";

    if (isfinite(one->growth.doubling_steps))
        growth = cf_arena_format(&t->j->arena, "; rounding doubles every %.0f steps",
                                 one->growth.doubling_steps);
    f->verdict = one->attribution.answer == CF_UNDETERMINED ? CF_UNKNOWN : CF_PASS;
    f->case_text = a_case(t, one->cell);
    f->unit = "bits";
    f->estimate = one->effective[2].bits;
    f->n_seeds = one->bank ? one->bank->n_twin_seeds : 0;
    f->reason =
        cf_arena_format(&t->j->arena,
                        "Statistical: %s. Attribution: %s. Effective bits %.1f, %.1f, %.1f at "
                        "steps %.0f, %.0f, %.0f; %s%s",
                        cf_verdict_name(one->look.verdict), cf_cell_attribution(t->j, one),
                        one->effective[0].bits, one->effective[1].bits, one->effective[2].bits,
                        one->step[0], one->step[1], one->step[2], one->attribution.reason, growth);
}

/* not-explained, then undetermined, then explained. */
static int attribution_gravity(enum cf_attribution a)
{
    return a == CF_NOT_EXPLAINED ? 2 : a == CF_UNDETERMINED;
}

static void judge_claims(struct cf_training *t, int configuration, int group, enum cf_verdict floor)
{
    struct cf_finding *f = cf_judgement_slot(t->j, configuration, group, CF_SLOT_D);
    struct cf_claim_judged claim[CF_CLAIMS_MAX];
    struct cf_evidence evidence[CF_CLAIMS_MAX], floor_evidence = {.verdict = floor};
    const int n = cf_claims_judge(t->j, &t->trained, t->all, t->n, configuration, group, claim,
                                  CF_CLAIMS_MAX);
    int n_registered = 0, worst = -1;

    for (int i = 0; i < n; ++i) {
        if (claim[i].refused)
            continue;
        if (worst < 0 || graver(claim[i].evidence.verdict, claim[worst].evidence.verdict))
            worst = i;
        evidence[n_registered++] = claim[i].evidence;
    }
    f->n_compared = n_registered;
    if (n_registered == 0) {
        f->reason = n > 0 ? cf_arena_format(&t->j->arena, "no claim is registered: `%s`: %s",
                                            claim[0].name, claim[0].refused)
                          : "the suite registers no claim about these cells";
        return;
    }
    f->verdict = cf_claim_set(evidence, n_registered, &floor_evidence);
    put_evidence(f, &claim[worst].evidence);
    f->case_text = a_case(t, claim[worst].better);
    f->n_different = claim[worst].evidence.verdict == CF_FAIL;
    f->reason = cf_arena_format(&t->j->arena, "%d of %d claims are registered; `%s`: %s; floor %s",
                                n_registered, n, claim[worst].name, claim[worst].evidence.reason,
                                cf_verdict_name(floor));
}

/* A run whose masks or batches are others is no run of the same case. */
static int refuse_other_data(struct cf_training *t, int configuration, int group, int n_other)
{
    static const enum cf_slot slots[] = {CF_SLOT_F, CF_SLOT_EQUIVALENCE, CF_SLOT_D, CF_SLOT_USE,
                                         CF_SLOT_ATTRIBUTION};

    if (n_other == 0)
        return 0;
    for (int i = 0; i < CF_COUNT(slots); ++i) {
        struct cf_finding *f = cf_judgement_slot(t->j, configuration, group, slots[i]);

        f->verdict = CF_SKIP;
        f->reason =
            cf_arena_format(&t->j->arena,
                            "not the same data: masks, shifts or batches of %d runs are not "
                            "the baseline's",
                            n_other);
    }
    return 1;
}

/* Failures of runs are counted by gate F of the look, which allows for the bank's own. */
static void hand_over_failures(struct cf_training *t, int configuration, int group)
{
    struct cf_finding *f = cf_judgement_slot(t->j, configuration, group, CF_SLOT_F);

    if (f->verdict != CF_FAIL)
        return;
    f->verdict = CF_PASS;
    f->reason = cf_arena_format(&t->j->arena, "%s; counted by gate F of each look", f->reason);
}

static void judge_group(struct cf_training *t, int configuration, int group)
{
    struct cf_judgement *j = t->j;
    const struct cf_cell_judged *look = NULL, *quality = NULL, *source = NULL;
    enum cf_verdict floor = CF_PASS;
    int n_other = 0;

    start(t, configuration, group);
    for (int c = 0; c < t->trained.n_cells; ++c) {
        const struct cf_cell_judged *one = cf_training_cell(t, c, configuration);

        if (t->trained.cell[c].group != group)
            continue;
        n_other += one->n_other_data;
        if (!cf_training_counts(t, c) || !one->bank || t->no_bank)
            continue;
        look = !look || graver(one->look.verdict, look->look.verdict) ? one : look;
        quality = !quality || graver(one->floor, quality->floor) ? one : quality;
        floor = graver(one->floor, floor) ? one->floor : floor;
        source = !source || attribution_gravity(one->attribution.answer) >
                                attribution_gravity(source->attribution.answer)
                     ? one
                     : source;
    }
    if (refuse_other_data(t, configuration, group, n_other) || !look)
        return;
    tell_equivalence(t, look, cf_judgement_slot(j, configuration, group, CF_SLOT_EQUIVALENCE));
    tell_quality(t, quality, cf_judgement_slot(j, configuration, group, CF_SLOT_USE));
    tell_attribution(t, source, cf_judgement_slot(j, configuration, group, CF_SLOT_ATTRIBUTION));
    judge_claims(t, configuration, group, floor);
    hand_over_failures(t, configuration, group);
}

int cf_judge_training(struct cf_judgement *j, struct cf_error *err)
{
    struct cf_training t;

    if (cf_training_open(&t, j, err) != 0)
        return -1;
    for (int i = 0; i < j->ledger.n_configurations; ++i)
        for (int g = 0; g < j->ledger.n_groups; ++g)
            if (cf_judgement_kind(j, g) == CF_GROUP_TRAINING)
                judge_group(&t, i, g);
    cf_training_close(&t);
    return 0;
}
