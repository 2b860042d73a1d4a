#include "strict.h"

#include <stdlib.h>
#include <string.h>

#include "promises.h"
#include "reference.h"

#define ADVICE "leave it out, or choose a setting that repeats"

struct earlier {
    const struct cf_plan *plan;
    const struct cf_strict_side *sides;
    const char *path;
    struct cf_error *err;
    int n_cases, n_configurations;
    struct cf_case *cases;             /* by id - 1; owned */
    int *configuration;                /* by id - 1: index in the plan, or -1; owned */
    int64_t case_id, configuration_id; /* of the records in hand */
    struct cf_digest first;
    int n_ran;
};

/* The configuration, and which side it is where there are sides. The caller frees. */
static char *describe(const struct cf_plan *plan, const struct cf_strict_side *sides, int k)
{
    const char *text = plan->configurations[k].config.text;

    if (!sides)
        return cf_format("`%s`", text);
    return cf_format("%s (`%s`)", sides[k].name, sides[k].stored ? sides[k].stored : text);
}

static int refuse_promised(const struct cf_plan *plan, const struct cf_strict_side *sides, int k,
                           const struct cf_case *c, const struct cf_promise *found,
                           struct cf_error *err)
{
    char *where = describe(plan, sides, k);

    cf_fail(err,
            "--strict: %s in %s need not repeat: %s (%s, %s; promise %s); the first such case is "
            "`%s`; " ADVICE,
            c->op, where, found->says, found->document, found->section, found->id, c->text);
    free(where);
    return -1;
}

static int check_promises(const struct cf_plan *plan, const struct cf_strict_side *sides,
                          struct cf_error *err)
{
    struct cf_promises promises;
    const struct cf_promise *found = NULL;
    int result = 0;

    cf_promises_load(&promises);
    for (int k = 0; k < plan->n_configurations && !found; ++k)
        for (int i = 0; i < plan->n_cases && !found; ++i) {
            const struct cf_case *c = &plan->cases[i].c;
            const struct cf_config *config = &plan->configurations[k].config;

            found = cf_promises_nondeterministic(&promises, config, c->op);
            if (found)
                result = refuse_promised(plan, sides, k, c, found, err);
        }
    cf_promises_free(&promises);
    return result;
}

static int take_case(void *context, const struct cf_plan_case *row)
{
    struct earlier *e = context;

    while (e->n_cases < row->id) {
        e->cases = cf_realloc(e->cases, (size_t)(e->n_cases + 1) * sizeof e->cases[0]);
        e->cases[e->n_cases++] = (struct cf_case){.text = NULL};
    }
    return cf_case_parse(&e->cases[row->id - 1], row->text, cf_op_grammar, e->err);
}

static int take_configuration(void *context, const struct cf_plan_configuration *row)
{
    struct earlier *e = context;
    int found = -1;

    for (int k = 0; k < e->plan->n_configurations; ++k) {
        const char *stored = e->sides ? e->sides[k].stored : NULL;

        if (strcmp(stored ? stored : e->plan->configurations[k].config.text, row->text) == 0)
            found = k;
    }
    while (e->n_configurations < row->id) {
        e->configuration = cf_realloc(e->configuration, (size_t)(e->n_configurations + 1) *
                                                            sizeof e->configuration[0]);
        e->configuration[e->n_configurations++] = -1;
    }
    e->configuration[row->id - 1] = found;
    return 0;
}

/* A case of the plan with this op and type, or -1. */
static int planned(const struct cf_plan *plan, const struct cf_case *c)
{
    for (int i = 0; i < plan->n_cases; ++i)
        if (strcmp(plan->cases[i].c.op, c->op) == 0 && plan->cases[i].c.dtype == c->dtype)
            return i;
    return -1;
}

static int refuse(const struct earlier *e, const struct cf_case *seen, int configuration, int i)
{
    char *where = describe(e->plan, e->sides, configuration);

    cf_fail(e->err,
            "--strict: %s %s in %s does not repeat: %s holds two answers of it to `%s`; the first "
            "such case is `%s`; " ADVICE,
            seen->op, cf_dtype_name(seen->dtype), where, e->path, seen->text,
            e->plan->cases[i].c.text);
    free(where);
    return -1;
}

static int take_record(void *context, const struct cf_record *r)
{
    struct earlier *e = context;
    const int configuration = e->configuration[r->configuration - 1];
    const struct cf_case *c = &e->cases[r->case_id - 1];

    if (r->fate != CF_RAN || configuration < 0)
        return 0;
    if (e->n_ran == 0 || r->case_id != e->case_id || r->configuration != e->configuration_id) {
        e->case_id = r->case_id;
        e->configuration_id = r->configuration;
        e->first = r->digest;
        e->n_ran = 1;
    } else if (!cf_digest_equal(&e->first, &r->digest) && planned(e->plan, c) >= 0)
        return refuse(e, c, configuration, planned(e->plan, c));
    return 0;
}

static int check_store(const struct cf_plan *plan, const struct cf_strict_side *sides,
                       const char *path, struct cf_error *err)
{
    struct earlier e = {.plan = plan, .sides = sides, .path = path, .err = err};
    struct cf_store *store = cf_store_open(path, CF_STORE_READ, err);
    int result = store ? cf_store_each_configuration(store, take_configuration, &e) : -1;

    if (result == 0)
        result = cf_store_each_case(store, take_case, &e);
    if (result == 0)
        result = cf_store_each_record(store, take_record, &e);
    if (store && result != 0 && err->exit_code == 0)
        cf_store_problem(store, err);
    for (int i = 0; i < e.n_cases; ++i)
        if (e.cases[i].text)
            cf_case_free(&e.cases[i]);
    free(e.cases);
    free(e.configuration);
    if (store)
        cf_store_close(store);
    return result == 0 ? 0 : -1;
}

int cf_strict_check(const struct cf_options *options, const struct cf_plan *plan,
                    const struct cf_strict_side *sides, struct cf_error *err)
{
    int result = options->strict ? check_promises(plan, sides, err) : 0;

    for (int k = 0; sides && options->strict && k < plan->n_configurations && result == 0; ++k)
        if (sides[k].store)
            result = check_store(plan, sides, sides[k].store, err);
    for (int i = 0; i < options->earlier.n && result == 0; ++i)
        result = options->strict ? check_store(plan, sides, options->earlier.word[i], err)
                                 : cf_fail(err,
                                           "--earlier=%s is what --strict looks into; add "
                                           "--strict",
                                           options->earlier.word[i]);
    return result;
}
