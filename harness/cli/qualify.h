/* qualify: every core of this machine in turn, each with one set of instructions after another,
 * against golden digests; and its GPUs, each with one order after another, against the order's twin
 * on the host or golden digests. A unit is one core with one set of instructions, or one GPU with
 * one order. */
#ifndef CF_QUALIFY_H
#define CF_QUALIFY_H

#include <stdint.h>

#include "finding.h"
#include "golden.h"

struct cf_qualify_gpus;

struct cf_qualify_options {
    const char *worker;           /* path of conform-worker */
    const char *cpuset;           /* NULL: all CPUs that this process may use; "": none */
    struct cf_qualify_gpus *gpus; /* NULL: none; one that hangs is marked */
    int timeout_ms;               /* for each request */
    double budget_s;       /* every unit is asked at least once, idle and under load, even so */
    volatile int *stopped; /* set by a signal: no further round is begun. May be NULL */
    void (*progress)(void *context, int64_t done, int64_t total, const char *what);
    void *context;
};

struct cf_qualification {
    int n_units;
    struct cf_unit_finding *unit; /* in the order CPU, test; then GPU, test */
    char *coverage;
    double seconds;
    char **text; /* memory of the units' texts, owned */
    int n_text;
};

/* -1 and a sentence when the CPU set is none, or the pack lacks the cases of a test. */
int cf_qualify(struct cf_qualification *result, const struct cf_golden *pack,
               const struct cf_qualify_options *options, struct cf_error *err);
void cf_qualification_free(struct cf_qualification *result);

/* "quick", "medium", "long", or a time such as "90", "90s", "5m", "1h". -1 and a sentence. */
int cf_qualify_budget(const char *word, double *seconds, struct cf_error *err);

#endif
