/* plan: cases x configurations x processes x repetitions; run: works it off into a store. */
#ifndef CF_PLAN_H
#define CF_PLAN_H

#include "case.h"
#include "config.h"
#include "demand.h"
#include "store.h"

struct cf_planned_case {
    struct cf_case c;
    const char *suite;
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
};

/* Adds what a suite runs at the plan's level ("all": every suite), filtered by a case glob and a
 * scope (NULL, or only the case lists and variants that the scope needs); `repeat` > 0 overrides
 * repetitions, `seed` > 0 is added to every seed. Returns the number added, or -1. */
int cf_plan_add_suite(struct cf_plan *, const char *suite, const char *glob, int repeat,
                      int64_t seed, struct cf_error *);
int cf_plan_add_case(struct cf_plan *, const char *line, const char *suite, int processes,
                     int repetitions, struct cf_error *);
int cf_plan_add_configuration(struct cf_plan *, const char *line, const char *label,
                              struct cf_error *);
void cf_plan_free(struct cf_plan *);

/* Writes plan and environment into a fresh store, or checks that a resumed store holds this very
 * plan. */
int cf_plan_store(const struct cf_plan *, struct cf_store *, struct cf_error *);

struct cf_run_options {
    const char *worker;   /* path of conform-worker */
    int jobs;             /* workers at a time; 0: as the CPUs allow */
    int timeout_ms;       /* a request's; 0: 30 s */
    int start_timeout_ms; /* load and hello; 0: 60 s */
    /* Called from the run's loop, at most ten times a second and once at the end. May be NULL. */
    void (*progress)(void *context, int64_t done, int64_t total, const char *what);
    void *context;
    volatile int
        *interrupted; /* set by a signal handler: finish what is in flight, commit, return 130 */
};

/* Runs every request of the plan that the store has no record of. 0: all recorded; 130 interrupted;
 * -1 and a sentence (exit 3) when the store cannot be written or no worker can be started at all.
 */
int cf_run(const struct cf_plan *, struct cf_store *, const struct cf_run_options *,
           struct cf_error *);

#endif
