/* promises: what the vendor documents next to what was seen, gathered by promise and family, for
 * reports that people read. */
#ifndef CF_REPORT_PROMISES_H
#define CF_REPORT_PROMISES_H

#include "report.h"

/* What one promise came to in one family: configurations and groups, by state. */
struct cf_promise_row {
    const struct cf_promise_finding *first, *worst;
    int n, n_differ, n_at[CF_N_PROMISE_STATES];
};

/* At most f->n_promises rows, of those that were exercised. Returns how many. */
int cf_promise_rows(struct cf_promise_row rows[], const struct cf_findings *f);

/* What was seen, in a few words: "violated", "differs, as documented", ... */
const char *cf_promise_seen(const struct cf_promise_row *row);

#endif
