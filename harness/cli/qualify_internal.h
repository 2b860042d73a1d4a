/* The inside of qualify: tests, cores, and asking one unit. */
#ifndef CF_QUALIFY_INTERNAL_H
#define CF_QUALIFY_INTERNAL_H

#include <pthread.h>

#include "qualify.h"
#include "talk.h"

#define CF_QUALIFY_SEEDS 8
#define CF_QUALIFY_AGAIN 4 /* requests of a retest */

/* One set of instructions: a configuration less its CPU, and the cell of cases that it is given. */
struct cf_qualify_test {
    const char *name, *configuration, *cell, *busy; /* busy: what of the processor */
};
extern const struct cf_qualify_test cf_qualify_tests[]; /* ended by name NULL */

/* A case with everything that a request needs, drawn once. */
struct cf_qualify_case {
    const struct cf_golden_case *golden;
    struct cf_tensor in[CF_OPERANDS_MAX];
    double n_operations;
};

struct cf_qualify_unit {
    const struct cf_qualify_core *where;
    const struct cf_qualify_test *test;
    const struct cf_qualify_case *cases[CF_QUALIFY_SEEDS];
    int n_cases;
    int64_t n_asked, n_different, n_not_offered, n_lost;
    double n_checked, seconds;
    double time_to_fail_s; /* NaN */
    int n_again, n_again_different;
    double mhz;                           /* NaN */
    int64_t seed;                         /* of the last request, -1 */
    const struct cf_qualify_case *failed; /* the case that failed first, or NULL */
    int64_t element;
    int output, under_load;
    uint64_t expected, got;
    char lost[200]; /* why a request was not measured, first */
};

struct cf_qualify_core {
    int cpu, core, package, numa_node, thread; /* -1: hwloc does not say */
    struct cf_qualify_unit *unit;
    pthread_t runner;
};

/* Asks a unit once (round chooses the seed), and again when it failed for the first time. */
void cf_qualify_ask(struct cf_qualify_core *core, int test, int64_t round, int under_load,
                    double since_start_s, const char *worker);

/* CPUs of the set that this process may use, with the core each belongs to (hwloc). Returns how
 * many, or -1 and a sentence. The caller frees *cores. */
int cf_qualify_cores(const char *cpuset, struct cf_qualify_core **cores, int *n_machine,
                     struct cf_error *err);

/* Units to findings, with their sentences. */
void cf_qualify_conclude(struct cf_qualification *result, const struct cf_qualify_core cores[],
                         int n_cores, int n_machine);

#endif
