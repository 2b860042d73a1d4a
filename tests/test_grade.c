/* Levels from the verdicts of the gates: every combination, against the rule said in another way;
 * what an unqualified baseline and fates do; that every step down has its reason. */
#include <criterion/criterion.h>
#include <string.h>

#include "levels.h"

static struct cf_judgement j;
static struct cf_finding slots[2 * CF_N_SLOTS];
static struct cf_ledger_group group;
static const char *unqualified[1];

/* Configuration 0 is the baseline, 1 the one that is graded; one group. */
static void setup(const char *name)
{
    memset(&j, 0, sizeof j);
    j.slot = slots;
    j.ledger.n_groups = 1;
    j.ledger.n_configurations = 2;
    j.ledger.baseline = 0;
    j.ledger.group = &group;
    j.unqualified = unqualified;
    unqualified[0] = NULL;
    group.name = name;
    for (int i = 0; i < 2 * CF_N_SLOTS; ++i)
        slots[i] = (struct cf_finding){
            .component = "gate", .reason = "because", .verdict = CF_PASS, .other = -1};
}

static void set(int slot, enum cf_verdict verdict)
{
    slots[CF_N_SLOTS + slot].verdict = verdict;
}

/* A level is shown by its own evidence, or by the next stronger one where it has none against. */
static int is_shown(const enum cf_verdict own[CF_N_LEVELS], int level)
{
    if (level > CF_NUMERICAL || own[level] == CF_FAIL)
        return 0;
    return own[level] == CF_PASS || is_shown(own, level + 1);
}

static int strongest(const enum cf_verdict own[CF_N_LEVELS])
{
    int best = CF_NONE;

    for (int level = CF_FUNCTIONAL; level <= CF_NUMERICAL && own[level] != CF_FAIL; ++level)
        if (is_shown(own, level))
            best = level;
    return best;
}

/* What a skip means where a level asks for this evidence: none. */
static enum cf_verdict or_unknown(enum cf_verdict verdict)
{
    return verdict == CF_SKIP ? CF_UNKNOWN : verdict;
}

static void expect_level(enum cf_verdict bits, enum cf_verdict gate, enum cf_verdict decisions,
                         enum cf_verdict use, enum cf_verdict values)
{
    enum cf_verdict own[CF_N_LEVELS] = {[CF_NUMERICAL] = bits,
                                        [CF_SCIENTIFIC] = or_unknown(decisions),
                                        [CF_FUNCTIONAL] = or_unknown(use)};
    struct cf_grade grade;

    own[CF_STATISTICAL] = gate == CF_FAIL || values == CF_FAIL         ? CF_FAIL
                          : gate == CF_UNKNOWN || values == CF_UNKNOWN ? CF_UNKNOWN
                                                                       : CF_PASS;
    if (values == CF_FAIL)
        own[CF_SCIENTIFIC] = CF_FAIL;
    set(CF_SLOT_SCOPES + CF_TO_BASELINE, bits);
    set(CF_SLOT_S4, gate);
    set(CF_SLOT_S2, values);
    set(CF_SLOT_D, decisions);
    set(CF_SLOT_USE, use);
    grade = cf_grade_of(&j, 1, 0, CF_TO_BASELINE);
    cr_expect_eq((int)grade.level, strongest(own),
                 "bits %s, S4 %s, S2 %s, D %s, use %s: %s, not %s", cf_verdict_name(bits),
                 cf_verdict_name(gate), cf_verdict_name(values), cf_verdict_name(decisions),
                 cf_verdict_name(use), cf_level_name(grade.level),
                 cf_level_name((enum cf_level)strongest(own)));
    for (int level = CF_FUNCTIONAL; level <= CF_NUMERICAL; ++level)
        cr_expect_eq(grade.at[level] == CF_PASS, is_shown(own, level), "at %s",
                     cf_level_name((enum cf_level)level));
}

static const enum cf_verdict verdicts[] = {CF_PASS, CF_FAIL, CF_UNKNOWN, CF_SKIP};

Test(grade, every_combination_of_verdicts)
{
    setup("dot f64");
    for (int i = 0; i < 4 * 4 * 4 * 4 * 4; ++i)
        expect_level(verdicts[i % 4], verdicts[i / 4 % 4], verdicts[i / 16 % 4],
                     verdicts[i / 64 % 4], verdicts[i / 256 % 4]);
    cf_arena_free(&j.arena);
}

/* Training has one finding in place of the gates of sums. */
Test(grade, training_is_graded_by_its_equivalence)
{
    setup("train_mlp f32");
    set(CF_SLOT_SCOPES + CF_TO_BASELINE, CF_FAIL);
    set(CF_SLOT_S4, CF_FAIL);
    cr_expect_eq(cf_grade_of(&j, 1, 0, CF_TO_BASELINE).level, CF_STATISTICAL);
    set(CF_SLOT_EQUIVALENCE, CF_UNKNOWN);
    cr_expect_eq(cf_grade_of(&j, 1, 0, CF_TO_BASELINE).level, CF_SCIENTIFIC);
    cf_arena_free(&j.arena);
}

Test(grade, failures_and_gaps_count_at_every_level)
{
    static const enum cf_verdict fates[] = {CF_FAIL, CF_UNKNOWN, CF_SKIP};

    setup("dot f64");
    cr_expect_eq(cf_grade_of(&j, 1, 0, CF_TO_BASELINE).level, CF_NUMERICAL);
    for (int i = 0; i < CF_COUNT(fates); ++i) {
        struct cf_grade grade;

        set(CF_SLOT_F, fates[i]);
        grade = cf_grade_of(&j, 1, 0, CF_TO_BASELINE);
        cr_expect_eq(grade.level, CF_NONE, "F %s", cf_verdict_name(fates[i]));
        for (int level = CF_FUNCTIONAL; level <= CF_NUMERICAL; ++level)
            cr_expect_eq(grade.at[level], fates[i]);
    }
    set(CF_SLOT_S4, CF_FAIL);
    set(CF_SLOT_F, CF_UNKNOWN);
    cr_expect_eq(cf_grade_of(&j, 1, 0, CF_TO_BASELINE).at[CF_STATISTICAL], CF_FAIL,
                 "a counterexample stands, whatever is missing");
    cf_arena_free(&j.arena);
}

Test(grade, an_unqualified_baseline_is_no_standard)
{
    struct cf_grade grade;

    setup("dot f64");
    unqualified[0] = "it does not reproduce itself";
    grade = cf_grade_of(&j, 1, 0, CF_TO_BASELINE);
    cr_expect_eq(grade.level, CF_NONE);
    cr_expect_eq(grade.at[CF_STATISTICAL], CF_SKIP);
    set(CF_SLOT_S4, CF_FAIL);
    grade = cf_grade_of(&j, 1, 0, CF_TO_BASELINE);
    cr_expect_eq(grade.at[CF_STATISTICAL], CF_FAIL, "what is wrong is wrong without it");
    grade = cf_grade_of(&j, 0, 0, CF_TO_BASELINE);
    cr_expect_eq(grade.at[CF_NUMERICAL], CF_FAIL, "the baseline itself");
    cr_expect_eq(grade.level, CF_STATISTICAL);
    slots[CF_SLOT_S3].wrong = 1;
    cr_expect_eq(cf_grade_of(&j, 0, 0, CF_TO_BASELINE).at[CF_STATISTICAL], CF_FAIL);
    cr_expect(cf_grade_of(&j, 0, 0, CF_TO_BASELINE).wrong);
    cr_expect_eq(cf_grade_of(&j, 1, 0, CF_ACROSS_RUN).at[CF_NUMERICAL], CF_PASS,
                 "other scopes do not ask the baseline");
    cf_arena_free(&j.arena);
}

Test(grade, every_step_down_has_its_reason)
{
    struct cf_grade grade;
    const char *reason;

    setup("dot f64");
    grade = cf_grade_of(&j, 1, 0, CF_TO_BASELINE);
    cr_expect_str_eq(cf_grade_reason(&j, &grade), "", "nothing to explain");
    slots[CF_N_SLOTS + CF_SLOT_SCOPES + CF_TO_BASELINE].reason = "22 outputs differ";
    set(CF_SLOT_SCOPES + CF_TO_BASELINE, CF_FAIL);
    slots[CF_N_SLOTS + CF_SLOT_S4].reason = "3 elements are too far";
    set(CF_SLOT_S4, CF_FAIL);
    grade = cf_grade_of(&j, 1, 0, CF_TO_BASELINE);
    reason = cf_grade_reason(&j, &grade);
    cr_expect_eq(grade.level, CF_SCIENTIFIC);
    cr_expect(strstr(reason, "numerical fail: 22 outputs differ"), "%s", reason);
    cr_expect(strstr(reason, "statistical fail: gate: 3 elements are too far"), "%s", reason);
    cr_expect(!strstr(reason, "scientific"), "%s", reason);
    cf_arena_free(&j.arena);
}

Test(grade, what_disqualifies_a_baseline)
{
    setup("dot f64");
    cr_expect(cf_grade_disqualifies(&j, 1, 0) == NULL);
    for (int which = CF_SLOT_F; which <= CF_SLOT_S4; ++which) {
        set(which, CF_FAIL);
        cr_expect(cf_grade_disqualifies(&j, 1, 0) != NULL, "slot %d", which);
        set(which, CF_UNKNOWN);
        cr_expect(cf_grade_disqualifies(&j, 1, 0) == NULL, "only what is shown disqualifies");
        set(which, CF_PASS);
    }
    set(CF_SLOT_SCOPES + CF_ACROSS_RUN, CF_FAIL);
    cr_expect(strstr(cf_grade_disqualifies(&j, 1, 0), "does not reproduce itself"));
    cf_arena_free(&j.arena);
}
