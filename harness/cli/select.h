/* select: which cases and configurations a run has, from what the user said. */
#ifndef CF_SELECT_H
#define CF_SELECT_H

#include "matrix.h"
#include "options.h"
#include "plan.h"

/* The matrix named, found or discovered, with --configuration applied: a value that is a
 * configuration written out is added (alone, when no matrix was named), any other is a glob over
 * texts and labels. The baseline stays whatever the globs say. With a scope that is about
 * configurations, those without a partner along it are left out. Nothing left: exit 4. */
int cf_select_matrix(const struct cf_options *options, struct cf_matrix *matrix,
                     struct cf_error *err);

/* The matrix file that applies: the one named or found; NULL when there is none, or with a sentence
 * as cf_matrix_find. The caller frees. */
char *cf_select_matrix_path(const struct cf_options *options, struct cf_error *err);

/* The cases of the suites, or those of --case, less what the filters leave out. Nothing left: exit
 * 4. */
int cf_select_cases(const struct cf_options *options, struct cf_plan *plan, struct cf_error *err);

/* Both, as a plan. cf_plan_free it. */
int cf_select_plan(const struct cf_options *options, struct cf_plan *plan, struct cf_error *err);

/* A plan of exactly the cases and configurations that are written out in the options; the first
 * configuration is the baseline. */
int cf_select_written_out(const struct cf_options *options, struct cf_plan *plan,
                          struct cf_error *err);

/* The plan that a store holds: its cases, configurations, level and baseline. */
int cf_select_stored(struct cf_store *store, struct cf_plan *plan, struct cf_error *err);

#endif
