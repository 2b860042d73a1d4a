/* The gates F, S1 to S4 and D: one configuration in one group, against the exact reference. */
#include "judgement.h"

#include <math.h>
#include <string.h>

/* How a gate is judged and told: gates of ops are rows. */
struct gate {
    enum cf_slot slot;
    const char *name, *unit, *source;
    enum cf_level level;
    int proves_wrong, needed; /* needed: elements without which a pass is unknown */
    /* Said of failing and passing elements or decisions: "%lld of %lld ..."; and of none. */
    const char *fails, *passes, *nothing;
};

static const struct gate gates[CF_N_ELEMENT_GATES] = {
    [CF_S1] = {CF_SLOT_S1, "S1", "u*scale", "exact partial sums, docs/levels.md, section 5",
               CF_STATISTICAL, 1, 1, "are not exact although no order of operations rounds here",
               "are exact", "no case has a fill whose partial sums are exact"},
    [CF_S2] = {CF_SLOT_S2, "S2", "u*scale", "class map, docs/levels.md, section 5", CF_STATISTICAL,
               0, 1, "are of another class (NaN, infinity, sign of zero, flushed to zero)",
               "are of the right class", "no element was judged"},
    [CF_S3] = {CF_SLOT_S3, "S3", "u*scale", "proven bound of the op, docs/levels.md, section 5",
               CF_STATISTICAL, 1, 1, "err by more than any order of operations can",
               "keep the proven bound", "no element has a finite exact value"},
    [CF_S4] = {CF_SLOT_S4, "S4", "u*scale", "probabilistic bound, docs/levels.md, section 5",
               CF_STATISTICAL, 0, 1, "err by more than rounding plausibly does (model-based)",
               "keep the probabilistic bound", "no case has a random fill"},
    [CF_DECISIONS] = {CF_SLOT_D, "D", "u*scale", "certain decisions, docs/levels.md, section 5",
                      CF_SCIENTIFIC, 0, CF_COMPARISONS_NEEDED,
                      "(signs, orders, largest ones) are decided otherwise than in truth",
                      "(signs, orders, largest ones) are decided as in truth",
                      "no decision is certain at this precision"}};

/* The tally over a group, and where its worst element was. */
struct sum {
    struct cf_gate_tally tally;
    int case_index;
    const struct cf_ledger_record *record;
};

static void add(struct sum *sum, const struct cf_gate_tally *tally, int case_index,
                const struct cf_ledger_record *record)
{
    if (cf_gate_tally_add(&sum->tally, tally)) {
        sum->case_index = case_index;
        sum->record = record;
    }
}

/* Was this output met before among the configuration's own records of the case? */
static int seen_before(const struct cf_ledger_record *records, int64_t i)
{
    for (int64_t k = 0; k < i; ++k)
        if (records[k].output == records[i].output)
            return 1;
    return 0;
}

static void cover(struct cf_coverage *coverage, const struct cf_ledger_record *record,
                  int case_index)
{
    ++coverage->n_recorded;
    if (coverage->n_fates[record->fate]++ == 0) {
        coverage->first[record->fate] = record;
        coverage->first_case[record->fate] = case_index;
    }
}

static void gather(struct cf_judgement *j, int configuration, int group,
                   struct sum sums[CF_N_ELEMENT_GATES])
{
    struct cf_coverage *coverage = cf_judgement_coverage(j, configuration, group);

    for (int i = 0; i < j->ledger.n_cases; ++i) {
        const struct cf_ledger_case *one = &j->ledger.cases[i];
        const struct cf_ledger_record *records;
        int64_t n;

        if (one->group != group)
            continue;
        records = cf_ledger_records(&j->ledger, i, configuration, &n);
        coverage->n_planned += cf_ledger_planned(&j->ledger, i, configuration);
        for (int64_t k = 0; k < n; ++k) {
            const struct cf_accuracy *accuracy;

            cover(coverage, &records[k], i);
            if (records[k].fate != CF_RAN || seen_before(records, k))
                continue;
            accuracy = cf_measure_of(&j->measure, &j->ledger, i, &records[k]);
            coverage->n_flushed += accuracy->n_flushed;
            for (int g = 0; g < CF_N_ELEMENT_GATES; ++g)
                add(&sums[g], &accuracy->gate[g], i, &records[k]);
        }
    }
}

static void put_witness(struct cf_judgement *j, struct cf_finding *finding, const struct sum *sum)
{
    const struct cf_gate_tally *tally = &sum->tally;

    finding->case_text = j->ledger.cases[sum->case_index].c.text;
    cf_witness_print_value(finding->exact, tally->exact);
    finding->a = (struct cf_witness){.configuration = sum->record->configuration,
                                     .process = sum->record->process,
                                     .repetition = sum->record->repetition,
                                     .element = tally->element,
                                     .output = tally->output,
                                     .error = tally->error};
    cf_witness_print_value(finding->a.got, tally->got);
}

/* A gate with no element to judge: it has no meaning for the op, or the plan has no case for it. */
static void conclude_nothing(struct cf_judgement *j, struct cf_finding *finding,
                             const struct gate *gate, int group)
{
    const char *space = strchr(j->ledger.group[group].name, ' ');
    char *name = cf_arena_format(&j->arena, "%.*s", (int)(space - j->ledger.group[group].name),
                                 j->ledger.group[group].name);
    const struct cf_op *op = cf_op_find(name);
    const int rule =
        j->measure.rule_of[group * j->ledger.n_configurations + finding->configuration];

    finding->verdict = CF_UNKNOWN;
    finding->reason = gate->nothing;
    if (cf_judgement_coverage(j, finding->configuration, group)->n_fates[CF_RAN] == 0) {
        finding->verdict = CF_SKIP;
        finding->reason = "nothing ran";
    } else if (op && !op->element) {
        finding->verdict = CF_SKIP;
        finding->reason = "a training run has no element-wise truth";
    } else if (gate->slot == CF_SLOT_S1 && op && !op->integer_exact) {
        finding->verdict = CF_SKIP;
        finding->reason = "the op rounds on integers too";
    } else if (gate->slot == CF_SLOT_D && !(op && cf_decisions_of(op))) {
        finding->verdict = CF_SKIP;
        finding->reason = "the op has no decisions";
    } else if (gate->slot == CF_SLOT_S4 && j->measure.rule[rule].growth > 0) {
        finding->verdict = CF_SKIP;
        finding->reason = "a fast algorithm has no bound of its own terms";
    }
}

static const char *say(struct cf_judgement *j, const struct cf_finding *finding,
                       const struct gate *gate, const char *flushed)
{
    const char *things = gate->slot == CF_SLOT_D ? "certain decisions" : "elements";
    const long long n = finding->n_compared;

    if (finding->verdict == CF_FAIL)
        return cf_arena_format(&j->arena, "%lld of %lld %s %s%s", (long long)finding->n_different,
                               n, things, gate->fails, flushed);
    if (finding->verdict == CF_UNKNOWN)
        return cf_arena_format(&j->arena, "all %lld %s %s, but %d are needed", n, things,
                               gate->passes, gate->needed);
    return cf_arena_format(&j->arena, "all %lld %s %s", n, things, gate->passes);
}

static void conclude(struct cf_judgement *j, struct cf_finding *finding, const struct gate *gate,
                     const struct sum *sum, int group)
{
    const struct cf_gate_tally *tally = &sum->tally;
    const struct cf_coverage *coverage = cf_judgement_coverage(j, finding->configuration, group);
    const char *flushed = "";

    finding->demand.level = gate->level;
    finding->component = gate->name;
    finding->unit = gate->unit;
    finding->margin_source = gate->source;
    finding->n_compared = tally->n_judged;
    finding->n_different = tally->n_failed;
    if (tally->n_judged == 0) {
        conclude_nothing(j, finding, gate, group);
        return;
    }
    finding->estimate = tally->error;
    finding->margin = tally->allowed;
    finding->verdict = tally->n_failed > 0               ? CF_FAIL
                       : tally->n_judged >= gate->needed ? CF_PASS
                                                         : CF_UNKNOWN;
    finding->wrong = gate->proves_wrong && tally->n_failed > 0;
    put_witness(j, finding, sum);
    if (gate->slot == CF_SLOT_S2 && coverage->n_flushed > 0)
        flushed =
            cf_arena_format(&j->arena, ", %lld of them flushed", (long long)coverage->n_flushed);
    finding->reason = say(j, finding, gate, flushed);
}

/* The fates that count as failures, gravest first; and those that are "could not measure". */
static const enum cf_fate failures[] = {CF_CRASHED, CF_TIMED_OUT, CF_BROKE};
static const enum cf_fate unmeasured[] = {CF_NOT_OPENED, CF_STATE_MISMATCH, CF_PROTOCOL,
                                          CF_OUT_OF_MEMORY};

static int conclude_fate(struct cf_judgement *j, struct cf_finding *finding,
                         const struct cf_coverage *coverage, const enum cf_fate fates[], int n,
                         enum cf_verdict verdict)
{
    for (int i = 0; i < n; ++i) {
        const struct cf_ledger_record *record = coverage->first[fates[i]];

        if (!record)
            continue;
        finding->verdict = verdict;
        finding->case_text = j->ledger.cases[coverage->first_case[fates[i]]].c.text;
        finding->a = (struct cf_witness){.configuration = record->configuration,
                                         .process = record->process,
                                         .repetition = record->repetition,
                                         .error = NAN};
        finding->reason = cf_arena_format(
            &j->arena, "%lld of %lld requests %s: %s", (long long)coverage->n_fates[fates[i]],
            (long long)coverage->n_recorded, cf_fate_name(fates[i]), record->reason);
        return 1;
    }
    return 0;
}

static void conclude_failures(struct cf_judgement *j, struct cf_finding *finding, int group)
{
    const struct cf_coverage *coverage = cf_judgement_coverage(j, finding->configuration, group);

    finding->component = "F";
    finding->unit = "requests";
    finding->margin_source = "docs/levels.md, section 1";
    finding->margin = 0;
    finding->n_compared = coverage->n_recorded;
    for (int i = 0; i < CF_COUNT(failures); ++i)
        finding->n_different += coverage->n_fates[failures[i]];
    finding->estimate = (double)finding->n_different;
    if (conclude_fate(j, finding, coverage, failures, CF_COUNT(failures), CF_FAIL) ||
        conclude_fate(j, finding, coverage, unmeasured, CF_COUNT(unmeasured), CF_UNKNOWN))
        return;
    if (coverage->n_recorded < coverage->n_planned) {
        finding->verdict = CF_UNKNOWN;
        finding->reason =
            cf_arena_format(&j->arena,
                            "only %lld of %lld requests have a record; go "
                            "on with --resume",
                            (long long)coverage->n_recorded, (long long)coverage->n_planned);
    } else if (coverage->n_fates[CF_RAN] == 0) {
        finding->verdict = CF_SKIP;
        finding->reason = coverage->first[CF_NOT_OFFERED] ? coverage->first[CF_NOT_OFFERED]->reason
                                                          : "nothing was planned";
    } else {
        finding->verdict = CF_PASS;
        finding->reason = cf_arena_format(&j->arena, "all %lld requests ran",
                                          (long long)coverage->n_fates[CF_RAN]);
    }
}

static void judge_one(struct cf_judgement *j, int configuration, int group)
{
    struct sum sums[CF_N_ELEMENT_GATES] = {{.case_index = -1}};

    gather(j, configuration, group, sums);
    conclude_failures(j, cf_judgement_slot(j, configuration, group, CF_SLOT_F), group);
    for (int g = 0; g < CF_N_ELEMENT_GATES; ++g)
        conclude(j, cf_judgement_slot(j, configuration, group, gates[g].slot), &gates[g], &sums[g],
                 group);
}

void cf_judge_gates(struct cf_judgement *j)
{
    for (int i = 0; i < j->ledger.n_configurations; ++i)
        for (int g = 0; g < j->ledger.n_groups; ++g)
            judge_one(j, i, g);
}
