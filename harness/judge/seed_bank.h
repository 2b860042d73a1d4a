/* seed_bank: what the baseline did with many seeds, and what rounding alone does to it: the
 * manifest that is frozen before a configuration runs (docs/levels.md).
 *
 * As text, so that it can be read, compared and kept with a repository:
 *   conform-bank 1
 *   baseline CONFIGURATION
 *   cell CASE                     without seed
 *   steps 1 2 4 .. END            of the curves
 *   seed S LOSS ACCURACY WORST LINK
 *   twin K S D D ..               distance of twin K of seed S from seed S
 *   ladder BITS D D ..            geometric mean of the distances after a relative 2^-BITS
 * Numbers are hexadecimal floats. The hash of the text names the manifest. */
#ifndef CF_SEED_BANK_H
#define CF_SEED_BANK_H

#include <stdio.h>

#include "suite.h"
#include "trained.h"

#define CF_BANK_SEEDS       200
#define CF_BANK_SEEDS_LEAST 100
#define CF_BANK_TWINS       2
#define CF_BANK_TWIN_SEEDS  12
#define CF_BANK_RUNGS       10 /* relative 2^-24, 2^-22, .. 2^-6 */
#define CF_BANK_RUNG_SEEDS  5

struct cf_bank_cell {
    char *text;
    int n; /* seeds 1 .. n; failed ones are NaN */
    double *loss, *accuracy, *worst;
    uint64_t *link;
    int n_curve, n_twin_seeds, n_rungs;
    double step[CF_CURVE_MAX];
    double twin[CF_BANK_TWINS][CF_BANK_TWIN_SEEDS][CF_CURVE_MAX];
    double bits[CF_BANK_RUNGS], rung[CF_BANK_RUNGS][CF_CURVE_MAX];
};

struct cf_seed_bank {
    char *baseline;
    int n;
    struct cf_bank_cell *cell;
    char hash[33]; /* of the text */
};

/* From the runs of a store in which the baseline ran alone. */
void cf_seed_bank_make(struct cf_seed_bank *bank, const char *baseline,
                       const struct cf_trained *trained, int configuration);
/* The caller frees. */
char *cf_seed_bank_print(const struct cf_seed_bank *bank);
/* -1 and a sentence when the text is no bank; `what` names it. */
int cf_seed_bank_parse(struct cf_seed_bank *bank, const char *text, const char *what,
                       struct cf_error *err);
/* Moves the cells of another bank of the same baseline to the end of this one (n = 0: takes the
 * baseline over too) and names it anew. */
void cf_seed_bank_append(struct cf_seed_bank *bank, struct cf_seed_bank *other);
void cf_seed_bank_free(struct cf_seed_bank *bank);
const struct cf_bank_cell *cf_seed_bank_find(const struct cf_seed_bank *bank, const char *text);

/* What may be concluded with this bank, checked when it is made: which of the suite's claims are
 * registered (their effects are so large that a statistical pass implies them), and where quality
 * cannot be judged. One line each. */
void cf_claims_print(FILE *out, const struct cf_seed_bank *bank, const struct cf_suite *suite);

/* The case lines that a bank of this cell needs: calls `each` with one braced line after the other.
 */
int cf_seed_bank_plan(const char *cell, int n_seeds, int (*each)(void *, const char *line),
                      void *context);

#endif
