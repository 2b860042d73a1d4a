#include "commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends.h"
#include "discover_gpu.h"
#include "engines.h"
#include "libraries_listing.h"
#include "listing.h"
#include "promises_listing.h"
#include "reference.h"
#include "select.h"
#include "task.h"
#include "suggest.h"
#include "suite.h"

static int list_suites(const struct cf_options *options, struct cf_error *err)
{
    struct cf_listing rows = {.column = {"suite", "claim"}};
    int result;

    for (int i = 0; cf_suites[i]; ++i)
        cf_listing_add(&rows, cf_suites[i]->name, cf_suites[i]->why);
    result = cf_listing_print(&rows, options, 0, err);
    cf_listing_free(&rows);
    return result;
}

static int list_ops(const struct cf_options *options, struct cf_error *err)
{
    struct cf_listing rows = {.column = {"op", "dims", "options", "meaning"}};
    int result;

    for (int i = 0; cf_ops[i]; ++i)
        cf_listing_add(&rows, cf_ops[i]->grammar.op, cf_ops[i]->grammar.dims,
                       cf_ops[i]->grammar.options, cf_ops[i]->why);
    result = cf_listing_print(&rows, options, 1, err);
    cf_listing_free(&rows);
    return result;
}

static int list_cases(const struct cf_options *options, struct cf_error *err)
{
    struct cf_listing rows = {.column = {"suite", "case"}};
    struct cf_plan plan = {0};
    int result = cf_select_cases(options, &plan, err);

    for (int i = 0; i < plan.n_cases; ++i)
        cf_listing_add(&rows, plan.cases[i].suite, plan.cases[i].c.text);
    if (result == 0)
        result = cf_listing_print(&rows, options, 0, err);
    cf_listing_free(&rows);
    cf_plan_free(&plan);
    return result;
}

/* What a GPU would be measured with, and why it is not. */
static int add_skipped(struct cf_listing *rows, const struct cf_options *options,
                       struct cf_error *err)
{
    const char *missing = cf_discover_gpu_missing("");
    struct cf_matrix matrix = {0};
    int result = missing ? cf_discover_gpu(&matrix, "", options->suite, err) : 0;

    for (int i = 0; i < matrix.n && result == 0; ++i)
        cf_listing_add(rows, "skipped", missing, matrix.line[i]);
    cf_matrix_free(&matrix);
    return result;
}

static int list_configurations(const struct cf_options *options, struct cf_error *err)
{
    struct cf_listing rows = {.column = {"baseline", "label", "configuration"}};
    struct cf_matrix matrix;
    int result = cf_select_matrix(options, &matrix, err);

    if (result != 0)
        return result;
    for (int i = 0; i < matrix.n; ++i)
        cf_listing_add(&rows, i == matrix.baseline ? "*" : "", matrix.label[i], matrix.line[i]);
    if (!options->matrix && options->configurations.n == 0)
        result = add_skipped(&rows, options, err);
    if (result == 0)
        result = cf_listing_print(&rows, options, 0, err);
    cf_listing_free(&rows);
    cf_matrix_free(&matrix);
    return result;
}

/* The names of a backend's kernels over all its ops, each once. The caller frees. */
static char *kernel_names(json_t *ops)
{
    json_t *seen = json_object(), *names, *name;
    char *text = cf_strdup("");
    const char *op;
    size_t i;

    json_object_foreach(ops, op, names) json_array_foreach(names, i, name)
    {
        char *longer;

        if (!json_is_string(name) || json_object_get(seen, json_string_value(name)))
            continue;
        json_object_set_new(seen, json_string_value(name), json_true());
        longer = cf_format("%s%s%s", text, *text ? " " : "", json_string_value(name));
        free(text);
        text = longer;
    }
    json_decref(seen);
    return text;
}

static const char *word_of(const json_t *object, const char *key)
{
    const char *word = json_string_value(json_object_get(object, key));

    return word ? word : "";
}

static int list_backends(const struct cf_options *options, struct cf_error *err)
{
    struct cf_listing rows = {.column = {"backend", "why", "kernels"}};
    json_t *answer = cf_backends_ask(err), *backend;
    const int json = cf_report_index("json");
    size_t i;
    int result;

    if (!answer)
        return -1;
    if (json >= 0 && options->document[json])
        return cf_listing_put_json(options->document[json], answer, err);
    json_array_foreach(json_object_get(answer, "backends"), i, backend)
    {
        char *kernels = kernel_names(json_object_get(backend, "kernels"));

        cf_listing_add(&rows, word_of(backend, "name"), word_of(backend, "why"), kernels);
        free(kernels);
    }
    json_decref(answer);
    result = cf_listing_print(&rows, options, 0, err);
    cf_listing_free(&rows);
    return result;
}

static int list_fills(const struct cf_options *options, struct cf_error *err)
{
    struct cf_listing rows = {.column = {"fill", "what it is and what it would catch"}};
    int result;

    for (const struct cf_fill *fill = cf_fills; fill->name; ++fill)
        cf_listing_add(&rows, fill->name, fill->why);
    result = cf_listing_print(&rows, options, 0, err);
    cf_listing_free(&rows);
    return result;
}

static int list_levels(const struct cf_options *options, struct cf_error *err)
{
    static const char *const meaning[CF_N_LEVELS] = {
        [CF_NUMERICAL] = "the same bits",
        [CF_STATISTICAL] = "other bits, the same distribution of errors",
        [CF_SCIENTIFIC] = "the same conclusions from the results",
        [CF_FUNCTIONAL] = "results as good for their purpose",
        [CF_NONE] = "none of these"};
    struct cf_listing rows = {.column = {"level", "meaning"}};
    int result;

    for (int i = CF_N_LEVELS - 1; i >= 0; --i)
        cf_listing_add(&rows, cf_level_name((enum cf_level)i), meaning[i]);
    result = cf_listing_print(&rows, options, 0, err);
    cf_listing_free(&rows);
    return result;
}

static int list_scopes(const struct cf_options *options, struct cf_error *err)
{
    static const char *const meaning[CF_N_SCOPES] = {
        [CF_ACROSS_RUN] = "the same again: repeats and fresh processes",
        [CF_ACROSS_THREAD] = "the number of threads",
        [CF_ACROSS_BATCH] = "the same element alone or inside a larger problem",
        [CF_ACROSS_POSITION] = "rows or columns in another order",
        [CF_ACROSS_ALIGNMENT] = "where operands start in memory",
        [CF_ACROSS_ISA] = "the instruction set or core type",
        [CF_ACROSS_LAYOUT] = "the layout of tensors",
        [CF_ACROSS_VERSION] = "the version of one library",
        [CF_ACROSS_LIBRARY] = "the library or the algorithm",
        [CF_ACROSS_DEVICE] = "the device",
        [CF_TO_BASELINE] = "anything, against the baseline",
        [CF_TO_REFERENCE] = "against the exact answer"};
    struct cf_listing rows = {.column = {"scope", "what differs"}};
    int result;

    for (int i = 0; i < CF_N_SCOPES; ++i)
        cf_listing_add(&rows, cf_scope_name((enum cf_scope)i), meaning[i]);
    result = cf_listing_print(&rows, options, 0, err);
    cf_listing_free(&rows);
    return result;
}

static const struct {
    const char *name;
    int (*list)(const struct cf_options *, struct cf_error *);
} lists[] = {{"suites", list_suites},
             {"ops", list_ops},
             {"cases", list_cases},
             {"fills", list_fills},
             {"configurations", list_configurations},
             {"backends", list_backends},
             {"levels", list_levels},
             {"scopes", list_scopes},
             {"libraries", cf_list_libraries},
             {"promises", cf_list_promises},
             {"engines", cf_list_engines}};

int cf_command_list(struct cf_options *options, struct cf_error *err)
{
    const char *word = options->rest.n == 1 ? options->rest.word[0] : NULL;
    const char *names[CF_COUNT(lists)];
    char *hint, *all;

    for (int i = 0; i < CF_COUNT(lists); ++i) {
        names[i] = lists[i].name;
        if (word && strcmp(word, names[i]) == 0)
            return lists[i].list(options, err);
    }
    hint = word ? cf_suggest_words(word, names, CF_COUNT(lists)) : cf_strdup("");
    all = cf_strdup(names[0]);
    for (int i = 1; i < CF_COUNT(lists); ++i) {
        char *longer = cf_format("%s, %s", all, names[i]);

        free(all);
        all = longer;
    }
    cf_fail(err, "list needs one of %s%s", all, hint);
    free(all);
    free(hint);
    return -1;
}
