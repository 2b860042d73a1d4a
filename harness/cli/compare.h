/* compare: two runs, case by case. */
#ifndef CF_COMPARE_H
#define CF_COMPARE_H

#include "finding.h"
#include "store.h"

/* The first that matches decides: error > regressed > improved > changed > same. `only-in-one` when
 * the other run has no such case and configuration. */
enum cf_change {
    CF_SAME,      /* the same bits */
    CF_CHANGED,   /* other bits, level and accuracy as before */
    CF_IMPROVED,  /* a higher level, or no longer wrong */
    CF_REGRESSED, /* a lower level, or wrong now */
    CF_ERROR,     /* not measured in one of the runs */
    CF_ONLY_IN_ONE,
    CF_N_CHANGES
};
const char *cf_change_name(enum cf_change change);

/* One run: its plan rows, and for each (configuration, case) what it answered. */
struct cf_outcome {
    int n_ran, n_failed; /* n_failed: neither ran nor not offered */
    struct cf_digest low,
        high;     /* the smallest and the largest digest: equal when it is one answer */
    char *chosen; /* what the library chose in the first that ran (chosen.h); NULL: it said nothing.
                     Owned */
};
struct cf_run_view {
    int n_configurations, n_cases;
    char **configuration, **label, **case_text, **suite; /* owned */
    struct cf_digest *inputs;                            /* one a case */
    struct cf_outcome *outcome;                          /* [configuration][case] */
    const struct cf_findings *findings; /* borrowed; same order of configurations */
};

void cf_run_view_read(struct cf_run_view *view, struct cf_store *store,
                      const struct cf_findings *findings);
void cf_run_view_free(struct cf_run_view *view);

/* Index of the configuration (by text, else by label) or case in a run, or -1. */
int cf_run_view_configuration(const struct cf_run_view *view, const char *text, const char *label);
int cf_run_view_case(const struct cf_run_view *view, const char *text);

/* 0, or -1 and a sentence (exit 2) that names what makes the runs incomparable: no common case or
 * configuration, other inputs under the same name, other baselines. */
int cf_compare_check(const struct cf_run_view *a, const struct cf_run_view *b,
                     struct cf_error *err);

/* What the library chose to run, or "". */
const char *cf_run_view_chosen(const struct cf_run_view *view, int configuration, int case_index);

/* What became of one configuration and case; indices into a and b. */
enum cf_change cf_compare_one(const struct cf_run_view *a, int configuration_a, int case_a,
                              const struct cf_run_view *b, int configuration_b, int case_b);

#endif
