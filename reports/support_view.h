/* view: what the reports for people have in common: findings gathered by suite, by family and by
 * gravity. Nothing is judged here; a gathered cell is as weak as its weakest part. */
#ifndef CF_VIEW_H
#define CF_VIEW_H

#include "report.h"

/* Names in order of first appearance; they point into the findings. */
struct cf_view_names {
    int n;
    const char **name;
};
struct cf_view_names cf_view_suites(const struct cf_findings *findings);
/* The ops of a suite: the first words of its groups ("dot f32" gives "dot"). Owned copies. */
struct cf_view_names cf_view_ops(const struct cf_findings *findings);
struct cf_view_names cf_view_families(const struct cf_findings *findings);
void cf_view_names_free(struct cf_view_names *names, int owned);

/* n parts were gathered; with n == 0 the rest means nothing. */
struct cf_view_cell {
    int n;
    enum cf_level level;
    enum cf_verdict verdict;
    int wrong;
    int open; /* the bits differ, and nothing was proven about how far: no level is excluded but the
                 numerical one */
    int held; /* unknown, but no comparison so far has found other bits */
};

/* A configuration over the groups of one suite (NULL: all) and one op (NULL: all); parts that were
 * skipped count only where there are no others. */
struct cf_view_cell cf_view_configuration(const struct cf_findings *findings, int configuration,
                                          const char *suite, const char *op);
/* One cell as it stands. */
struct cf_view_cell cf_view_one(const struct cf_findings *findings,
                                const struct cf_cell_finding *cell);
/* A family along a scope; skipped parts are left out. */
struct cf_view_cell cf_view_invariance(const struct cf_findings *findings, const char *family,
                                       enum cf_scope scope);
int cf_view_scope_used(const struct cf_findings *findings, enum cf_scope scope);

/* "num", "stat", "sci", "func", "none", with "!" when proven wrong; "<num" when it is open how far
 * below; "num?" when no bits differed in comparisons that are too few to claim it; "?" unknown; "-"
 * nothing. */
const char *cf_view_short(const struct cf_view_cell *cell);

/* The findings to print first, at most `max`: proven errors, then failures, in the judge's order,
 * each (family, scope, component) once before any is repeated, where a family is a label up to its
 * threads. *n_all receives how many there are in all. Returns how many were put into worst[]. */
int cf_view_worst(const struct cf_findings *findings, const struct cf_finding *worst[], int max,
                  int *n_all);

/* "FAIL numerical across-thread dot_basic": verdict, demand and suite of a finding. The caller
 * frees. */
char *cf_view_head(const struct cf_finding *finding);

/* "openblas 0.3.21 threads=1, 2, 2 Zen; plain kahan": the labels of one class, shorter by what
 * neighbours share. The caller frees. */
char *cf_view_members(const struct cf_findings *findings, const struct cf_class_finding *class_,
                      int number);

/* The largest class of a class finding: its number, members and the configurations that have a
 * class at all. */
void cf_view_largest(const struct cf_findings *findings, const struct cf_class_finding *class_,
                     int *number, int *n_members, int *n_measured);

/* Configurations of which some request did not run, other than by not being offered. */
int64_t cf_view_unmeasured(const struct cf_configuration_finding *configuration);

#endif
