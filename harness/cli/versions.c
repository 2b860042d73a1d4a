#include "versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"
#include "select.h"
#include "strict.h"
#include "task.h"

/* Each side twice, in each of two processes: what differs among these is no change. */
#define PROCESSES   2
#define REPETITIONS 2

struct copying {
    struct cf_versions *v;
    struct cf_store *from;
    const struct cf_options *options;
    int end;               /* index */
    int64_t configuration; /* its id in `from` */
    int64_t *case_id;      /* of the plan's case i in `from`; 0: not there */
    struct cf_digest *inputs;
    int64_t *n_records; /* copied, of the plan's case i */
    struct cf_error *err;
};

static int add_stored_case(void *context, const struct cf_plan_case *row)
{
    struct copying *c = context;
    const struct cf_options *o = c->options;
    int wanted = o->filters.n == 0;

    for (int i = 0; i < o->filters.n; ++i)
        wanted |= cf_glob_match(o->filters.word[i], row->text);
    for (int i = 0; i < o->excludes.n; ++i)
        wanted &= !cf_glob_match(o->excludes.word[i], row->text);
    if (!wanted || (o->suite && strcmp(o->suite, row->suite) != 0))
        return 0;
    return cf_plan_add_case(&c->v->plan, row->text, row->suite, row->processes, row->repetitions,
                            c->err) < 0;
}

/* The cases of the first store, or those of the options. */
static int choose_cases(struct cf_versions *v, const struct cf_options *options,
                        struct cf_error *err)
{
    struct copying c = {.v = v, .options = options, .err = err};
    struct cf_options choice = *options;
    int result;

    choice.level = options->level_name ? options->level : CF_NUMERICAL;
    v->plan.level = choice.level;
    for (int i = 0; i < v->n; ++i) {
        if (!v->end[i].store)
            continue;
        c.from = cf_store_open(v->end[i].store, CF_STORE_READ, err);
        result = c.from ? cf_store_each_case(c.from, add_stored_case, &c) : -1;
        if (c.from)
            cf_store_close(c.from);
        if (result == 0 && v->plan.n_cases == 0)
            result = cf_fail_with(err, 4, "no case of %s is left", v->end[i].store);
        return result != 0 ? -1 : 0;
    }
    result = cf_select_cases(&choice, &v->plan, err);
    for (int i = 0; i < v->plan.n_cases; ++i) {
        struct cf_planned_case *one = &v->plan.cases[i];

        one->processes = one->processes < PROCESSES ? PROCESSES : one->processes;
        one->repetitions = one->repetitions < REPETITIONS ? REPETITIONS : one->repetitions;
    }
    return result;
}

static int index_of_case(const struct cf_plan *plan, const char *text)
{
    for (int i = 0; i < plan->n_cases; ++i)
        if (strcmp(plan->cases[i].c.text, text) == 0)
            return i;
    return -1;
}

static int match_case(void *context, const struct cf_plan_case *row)
{
    struct copying *c = context;
    char *text = cf_case_canonical(row->text, cf_op_grammar);
    const int i = index_of_case(&c->v->plan, text);

    free(text);
    if (i < 0)
        return 0;
    c->case_id[i] = row->id;
    c->inputs[i] = row->inputs;
    return 0;
}

static int copy_configuration(void *context, const struct cf_plan_configuration *row)
{
    struct copying *c = context;

    if (strcmp(row->text, c->v->end[c->end].stored) != 0)
        return 0;
    c->configuration = row->id;
    return cf_store_put_effective(c->v->store, c->end + 1, row->effective, c->err);
}

static int copy_library(void *context, int64_t configuration, const struct cf_mapped *library)
{
    struct copying *c = context;

    return configuration == c->configuration
               ? cf_store_put_library(c->v->store, c->end + 1, library, c->err)
               : 0;
}

static int copy_record(void *context, const struct cf_record *record)
{
    struct copying *c = context;
    struct cf_record copy = *record;
    void *bytes = NULL;
    uint64_t n_bytes = 0;
    int i = 0, result;

    while (i < c->v->plan.n_cases && c->case_id[i] != record->case_id)
        ++i;
    if (record->configuration != c->configuration || i == c->v->plan.n_cases ||
        record->process >= c->v->plan.cases[i].processes ||
        record->repetition >= c->v->plan.cases[i].repetitions)
        return 0;
    if (record->fate == CF_RAN) {
        bytes = cf_store_get_outputs(c->from, &record->digest, &n_bytes, c->err);
        if (!bytes)
            return -1;
    }
    copy.configuration = c->end + 1;
    copy.case_id = i + 1;
    ++c->n_records[i];
    result = cf_store_put_record(c->v->store, &copy, bytes, n_bytes, c->err);
    free(bytes);
    return result;
}

/* A case that the store did not finish, or that another store lacks, cannot be compared. */
static int check_copied(const struct copying *c)
{
    const struct cf_end *end = &c->v->end[c->end];

    for (int i = 0; i < c->v->plan.n_cases; ++i) {
        const struct cf_planned_case *one = &c->v->plan.cases[i];

        if (c->n_records[i] != (int64_t)one->processes * one->repetitions)
            return cf_fail(c->err,
                           "%s cannot be compared: it has %lld of the %d records of `%s`; leave "
                           "the case out with --exclude, or finish that run",
                           end->store, (long long)c->n_records[i],
                           one->processes * one->repetitions, one->c.text);
        if (cf_store_put_inputs(c->v->store, i + 1, &c->inputs[i], c->err) != 0)
            return -1;
    }
    return 0;
}

static int copy_all(struct copying *c)
{
    int result = cf_store_begin(c->v->store, c->err);

    if (result == 0)
        result = cf_store_each_case(c->from, match_case, c);
    if (result == 0)
        result = cf_store_each_configuration(c->from, copy_configuration, c);
    if (result == 0)
        result = cf_store_each_library(c->from, copy_library, c);
    if (result == 0)
        result = cf_store_each_record(c->from, copy_record, c);
    if (result == 0)
        result = check_copied(c);
    if (result == 0)
        return cf_store_commit(c->v->store, c->err);
    cf_store_rollback(c->v->store);
    return -1;
}

static int copy_end(struct cf_versions *v, int end, struct cf_error *err)
{
    const size_t n = (size_t)v->plan.n_cases + 1;
    struct copying c = {.v = v, .end = end, .err = err};
    int result = -1;

    c.from = cf_store_open(v->end[end].store, CF_STORE_READ, err);
    if (!c.from)
        return -1;
    c.case_id = cf_alloc_zero(n * sizeof c.case_id[0]);
    c.inputs = cf_alloc_zero(n * sizeof c.inputs[0]);
    c.n_records = cf_alloc_zero(n * sizeof c.n_records[0]);
    result = copy_all(&c);
    if (result != 0 && *err->text == '\0')
        cf_store_problem(c.from, err);
    cf_store_close(c.from);
    free(c.case_id);
    free(c.inputs);
    free(c.n_records);
    return result;
}

static int put_effective(void *context, const struct cf_plan_configuration *row)
{
    struct cf_versions *v = context;

    if (row->id >= 1 && row->id <= v->n)
        v->end[row->id - 1].effective = cf_strdup(row->effective);
    return 0;
}

static int make_plan(struct cf_versions *v, const struct cf_options *options, struct cf_error *err)
{
    if (choose_cases(v, options, err) != 0)
        return -1;
    for (int i = 0; i < v->n; ++i) {
        const int at = cf_plan_add_configuration(&v->plan, v->end[i].line, v->end[i].label, err);

        if (at < 0)
            return -1;
        if (at != i)
            return cf_fail(err, "`%s` is given twice; there is nothing to compare", v->end[i].line);
    }
    return 0;
}

/* What is known not to repeat, on either side of two or in any of several. */
static int check_strict(const struct cf_versions *v, const struct cf_options *options,
                        struct cf_error *err)
{
    struct cf_strict_side side[CF_ENDS_MAX];
    char *names[CF_ENDS_MAX];
    int result;

    for (int i = 0; i < v->n; ++i) {
        names[i] = v->n == 2 ? cf_format("the %s side", i == 0 ? "old" : "new")
                             : cf_format("version %d of %d", i + 1, v->n);
        side[i] = (struct cf_strict_side){names[i], v->end[i].store, v->end[i].stored};
    }
    result = cf_strict_check(options, &v->plan, side, err);
    for (int i = 0; i < v->n; ++i)
        free(names[i]);
    return result;
}

int cf_versions_run(struct cf_versions *v, const struct cf_options *options, struct cf_error *err)
{
    int result;

    *err->text = '\0';
    if (make_plan(v, options, err) != 0 || check_strict(v, options, err) != 0)
        return -1;
    v->is_temporary = options->store == NULL;
    v->path = options->store ? cf_strdup(options->store) : cf_temporary_store(err);
    v->store = v->path ? cf_store_open(v->path, CF_STORE_CREATE, err) : NULL;
    result = v->store ? cf_plan_store(&v->plan, v->store, err) : -1;
    for (int i = 0; i < v->n && result == 0; ++i)
        result = v->end[i].store ? copy_end(v, i, err) : 0;
    if (result == 0)
        result = cf_task_run(options, &v->plan, v->store, err);
    if (result != 0)
        return result;
    cf_store_each_configuration(v->store, put_effective, v);
    v->has_history = 1;
    return cf_history_open(&v->history, v->store, (int)options->jobs, err);
}

void cf_versions_free(struct cf_versions *v)
{
    if (v->has_history)
        cf_history_close(&v->history);
    if (v->store)
        cf_store_close(v->store);
    if (v->path && v->is_temporary)
        cf_temporary_store_remove(v->path);
    for (int i = 0; i < v->n; ++i) {
        free(v->end[i].line);
        free(v->end[i].label);
        free(v->end[i].store);
        free(v->end[i].stored);
        free(v->end[i].effective);
    }
    cf_plan_free(&v->plan);
    free(v->path);
}
