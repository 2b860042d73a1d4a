/* From cells to configurations, the sentence and the exit code. */
#include "levels.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const adverb[CF_N_LEVELS] = {[CF_NONE] = "at all",
                                                [CF_FUNCTIONAL] = "functionally",
                                                [CF_SCIENTIFIC] = "scientifically",
                                                [CF_STATISTICAL] = "statistically",
                                                [CF_NUMERICAL] = "numerically"};

static void find_unqualified(struct cf_judgement *j)
{
    j->unqualified =
        cf_arena_alloc(&j->arena, (size_t)(j->ledger.n_groups + 1) * sizeof j->unqualified[0]);
    for (int g = 0; g < j->ledger.n_groups; ++g)
        j->unqualified[g] = cf_grade_disqualifies(j, j->ledger.baseline, g);
}

/* The level along the scope asked for; the level reported is the one to the baseline. */
static void fill_cell(struct cf_judgement *j, struct cf_cell_finding *cell, int configuration,
                      int group)
{
    const struct cf_grade grade = cf_grade_of(j, configuration, group, CF_TO_BASELINE);
    const struct cf_finding *source =
        cf_judgement_slot(j, configuration, group, CF_SLOT_ATTRIBUTION);
    const struct cf_grade asked = cf_grade_of(j, configuration, group, j->options.scope);

    *cell = (struct cf_cell_finding){.configuration = configuration,
                                     .suite = j->ledger.group[group].suite,
                                     .group = j->ledger.group[group].name,
                                     .level = grade.level,
                                     .verdict = asked.at[j->options.required],
                                     .wrong = grade.wrong,
                                     .reason = cf_grade_reason(j, &grade)};
    j->findings.n_anomalies += configuration != j->ledger.baseline ? grade.n_anomalies : 0;
    if (j->options.scope != CF_TO_BASELINE && cell->verdict != CF_PASS)
        cell->reason = cf_grade_reason(j, &asked);
    if (configuration != j->ledger.baseline && source->verdict == CF_PASS)
        cell->reason = cf_arena_format(
            &j->arena, "%s%s%.*s", cell->reason, *cell->reason ? "; " : "",
            (int)(strstr(source->reason, " Effective") - source->reason), source->reason);
}

static void fill_cells(struct cf_judgement *j)
{
    const int n_groups = j->ledger.n_groups;
    struct cf_findings *f = &j->findings;

    f->n_cells = f->n_configurations * n_groups;
    f->cells = cf_arena_alloc(&j->arena, (size_t)(f->n_cells + 1) * sizeof f->cells[0]);
    for (int i = 0; i < f->n_configurations; ++i)
        for (int g = 0; g < n_groups; ++g)
            fill_cell(j, &f->cells[i * n_groups + g], i, g);
}

/* fail, unknown, pass, skip: the first of these among the cells. */
static enum cf_verdict gravest(enum cf_verdict a, enum cf_verdict b)
{
    static const int gravity[CF_N_VERDICTS] = {
        [CF_SKIP] = 0, [CF_PASS] = 1, [CF_UNKNOWN] = 2, [CF_FAIL] = 3};

    return gravity[b] > gravity[a] ? b : a;
}

/* The cell that holds a configuration's level down, and among those the one with the gravest
 * verdict. */
static int is_lower(const struct cf_cell_finding *a, const struct cf_cell_finding *b)
{
    if (a->verdict != b->verdict)
        return gravest(a->verdict, b->verdict) == a->verdict;
    return a->level < b->level;
}

static void grade_configuration(struct cf_judgement *j, int configuration)
{
    const struct cf_findings *f = &j->findings;
    struct cf_configuration_finding *one = &f->configurations[configuration];
    const struct cf_cell_finding *lowest = NULL;

    one->level = CF_NUMERICAL;
    one->at_required = CF_SKIP;
    for (int g = 0; g < j->ledger.n_groups; ++g) {
        const struct cf_cell_finding *cell = &f->cells[configuration * j->ledger.n_groups + g];

        one->wrong |= cell->wrong;
        one->at_required = gravest(one->at_required, cell->verdict);
        if (cf_judgement_slot(j, configuration, g, CF_SLOT_F)->verdict != CF_SKIP &&
            cell->level < one->level)
            one->level = cell->level;
        if (!lowest || is_lower(cell, lowest))
            lowest = cell;
    }
    if (one->at_required == CF_SKIP)
        one->level = CF_NONE;
    one->reason = "";
    if (lowest && one->level < CF_NUMERICAL)
        one->reason = cf_arena_format(&j->arena, "%s: %s", lowest->group, lowest->reason);
}

/* Median over the records that ran of one case; -1 without any. */
static int by_time(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, int64_t n)
{
    qsort(values, (size_t)n, sizeof values[0], by_time);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static double wall_time(const struct cf_judgement *j, int case_index, int configuration)
{
    int64_t n, n_times = 0;
    const struct cf_ledger_record *records =
        cf_ledger_records(&j->ledger, case_index, configuration, &n);
    double *times = cf_alloc((size_t)(n + 1) * sizeof times[0]), result = -1;

    for (int64_t i = 0; i < n; ++i)
        if (records[i].fate == CF_RAN && records[i].wall_ns >= 0)
            times[n_times++] = (double)records[i].wall_ns;
    if (n_times > 0)
        result = median(times, n_times);
    free(times);
    return result;
}

static double slowdown_of(const struct cf_judgement *j, int configuration)
{
    double *ratio = cf_alloc((size_t)(j->ledger.n_cases + 1) * sizeof ratio[0]), result = NAN;
    int64_t n = 0;

    for (int i = 0; i < j->ledger.n_cases; ++i) {
        const double mine = wall_time(j, i, configuration);
        const double base = wall_time(j, i, j->ledger.baseline);

        if (mine >= 0 && base > 0)
            ratio[n++] = mine / base;
    }
    if (n > 0)
        result = median(ratio, n);
    free(ratio);
    return result;
}

/* "3.3.10" of "fftw-3.3.10-sse2-avx": the first number with a dot; length 0 when there is none. */
static const char *number_of(const char *version, int *length)
{
    const char *at = version;

    for (;; at += *length) {
        at += strcspn(at, "0123456789");
        *length = (int)strspn(at, "0123456789.");
        if (*length == 0 || memchr(at, '.', (size_t)*length))
            return at;
    }
}

/* The label, and after its first word the version read back, where the file's name has none: the
 * number that an interface has there (libdnnl.so.2.6, libfftw3.so.3.6.10) makes way for it. */
static const char *told_label(struct cf_judgement *j, const struct cf_ledger_configuration *from)
{
    const int word = (int)strcspn(from->label, " ");
    const char *rest = from->label + word, *number;
    int length = 0;

    if (!cf_config_get(&from->config, "lib") || !from->version || strpbrk(from->version, " ="))
        return from->label;
    number = number_of(from->version, &length);
    if (length == 0 || strstr(from->label, from->version))
        return from->label;
    if (isdigit((unsigned char)rest[strspn(rest, " ")]))
        rest += strspn(rest, " ") + strcspn(rest + strspn(rest, " "), " ");
    return cf_arena_format(&j->arena, "%.*s %.*s%s", word, from->label, length, number, rest);
}

static void fill_configuration(struct cf_judgement *j, int configuration)
{
    const struct cf_ledger_configuration *from = &j->ledger.configuration[configuration];
    struct cf_configuration_finding *one = &j->findings.configurations[configuration];

    *one = (struct cf_configuration_finding){.text = from->text,
                                             .label = told_label(j, from),
                                             .requested = from->requested,
                                             .effective = from->effective,
                                             .is_baseline = configuration == j->ledger.baseline,
                                             .qualified = 1,
                                             .slowdown = slowdown_of(j, configuration)};
    for (int g = 0; g < j->ledger.n_groups; ++g) {
        const struct cf_coverage *coverage = cf_judgement_coverage(j, configuration, g);

        if (cf_grade_disqualifies(j, configuration, g))
            one->qualified = 0;
        for (int fate = 0; fate < CF_N_FATES; ++fate)
            one->n_fates[fate] += coverage->n_fates[fate];
    }
    if (one->n_fates[CF_RAN] == 0)
        one->qualified = 0;
    grade_configuration(j, configuration);
}

/* n_lower: of those that fail, how many reach a level below the one that was asked for. */
struct counts {
    int n_at[CF_N_VERDICTS], n_wrong, n_lower[CF_N_LEVELS];
};

static struct counts count(const struct cf_findings *f)
{
    struct counts counts = {.n_wrong = 0};

    for (int i = 0; i < f->n_configurations; ++i) {
        ++counts.n_at[f->configurations[i].at_required];
        if (f->configurations[i].at_required == CF_FAIL)
            ++counts.n_lower[f->configurations[i].level];
        counts.n_wrong += f->configurations[i].wrong != 0;
    }
    return counts;
}

/* 1 wins over 3: what is known not to meet the level, or to be wrong, is known. */
static int exit_code_of(const struct cf_findings *f, const struct counts *counts)
{
    if (f->n_cases == 0 || f->n_configurations == 0)
        return 4;
    if (counts->n_at[CF_FAIL] > 0 || counts->n_wrong > 0)
        return 1;
    if (counts->n_at[CF_UNKNOWN] > 0 || counts->n_at[CF_PASS] == 0)
        return 3;
    return 0;
}

static char *say(struct cf_judgement *j, char *sentence, int n, const char *one, const char *many)
{
    if (n == 0)
        return sentence;
    return cf_arena_format(&j->arena, "%s; %d %s", sentence, n, n == 1 ? one : many);
}

static const char *make_sentence(struct cf_judgement *j, const struct counts *counts)
{
    const struct cf_findings *f = &j->findings;
    const int n = f->n_configurations, n_pass = counts->n_at[CF_PASS];
    const enum cf_scope scope = j->options.scope;
    const char *along = scope == CF_TO_BASELINE
                            ? ""
                            : cf_arena_format(&j->arena, " across %s", cf_scope_name(scope));
    char *sentence;

    if (f->exit_code == 4)
        return "nothing was selected: no case or no configuration";
    sentence = cf_arena_format(&j->arena, "%d of %d configurations %s %s reproducible%s", n_pass, n,
                               n_pass == 1 ? "is" : "are", adverb[f->required], along);
    sentence = say(j, sentence, counts->n_at[CF_FAIL], "is not", "are not");
    for (int level = CF_N_LEVELS - 1; scope == CF_TO_BASELINE && level > CF_NONE; --level)
        if (counts->n_lower[level] > 0)
            sentence = cf_arena_format(&j->arena, "%s, but %d %s", sentence, counts->n_lower[level],
                                       adverb[level]);
    sentence =
        say(j, sentence, counts->n_at[CF_UNKNOWN], "could not be decided", "could not be decided");
    sentence = say(j, sentence, counts->n_at[CF_SKIP], "cannot be compared", "cannot be compared");
    return say(j, sentence, counts->n_wrong, "is proven wrong, whatever its level",
               "are proven wrong, whatever their level");
}

void cf_judge_levels(struct cf_judgement *j)
{
    struct cf_findings *f = &j->findings;
    struct counts counts;

    f->n_configurations = j->ledger.n_configurations;
    f->configurations =
        cf_arena_alloc(&j->arena, (size_t)(f->n_configurations + 1) * sizeof f->configurations[0]);
    find_unqualified(j);
    fill_cells(j);
    for (int i = 0; i < f->n_configurations; ++i)
        fill_configuration(j, i);
    counts = count(f);
    f->exit_code = exit_code_of(f, &counts);
    f->sentence = make_sentence(j, &counts);
}
