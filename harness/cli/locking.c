#include "locking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bank_file.h"
#include "task.h"
#include "versions.h"

#define SHOWN 20

const char *cf_locking_path(const struct cf_options *options, const char *command,
                            struct cf_error *err)
{
    if (options->rest.n < 2)
        return options->rest.n == 1 ? options->rest.word[0] : "conform.lock";
    cf_fail(err, "%s takes one lock; what is `%s`?", command, options->rest.word[1]);
    return NULL;
}

/* Cases by the place that they had in the plan. */
static int add_cases(const json_t *cases, int only_first, struct cf_plan *plan,
                     struct cf_error *err)
{
    const size_t n = json_object_size(cases);
    const char **text = cf_alloc_zero((n + 1) * sizeof *text), *key;
    json_t *one;
    int result = 0;

    json_object_foreach((json_t *)cases, key, one)
    {
        const json_int_t at = json_integer_value(json_object_get(one, "at"));

        if (at >= 0 && (size_t)at < n)
            text[at] = key;
    }
    for (size_t i = 0; i < n && result == 0 && !(only_first && i > 0); ++i) {
        one = json_object_get(cases, text[i] ? text[i] : "");
        if (!one) {
            result = cf_fail(err, "the lock's cases are not numbered; write it again");
            break;
        }
        result = cf_plan_add_case(
                     plan, text[i], json_string_value(json_object_get(one, "suite")),
                     only_first ? 1 : (int)json_integer_value(json_object_get(one, "processes")),
                     only_first ? 1 : (int)json_integer_value(json_object_get(one, "repetitions")),
                     err) < 0
                     ? -1
                     : 0;
    }
    free(text);
    return result;
}

static int add_configurations(const json_t *locked, struct cf_plan *plan, struct cf_error *err)
{
    const char *baseline = json_string_value(json_object_get(locked, "baseline")), *label;
    json_t *one;
    int result = 0;

    json_object_foreach(json_object_get(locked, "configurations"), label, one)
    {
        const char *text = json_string_value(json_object_get(one, "text"));

        result = cf_plan_add_configuration(plan, text ? text : "", label, err);
        if (result < 0)
            return -1;
        if (baseline && strcmp(baseline, label) == 0)
            plan->baseline = result;
    }
    return 0;
}

int cf_locking_plan(const json_t *locked, int only_first, struct cf_plan *plan,
                    struct cf_error *err)
{
    const char *level = json_string_value(json_object_get(locked, "level"));

    *plan = (struct cf_plan){.level = CF_NUMERICAL};
    if (level)
        cf_level_parse(level, &plan->level);
    if (add_configurations(locked, plan, err) != 0 ||
        add_cases(json_object_get(locked, "cases"), only_first, plan, err) != 0) {
        cf_plan_free(plan);
        return -1;
    }
    return 0;
}

static int run(const struct cf_options *options, const struct cf_plan *plan, const char *path,
               json_t *document, int judge, struct cf_error *err)
{
    struct cf_store *store = cf_store_open(path, CF_STORE_CREATE, err);
    struct cf_findings *findings = NULL;
    char *worker = store ? cf_task_worker(err) : NULL;
    int result = worker ? cf_plan_store(plan, store, err) : -1;

    if (result == 0 && judge)
        result = cf_bank_attach(options, plan, store, err);
    if (result == 0)
        result = cf_task_run(options, plan, store, err);
    if (result == 0 && judge && !(findings = cf_task_judge(options, store, err)))
        result = -1;
    if (result == 0)
        result = cf_lock_add_store(document, store, findings, worker, err);
    if (findings)
        cf_findings_free(findings);
    if (store)
        cf_store_close(store);
    free(worker);
    return result;
}

int cf_locking_measure(const struct cf_options *options, const struct cf_plan *plan,
                       json_t *document, int judge, struct cf_error *err)
{
    struct cf_options how = *options;
    char *path = options->store ? cf_strdup(options->store) : cf_temporary_store(err);
    int result;

    if (!path)
        return -1;
    how.level = plan->level;
    result = run(&how, plan, path, document, judge, err);
    if (!options->store)
        cf_temporary_store_remove(path);
    free(path);
    return result;
}

json_t *cf_locking_surroundings(const struct cf_options *options, const char *path,
                                const char *matrix, const json_t *locked, struct cf_error *err)
{
    const json_t *roots = json_object_get(locked, "data_roots");
    char *adapters = cf_adapters_folder(), *lister = cf_format("%s/packages.py", adapters),
         *worker = cf_task_worker(err);
    const int n = options->data.n > 0 ? options->data.n : (int)json_array_size(roots);
    const char **data = cf_alloc_zero((size_t)(n + 1) * sizeof *data);
    struct cf_lock_request request = {.path = path,
                                      .worker = worker,
                                      .matrix = matrix,
                                      .image = options->image,
                                      .lister = lister,
                                      .data = data,
                                      .may_be_gone = options->data.n == 0,
                                      .files = json_object_get(locked, "files"),
                                      .commands = json_object_get(locked, "python")};
    json_t *document;

    for (int i = 0; i < n; ++i) {
        const char *root = json_string_value(json_array_get(roots, (size_t)i));

        data[request.n_data] = options->data.n > 0 ? options->data.word[i] : root;
        request.n_data += data[request.n_data] != NULL;
    }
    document = worker ? cf_lock_collect(&request, err) : NULL;
    free(data);
    free(worker);
    free(lister);
    free(adapters);
    return document;
}

void cf_locking_add_commands(json_t *document, const struct cf_plan *plan)
{
    char *adapters = cf_adapters_folder(), *lister = cf_format("%s/packages.py", adapters);

    for (int i = 0; i < plan->n_configurations; ++i) {
        const struct cf_config *config = &plan->configurations[i].config;
        const char *command = cf_config_get(config, "command");

        if (command)
            cf_lock_add_command(document, command, cf_config_get(config, "env.PYTHONPATH"), lister);
    }
    free(lister);
    free(adapters);
}

json_t *cf_locking_read(const char *path, struct cf_error *err)
{
    struct cf_lock_place place;
    json_t *locked = cf_lock_read(path, err);

    if (!locked)
        return NULL;
    cf_lock_place_init(&place, path);
    locked = cf_lock_map(&place, locked, cf_lock_local);
    cf_lock_place_free(&place);
    return locked;
}

void cf_locking_print(const struct cf_drifts *drifts, enum cf_tier tier, int notes)
{
    int n = 0;

    for (int i = 0; i < drifts->n; ++i)
        if (drifts->drift[i].tier == tier && drifts->drift[i].is_note == notes && n++ < SHOWN)
            printf("  %-6s %s\n", notes ? "note" : "drift", drifts->drift[i].sentence);
    if (n > SHOWN)
        printf("  and %d more; --json names all\n", n - SHOWN);
}
