/* training_needs: which seeds a run of training still needs. The looks of docs/levels.md: at 20
 * seeds, and where that leaves a cell undecided at 40, then at 80. */
#ifndef CF_TRAINING_NEEDS_H
#define CF_TRAINING_NEEDS_H

#include "demand.h"
#include "store.h"

/* Seeds from .. to - 1 of one cell, for the configurations that are undecided there. */
struct cf_need {
    char *cell;      /* a case without its seed. Owned */
    char *suite;     /* owned */
    int from, to;    /* seeds */
    int n_undecided; /* configurations, without the baseline */
    int n_configurations;
    char *asked; /* [n_configurations]: the undecided ones, and the baseline, whose data and
                    bank are checked again. Owned */
};

struct cf_needs {
    int n;
    struct cf_need *all; /* owned */
};

/* What a judgement at `required` (statistical or weaker) leaves undecided and the next look might
 * decide: equivalence; below statistical also quality and claims. Nothing without a bank. -1 and a
 * sentence when the store cannot be judged. */
int cf_training_needs(struct cf_needs *, struct cf_store *, enum cf_level required,
                      struct cf_error *);
void cf_needs_free(struct cf_needs *);

#endif
