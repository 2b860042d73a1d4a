/* measure: every distinct output of a store judged once against the truth, several cases at a
 * time. The results do not depend on the number of threads. */
#ifndef CF_MEASURE_H
#define CF_MEASURE_H

#include "accuracy.h"
#include "judge.h"
#include "ledger.h"

/* A rule is classical, or has the growth of a fast kernel that some configuration says it runs.
 */
struct cf_measure {
    int n_rules;
    struct cf_accuracy_rule *rule; /* [0] classical; lambda is the group's own */
    int *rule_of;                  /* [n_groups][n_configurations] */
    struct cf_accuracy **of_case;  /* [n_cases][n_outputs * n_rules] */
    double *lambda;                /* [n_groups] */
};

/* -1 and a sentence when the store cannot be judged (judge.h). */
int cf_measure_all(struct cf_measure *measure, const struct cf_ledger *ledger,
                   struct cf_store *store, const struct cf_judge_options *options,
                   struct cf_error *err);
void cf_measure_free(struct cf_measure *measure, const struct cf_ledger *ledger);

/* The accuracy of a record that ran. */
const struct cf_accuracy *cf_measure_of(const struct cf_measure *measure,
                                        const struct cf_ledger *ledger, int case_index,
                                        const struct cf_ledger_record *record);

/* lambda of S4 for a suite: n_max and N_out over all its cases at all levels, so that running a
 * part changes no verdict; NULL (cases named by hand): n_max = 2^18 and N_out = 1e6. */
double cf_measure_lambda(const struct cf_suite *suite);

/* The growth of the fast kernel that a configuration has for an op: "fast" of its effective state
 * (JSON), "conv2d_fwd=81 ..."; 0 when it is classical. */
double cf_measure_growth(const char *effective, const char *op);

#endif
