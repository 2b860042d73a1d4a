/* Seeds that parts added to their plans: each case is asked of the configurations of those parts
 * that added it. */
#include <stdlib.h>
#include <string.h>

#include "extension.h"
#include "merge_internal.h"

/* asked[case][configuration] of the new store, for the cases that are of an extension. */
struct table {
    int n_cases, n_configurations;
    char *added, *asked;
};

static int count_case(void *context, const struct cf_plan_case *row)
{
    ((struct table *)context)->n_cases = (int)row->id;
    return 0;
}

static int count_configuration(void *context, const struct cf_plan_configuration *row)
{
    ((struct table *)context)->n_configurations = (int)row->id;
    return 0;
}

static void take_one(struct table *table, const struct cf_merge_part *part,
                     const struct cf_extension *x)
{
    for (int i = x->first; i < x->end; ++i) {
        const int64_t case_index = part->case_id[i + 1] - 1;

        table->added[case_index] = 1;
        for (int k = 0; k < x->n; ++k)
            table->asked[case_index * table->n_configurations +
                         part->configuration[x->configuration[k] + 1] - 1] = 1;
    }
}

static int take_part(struct table *table, struct cf_merging *m, const struct cf_merge_part *part)
{
    struct cf_extensions extensions;

    if (cf_extensions_read(&extensions, part->store, m->err) != 0)
        return -1;
    for (int i = 0; i < extensions.n; ++i)
        take_one(table, part, &extensions.all[i]);
    cf_extensions_free(&extensions);
    return 0;
}

static int write_all(const struct table *table, struct cf_merging *m)
{
    struct cf_extensions merged = {0};
    int result = 0;

    for (int i = 0; i < table->n_cases; ++i)
        if (table->added[i])
            cf_extensions_add(&merged, i, i + 1,
                              &table->asked[(size_t)i * (size_t)table->n_configurations],
                              table->n_configurations);
    if (merged.n > 0)
        result = cf_extensions_write(&merged, m->out, m->err);
    cf_extensions_free(&merged);
    return result;
}

int cf_merge_extensions(struct cf_merging *m)
{
    struct table table = {0};
    int result = 0;

    cf_store_each_case(m->out, count_case, &table);
    cf_store_each_configuration(m->out, count_configuration, &table);
    table.added = cf_alloc_zero((size_t)table.n_cases + 1);
    table.asked = cf_alloc_zero((size_t)table.n_cases * (size_t)table.n_configurations + 1);
    for (int i = 0; i < m->n && result == 0; ++i)
        result = take_part(&table, m, &m->part[i]);
    if (result == 0)
        result = write_all(&table, m);
    free(table.added);
    free(table.asked);
    return result;
}
