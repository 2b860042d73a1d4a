/* tests: units of a qualification gathered as other tools report them: one test for each set of
 * instructions (on each machine of a fleet), with the CPUs that it ran on. */
#ifndef CF_REPORT_TESTS_H
#define CF_REPORT_TESTS_H

#include "report.h"

/* Is unit `i` the first of its test? */
int cf_tests_first(const struct cf_findings *findings, int i);
/* The next unit of the same test after i, or -1. */
int cf_tests_next(const struct cf_findings *findings, int i);
/* "avx2 f64", or "n3 avx2 f64" in a fleet. The caller frees. */
char *cf_tests_name(const struct cf_unit_finding *unit);

/* The value of a key of the environment, or "". */
const char *cf_tests_environment(const struct cf_findings *findings, const char *key);

#endif
