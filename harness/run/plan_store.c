/* The plan into the store, or against it. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture.h"
#include "environment.h"
#include "plan.h"
#include "reference.h"

/* Keys whose values decide whether records belong together. */
static const char *const same_machine[] = {
    "env.tool.version", "env.tool.sha256",     "env.machine.arch", "env.cpu.vendor",
    "env.cpu.family",   "env.cpu.model",       "env.cpu.stepping", "env.cpu.microcode",
    "env.os.libc",      "env.cpu.flags_sha256"};

/* Where an environment goes to: into a store, or against it. */
struct environment {
    struct cf_store *store;
    struct cf_error *err;
    int result;
};

static void put_environment(void *context, const char *key, const char *value)
{
    struct environment *environment = context;
    char *name = cf_format("env.%s", key), *printable = cf_printable_copy(value);

    if (environment->result == 0)
        environment->result =
            cf_store_put_meta(environment->store, name, printable, environment->err);
    free(printable);
    free(name);
}

static void compare_environment(void *context, const char *key, const char *value)
{
    struct environment *environment = context;
    char *name = cf_format("env.%s", key), *stored = cf_store_get_meta(environment->store, name);

    for (int i = 0; i < CF_COUNT(same_machine) && environment->result == 0; ++i)
        if (strcmp(name, same_machine[i]) == 0 && stored && strcmp(stored, value) != 0)
            environment->result =
                cf_fail(environment->err,
                        "the store was begun where %s is `%s`, and here it is `%s`; go on there, "
                        "or start a new store",
                        key, stored, value);
    free(stored);
    free(name);
}

static char *requested(const struct cf_config *config)
{
    json_t *object = json_object();
    char *text;

    json_object_set_new(object, "backend", json_string(config->backend));
    for (int i = 1; i < config->keys.n; ++i) {
        json_t *value = json_string(config->keys.pair[i].value);

        json_object_set_new(object, config->keys.pair[i].key,
                            value ? value : json_string("(no UTF-8)"));
    }
    text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(object);
    CF_CHECK(text != NULL);
    return text;
}

static int put_configurations(const struct cf_plan *plan, struct cf_store *store,
                              struct cf_error *err)
{
    for (int i = 0; i < plan->n_configurations; ++i) {
        char *json = requested(&plan->configurations[i].config);
        struct cf_plan_configuration row = {.text = plan->configurations[i].config.text,
                                            .label = plan->configurations[i].label,
                                            .requested = json,
                                            .effective = "{}"};
        const int result = cf_store_put_configuration(store, &row, err);

        free(json);
        if (result != 0)
            return -1;
        CF_CHECK(row.id == i + 1);
    }
    return 0;
}

static int put_cases(const struct cf_plan *plan, int first, struct cf_store *store,
                     struct cf_error *err)
{
    for (int i = first; i < plan->n_cases; ++i) {
        const struct cf_planned_case *planned = &plan->cases[i];
        struct cf_plan_case row = {.text = planned->c.text,
                                   .suite = planned->suite,
                                   .processes = planned->processes,
                                   .repetitions = planned->repetitions};

        if (cf_store_put_case(store, &row, err) != 0)
            return -1;
        CF_CHECK(row.id == i + 1);
    }
    return 0;
}

static int put_metas(const struct cf_plan *plan, struct cf_store *store, struct cf_error *err)
{
    struct environment environment = {store, err, 0};
    char started[32];
    const time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", &utc);
    cf_environment_collect(put_environment, &environment);
    if (environment.result != 0 ||
        cf_store_put_meta(store, "tool", "conform " CF_VERSION, err) != 0 ||
        cf_store_put_meta(store, "started", started, err) != 0 ||
        cf_store_put_meta(store, "level", cf_level_name(plan->level), err) != 0 ||
        cf_store_put_meta(store, "complete", "no", err) != 0)
        return -1;
    return cf_store_put_meta(store, "baseline", plan->configurations[plan->baseline].config.text,
                             err);
}

static int put_plan(const struct cf_plan *plan, struct cf_store *store, struct cf_error *err)
{
    if (cf_store_begin(store, err) != 0)
        return -1;
    if (put_configurations(plan, store, err) != 0 || put_cases(plan, 0, store, err) != 0 ||
        put_metas(plan, store, err) != 0) {
        cf_store_rollback(store);
        return -1;
    }
    return cf_store_commit(store, err);
}

/* Rows of the store against those of the plan, in order. */
struct comparison {
    const struct cf_plan *plan;
    int n_configurations, n_cases; /* seen so far; -1 - n when the n-th differs */
};

static int compare_configuration(void *context, const struct cf_plan_configuration *row)
{
    struct comparison *seen = context;
    const int i = seen->n_configurations++;

    return i >= seen->plan->n_configurations ||
           strcmp(seen->plan->configurations[i].config.text, row->text) != 0;
}

static int compare_case(void *context, const struct cf_plan_case *row)
{
    struct comparison *seen = context;
    const int i = seen->n_cases++;
    const struct cf_planned_case *planned = &seen->plan->cases[i];
    char *text;
    int differs;

    if (i >= seen->plan->n_cases)
        return 1;
    text = cf_case_canonical(row->text, cf_op_grammar);
    differs = strcmp(planned->c.text, text) != 0;
    free(text);
    return differs || planned->processes != row->processes ||
           planned->repetitions != row->repetitions;
}

static int other_plan(const struct cf_plan *plan, const struct comparison *seen,
                      struct cf_error *err)
{
    const int configurations = seen->n_cases == 0;
    const int i = (configurations ? seen->n_configurations : seen->n_cases) - 1;

    if (configurations && i >= 0 && i < plan->n_configurations)
        return cf_fail(err,
                       "the store holds another plan (configuration %d is not `%s`); leave "
                       "out what chooses configurations, or start a new store",
                       i + 1, plan->configurations[i].config.text);
    if (!configurations && i >= 0 && i < plan->n_cases)
        return cf_fail(err,
                       "the store holds another plan (case %d is not `%s` with its numbers of "
                       "processes and repetitions); leave out what chooses cases, or start a "
                       "new store",
                       i + 1, plan->cases[i].c.text);
    return cf_fail(err, "the store holds a plan of another size; start a new store");
}

static int check_plan(const struct cf_plan *plan, struct cf_store *store, struct cf_error *err)
{
    struct comparison seen = {plan, 0, 0};
    struct environment environment = {store, err, 0};

    if (cf_store_each_configuration(store, compare_configuration, &seen) != 0 ||
        seen.n_configurations != plan->n_configurations ||
        cf_store_each_case(store, compare_case, &seen) != 0 || seen.n_cases != plan->n_cases)
        return other_plan(plan, &seen, err);
    cf_environment_collect(compare_environment, &environment);
    return environment.result;
}

static int stop_at_first(void *context, const struct cf_plan_configuration *row)
{
    (void)context;
    (void)row;
    return 1;
}

int cf_plan_store(const struct cf_plan *plan, struct cf_store *store, struct cf_error *err)
{
    const int held = cf_store_each_configuration(store, stop_at_first, NULL);

    if (plan->n_configurations == 0 || plan->n_cases == 0)
        return cf_fail_with(err, 4, "the plan has %d configurations and %d cases: nothing to run",
                            plan->n_configurations, plan->n_cases);
    CF_CHECK(plan->baseline >= 0 && plan->baseline < plan->n_configurations);
    if (held < 0) {
        cf_store_problem(store, err);
        return -1;
    }
    return held ? check_plan(plan, store, err) : put_plan(plan, store, err);
}

int cf_plan_store_added(const struct cf_plan *plan, int first, struct cf_store *store,
                        struct cf_error *err)
{
    if (cf_store_begin(store, err) != 0)
        return -1;
    if (put_cases(plan, first, store, err) == 0 &&
        cf_extensions_write(&plan->extensions, store, err) == 0 &&
        cf_store_put_meta(store, "complete", "no", err) == 0)
        return cf_store_commit(store, err);
    cf_store_rollback(store);
    return -1;
}
