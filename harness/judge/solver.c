/* Solvers on registered systems: the verdict (converged or not) is the baseline's, the number of
 * iterations nearly so, and x errs no more than twice as much. A seed is a system. */
#include "judgement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gate.h"
#include "special.h"

#define SYSTEMS_NEEDED 59 /* 59 of 59: at least 95.05 % */
#define LIMIT          2.0

/* What a configuration made of one system. */
struct answer {
    int is_there, converged;
    int64_t iterations;
    double error; /* RMS of x against the solution */
};

static int read_answer(struct cf_judgement *j, int case_index, int configuration,
                       struct answer *answer, struct cf_error *err)
{
    const struct cf_ledger_case *one = &j->ledger.cases[case_index];
    int64_t n;
    const struct cf_ledger_record *record =
        cf_ledger_records(&j->ledger, case_index, configuration, &n);
    double x[CF_SYSTEM_MAX], sum = 0;
    struct cf_tensor got = {
        .dtype = one->c.dtype, .rank = 1, .dim = {cf_case_int(&one->c, "n", 1)}};
    uint64_t n_bytes;
    char *bits;

    *answer = (struct answer){0};
    record = cf_ledger_pick(record, n, -1, -1);
    if (!record)
        return 0;
    bits = cf_store_get_outputs(j->store, &one->output[record->output], &n_bytes, err);
    if (!bits)
        return -1;
    got.bits = bits + 2 * sizeof(int64_t);
    cf_system_solution(&one->c, x);
    for (int64_t i = 0; i < got.dim[0]; ++i) {
        const double e = cf_tensor_get(&got, i) - x[i];

        sum += e * e;
    }
    *answer = (struct answer){1, ((int64_t *)(void *)bits)[0] == 1, ((int64_t *)(void *)bits)[1],
                              sqrt(sum / (double)got.dim[0])};
    free(bits);
    return 0;
}

struct totals {
    int n, n_other_verdict, n_far, n_not_finite, case_index;
    int64_t farthest;
    double *ratio_log;
};

/* 1 and two in a hundred, rounded up. */
static int is_near(int64_t a, int64_t b)
{
    const int64_t away = a > b ? a - b : b - a;

    return away <= 1 + (2 * b + 99) / 100;
}

static void add(struct totals *t, int case_index, const struct answer *got,
                const struct answer *base)
{
    const int64_t away = llabs(got->iterations - base->iterations);
    const int far = !is_near(got->iterations, base->iterations);

    t->n_other_verdict += got->converged != base->converged;
    t->n_far += far;
    t->n_not_finite += !isfinite(got->error);
    if (away >= t->farthest || got->converged != base->converged) {
        t->farthest = away;
        t->case_index = case_index;
    }
    t->ratio_log[t->n++] = log(got->error / base->error);
}

static int gather(struct cf_judgement *j, int configuration, int group, struct totals *t,
                  struct cf_error *err)
{
    for (int i = 0; i < j->ledger.n_cases; ++i) {
        struct answer got, base;

        if (j->ledger.cases[i].group != group)
            continue;
        if (read_answer(j, i, configuration, &got, err) != 0 ||
            read_answer(j, i, j->ledger.baseline, &base, err) != 0)
            return -1;
        if (got.is_there && base.is_there)
            add(t, i, &got, &base);
    }
    return 0;
}

static void conclude_verdicts(struct cf_judgement *j, struct cf_finding *f, const struct totals *t)
{
    const double near = cf_clopper_lower_d(t->n - t->n_far, t->n, CF_ALPHA);

    f->n_compared = t->n;
    f->n_different = t->n_other_verdict + t->n_far;
    f->n_seeds = t->n;
    f->n_seeds_needed = SYSTEMS_NEEDED;
    f->estimate = (double)(t->n - t->n_far) / t->n;
    f->lower = near;
    f->margin = 0.95;
    f->case_text = t->case_index >= 0 ? j->ledger.cases[t->case_index].c.text : NULL;
    if (t->n_other_verdict > 0) {
        f->verdict = CF_FAIL;
        f->reason =
            cf_arena_format(&j->arena, "%d of %d systems have another verdict than in the baseline",
                            t->n_other_verdict, t->n);
        return;
    }
    f->verdict = near >= 0.95                                                 ? CF_PASS
                 : cf_clopper_upper_d(t->n - t->n_far, t->n, CF_ALPHA) < 0.95 ? CF_FAIL
                                                                              : CF_UNKNOWN;
    f->reason = cf_arena_format(&j->arena,
                                "all %d verdicts are the baseline's; iterations are near in %d (at "
                                "least %.1f %% of all), at most %lld away%s",
                                t->n, t->n - t->n_far, 100 * near, (long long)t->farthest,
                                f->verdict == CF_UNKNOWN ? "; 59 of 59 would do" : "");
}

static void conclude_error(struct cf_judgement *j, struct cf_finding *f, const struct totals *t)
{
    const struct cf_ratio ratio = cf_gate_ratio(t->ratio_log, t->n, LIMIT);

    f->verdict = t->n_not_finite > 0 ? CF_FAIL : t->n < 20 ? CF_UNKNOWN : ratio.evidence.verdict;
    f->n_compared = f->n_seeds = t->n;
    f->n_seeds_needed = 20;
    f->estimate = ratio.evidence.estimate;
    f->lower = ratio.evidence.lower;
    f->upper = ratio.evidence.upper;
    f->reason = cf_arena_format(&j->arena,
                                "the RMS error of x is %.3g times the baseline's, interval %.3g .. "
                                "%.3g, over %d systems",
                                f->estimate, f->lower, f->upper, t->n);
}

static void start(struct cf_finding *f, const char *component, enum cf_level level,
                  const char *unit, double margin, const char *source)
{
    f->demand = (struct cf_demand){level, CF_TO_BASELINE};
    f->component = component;
    f->unit = unit;
    f->margin = margin;
    f->margin_source = source;
    f->verdict = CF_SKIP;
    f->reason = "nothing ran here and in the baseline";
}

int cf_judge_solvers(struct cf_judgement *j, struct cf_error *err)
{
    double *room = cf_alloc((size_t)(j->ledger.n_cases + 1) * sizeof room[0]);
    int result = 0;

    for (int i = 0; i < j->ledger.n_configurations && result == 0; ++i)
        for (int g = 0; g < j->ledger.n_groups && result == 0; ++g) {
            struct cf_finding *decisions = cf_judgement_slot(j, i, g, CF_SLOT_D);
            struct cf_finding *noise = cf_judgement_slot(j, i, g, CF_SLOT_S5);
            struct totals totals = {.case_index = -1, .ratio_log = room};

            if (cf_judgement_kind(j, g) != CF_GROUP_SOLVER)
                continue;
            start(decisions, "D", CF_SCIENTIFIC, "share of systems", 0.95,
                  "1 + 2 % of the iterations, docs/levels.md, section 5");
            start(noise, "S5", CF_STATISTICAL, "ratio of RMS errors of x", LIMIT,
                  "one bit, docs/levels.md, section 3");
            result = gather(j, i, g, &totals, err);
            if (result != 0 || totals.n == 0)
                continue;
            conclude_verdicts(j, decisions, &totals);
            conclude_error(j, noise, &totals);
        }
    free(room);
    return result;
}
