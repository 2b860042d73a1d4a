/* report: the contract of reports/. A file X.c there defines `const struct cf_report cf_report_X`.
 * A report is a function of the findings alone: the same store gives the same bytes. */
#ifndef CF_REPORT_H
#define CF_REPORT_H

#include <stdio.h>

#include "error.h"
#include "finding.h"

struct cf_report {
    const char *name, *suffix, *why; /* "json", ".json" */
    int (*write)(FILE *out, const struct cf_findings *findings, struct cf_error *err);
};

extern const struct cf_report *const cf_reports[]; /* generated; NULL-terminated, sorted by name */

#endif
