/* chosen: what the libraries chose to run, gathered by family and group, for reports that people
 * read. */
#ifndef CF_REPORT_CHOSEN_H
#define CF_REPORT_CHOSEN_H

#include "report.h"

/* One choice in one family and group; n_cases: counted once a configuration. */
struct cf_chosen_row {
    const struct cf_chosen_finding *first;
    int n_cases;
};

/* At most f->n_chosen rows, those of a family and group side by side. Returns how many. */
int cf_chosen_rows(struct cf_chosen_row rows[], const struct cf_findings *f);

/* Is a row of another family than the one before? */
int cf_chosen_new_family(const struct cf_chosen_row rows[], int i);

/* How many of the rows from i on are of its family and group. */
int cf_chosen_alike(const struct cf_chosen_row rows[], int i, int n);

#endif
