/* plan: cases x configurations x processes x repetitions; run: works it off into a store. */
#ifndef CF_PLAN_H
#define CF_PLAN_H

#include "case.h"
#include "config.h"
#include "demand.h"
#include "extension.h"
#include "store.h"

struct cf_planned_case {
    struct cf_case c;
    const char *suite; /* into the plan's suites */
    int processes, repetitions;
};

struct cf_planned_configuration {
    struct cf_config config;
    char *label; /* short, unique */
};

struct cf_plan {
    enum cf_level level;
    int n_cases, n_configurations, baseline; /* baseline: index of a configuration */
    struct cf_planned_case *cases;           /* unique texts; owned */
    struct cf_planned_configuration *configurations;
    int n_suites;
    char **suites;                   /* names that the cases point to; owned */
    struct cf_extensions extensions; /* which of the last cases are asked of whom */
};

/* Adds what a suite runs at the plan's level ("all": every suite): the cases whose text matches the
 * glob (NULL: all) and that are not there yet. `repeat` > 0 overrides repetitions, `seed` > 0 is
 * added to every seed. Returns the number added, or -1 and a sentence. */
int cf_plan_add_suite(struct cf_plan *, const char *suite, const char *glob, int repeat,
                      int64_t seed, struct cf_error *);
/* Adds one case (no braces) after drawing its shapes; one that is there already keeps the larger
 * numbers. Returns 1 when it is new, 0 when it was there, or -1 and a sentence. */
int cf_plan_add_case(struct cf_plan *, const char *line, const char *suite, int processes,
                     int repetitions, struct cf_error *);
/* Leaves out the cases that a scope does not need: for "batch" and "position" all but the variants
 * and what they vary, for the scopes of configurations the variants. Returns the number left. */
int cf_plan_keep_scope(struct cf_plan *, enum cf_scope scope);
/* Adds one configuration (no braces); a label of NULL is its text, one that is taken gets a number.
 * Returns its index, also when it was there already, or -1 and a sentence. */
int cf_plan_add_configuration(struct cf_plan *, const char *line, const char *label,
                              struct cf_error *);
void cf_plan_free(struct cf_plan *);

/* Records that the plan asks for: (processes x repetitions) of each case, in each configuration
 * that is asked for it. */
int64_t cf_plan_count(const struct cf_plan *);

/* Writes plan and environment ("env.*") into a fresh store, or checks that a resumed store holds
 * this very plan and was begun on this machine by this program (else a sentence, exit 2). */
int cf_plan_store(const struct cf_plan *, struct cf_store *, struct cf_error *);
/* Puts the cases from `first` on, which were added since, and the extensions; the run is no longer
 * complete. All or nothing. */
int cf_plan_store_added(const struct cf_plan *, int first, struct cf_store *, struct cf_error *);

struct cf_run_options {
    const char *worker;   /* path of conform-worker */
    int64_t memory_mb;    /* of a worker or adapter; 0: as cf_launch_make says */
    int jobs;             /* CPUs to fill with workers (one with threads=T takes T); 0: all */
    int timeout_ms;       /* a request's; 0: 30 s */
    int start_timeout_ms; /* load and hello; 0: 60 s */
    /* Called from the run's loop, at most ten times a second and once at the end. May be NULL. */
    void (*progress)(void *context, int64_t done, int64_t total, const char *what);
    void *context;
    /* Set by a signal handler: what is in flight is finished and committed. May be NULL. */
    volatile int *interrupted;
};

/* Runs every request of the plan that the store has no record of. 0: all recorded; 130 interrupted;
 * -1 and a sentence (exit 3) when the store cannot be written or no worker can be started at all.
 */
int cf_run(const struct cf_plan *, struct cf_store *, const struct cf_run_options *,
           struct cf_error *);

#endif
