/* workplace: a private folder for the tensors that go to and from workers: in shared memory when it
 * has room, else under TMPDIR. A lock tells a folder in use from one that a killed run left. */
#ifndef CF_WORKPLACE_H
#define CF_WORKPLACE_H

#include <stdint.h>

#include "error.h"

struct cf_workplace {
    char *path; /* owned */
    int lock;   /* a descriptor on the folder */
};

/* Makes the folder where n_bytes fit, and removes folders of runs that were killed. -1 and a
 * sentence (exit 3) when nothing has room or can be written. */
int cf_workplace_make(struct cf_workplace *place, uint64_t n_bytes, struct cf_error *err);

/* Removes every file in it; the folder stays. */
void cf_workplace_empty(const struct cf_workplace *place);
/* Removes the folder too. */
void cf_workplace_remove(struct cf_workplace *place);

#endif
