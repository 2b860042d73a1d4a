/* report: the contract of reports/. A file X.c there defines `const struct cf_report cf_report_X`.
 * A report is a function of the findings and the page alone: the same store gives the same bytes.
 */
#ifndef CF_REPORT_H
#define CF_REPORT_H

#include <stdio.h>

#include "error.h"
#include "finding.h"

/* What the reader's page is like. Only the report for people (text) looks at it; a file gets
 * {CF_PAGE_WIDTH, 0}. */
struct cf_page {
    int width;  /* columns, at least 40 */
    int colour; /* may ANSI colours be written? */
};
#define CF_PAGE_WIDTH 100

struct cf_report {
    const char *name, *suffix, *why; /* "json", ".json" */
    /* 0, or -1 and a sentence. Errors of the stream are left in it for the caller to find. */
    int (*write)(FILE *out, const struct cf_findings *findings, const struct cf_page *page,
                 struct cf_error *err);
};

extern const struct cf_report *const cf_reports[]; /* generated; NULL-terminated, sorted by name */

#endif
