/* judge: from a store to findings. Runs nothing: inputs are drawn again from the case texts and
 * their digests compared; every distinct output is judged once against the exact reference. */
#ifndef CF_JUDGE_H
#define CF_JUDGE_H

#include "finding.h"
#include "store.h"

struct cf_judge_options {
    enum cf_level required;
    enum cf_scope scope; /* the scope asked for; CF_TO_BASELINE: all */
    int curves;          /* of so many seeds the true trajectories too: seconds each; 0: none */
    int threads;         /* for the references; 0: all CPUs. Never changes a verdict */
    void (*progress)(void *context, int64_t done, int64_t total, const char *what);
    void *context;
};

/* NULL and a sentence when the store cannot be judged (exit 3): a disagreement between the fast
 * reference and MPFR names the element; inputs that cannot be drawn again name the case. */
struct cf_findings *cf_judge(struct cf_store *, const struct cf_judge_options *, struct cf_error *);
void cf_findings_free(struct cf_findings *);

#endif
