/* flips: what is known of the checks' own sight, as it is kept in a store: one JSON object an
 * operand in which bits were flipped, under the keys "flips.00000" and on. */
#ifndef CF_FLIPS_H
#define CF_FLIPS_H

#include "finding.h"
#include "store.h"

int cf_flips_put(struct cf_store *store, const struct cf_flip_finding flips[], int64_t n,
                 struct cf_error *err);

/* In the order of the keys; texts live in *memory (cf_flips_free). */
struct cf_flips {
    int64_t n;
    struct cf_flip_finding *flip;
    char **memory;
    int64_t n_memory;
};
int cf_flips_get(struct cf_flips *flips, struct cf_store *store, struct cf_error *err);
void cf_flips_free(struct cf_flips *flips);

#endif
