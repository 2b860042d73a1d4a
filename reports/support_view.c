#include "support_view.h"

#include <stdlib.h>
#include <string.h>

static void add_name(struct cf_view_names *names, const char *name)
{
    for (int i = 0; i < names->n; ++i)
        if (strcmp(names->name[i], name) == 0)
            return;
    names->name = cf_realloc(names->name, (size_t)(names->n + 1) * sizeof names->name[0]);
    names->name[names->n++] = name;
}

struct cf_view_names cf_view_suites(const struct cf_findings *findings)
{
    struct cf_view_names names = {0};

    for (int i = 0; i < findings->n_cells; ++i)
        add_name(&names, findings->cells[i].suite);
    return names;
}

struct cf_view_names cf_view_ops(const struct cf_findings *findings)
{
    struct cf_view_names names = {0};

    for (int i = 0; i < findings->n_cells; ++i) {
        const char *group = findings->cells[i].group;
        char *op = cf_format("%.*s", (int)strcspn(group, " "), group);
        const int before = names.n;

        add_name(&names, op);
        if (names.n == before)
            free(op);
    }
    return names;
}

struct cf_view_names cf_view_families(const struct cf_findings *findings)
{
    struct cf_view_names names = {0};

    for (int i = 0; i < findings->n_invariances; ++i)
        if (findings->invariances[i].verdict != CF_SKIP)
            add_name(&names, findings->invariances[i].family);
    return names;
}

void cf_view_names_free(struct cf_view_names *names, int owned)
{
    for (int i = 0; owned && i < names->n; ++i)
        free((char *)names->name[i]);
    free(names->name);
    *names = (struct cf_view_names){0};
}

/* Fail is weaker than unknown, unknown than skip, skip than pass. */
static int weakness(enum cf_verdict verdict)
{
    static const int rank[CF_N_VERDICTS] = {
        [CF_PASS] = 0, [CF_SKIP] = 1, [CF_UNKNOWN] = 2, [CF_FAIL] = 3};

    return rank[verdict];
}

static void gather(struct cf_view_cell *cell, enum cf_level level, enum cf_verdict verdict,
                   int wrong)
{
    if (cell->n == 0 || level < cell->level)
        cell->level = level;
    if (cell->n == 0 || weakness(verdict) > weakness(cell->verdict))
        cell->verdict = verdict;
    cell->wrong |= wrong;
    ++cell->n;
}

struct cf_view_cell cf_view_configuration(const struct cf_findings *findings, int configuration,
                                          const char *suite, const char *op)
{
    struct cf_view_cell cell = {0};

    for (int i = 0; i < findings->n_cells; ++i) {
        const struct cf_cell_finding *part = &findings->cells[i];
        const size_t length = strcspn(part->group, " ");

        if (part->configuration != configuration || (suite && strcmp(part->suite, suite) != 0))
            continue;
        if (op && (strlen(op) != length || strncmp(part->group, op, length) != 0))
            continue;
        gather(&cell, part->level, part->verdict, part->wrong);
    }
    return cell;
}

struct cf_view_cell cf_view_invariance(const struct cf_findings *findings, const char *family,
                                       enum cf_scope scope)
{
    struct cf_view_cell cell = {0};

    for (int i = 0; i < findings->n_invariances; ++i) {
        const struct cf_invariance_finding *part = &findings->invariances[i];

        if (part->scope == scope && part->verdict != CF_SKIP && strcmp(part->family, family) == 0)
            gather(&cell, part->level, part->verdict, 0);
    }
    return cell;
}

int cf_view_scope_used(const struct cf_findings *findings, enum cf_scope scope)
{
    for (int i = 0; i < findings->n_invariances; ++i)
        if (findings->invariances[i].scope == scope && findings->invariances[i].verdict != CF_SKIP)
            return 1;
    return 0;
}

const char *cf_view_short(const struct cf_view_cell *cell)
{
    static const char *const names[2][CF_N_LEVELS] = {{[CF_NONE] = "none",
                                                       [CF_FUNCTIONAL] = "func",
                                                       [CF_SCIENTIFIC] = "sci",
                                                       [CF_STATISTICAL] = "stat",
                                                       [CF_NUMERICAL] = "num"},
                                                      {[CF_NONE] = "none!",
                                                       [CF_FUNCTIONAL] = "func!",
                                                       [CF_SCIENTIFIC] = "sci!",
                                                       [CF_STATISTICAL] = "stat!",
                                                       [CF_NUMERICAL] = "num!"}};

    if (cell->n == 0 || (cell->verdict == CF_SKIP && !cell->wrong))
        return "-";
    if (cell->verdict == CF_UNKNOWN && cell->level == CF_NONE && !cell->wrong)
        return "?";
    return names[cell->wrong != 0][cell->level];
}

static int told(const struct cf_finding *finding, int pass)
{
    return pass == 0 ? finding->wrong : !finding->wrong && finding->verdict == CF_FAIL;
}

static int repeats(const struct cf_finding *finding, const struct cf_finding *worst[], int n)
{
    for (int i = 0; i < n; ++i)
        if (worst[i] == finding || (worst[i]->configuration == finding->configuration &&
                                    worst[i]->demand.scope == finding->demand.scope &&
                                    strcmp(worst[i]->component, finding->component) == 0))
            return worst[i] == finding ? 2 : 1;
    return 0;
}

int cf_view_worst(const struct cf_findings *findings, const struct cf_finding *worst[], int max,
                  int *n_all)
{
    int n = 0;

    *n_all = 0;
    for (int pass = 0; pass < 2; ++pass)
        for (int i = 0; i < findings->n_findings; ++i)
            *n_all += told(&findings->findings[i], pass);
    for (int again = 0; again < 2; ++again)
        for (int pass = 0; pass < 2; ++pass)
            for (int i = 0; i < findings->n_findings && n < max; ++i) {
                const struct cf_finding *finding = &findings->findings[i];

                if (told(finding, pass) && repeats(finding, worst, n) <= again)
                    worst[n++] = finding;
            }
    return n;
}

char *cf_view_head(const struct cf_finding *finding)
{
    static const char *const words[CF_N_VERDICTS] = {"PASS", "FAIL", "UNKNOWN", "SKIP"};
    const enum cf_scope scope = finding->demand.scope;
    const char *between = scope == CF_TO_BASELINE || scope == CF_TO_REFERENCE ? "to" : "across";

    return cf_format("%s %s %s-%s %s", finding->wrong ? "WRONG" : words[finding->verdict],
                     cf_level_name(finding->demand.level), between, cf_scope_name(scope),
                     finding->suite);
}

void cf_view_largest(const struct cf_findings *findings, const struct cf_class_finding *class_,
                     int *number, int *n_members, int *n_measured)
{
    *number = -1;
    *n_members = *n_measured = 0;
    for (int k = 0; k < class_->n_classes; ++k) {
        int members = 0;

        for (int i = 0; i < findings->n_configurations; ++i)
            members += class_->class_of[i] == k;
        *n_measured += members;
        if (members > *n_members) {
            *n_members = members;
            *number = k;
        }
    }
}

int64_t cf_view_unmeasured(const struct cf_configuration_finding *configuration)
{
    int64_t n = 0;

    for (int i = 0; i < CF_N_FATES; ++i)
        if (i != CF_RAN && i != CF_NOT_OFFERED)
            n += configuration->n_fates[i];
    return n;
}
