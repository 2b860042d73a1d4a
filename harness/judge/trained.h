/* trained: what the training runs of a store came to, run by run: metrics, the last link of the
 * chain, and how far the weights are from those of the baseline.
 *
 * A cell is a training case without its seed, twin, perturb and snapshots: what is left decides
 * what is learned. One run a case and configuration: its first record. */
#ifndef CF_TRAINED_H
#define CF_TRAINED_H

#include "ledger.h"

#define CF_CURVE_MAX 22

struct cf_trained_run {
    int cell, configuration, case_index;
    int64_t seed, twin, perturb;
    int ran;        /* 0: a failure, or never recorded (is_failure says which) */
    int is_failure; /* crashed, broke, timed out, or ended in a metric that is not finite */
    int same_data;  /* masks, shifts and batches are those of the baseline's run of the seed */
    double loss, accuracy, worst; /* held-out; worst: recall of the worst class. NaN unless ran */
    uint64_t link;
    /* norm(w - w_B) / norm(w_B) after steps 1, 2, 4, .. and at the end, w_B from the baseline's run
     * of the seed without twin and perturb; 0 points where one of the two has no snapshots. */
    int n_curve;
    double curve[CF_CURVE_MAX];
};

struct cf_trained_cell {
    char *text;
    int group;
    int n_seeds;               /* planned: 1 .. n_seeds without a gap, twin and perturb 0 */
    int n_curve;               /* most points of any run */
    double step[CF_CURVE_MAX]; /* of the points */
};

struct cf_trained {
    int n_cells, n;
    struct cf_trained_cell *cell;
    struct cf_trained_run *run; /* sorted by cell, seed, configuration, twin, perturb */
};

/* -1 and a sentence when an output cannot be read. */
int cf_trained_read(struct cf_trained *trained, const struct cf_ledger *ledger,
                    struct cf_store *store, struct cf_error *err);
void cf_trained_free(struct cf_trained *trained);

/* All outputs of one run, their bits read from the store. */
struct cf_trained_outputs {
    struct cf_tensor out[CF_OPERANDS_MAX]; /* views of bits */
    void *bits;                            /* owned; NULL: it did not run */
};
/* Also says of a run that did not run whether that is a failure. -1 and a sentence when the store's
 * bits cannot be read. */
int cf_trained_outputs(struct cf_trained_outputs *, const struct cf_ledger *, struct cf_store *,
                       struct cf_trained_run *, struct cf_error *);

/* NULL when there is no such case. */
const struct cf_trained_run *cf_trained_find(const struct cf_trained *trained, int cell,
                                             int64_t seed, int configuration, int64_t twin,
                                             int64_t perturb);
/* The cell's text of a case. The caller frees. */
char *cf_trained_cell_text(const struct cf_case *c);

#endif
