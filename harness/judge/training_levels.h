/* training_levels: training cells judged at every level against the bank that the store holds.
 * Private to this folder; the rules are those of harness/statistics, the words those of
 * docs/levels.md. */
#ifndef CF_TRAINING_LEVELS_H
#define CF_TRAINING_LEVELS_H

#include "attribution.h"
#include "claim.h"
#include "equivalence.h"
#include "gate.h"
#include "judgement.h"
#include "seed_bank.h"

#define CF_LOSS_SHIFT   0.954 /* N4: margin of the statistical level, in sigma */
#define CF_QUALITY_LOSS 0.01  /* relative */
#define CF_RECALL_LOSS  0.05  /* of the worst class, absolute */
#define CF_CLAIM_EFFECT 3.0   /* N2: in sigma of the bank */
#define CF_CLAIM_D_Z    1.5   /* of the paired differences */
#define CF_RECHECKED    10    /* seeds of the baseline that are run again */

/* One cell in one configuration. */
struct cf_cell_judged {
    int cell, configuration;
    const struct cf_bank_cell *bank; /* NULL: no bank */
    int n;                           /* seeds with a record, 1 .. n */
    int n_other_data;
    double *loss, *accuracy, *worst; /* [n] */
    struct cf_look look;             /* the last one that was taken */
    double p_fail;                   /* after Holm */
    double q;                        /* of the configuration in a list of those that pass; NaN */
    struct cf_evidence quality, failures, recall;
    enum cf_verdict floor;    /* of the three */
    const char *not_eligible; /* N4: why functional is not judged; or NULL */
    struct cf_attribution_finding attribution;
    struct cf_effective_bits
        effective[3]; /* at the first, the middle and the last usable horizon */
    double step[3];
    struct cf_growth growth; /* of the twins: the cell's own */
};

/* The levels of one cell in one configuration; values, looks, quality. */
void cf_cell_judge(struct cf_cell_judged *one, const struct cf_trained *trained,
                   const struct cf_bank_cell *bank, int cell, int configuration);
void cf_cell_free(struct cf_cell_judged *one);
/* N4: a statistical pass implies a functional one only where 0.954 sigma <= 1 % of the metric.
 * NULL, or why the cell's functional level is not judged. */
const char *cf_cell_not_eligible(const struct cf_bank_cell *bank);

/* All training cells of a store. */
struct cf_training {
    struct cf_judgement *j;
    struct cf_trained trained;
    struct cf_seed_bank bank; /* n = 0: none */
    const char *no_bank;      /* why there is none that may be judged against, or NULL */
    int n;
    struct cf_cell_judged *all; /* cell by cell, configuration by configuration */
};

/* Reads runs and bank and judges every cell; the judgement needs no more than a ledger, a store and
 * an arena. -1 and a sentence when an output or the bank cannot be read. */
int cf_training_open(struct cf_training *t, struct cf_judgement *j, struct cf_error *err);
void cf_training_close(struct cf_training *t);
struct cf_cell_judged *cf_training_cell(const struct cf_training *t, int cell, int configuration);
/* Cells that only show bits have too few seeds planned for anything else. */
int cf_training_counts(const struct cf_training *t, int cell);

/* The sentence of attribution: "not rounding; behaves like 11.6 bits". In the arena. */
const char *cf_cell_attribution(struct cf_judgement *j, const struct cf_cell_judged *one);

/* NULL: the claim is registered (N2: the bank supports it by 3 sigma and d_z >= 1.5), else why it
 * is not. In the arena. */
const char *cf_claim_refused(struct cf_judgement *j, const struct cf_bank_cell *better,
                             const struct cf_bank_cell *worse);

/* Fills D, USE, EQUIVALENCE and ATTRIBUTION of training groups, and F where gate F decides. */
int cf_judge_training(struct cf_judgement *j, struct cf_error *err);

#endif
