#include "levels.h"

#include <string.h>

static const struct cf_finding *slot(const struct cf_judgement *j, int configuration, int group,
                                     int which)
{
    return cf_judgement_slot(j, configuration, group, which);
}

/* Worse evidence replaces better: fail, unknown, pass. A skipped gate has no meaning here. */
static int graver(const struct cf_finding *a, const struct cf_finding *b)
{
    static const int gravity[CF_N_VERDICTS] = {
        [CF_SKIP] = 0, [CF_PASS] = 1, [CF_UNKNOWN] = 2, [CF_FAIL] = 3};

    return !b || gravity[a->verdict] > gravity[b->verdict];
}

enum cf_verdict cf_grade_gates(const struct cf_judgement *j, int configuration, int group,
                               const struct cf_finding **worst)
{
    const struct cf_finding *gravest = NULL;

    for (int which = CF_SLOT_S1; which <= CF_SLOT_S5; ++which)
        if (graver(slot(j, configuration, group, which), gravest))
            gravest = slot(j, configuration, group, which);
    *worst = gravest;
    return gravest->verdict;
}

const char *cf_grade_disqualifies(struct cf_judgement *j, int configuration, int group)
{
    const struct cf_finding *run = slot(j, configuration, group, CF_SLOT_SCOPES + CF_ACROSS_RUN);

    for (int which = CF_SLOT_F; which <= CF_SLOT_S4; ++which) {
        const struct cf_finding *finding = slot(j, configuration, group, which);

        if (finding->verdict == CF_FAIL)
            return cf_arena_format(&j->arena, "it does not pass %s: %s", finding->component,
                                   finding->reason);
    }
    if (run->verdict == CF_FAIL)
        return cf_arena_format(&j->arena, "it does not reproduce itself: %s", run->reason);
    return NULL;
}

static void set(struct cf_grade *grade, enum cf_level level, enum cf_verdict verdict,
                const char *why)
{
    grade->at[level] = verdict;
    grade->why[level] = why;
}

static void set_all(struct cf_grade *grade, enum cf_verdict verdict, const char *why)
{
    for (int level = CF_FUNCTIONAL; level < CF_N_LEVELS; ++level)
        set(grade, (enum cf_level)level, verdict, why);
}

/* The levels of evidence: bits, then the gates, then decisions (ops that have none leave them
 * unknown). A pass at one level is a pass at all weaker ones (sections 5 and 8): equal bits are an
 * identity, and the noise that S5 allows is below what a certified decision leaves. */
static void grade_evidence(struct cf_judgement *j, struct cf_grade *grade, int configuration,
                           int group, enum cf_scope scope)
{
    const struct cf_finding *bits = slot(j, configuration, group, CF_SLOT_SCOPES + (int)scope);
    const struct cf_finding *gate = slot(j, configuration, group, CF_SLOT_EQUIVALENCE);
    const enum cf_verdict gates = cf_judgement_kind(j, group) == CF_GROUP_TRAINING
                                      ? gate->verdict
                                      : cf_grade_gates(j, configuration, group, &gate);
    const struct cf_finding *decisions = slot(j, configuration, group, CF_SLOT_D);
    const struct cf_finding *use = slot(j, configuration, group, CF_SLOT_USE);
    const char *why = cf_arena_format(&j->arena, "%s: %s", gate->component, gate->reason);

    set_all(grade, CF_UNKNOWN, "");
    set(grade, CF_FUNCTIONAL, use->verdict == CF_SKIP ? CF_UNKNOWN : use->verdict,
        cf_arena_format(&j->arena, "%s: %s", use->component, use->reason));
    set(grade, CF_SCIENTIFIC, decisions->verdict == CF_SKIP ? CF_UNKNOWN : decisions->verdict,
        cf_arena_format(&j->arena, "%s: %s", decisions->component, decisions->reason));
    set(grade, CF_NUMERICAL, bits->verdict, bits->reason);
    set(grade, CF_STATISTICAL, gates, why);
    if (slot(j, configuration, group, CF_SLOT_S2)->verdict == CF_FAIL)
        set(grade, CF_SCIENTIFIC, CF_FAIL, why);
    for (int level = CF_NUMERICAL; level > CF_FUNCTIONAL; --level)
        if (grade->at[level] == CF_PASS && grade->at[level - 1] != CF_FAIL)
            set(grade, (enum cf_level)(level - 1), CF_PASS, "");
        else if (grade->at[level] == CF_PASS) {
            set(grade, (enum cf_level)(level - 1), CF_FAIL,
                cf_arena_format(&j->arena, "%s (an order anomaly: %s passes)",
                                grade->why[level - 1], cf_level_name((enum cf_level)level)));
            ++grade->n_anomalies;
        }
}

/* Comparisons with an unqualified baseline have no meaning; what is wrong is wrong without it. */
static void grade_unqualified(struct cf_judgement *j, struct cf_grade *grade, int group)
{
    const char *why =
        cf_arena_format(&j->arena, "the baseline is not qualified here: %s", j->unqualified[group]);

    for (int level = CF_FUNCTIONAL; level < CF_N_LEVELS; ++level)
        if (grade->at[level] != CF_FAIL || level == CF_NUMERICAL)
            set(grade, (enum cf_level)level, CF_SKIP, why);
}

/* The baseline itself, where it is not qualified, is no standard: it meets no level that asks for
 * what it lacks. */
static void grade_baseline(struct cf_judgement *j, struct cf_grade *grade, int group)
{
    const char *why =
        cf_arena_format(&j->arena, "the baseline is not qualified: %s", j->unqualified[group]);

    set(grade, CF_NUMERICAL, CF_FAIL, why);
    if (grade->at[CF_STATISTICAL] == CF_PASS && grade->wrong)
        set(grade, CF_STATISTICAL, CF_FAIL, why);
}

/* Failures count at every level; what is missing leaves only counterexamples standing. */
static void grade_fates(struct cf_judgement *j, struct cf_grade *grade,
                        const struct cf_finding *fates)
{
    const char *why = cf_arena_format(&j->arena, "F: %s", fates->reason);

    if (fates->verdict == CF_FAIL)
        set_all(grade, CF_FAIL, why);
    else if (fates->verdict == CF_SKIP)
        set_all(grade, CF_SKIP, fates->reason);
    else if (fates->verdict == CF_UNKNOWN)
        for (int level = CF_FUNCTIONAL; level < CF_N_LEVELS; ++level)
            if (grade->at[level] != CF_FAIL)
                set(grade, (enum cf_level)level, CF_UNKNOWN, fates->reason);
}

struct cf_grade cf_grade_of(struct cf_judgement *j, int configuration, int group,
                            enum cf_scope scope)
{
    struct cf_grade grade = {.level = CF_NONE};
    const int is_baseline = configuration == j->ledger.baseline;

    grade.wrong = slot(j, configuration, group, CF_SLOT_S1)->wrong ||
                  slot(j, configuration, group, CF_SLOT_S3)->wrong;
    grade_evidence(j, &grade, configuration, group, scope);
    if (scope == CF_TO_BASELINE && j->unqualified[group]) {
        if (is_baseline)
            grade_baseline(j, &grade, group);
        else
            grade_unqualified(j, &grade, group);
    }
    grade_fates(j, &grade, slot(j, configuration, group, CF_SLOT_F));
    for (int level = CF_FUNCTIONAL; level < CF_N_LEVELS && grade.at[level] != CF_FAIL; ++level)
        if (grade.at[level] == CF_PASS)
            grade.level = (enum cf_level)level;
    return grade;
}

const char *cf_grade_reason(struct cf_judgement *j, const struct cf_grade *grade)
{
    const char *reason = "", *before = NULL;

    for (int level = CF_NUMERICAL; level > (int)grade->level; --level) {
        const char *why = grade->why[level];

        if (grade->at[level] == CF_PASS || (before && strcmp(before, why) == 0) ||
            (before && level < CF_STATISTICAL && grade->at[level] != CF_FAIL &&
             level > (int)grade->level + 1))
            continue;
        reason = cf_arena_format(&j->arena, "%s%s%s %s: %s", reason, *reason ? "; " : "",
                                 cf_level_name((enum cf_level)level),
                                 cf_verdict_name(grade->at[level]), why);
        before = why;
    }
    return reason;
}
