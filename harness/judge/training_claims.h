/* training_claims: private to this folder. */
#ifndef CF_TRAINING_CLAIMS_H
#define CF_TRAINING_CLAIMS_H

#include "training_levels.h"

#define CF_CLAIMS_MAX 16

struct cf_claim_judged {
    const char *name, *refused; /* refused: why it is not registered; NULL: it is */
    int better, worse;          /* its cells */
    int n;                      /* seeds */
    struct cf_evidence evidence;
};

/* The claims of the group's suite of which one cell belongs to the group. Returns their number. */
int cf_claims_judge(struct cf_judgement *j, const struct cf_trained *trained,
                    const struct cf_cell_judged *all, int n, int configuration, int group,
                    struct cf_claim_judged claims[], int room);

#endif
