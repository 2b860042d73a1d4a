#include "compare.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "reference.h"

const char *cf_change_name(enum cf_change change)
{
    static const char *const names[CF_N_CHANGES] = {"same",      "changed", "improved",
                                                    "regressed", "error",   "only-in-one"};

    return names[change];
}

static void append(char ***list, int n, const char *text)
{
    *list = cf_realloc(*list, (unsigned long)(n + 1) * sizeof **list);
    (*list)[n] = cf_strdup(text);
}

static int put_configuration(void *context, const struct cf_plan_configuration *row)
{
    struct cf_run_view *view = context;

    append(&view->configuration, view->n_configurations, row->text);
    append(&view->label, view->n_configurations++, row->label);
    return 0;
}

static int put_case(void *context, const struct cf_plan_case *row)
{
    struct cf_run_view *view = context;

    char *text = cf_case_canonical(row->text, cf_op_grammar);

    append(&view->case_text, view->n_cases, text);
    free(text);
    append(&view->suite, view->n_cases, row->suite);
    view->inputs =
        cf_realloc(view->inputs, (unsigned long)(view->n_cases + 1) * sizeof view->inputs[0]);
    view->inputs[view->n_cases++] = row->inputs;
    return 0;
}

static struct cf_outcome *outcome_of(const struct cf_run_view *view, int configuration, int c)
{
    return &view->outcome[(size_t)configuration * (size_t)view->n_cases + (size_t)c];
}

static int put_record(void *context, const struct cf_record *record)
{
    struct cf_run_view *view = context;
    struct cf_outcome *o;

    if (record->configuration < 1 || record->configuration > view->n_configurations ||
        record->case_id < 1 || record->case_id > view->n_cases)
        return 0;
    o = outcome_of(view, (int)record->configuration - 1, (int)record->case_id - 1);
    if (record->fate != CF_RAN) {
        o->n_failed += record->fate != CF_NOT_OFFERED;
        return 0;
    }
    if (o->n_ran == 0 && *record->chosen)
        o->chosen = cf_strdup(record->chosen);
    if (o->n_ran == 0 || memcmp(record->digest.byte, o->low.byte, sizeof o->low.byte) < 0)
        o->low = record->digest;
    if (o->n_ran == 0 || memcmp(record->digest.byte, o->high.byte, sizeof o->high.byte) > 0)
        o->high = record->digest;
    ++o->n_ran;
    return 0;
}

void cf_run_view_read(struct cf_run_view *view, struct cf_store *store,
                      const struct cf_findings *findings)
{
    *view = (struct cf_run_view){.findings = findings};
    cf_store_each_configuration(store, put_configuration, view);
    cf_store_each_case(store, put_case, view);
    view->outcome =
        cf_alloc_zero(((unsigned long)view->n_configurations * (unsigned long)view->n_cases + 1) *
                      sizeof view->outcome[0]);
    cf_store_each_record(store, put_record, view);
}

static void free_list(char **list, int n)
{
    for (int i = 0; i < n; ++i)
        free(list[i]);
    free(list);
}

void cf_run_view_free(struct cf_run_view *view)
{
    free_list(view->label, view->n_configurations);
    free_list(view->case_text, view->n_cases);
    free_list(view->suite, view->n_cases);
    for (int i = 0; i < view->n_configurations * view->n_cases && view->outcome; ++i)
        free(view->outcome[i].chosen);
    free_list(view->configuration, view->n_configurations);
    free(view->inputs);
    free(view->outcome);
    *view = (struct cf_run_view){0};
}

static int find(char *const list[], int n, const char *text)
{
    for (int i = 0; i < n; ++i)
        if (strcmp(list[i], text) == 0)
            return i;
    return -1;
}

int cf_run_view_configuration(const struct cf_run_view *view, const char *text, const char *label)
{
    const int i = find(view->configuration, view->n_configurations, text);

    return i >= 0 ? i : find(view->label, view->n_configurations, label);
}

int cf_run_view_case(const struct cf_run_view *view, const char *text)
{
    return find(view->case_text, view->n_cases, text);
}

const char *cf_run_view_chosen(const struct cf_run_view *view, int configuration, int case_index)
{
    const struct cf_outcome *o = outcome_of(view, configuration, case_index);

    return o->chosen ? o->chosen : "";
}

static int baseline_of(const struct cf_run_view *view)
{
    for (int i = 0; i < view->findings->n_configurations; ++i)
        if (view->findings->configurations[i].is_baseline)
            return i;
    return -1;
}

static int check_inputs(const struct cf_run_view *a, const struct cf_run_view *b,
                        struct cf_error *err)
{
    int n_common = 0;

    for (int i = 0; i < a->n_cases; ++i) {
        const int k = cf_run_view_case(b, a->case_text[i]);

        if (k < 0)
            continue;
        ++n_common;
        if (!cf_digest_equal(&a->inputs[i], &b->inputs[k]))
            return cf_fail(err,
                           "the runs drew other inputs for `%s`, so their answers cannot be "
                           "compared; run both with one version of conform",
                           a->case_text[i]);
    }
    if (n_common > 0)
        return 0;
    return cf_fail(err, "the runs have no case in common: the first has `%s`, the second `%s`",
                   a->n_cases ? a->case_text[0] : "none", b->n_cases ? b->case_text[0] : "none");
}

int cf_compare_check(const struct cf_run_view *a, const struct cf_run_view *b, struct cf_error *err)
{
    const int base_a = baseline_of(a), base_b = baseline_of(b);
    int n_common = 0;

    for (int i = 0; i < a->n_configurations; ++i)
        n_common += cf_run_view_configuration(b, a->configuration[i], a->label[i]) >= 0;
    if (n_common == 0)
        return cf_fail(err,
                       "the runs have no configuration in common: the first has `%s`, the second "
                       "`%s`",
                       a->n_configurations ? a->configuration[0] : "none",
                       b->n_configurations ? b->configuration[0] : "none");
    if (base_a < 0 || base_b < 0 ||
        cf_run_view_configuration(b, a->configuration[base_a], a->label[base_a]) != base_b)
        return cf_fail(err,
                       "the runs have other baselines (`%s` and `%s`), so their levels cannot be "
                       "compared",
                       base_a < 0 ? "none" : a->label[base_a],
                       base_b < 0 ? "none" : b->label[base_b]);
    return check_inputs(a, b, err);
}

/* The cell that a configuration's case belongs to: its suite and its "op dtype". */
static const struct cf_cell_finding *cell_of(const struct cf_run_view *view, int configuration,
                                             int c)
{
    const char *text = view->case_text[c];
    const size_t op = strcspn(text, " "), length = op + 1 + strcspn(text + op + 1, " ");

    for (int i = 0; i < view->findings->n_cells; ++i) {
        const struct cf_cell_finding *cell = &view->findings->cells[i];

        if (cell->configuration == configuration && strcmp(cell->suite, view->suite[c]) == 0 &&
            strlen(cell->group) == length && strncmp(cell->group, text, length) == 0)
            return cell;
    }
    return NULL;
}

enum cf_change cf_compare_one(const struct cf_run_view *a, int configuration_a, int case_a,
                              const struct cf_run_view *b, int configuration_b, int case_b)
{
    const struct cf_outcome *before = outcome_of(a, configuration_a, case_a);
    const struct cf_outcome *after = outcome_of(b, configuration_b, case_b);
    const struct cf_cell_finding *cell_a = cell_of(a, configuration_a, case_a);
    const struct cf_cell_finding *cell_b = cell_of(b, configuration_b, case_b);

    if (before->n_failed || after->n_failed || !before->n_ran != !after->n_ran)
        return CF_ERROR;
    if (before->n_ran == 0 || (cf_digest_equal(&before->low, &after->low) &&
                               cf_digest_equal(&before->high, &after->high)))
        return CF_SAME;
    if (!cell_a || !cell_b)
        return CF_CHANGED;
    if (cell_a->wrong != cell_b->wrong)
        return cell_b->wrong ? CF_REGRESSED : CF_IMPROVED;
    if (cell_a->level != cell_b->level)
        return cell_b->level < cell_a->level ? CF_REGRESSED : CF_IMPROVED;
    return CF_CHANGED;
}
