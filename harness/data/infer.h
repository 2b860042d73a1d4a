/* infer: from the answers of an unknown matrix unit to the probes, the parameters that explain all
 * of them (tensorcore.h). Every combination of a grid is tried; what the answers do not decide is
 * said, and so is that nothing explains them. */
#ifndef CF_INFER_H
#define CF_INFER_H

#include "probe.h"

/* The answers to one probe: bits of float results (of double, for f64), a row each. */
struct cf_answers {
    struct cf_probe probe;
    int64_t n;
    const uint64_t *bits; /* n encodings */
};

struct cf_inference {
    int n_explain;                 /* combinations that give every answer */
    struct cf_tc_parameters least; /* of these the first; the others differ in what is open */
    int open_block, open_fraction, open_nearest, open_even, open_kept, open_flush_in,
        open_flush_out, open_descending; /* is the parameter not decided by the answers? */
    /* When none explains: the closest, how many rows it misses of how many, and its first miss. */
    struct cf_tc_parameters closest;
    int64_t n_rows, n_missed, row;
    int number;
    uint64_t got, expected;
};

/* All answers are of one type, not f64. */
void cf_infer(struct cf_inference *inference, const struct cf_answers answers[], int n);

/* The bits that parameters give to row i of a probe. */
uint64_t cf_predict(const struct cf_tc_parameters *parameters, const struct cf_probe *probe,
                    int64_t i);

/* Do two sets of parameters say the same, the floor of exponents apart? A chain is a chain. */
int cf_tc_same(const struct cf_tc_parameters *a, const struct cf_tc_parameters *b);

#endif
