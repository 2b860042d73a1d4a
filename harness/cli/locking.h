/* locking: what lock and verify have in common: a plan run in a store that nobody keeps, told in
 * the words of a lock. */
#ifndef CF_LOCKING_H
#define CF_LOCKING_H

#include "lock.h"
#include "options.h"
#include "plan.h"

/* The lock that the command line names; "conform.lock" unless it does. NULL and a sentence when it
 * names two. */
const char *cf_locking_path(const struct cf_options *options, const char *command,
                            struct cf_error *err);

/* The plan that a lock holds; only_first: its first case, once. */
int cf_locking_plan(const json_t *locked, int only_first, struct cf_plan *plan,
                    struct cf_error *err);

/* Runs the plan and adds what the store says to the document; judge: with levels and cases. 0; 130
 * or 143; -1 and a sentence. */
int cf_locking_measure(const struct cf_options *options, const struct cf_plan *plan,
                       json_t *document, int judge, struct cf_error *err);

/* Here and now: with what a lock names (files, data, interpreters), or NULL. matrix: its path, or
 * NULL. */
json_t *cf_locking_surroundings(const struct cf_options *options, const char *path,
                                const char *matrix, const json_t *locked, struct cf_error *err);

/* What the adapters of a plan consist of: files and packages. */
void cf_locking_add_commands(json_t *document, const struct cf_plan *plan);

/* A lock with local paths; NULL and a sentence. */
json_t *cf_locking_read(const char *path, struct cf_error *err);

/* Prints drifts and notes, at most a screen of each. */
void cf_locking_print(const struct cf_drifts *drifts, enum cf_tier tier, int notes);

#endif
