#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "reference.h"
#include "suite.h"

static int find_case(const struct cf_plan *plan, const char *text)
{
    for (int i = 0; i < plan->n_cases; ++i)
        if (strcmp(plan->cases[i].c.text, text) == 0)
            return i;
    return -1;
}

static int parse_case(struct cf_case *c, const char *line, struct cf_error *err)
{
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];

    if (!cf_is_printable(line))
        return cf_fail(err, "a case holds bytes that are no printable UTF-8; write it anew");
    if (cf_case_parse(c, line, cf_op_grammar, err) != 0)
        return -1;
    if (cf_case_shape(c, cf_op_find(c->op), in, out, err) == 0)
        return 0;
    cf_case_free(c);
    return -1;
}

/* The plan's own copy of a suite's name, shared by its cases. */
static const char *own_suite(struct cf_plan *plan, const char *name)
{
    for (int i = 0; i < plan->n_suites; ++i)
        if (strcmp(plan->suites[i], name) == 0)
            return plan->suites[i];
    plan->suites = cf_realloc(plan->suites, (size_t)(plan->n_suites + 1) * sizeof plan->suites[0]);
    return plan->suites[plan->n_suites++] = cf_strdup(name);
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* Takes c over; known: its index, or -1. */
static int put_case(struct cf_plan *plan, struct cf_case *c, int known, const char *suite,
                    int processes, int repetitions)
{
    struct cf_planned_case *planned;

    if (known >= 0) {
        planned = &plan->cases[known];
        planned->processes = larger(planned->processes, processes);
        planned->repetitions = larger(planned->repetitions, repetitions);
        cf_case_free(c);
        return 0;
    }
    plan->cases = cf_realloc(plan->cases, (size_t)(plan->n_cases + 1) * sizeof plan->cases[0]);
    planned = &plan->cases[plan->n_cases++];
    *planned = (struct cf_planned_case){*c, own_suite(plan, suite), processes, repetitions};
    return 1;
}

int cf_plan_add_case(struct cf_plan *plan, const char *line, const char *suite, int processes,
                     int repetitions, struct cf_error *err)
{
    struct cf_case c;

    if (processes < 1 || repetitions < 1)
        return cf_fail(err, "case `%s`: %d processes of %d repetitions are nothing to run", line,
                       processes, repetitions);
    if (parse_case(&c, line, err) != 0)
        return -1;
    return put_case(plan, &c, find_case(plan, c.text), suite, processes, repetitions);
}

/* Texts to indices: suites have thousands of cases, and each is looked up. Open addressing; slots
 * hold index + 1. */
struct index {
    int *slot;
    size_t n_slots;
};

static uint64_t hash(const char *text)
{
    struct cf_digest digest;
    uint64_t word;

    cf_digest_of(&digest, text, strlen(text));
    memcpy(&word, digest.byte, sizeof word);
    return word;
}

static int *find_slot(const struct index *index, const struct cf_plan *plan, const char *text)
{
    size_t i = (size_t)hash(text) % index->n_slots;

    while (index->slot[i] && strcmp(plan->cases[index->slot[i] - 1].c.text, text) != 0)
        i = (i + 1) % index->n_slots;
    return &index->slot[i];
}

/* At most half full. */
static void grow_index(struct index *index, const struct cf_plan *plan)
{
    if (index->slot && 2 * (size_t)plan->n_cases < index->n_slots)
        return;
    free(index->slot);
    index->n_slots = 4 * (size_t)plan->n_cases + 1024;
    index->slot = cf_alloc_zero(index->n_slots * sizeof index->slot[0]);
    for (int i = 0; i < plan->n_cases; ++i)
        *find_slot(index, plan, plan->cases[i].c.text) = i + 1;
}

struct adding {
    struct cf_plan *plan;
    struct index index;
    const struct cf_suite *suite;
    const struct cf_case_list *list;
    const char *glob;
    int repeat, n_added;
    int64_t seed;
    struct cf_error *err;
};

/* The line with `more` added to its seed (1 when it says none). The caller frees. */
static char *move_seed(const char *line, int64_t more)
{
    const char *at = strstr(line, " seed=");
    char *end;

    if (!at)
        return cf_format("%s seed=%lld", line, (long long)(1 + more));
    more += strtoll(at + 6, &end, 10);
    return cf_format("%.*s seed=%lld%s", (int)(at - line), line, (long long)more, end);
}

static int add_line(const char *line, void *context)
{
    struct adding *adding = context;
    struct cf_plan *plan = adding->plan;
    char *moved = adding->seed > 0 ? move_seed(line, adding->seed) : cf_strdup(line);
    struct cf_case c;
    int *slot, result = parse_case(&c, moved, adding->err);

    free(moved);
    if (result != 0)
        return -1;
    if (!cf_glob_match(adding->glob, c.text)) {
        cf_case_free(&c);
        return 0;
    }
    grow_index(&adding->index, plan);
    slot = find_slot(&adding->index, plan, c.text);
    if (put_case(plan, &c, *slot - 1, adding->suite->name, adding->list->processes,
                 adding->repeat > 0 ? adding->repeat : adding->list->repetitions)) {
        *slot = plan->n_cases;
        ++adding->n_added;
    }
    return 0;
}

static int add_suite(struct adding *adding)
{
    const unsigned level = 1u << adding->plan->level;

    for (adding->list = adding->suite->lists; adding->list->line; ++adding->list)
        if ((adding->list->levels & level) &&
            cf_pairs_expand(adding->list->line, add_line, adding, adding->err) != 0)
            return -1;
    return 0;
}

int cf_plan_add_suite(struct cf_plan *plan, const char *name, const char *glob, int repeat,
                      int64_t seed, struct cf_error *err)
{
    struct adding adding = {.plan = plan, .glob = glob, .repeat = repeat, .seed = seed, .err = err};
    const int all = strcmp(name, "all") == 0;
    int result = 0, found = 0;

    for (int i = 0; cf_suites[i] && result == 0; ++i)
        if ((all && !cf_suites[i]->apart) || strcmp(cf_suites[i]->name, name) == 0) {
            adding.suite = cf_suites[i];
            result = add_suite(&adding);
            found = 1;
        }
    free(adding.index.slot);
    if (!found)
        return cf_fail(err, "there is no suite `%s`; `conform list suites` names them", name);
    return result == 0 ? adding.n_added : -1;
}

/* Which scope a variant serves: "row" and "col" alone are batches. */
static int varies(const struct cf_case *c, enum cf_scope scope)
{
    const char *const *keys;
    static const char *const batch[] = {"row", "col"}, *const position[] = {"rowperm", "colperm"};
    static const char *const layout[] = {"layout", "layout"};

    keys = scope == CF_ACROSS_BATCH ? batch : scope == CF_ACROSS_LAYOUT ? layout : position;
    return cf_pairs_get(&c->keys, keys[0]) || cf_pairs_get(&c->keys, keys[1]);
}

static int is_variant(const struct cf_case *c)
{
    return varies(c, CF_ACROSS_BATCH) || varies(c, CF_ACROSS_POSITION) ||
           varies(c, CF_ACROSS_LAYOUT);
}

static void mark_bases(const struct cf_plan *plan, enum cf_scope scope, char keep[])
{
    for (int i = 0; i < plan->n_cases; ++i) {
        char *base;

        if (!varies(&plan->cases[i].c, scope))
            continue;
        base = cf_case_base(&plan->cases[i].c);
        keep[i] = 1;
        if (find_case(plan, base) >= 0)
            keep[find_case(plan, base)] = 1;
        free(base);
    }
}

static void mark(const struct cf_plan *plan, enum cf_scope scope, char keep[])
{
    for (int i = 0; i < plan->n_cases; ++i) {
        const struct cf_planned_case *planned = &plan->cases[i];
        const int again = planned->processes > 1 || planned->repetitions > 1;

        if (scope == CF_TO_BASELINE || scope == CF_TO_REFERENCE)
            keep[i] = 1;
        else if (!is_variant(&planned->c))
            keep[i] = (char)(scope != CF_ACROSS_RUN || again);
    }
}

int cf_plan_keep_scope(struct cf_plan *plan, enum cf_scope scope)
{
    char *keep = cf_alloc_zero((size_t)plan->n_cases + 1);
    int n = 0;

    if (scope == CF_ACROSS_BATCH || scope == CF_ACROSS_POSITION || scope == CF_ACROSS_LAYOUT)
        mark_bases(plan, scope, keep);
    else
        mark(plan, scope, keep);
    for (int i = 0; i < plan->n_cases; ++i)
        if (keep[i])
            plan->cases[n++] = plan->cases[i];
        else
            cf_case_free(&plan->cases[i].c);
    free(keep);
    return plan->n_cases = n;
}

static int has_label(const struct cf_plan *plan, const char *label)
{
    for (int i = 0; i < plan->n_configurations; ++i)
        if (strcmp(plan->configurations[i].label, label) == 0)
            return 1;
    return 0;
}

static char *free_label(const struct cf_plan *plan, const char *wanted)
{
    char *label = cf_strdup(wanted);

    for (int i = 2; has_label(plan, label); ++i) {
        free(label);
        label = cf_format("%s (%d)", wanted, i);
    }
    return label;
}

int cf_plan_add_configuration(struct cf_plan *plan, const char *line, const char *label,
                              struct cf_error *err)
{
    struct cf_planned_configuration planned;

    if (cf_config_parse(&planned.config, line, err) != 0)
        return -1;
    for (int i = 0; i < plan->n_configurations; ++i)
        if (strcmp(plan->configurations[i].config.text, planned.config.text) == 0) {
            cf_config_free(&planned.config);
            return i;
        }
    planned.label = free_label(plan, label && *label ? label : planned.config.text);
    plan->configurations = cf_realloc(plan->configurations, (size_t)(plan->n_configurations + 1) *
                                                                sizeof plan->configurations[0]);
    plan->configurations[plan->n_configurations] = planned;
    return plan->n_configurations++;
}

void cf_plan_free(struct cf_plan *plan)
{
    for (int i = 0; i < plan->n_cases; ++i)
        cf_case_free(&plan->cases[i].c);
    for (int i = 0; i < plan->n_configurations; ++i) {
        cf_config_free(&plan->configurations[i].config);
        free(plan->configurations[i].label);
    }
    for (int i = 0; i < plan->n_suites; ++i)
        free(plan->suites[i]);
    cf_extensions_free(&plan->extensions);
    free(plan->suites);
    free(plan->cases);
    free(plan->configurations);
    *plan = (struct cf_plan){0};
}

int64_t cf_plan_count(const struct cf_plan *plan)
{
    int64_t n = 0;

    for (int i = 0; i < plan->n_cases; ++i)
        for (int k = 0; k < plan->n_configurations; ++k)
            if (cf_extensions_ask(&plan->extensions, i, k))
                n += (int64_t)plan->cases[i].processes * plan->cases[i].repetitions;
    return n;
}
