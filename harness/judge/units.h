/* units: what a qualification has found of each unit, as it is kept in a store: one JSON object a
 * unit, under the keys "qualify.00000" and on, and "qualify.coverage". */
#ifndef CF_UNITS_STORE_H
#define CF_UNITS_STORE_H

#include "finding.h"
#include "store.h"

int cf_units_put(struct cf_store *store, const struct cf_unit_finding units[], int n,
                 const char *coverage, struct cf_error *err);

/* Units in the order of their keys; texts live in *memory (cf_units_free). 0 units: no
 * qualification. */
struct cf_units {
    int n;
    struct cf_unit_finding *unit;
    char *coverage; /* or NULL */
    void **memory;
    int n_memory;
};
int cf_units_get(struct cf_units *units, struct cf_store *store, struct cf_error *err);
void cf_units_free(struct cf_units *units);

/* The exit code that the units ask for: 1 when one failed, else 3 when one was not measured or must
 * be asked again, else 0; and the sentence. The caller frees it. */
int cf_units_exit_code(const struct cf_units *units);
char *cf_units_sentence(const struct cf_units *units);

#endif
