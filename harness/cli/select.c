#include "select.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends.h"
#include "discover.h"
#include "strict.h"
#include "suggest.h"
#include "suite.h"

/* Of a case that a user wrote: bits that never differ are evidence only from ten fresh workers and
 * about 300 comparisons in a group of one op and type (docs/levels.md, section 5). */
#define PROCESSES   10
#define REPETITIONS 30
#define GROUPS_MAX  64

/* "plain kernel=kahan" is a configuration; "*threads=2*", "openblas*" and "plain", all of whose
 * kernels it then means, are globs. */
static int is_written_out(const char *text)
{
    const size_t word = strcspn(text, " ");

    return !strpbrk(text, "*?[") && memchr(text, '=', word) == NULL && strchr(text + word, '=');
}

static int add_written_out(const struct cf_options *options, struct cf_matrix *matrix, int *n_globs,
                           struct cf_error *err)
{
    *n_globs = 0;
    for (int i = 0; i < options->configurations.n; ++i)
        if (!is_written_out(options->configurations.word[i]))
            ++*n_globs;
        else if (cf_matrix_add_words(matrix, options->configurations.word[i], err) != 0)
            return -1;
    return 0;
}

/* "plain" means every configuration of that backend. */
static int is_backend(const char *word, const char *line)
{
    const size_t length = strcspn(line, " ");

    return strlen(word) == length && strncmp(word, line, length) == 0;
}

/* Does a glob keep entry i? */
static int is_kept(const struct cf_options *options, const struct cf_matrix *matrix, int i)
{
    for (int k = 0; k < options->configurations.n; ++k) {
        const char *word = options->configurations.word[k];

        if (!is_written_out(word) &&
            (cf_glob_match(word, matrix->line[i]) || cf_glob_match(word, matrix->label[i]) ||
             is_backend(word, matrix->line[i])))
            return 1;
    }
    return 0;
}

/* Keeps the entries whose keep[] is set, and the baseline; returns how many were set. */
static int retain(struct cf_matrix *matrix, const char keep[])
{
    int n = 0, n_kept = 0, baseline = 0;

    for (int i = 0; i < matrix->n; ++i) {
        n_kept += keep[i] != 0;
        if (!keep[i] && i != matrix->baseline) {
            free(matrix->line[i]);
            free(matrix->label[i]);
            continue;
        }
        baseline = i == matrix->baseline ? n : baseline;
        matrix->line[n] = matrix->line[i];
        matrix->label[n++] = matrix->label[i];
    }
    matrix->n = n;
    matrix->baseline = baseline;
    return n_kept;
}

/* What the user wrote out stays, also where the machine has it too. */
static void keep_written_out(const struct cf_options *options, const struct cf_matrix *matrix,
                             char keep[])
{
    struct cf_matrix own = {0};
    int n_globs;

    CF_CHECK(add_written_out(options, &own, &n_globs, NULL) == 0);
    for (int i = 0; i < matrix->n; ++i)
        for (int k = 0; k < own.n; ++k)
            keep[i] |= (char)(strcmp(matrix->line[i], own.line[k]) == 0);
    cf_matrix_free(&own);
}

/* Entries from n_found on were written out by the user. */
static int apply_globs(const struct cf_options *options, struct cf_matrix *matrix, int n_found,
                       struct cf_error *err)
{
    char *keep = cf_alloc_zero((unsigned long)matrix->n + 1);
    int n_kept;

    for (int i = 0; i < matrix->n; ++i)
        keep[i] = (char)(i >= n_found || is_kept(options, matrix, i));
    keep_written_out(options, matrix, keep);
    n_kept = retain(matrix, keep);
    free(keep);
    if (n_kept > 0)
        return 0;
    return cf_fail_with(err, 4,
                        "no configuration matches --configuration=%s; `conform list "
                        "configurations` names them",
                        options->configurations.word[0]);
}

/* Scopes that are a key of the configuration; the others are about cases or runs. */
static int is_of_configurations(enum cf_scope scope)
{
    return scope == CF_ACROSS_THREAD || scope == CF_ACROSS_ISA || scope == CF_ACROSS_ALIGNMENT ||
           scope == CF_ACROSS_VERSION || scope == CF_ACROSS_LIBRARY || scope == CF_ACROSS_DEVICE;
}

static int differ_along(const struct cf_config *a, const struct cf_config *b, enum cf_scope scope)
{
    const char *open = cf_config_scope(a, b);

    if (!open || !*open)
        return 0;
    return strcmp(open, cf_scope_name(scope)) == 0 ||
           (scope == CF_ACROSS_VERSION && strcmp(open, "library") == 0);
}

static int apply_scope(enum cf_scope scope, struct cf_matrix *matrix, struct cf_error *err)
{
    struct cf_config *config = cf_alloc_zero((unsigned long)(matrix->n + 1) * sizeof *config);
    char *keep = cf_alloc_zero((unsigned long)matrix->n + 1);
    const int n = matrix->n;
    int n_kept;

    for (int i = 0; i < n; ++i)
        CF_CHECK(cf_config_parse(&config[i], matrix->line[i], NULL) == 0);
    for (int i = 0; i < n; ++i)
        for (int k = 0; k < n; ++k)
            keep[i] |= (char)(k != i && differ_along(&config[i], &config[k], scope));
    n_kept = retain(matrix, keep);
    for (int i = 0; i < n; ++i)
        cf_config_free(&config[i]);
    free(config);
    free(keep);
    return n_kept > 0 ? 0
                      : cf_fail_with(err, 4, "no two configurations differ only along the scope %s",
                                     cf_scope_name(scope));
}

static int only_written_out(const struct cf_options *options)
{
    int only_texts = options->configurations.n > 0;

    for (int i = 0; i < options->configurations.n; ++i)
        only_texts &= is_written_out(options->configurations.word[i]);
    return only_texts;
}

char *cf_select_matrix_path(const struct cf_options *options, struct cf_error *err)
{
    if (options->matrix)
        return cf_strdup(options->matrix);
    return only_written_out(options) ? NULL : cf_matrix_find(err);
}

/* The matrix before any glob. */
static int base_matrix(const struct cf_options *options, struct cf_matrix *matrix,
                       struct cf_error *err)
{
    char *found;
    int result = 0;

    if (!options->matrix && only_written_out(options))
        return 0;
    found = cf_select_matrix_path(options, err);
    if (found)
        result = cf_matrix_read(matrix, found, err);
    else
        result = *err->text ? -1 : cf_discover(matrix, "", NULL, options->suite, err);
    free(found);
    return result;
}

int cf_select_matrix(const struct cf_options *options, struct cf_matrix *matrix,
                     struct cf_error *err)
{
    int n_globs, n_found, result;

    *matrix = (struct cf_matrix){0};
    result = base_matrix(options, matrix, err);
    n_found = matrix->n;
    if (result == 0)
        result = add_written_out(options, matrix, &n_globs, err);
    if (result == 0 && n_globs > 0)
        result = apply_globs(options, matrix, n_found, err);
    if (result == 0 && is_of_configurations(options->scope))
        result = apply_scope(options->scope, matrix, err);
    if (result != 0)
        cf_matrix_free(matrix);
    return result;
}

struct adding {
    struct cf_plan *plan;
    const struct cf_options *options;
    struct cf_error *err;
    int n_groups, n_cases[GROUPS_MAX]; /* cases of each group that the lines stand for */
    char group[GROUPS_MAX][32];
};

/* The number of a case's group, its first two words; groups that find no room share the last. */
static int group_of(struct adding *adding, const char *line)
{
    const size_t op = strcspn(line, " "), length = op + 1 + strcspn(line + op + !!line[op], " ");
    char group[32];

    snprintf(group, sizeof group, "%.*s", (int)length, line);
    for (int i = 0; i < adding->n_groups; ++i)
        if (strcmp(adding->group[i], group) == 0)
            return i;
    if (adding->n_groups < GROUPS_MAX)
        memcpy(adding->group[adding->n_groups++], group, sizeof group);
    return adding->n_groups - 1;
}

static int count_case(const char *line, void *context)
{
    struct adding *adding = context;

    ++adding->n_cases[group_of(adding, line)];
    return 0;
}

static int add_case(const char *line, void *context)
{
    struct adding *adding = context;
    const int n = adding->n_cases[group_of(adding, line)];
    const int repeat =
        adding->options->repeat > 0 ? (int)adding->options->repeat : (REPETITIONS + n - 1) / n;

    return cf_plan_add_case(adding->plan, line, "command-line", PROCESSES, repeat, adding->err) < 0
               ? -1
               : 0;
}

static int add_cases(const struct cf_options *options, struct cf_plan *plan, struct cf_error *err)
{
    struct adding adding = {.plan = plan, .options = options, .err = err};
    int result = 0;

    for (int i = 0; i < options->cases.n && result == 0; ++i)
        result = cf_pairs_expand(options->cases.word[i], count_case, &adding, err);
    for (int i = 0; i < options->cases.n && result == 0; ++i)
        result = cf_pairs_expand(options->cases.word[i], add_case, &adding, err);
    return result;
}

static int matches_any(const struct cf_words *globs, const char *text)
{
    for (int i = 0; i < globs->n; ++i)
        if (cf_glob_match(globs->word[i], text))
            return 1;
    return 0;
}

static int filter(const struct cf_options *options, struct cf_plan *plan, struct cf_error *err)
{
    int n = 0;

    for (int i = 0; i < plan->n_cases; ++i) {
        const char *text = plan->cases[i].c.text;

        if ((options->filters.n > 0 && !matches_any(&options->filters, text)) ||
            matches_any(&options->excludes, text))
            cf_case_free(&plan->cases[i].c);
        else
            plan->cases[n++] = plan->cases[i];
    }
    plan->n_cases = n;
    return n > 0
               ? 0
               : cf_fail_with(err, 4, "no case is left; `conform list cases` shows what there is");
}

static int check_suite(const char *suite, struct cf_error *err)
{
    const char *names[64] = {"all"};
    int n = 1;
    char *hint;

    for (int i = 0; cf_suites[i] && n < CF_COUNT(names); ++i)
        names[n++] = cf_suites[i]->name;
    for (int i = 0; i < n; ++i)
        if (strcmp(names[i], suite) == 0)
            return 0;
    hint = cf_suggest_words(suite, names, n);
    cf_fail(err, "there is no suite `%s`%s", suite,
            *hint ? hint : "; `conform list suites` names them");
    free(hint);
    return -1;
}

int cf_select_cases(const struct cf_options *options, struct cf_plan *plan, struct cf_error *err)
{
    const char *suite = options->suite ? options->suite : "reductions";
    int result = check_suite(suite, err);

    plan->level = options->level;
    if (result == 0)
        result = add_cases(options, plan, err);
    if (result == 0 && options->cases.n == 0)
        result = cf_plan_add_suite(plan, suite, NULL, (int)options->repeat, options->seed, err) < 0
                     ? -1
                     : 0;
    if (result == 0 && options->scope != CF_TO_BASELINE && options->scope != CF_TO_REFERENCE)
        cf_plan_keep_scope(plan, options->scope);
    return result == 0 ? filter(options, plan, err) : result;
}

static int check_backends(const struct cf_plan *plan, struct cf_error *err)
{
    const struct cf_config **config =
        cf_alloc_zero((unsigned long)(plan->n_configurations + 1) * sizeof *config);
    int result;

    for (int i = 0; i < plan->n_configurations; ++i)
        config[i] = &plan->configurations[i].config;
    result = cf_backends_check(config, plan->n_configurations, err);
    free(config);
    return result;
}

static int fill_plan(const struct cf_options *options, const struct cf_matrix *matrix,
                     struct cf_plan *plan, struct cf_error *err)
{
    int result = 0;

    *plan = (struct cf_plan){0};
    for (int i = 0; i < matrix->n && result == 0; ++i)
        if (cf_plan_add_configuration(plan, matrix->line[i], matrix->label[i], err) < 0)
            result = -1;
    plan->baseline = matrix->baseline;
    if (result == 0)
        result = check_backends(plan, err);
    if (result == 0)
        result = cf_select_cases(options, plan, err);
    if (result == 0)
        result = cf_strict_check(options, plan, NULL, err);
    if (result != 0)
        cf_plan_free(plan);
    return result;
}

int cf_select_plan(const struct cf_options *options, struct cf_plan *plan, struct cf_error *err)
{
    struct cf_matrix matrix;
    int result = cf_select_matrix(options, &matrix, err);

    if (result == 0)
        result = fill_plan(options, &matrix, plan, err);
    cf_matrix_free(&matrix);
    return result;
}

int cf_select_written_out(const struct cf_options *options, struct cf_plan *plan,
                          struct cf_error *err)
{
    struct cf_matrix matrix = {0};
    int result = 0;

    for (int i = 0; i < options->configurations.n && result == 0; ++i)
        result = cf_matrix_add_words(&matrix, options->configurations.word[i], err);
    if (result == 0)
        result = fill_plan(options, &matrix, plan, err);
    cf_matrix_free(&matrix);
    return result;
}

static int put_configuration(void *context, const struct cf_plan_configuration *row)
{
    const struct adding *adding = context;

    return cf_plan_add_configuration(adding->plan, row->text, row->label, adding->err) < 0;
}

static int put_case(void *context, const struct cf_plan_case *row)
{
    const struct adding *adding = context;

    return cf_plan_add_case(adding->plan, row->text, row->suite, row->processes, row->repetitions,
                            adding->err) < 0;
}

int cf_select_stored(struct cf_store *store, struct cf_plan *plan, struct cf_error *err)
{
    struct adding adding = {.plan = plan, .err = err};
    char *level = cf_store_get_meta(store, "level"),
         *baseline = cf_store_get_meta(store, "baseline");
    int result = 0;

    *plan = (struct cf_plan){.level = CF_NUMERICAL};
    if (!level || !baseline || cf_level_parse(level, &plan->level) != 0)
        result = cf_fail_with(err, 3, "the store holds no whole plan; start a new run");
    else if (cf_store_each_configuration(store, put_configuration, &adding) != 0 ||
             cf_store_each_case(store, put_case, &adding) != 0)
        result = -1;
    else
        result = cf_extensions_read(&plan->extensions, store, err);
    for (int i = 0; i < plan->n_configurations && result == 0; ++i)
        if (strcmp(plan->configurations[i].config.text, baseline) == 0)
            plan->baseline = i;
    free(level);
    free(baseline);
    if (result != 0)
        cf_plan_free(plan);
    return result;
}
