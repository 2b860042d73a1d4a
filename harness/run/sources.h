/* sources: everything of a training run fixed, then one source of non-reproducibility released at a
 * time; for each, what remains the same and from which step on it does not. */
#ifndef CF_SOURCES_H
#define CF_SOURCES_H

#include <stdint.h>
#include <stdio.h>

#include "error.h"
#include "training.h"

/* What is released: words added to the base case, and the configuration to run in. A word that the
 * base has too replaces it. NULL: the base's. */
struct cf_source {
    const char *name, *words, *configuration;
    int repeats; /* runs; more than 1: the source is the run itself (arrival of threads) */
};

/* How far a released run is the base's. */
struct cf_source_result {
    int ran; /* 0: see reason */
    char reason[300];
    int64_t steps, first[CF_N_STAGES];  /* the first step in which a stage differs; -1: never */
    int same_initial_weights, same_end; /* bit for bit */
    double distance; /* norm(w - w_base) / norm(w_base) at the end; NaN: other shapes or types */
    double accuracy, loss;
};

#define CF_SOURCES_MAX 32

/* The sources of the suite over a base case and configuration; `library` is a CBLAS by path or
 * NULL (then libraries, instruction sets and their threads are left out). Returns their number. The
 * strings live as long as the program. */
int cf_sources_list(struct cf_source sources[CF_SOURCES_MAX], const char *library);
extern const char cf_sources_case[], cf_sources_configuration[];

/* Runs the base and each source. -1 and a sentence only when the base does not run. */
int cf_sources_run(struct cf_source_result results[], const struct cf_source sources[], int n,
                   const char *worker, struct cf_error *err);

/* A table: one line a source; columns are the stages. */
void cf_sources_print(FILE *out, const struct cf_source sources[],
                      const struct cf_source_result results[], int n);

#endif
