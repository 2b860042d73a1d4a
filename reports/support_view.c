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
                   int wrong, int open)
{
    if (level == CF_NONE)
        cell->open = open && (cell->n == 0 || cell->level != CF_NONE || cell->open);
    if (cell->n == 0 || level < cell->level)
        cell->level = level;
    if (cell->n == 0 || weakness(verdict) > weakness(cell->verdict))
        cell->verdict = verdict;
    cell->wrong |= wrong;
    ++cell->n;
}

/* Is it only the bits that are known to differ? */
static int is_open(const struct cf_findings *findings, const struct cf_cell_finding *cell)
{
    if (cell->level != CF_NONE || cell->verdict != CF_FAIL || cell->wrong)
        return 0;
    for (int i = 0; i < findings->n_findings; ++i) {
        const struct cf_finding *v = &findings->findings[i];

        if (v->configuration == cell->configuration && v->verdict == CF_FAIL &&
            v->demand.level != CF_NUMERICAL && strcmp(v->group, cell->group) == 0 &&
            strcmp(v->suite, cell->suite) == 0)
            return 0;
    }
    return findings->required == CF_NUMERICAL;
}

static int is_part(const struct cf_cell_finding *part, int configuration, const char *suite,
                   const char *op)
{
    const size_t length = strcspn(part->group, " ");

    return part->configuration == configuration && (!suite || strcmp(part->suite, suite) == 0) &&
           (!op || (strlen(op) == length && strncmp(part->group, op, length) == 0));
}

struct cf_view_cell cf_view_configuration(const struct cf_findings *findings, int configuration,
                                          const char *suite, const char *op)
{
    struct cf_view_cell cell = {0};
    int n_skipped = 0;

    for (int i = 0; i < findings->n_cells; ++i) {
        const struct cf_cell_finding *part = &findings->cells[i];

        if (!is_part(part, configuration, suite, op))
            continue;
        if (part->verdict == CF_SKIP && !part->wrong)
            ++n_skipped;
        else
            gather(&cell, part->level, part->verdict, part->wrong, is_open(findings, part));
    }
    if (cell.n == 0 && n_skipped > 0)
        cell = (struct cf_view_cell){.n = n_skipped, .verdict = CF_SKIP};
    return cell;
}

struct cf_view_cell cf_view_one(const struct cf_findings *findings,
                                const struct cf_cell_finding *part)
{
    struct cf_view_cell cell = {0};

    gather(&cell, part->level, part->verdict, part->wrong, is_open(findings, part));
    return cell;
}

struct cf_view_cell cf_view_invariance(const struct cf_findings *findings, const char *family,
                                       enum cf_scope scope)
{
    struct cf_view_cell cell = {0};
    int64_t n_compared = 0, n_different = 0;

    for (int i = 0; i < findings->n_invariances; ++i) {
        const struct cf_invariance_finding *part = &findings->invariances[i];

        if (part->scope != scope || part->verdict == CF_SKIP || strcmp(part->family, family) != 0)
            continue;
        gather(&cell, part->level, part->verdict, 0,
               part->verdict == CF_UNKNOWN && part->n_different > 0);
        n_compared += part->n_compared;
        n_different += part->n_different;
    }
    cell.held = cell.verdict == CF_UNKNOWN && n_compared > 0 && n_different == 0;
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
    if (cell->level == CF_NONE && cell->open && !cell->wrong)
        return "<num";
    if (cell->verdict == CF_UNKNOWN && cell->level == CF_NONE && !cell->wrong)
        return cell->held ? "num?" : "?";
    return names[cell->wrong != 0][cell->level];
}

static int told(const struct cf_finding *finding, int pass)
{
    return pass == 0 ? finding->wrong : !finding->wrong && finding->verdict == CF_FAIL;
}

/* Columns of a label that its relatives share: up to its threads. */
static size_t family_length(const char *label)
{
    const char *threads = strstr(label, " threads=");

    return threads ? (size_t)(threads - label) : strlen(label);
}

static int same_family(const char *a, const char *b)
{
    const size_t length = family_length(a);

    return length == family_length(b) && strncmp(a, b, length) == 0;
}

/* 2: it is there; 1: one like it is there. */
static int repeats(const struct cf_findings *findings, const struct cf_finding *finding,
                   const struct cf_finding *worst[], int n)
{
    const char *label = findings->configurations[finding->configuration].label;
    int found = 0;

    for (int i = 0; i < n && found < 2; ++i)
        if (worst[i] == finding)
            found = 2;
        else if (worst[i]->demand.scope == finding->demand.scope &&
                 strcmp(worst[i]->component, finding->component) == 0 &&
                 same_family(label, findings->configurations[worst[i]->configuration].label))
            found = 1;
    return found;
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

                if (told(finding, pass) && repeats(findings, finding, worst, n) <= again)
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

char *cf_view_members(const struct cf_findings *findings, const struct cf_class_finding *class_,
                      int number)
{
    const char *before = NULL;
    char *list = cf_strdup("");

    for (int i = 0; i < findings->n_configurations; ++i) {
        const char *label = findings->configurations[i].label, *more = label, *between = "; ";
        char *longer;

        if (class_->class_of[i] != number)
            continue;
        if (before && same_family(before, label) && label[family_length(label)]) {
            more = label + family_length(label) + strlen(" threads=");
            between = ", ";
        }
        longer = cf_format("%s%s%s", list, before ? between : "", more);
        free(list);
        list = longer;
        before = label;
    }
    return list;
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
