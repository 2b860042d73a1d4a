/* The inside of qualify: tests, cores and GPUs, and asking one unit. */
#ifndef CF_QUALIFY_INTERNAL_H
#define CF_QUALIFY_INTERNAL_H

#include <pthread.h>

#include "qualify.h"
#include "qualify_gpu.h"
#include "talk.h"

#define CF_QUALIFY_SEEDS      8
#define CF_QUALIFY_AGAIN      4 /* requests of a retest */
#define CF_QUALIFY_TWIN_SEEDS 2 /* and requests of a GPU in one process */

/* One set of instructions: a configuration less its CPU, and the cell of cases that it is given;
 * of a GPU one order: the rest of its configuration behind the device. */
struct cf_qualify_test {
    const char *name, *configuration, *cell, *busy; /* busy: what of the processor */
    int twin; /* the right bits are those of the order's twin on the host, not the pack's */
};
extern const struct cf_qualify_test cf_qualify_tests[], cf_qualify_gpu_tests[]; /* to name NULL */

/* A case with everything that a request needs, drawn once. */
struct cf_qualify_case {
    const struct cf_golden_case *golden;
    struct cf_tensor in[CF_OPERANDS_MAX];
    double n_operations;
    const struct cf_qualify_test *of; /* the one test that it is for; NULL: any of its cell */
    struct cf_tensor right[CF_OPERANDS_MAX]; /* of a twin; else without bits: by exact reference */
};

/* The cases of the tests of a GPU whose right bits a worker on the host computes, seeds 1 and on.
 */
struct cf_qualify_twins {
    int n;
    struct cf_golden_case *golden;
    struct cf_qualify_case *cases;
};
/* -1 and a sentence (exit_code 3) when a twin has no answer; free it in any case. */
int cf_qualify_twins_make(struct cf_qualify_twins *twins, const char *worker, struct cf_error *err);
void cf_qualify_twins_free(struct cf_qualify_twins *twins);

/* What is counted: every arithmetic operation whose result is part of the digest; a fused
 * multiply-add is one, or two as a term of a sum of products. */
double cf_qualify_operations(const struct cf_case *c);

/* How many blocks of a unit ran on each multiprocessor of a GPU, and how many of them were wrong;
 * of requests that failed only. */
#define CF_QUALIFY_SMS   1024
#define CF_QUALIFY_BLOCK 256 /* elements of a block of the kernel burn */
struct cf_qualify_places {
    int64_t n[CF_QUALIFY_SMS], n_wrong[CF_QUALIFY_SMS];
};

struct cf_qualify_unit {
    struct cf_qualify_core *where;
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
    int timed_out;                    /* a request had no answer in time */
    char lost[200];                   /* why a request was not measured, first */
    struct cf_qualify_places *places; /* owned; NULL: no wrong block has a place */
};

/* Does a test's kernel say where its blocks ran? Then it is asked as the op OP_where. */
int cf_qualify_has_places(const struct cf_qualify_test *test);
/* Adds one request to the places of a unit: out[0] of the case's type, out[1] the multiprocessor of
 * each block. */
void cf_qualify_places_add(struct cf_qualify_unit *unit, const struct cf_tensor out[],
                           const struct cf_tensor *right);
/* "; all 3 wrong blocks ran on SM 77 (TPC 38)" or the like, and the numbers of up to four such
 * ("77");
 * "" for both where nothing is known or too many are wrong. The caller frees. */
char *cf_qualify_places_sentence(const struct cf_qualify_places *places);
char *cf_qualify_places_list(const struct cf_qualify_places *places);

/* Where units are: a CPU, or a GPU. */
struct cf_qualify_core {
    struct cf_qualify_gpu *gpu; /* NULL: a CPU */
    int timeout_ms;             /* for each request */
    const struct cf_qualify_test *tests;
    int n_tests;
    int cpu, core, package, numa_node, thread; /* -1: hwloc does not say */
    struct cf_qualify_unit *unit;
    pthread_t runner;
};

/* Asks a unit of a CPU once (round chooses the seed), of a GPU once with each seed (opening it
 * takes longer than computing), and again when it failed for the first time. */
void cf_qualify_ask(struct cf_qualify_core *core, int test, int64_t round, int under_load,
                    double since_start_s, const char *worker);

/* CPUs of the set that this process may use, with the core each belongs to (hwloc). Returns how
 * many (0 for the set ""), or -1 and a sentence. The caller frees *cores. */
int cf_qualify_cores(const char *cpuset, struct cf_qualify_core **cores, int *n_machine,
                     struct cf_error *err);

/* Units to findings, with their sentences. */
void cf_qualify_conclude(struct cf_qualification *result, const struct cf_qualify_core cores[],
                         int n_cores, int n_machine, const struct cf_qualify_gpus *gpus);

#endif
