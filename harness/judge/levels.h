/* levels: what the gates of one configuration in one group come to, level by level. Private to this
 * folder. */
#ifndef CF_LEVELS_H
#define CF_LEVELS_H

#include "judgement.h"

/* The verdict at every level and the sentence for it. `level`: the strongest that passes while no
 * weaker one fails (docs/levels.md, section 8). */
struct cf_grade {
    enum cf_level level;
    enum cf_verdict at[CF_N_LEVELS];
    const char *why[CF_N_LEVELS];
    int wrong;
    int n_anomalies; /* levels that pass while the next weaker one fails */
};

/* Along one scope: CF_TO_BASELINE for the level that configurations have. */
struct cf_grade cf_grade_of(struct cf_judgement *j, int configuration, int group,
                            enum cf_scope scope);
/* "numerical fail: ...; statistical unknown: ..." of the levels above; "" when there are none. */
const char *cf_grade_reason(struct cf_judgement *j, const struct cf_grade *grade);
/* The gates S1 to S5 together, without the baseline's bits: pass, fail or unknown. */
enum cf_verdict cf_grade_gates(const struct cf_judgement *j, int configuration, int group,
                               const struct cf_finding **worst);
/* NULL when nothing speaks against the configuration as a baseline in this group, else why. */
const char *cf_grade_disqualifies(struct cf_judgement *j, int configuration, int group);

#endif
