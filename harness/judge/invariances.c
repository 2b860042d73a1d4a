/* The invariance table and the classes of equal bits. */
#include "levels.h"

#include <stdlib.h>
#include <string.h>

static int find_family(const char *const families[], int n, const char *name)
{
    for (int i = 0; i < n; ++i)
        if (strcmp(families[i], name) == 0)
            return i;
    return n;
}

/* What the members of a family found along a scope. */
struct members {
    int64_t n_compared, n_different;
    int n_at[CF_N_VERDICTS];
    enum cf_verdict gates; /* the gravest at the statistical level over those that were compared */
    enum cf_level level;   /* the least that they have below the bits */
    const char *reason, *gates_reason;
};

/* Statistical by the gates, or for training by its bank; and what is left below. */
static void add_gates(struct cf_judgement *j, struct members *members, int configuration, int group)
{
    static const int gravity[CF_N_VERDICTS] = {
        [CF_SKIP] = 0, [CF_PASS] = 1, [CF_UNKNOWN] = 2, [CF_FAIL] = 3};
    const struct cf_grade grade = cf_grade_of(j, configuration, group, CF_TO_BASELINE);
    const struct cf_finding *worst =
        cf_judgement_slot(j, configuration, group, CF_SLOT_EQUIVALENCE);
    enum cf_verdict gates = worst->verdict;

    if (cf_judgement_kind(j, group) != CF_GROUP_TRAINING)
        gates = cf_grade_gates(j, configuration, group, &worst);
    if (grade.level < members->level)
        members->level = grade.level;
    if (gravity[gates] <= gravity[members->gates])
        return;
    members->gates = gates;
    members->gates_reason = cf_arena_format(&j->arena, "%s: %s", worst->component, worst->reason);
}

/* Both sides of a comparison are members: a level is a property of the pair. */
static void add_member(struct cf_judgement *j, struct members *members, int configuration,
                       int group, enum cf_scope scope)
{
    const struct cf_finding *bits =
        cf_judgement_slot(j, configuration, group, CF_SLOT_SCOPES + (int)scope);
    const int first = members->n_at[bits->verdict]++ == 0;

    members->n_compared += bits->n_compared;
    members->n_different += bits->n_different;
    if (bits->verdict == CF_SKIP) {
        if (!members->reason)
            members->reason = bits->reason;
        return;
    }
    add_gates(j, members, configuration, group);
    if (bits->other >= 0)
        add_gates(j, members, bits->other, group);
    if (bits->verdict == CF_FAIL ? first
                                 : members->n_at[CF_FAIL] == 0 && (bits->verdict == CF_UNKNOWN ||
                                                                   members->n_at[CF_UNKNOWN] == 0))
        members->reason = bits->reason;
}

static void conclude(struct cf_judgement *j, struct cf_invariance_finding *one,
                     const struct members *members)
{
    one->n_compared = members->n_compared;
    one->n_different = members->n_different;
    one->reason = members->reason ? members->reason : "";
    one->level = CF_NONE;
    if (members->n_at[CF_FAIL] > 0) {
        one->verdict = members->gates == CF_SKIP ? CF_UNKNOWN : members->gates;
        one->level = one->verdict == CF_PASS ? CF_STATISTICAL : CF_NONE;
        one->reason = cf_arena_format(&j->arena, "numerical fail: %s; statistical %s: %s",
                                      one->reason, cf_verdict_name(one->verdict),
                                      members->gates_reason ? members->gates_reason : "");
        if (one->level == CF_NONE && members->level > CF_NONE) {
            one->verdict = CF_PASS;
            one->level = members->level < CF_STATISTICAL ? members->level : CF_STATISTICAL;
        }
    } else if (members->n_at[CF_UNKNOWN] > 0) {
        one->verdict = CF_UNKNOWN;
    } else if (members->n_at[CF_PASS] > 0) {
        one->verdict = CF_PASS;
        one->level = CF_NUMERICAL;
    } else {
        one->verdict = CF_SKIP;
    }
}

static void judge_family(struct cf_judgement *j, const char *family, int group, enum cf_scope scope)
{
    struct cf_invariance_finding *one = &j->findings.invariances[j->findings.n_invariances++];
    struct members members = {.gates = CF_SKIP, .level = CF_N_LEVELS};

    *one = (struct cf_invariance_finding){
        .family = family, .group = j->ledger.group[group].name, .scope = scope};
    for (int i = 0; i < j->ledger.n_configurations; ++i)
        if (strcmp(j->ledger.configuration[i].family, family) == 0)
            add_member(j, &members, i, group, scope);
    conclude(j, one, &members);
}

void cf_judge_invariances(struct cf_judgement *j)
{
    const int n_configurations = j->ledger.n_configurations, n_groups = j->ledger.n_groups;
    const char **families =
        cf_arena_alloc(&j->arena, (size_t)(n_configurations + 1) * sizeof families[0]);
    int n = 0;

    for (int i = 0; i < n_configurations; ++i) {
        const char *name = j->ledger.configuration[i].family;

        if (find_family(families, n, name) == n)
            families[n++] = name;
    }
    j->findings.invariances = cf_arena_alloc(
        &j->arena, (size_t)(n * n_groups * CF_TO_BASELINE + 1) * sizeof j->findings.invariances[0]);
    for (int k = 0; k < n; ++k)
        for (int g = 0; g < n_groups; ++g)
            for (int scope = 0; scope < CF_TO_BASELINE; ++scope)
                judge_family(j, families[k], g, (enum cf_scope)scope);
}

/* Do two configurations give the same single answer to every case of a group? */
static int same_bits(const struct cf_judgement *j, int a, int b, int group)
{
    for (int i = 0; i < j->ledger.n_cases; ++i) {
        int64_t n_a, n_b;
        const struct cf_ledger_record *x, *y;

        if (j->ledger.cases[i].group != group)
            continue;
        x = cf_ledger_records(&j->ledger, i, a, &n_a);
        y = cf_ledger_records(&j->ledger, i, b, &n_b);
        if (n_a == 0 || n_b == 0) /* seeds that only one of them was asked for */
            continue;
        for (int64_t k = 0; k < n_a; ++k)
            if (x[k].output != y[0].output)
                return 0;
        for (int64_t k = 0; k < n_b; ++k)
            if (y[k].output != x[0].output)
                return 0;
    }
    return 1;
}

/* Every planned request of the group ran. */
static int is_complete(const struct cf_judgement *j, int configuration, int group)
{
    const struct cf_coverage *coverage = cf_judgement_coverage(j, configuration, group);

    return coverage->n_planned > 0 && coverage->n_fates[CF_RAN] == coverage->n_planned;
}

/* The class of an earlier configuration with the same bits, or a new one. One that does not
 * reproduce itself is alone. */
static void classify(struct cf_judgement *j, struct cf_class_finding *one, int *class_of,
                     int configuration, int group)
{
    class_of[configuration] = -1;
    if (!is_complete(j, configuration, group))
        return;
    for (int i = 0; i < configuration && class_of[configuration] < 0; ++i)
        if (class_of[i] >= 0 && same_bits(j, i, configuration, group))
            class_of[configuration] = class_of[i];
    if (class_of[configuration] < 0)
        class_of[configuration] = one->n_classes++;
}

void cf_judge_classes(struct cf_judgement *j)
{
    struct cf_findings *f = &j->findings;

    f->n_classes = j->ledger.n_groups;
    f->classes = cf_arena_alloc(&j->arena, (size_t)(f->n_classes + 1) * sizeof f->classes[0]);
    for (int g = 0; g < j->ledger.n_groups; ++g) {
        int *class_of = cf_arena_alloc(&j->arena, (size_t)(j->ledger.n_configurations + 1) *
                                                      sizeof class_of[0]);

        f->classes[g] = (struct cf_class_finding){.suite = j->ledger.group[g].suite,
                                                  .group = j->ledger.group[g].name,
                                                  .class_of = class_of};
        for (int i = 0; i < j->ledger.n_configurations; ++i)
            classify(j, &f->classes[g], class_of, i, g);
    }
}
