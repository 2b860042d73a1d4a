#include "extend.h"

#include <stdio.h>
#include <stdlib.h>

#include "training_needs.h"

static int add_seeds(struct cf_plan *plan, const struct cf_need *need, struct cf_error *err)
{
    const int first = plan->n_cases;

    for (int seed = need->from; seed < need->to; ++seed) {
        char *line = cf_format("%s seed=%d", need->cell, seed);
        const int added = cf_plan_add_case(plan, line, need->suite, 1, 1, err);

        free(line);
        if (added < 0)
            return -1;
        if (added == 0) /* a case is asked of all or of these alone */
            return cf_fail_with(err, 3, "seed %d of `%s` is in the plan already; start a new run",
                                seed, need->cell);
    }
    cf_extensions_add(&plan->extensions, first, plan->n_cases, need->asked, plan->n_configurations);
    return 0;
}

static void announce(const struct cf_need *need)
{
    fprintf(stderr,
            "conform: %d configuration%s undecided after %d seeds of `%s`; going on to %d seeds\n",
            need->n_undecided, need->n_undecided == 1 ? " is" : "s are", need->from - 1, need->cell,
            need->to - 1);
}

/* A shard holds a part of the cases, and says so. */
static int is_shard(struct cf_store *store)
{
    char *shard = cf_store_get_meta(store, "shard");
    const int result = shard != NULL;

    free(shard);
    return result;
}

int cf_extend(const struct cf_options *options, struct cf_plan *plan, struct cf_store *store,
              struct cf_error *err)
{
    const int first = plan->n_cases;
    struct cf_needs needs;
    int result = 0;

    if (plan->level == CF_NUMERICAL || is_shard(store))
        return 0;
    if (cf_training_needs(&needs, store, plan->level, err) != 0)
        return -1;
    for (int i = 0; i < needs.n && result == 0; ++i) {
        result = add_seeds(plan, &needs.all[i], err);
        if (result == 0 && !options->quiet)
            announce(&needs.all[i]);
    }
    cf_needs_free(&needs);
    if (result == 0 && plan->n_cases > first)
        result = cf_plan_store_added(plan, first, store, err);
    return result == 0 ? plan->n_cases - first : -1;
}
