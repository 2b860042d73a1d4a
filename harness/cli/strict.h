/* strict: before anything runs, what is known not to repeat is an error, as in frameworks'
 * deterministic modes. Known from what makers document (data/promises.tsv), and from the stores of
 * earlier runs. */
#ifndef CF_STRICT_H
#define CF_STRICT_H

#include "options.h"
#include "plan.h"

/* What a configuration of the plan is beside its text. */
struct cf_strict_side {
    const char *name;   /* "the old side" */
    const char *store;  /* the store that it comes from, an earlier run of its own; or NULL */
    const char *stored; /* its text there */
};

/* Of every planned operation and configuration. Refuses the first that a maker documents as not
 * the same from run to run, or of which a store of --earlier, or that of a side, holds two answers
 * to one case of this op and type in this configuration. `sides`: one a configuration, or NULL. 0;
 * -1 and a sentence (exit 2; 3: a store is damaged). */
int cf_strict_check(const struct cf_options *options, const struct cf_plan *plan,
                    const struct cf_strict_side *sides, struct cf_error *err);

#endif
