/* suite: the contract of suites/. A file X.c there defines `const struct cf_suite cf_suite_X`:
 * which cases, and what may be claimed when they pass. */
#ifndef CF_SUITE_H
#define CF_SUITE_H

#include "demand.h"
#include "error.h"

/* Case lines with braces, run when the level asked for is one of the `levels` bits (1 <<
 * CF_NUMERICAL). `processes` fresh workers run each case `repetitions` times. What the list would
 * catch is said where it stands. */
struct cf_case_list {
    const char *line;
    unsigned levels;
    int processes, repetitions;
};

/* A conclusion registered before anything runs: in the cell `better` (a case without its seed) the
 * held-out loss is lower than in the cell `worse`, seed by seed. `name` is what a reader would say.
 */
struct cf_suite_claim {
    const char *name, *better, *worse;
};

struct cf_suite {
    const char *name, *why;           /* `why` is the claim that a user may make */
    const struct cf_case_list *lists; /* ended by line NULL */
    const struct cf_demand *demands;
    int n_demands;
    const struct cf_suite_claim *claims; /* ended by name NULL; or NULL */
    int apart;                           /* not part of `all`: it must be named */
};

extern const struct cf_suite *const cf_suites[]; /* generated; NULL-terminated, sorted by name */

#endif
