/* selftest: how often the instrument is wrong, counted where the truth is known (docs/levels.md):
 * twins that differ by rounding alone must not be accused, truths at the margin must not be
 * granted, and planted bugs must be caught where the specification says so and nowhere else.
 *
 * What is expected is data: one letter a column.
 *   p pass   f fail   u unknown   s skip          (verdicts)
 *   r rounding   n not rounding   ? undetermined   (attribution)
 *   o anything but fail: not accused   d anything but pass: not granted   . nothing is promised */
#ifndef CF_SELFTEST_H
#define CF_SELFTEST_H

#include <jansson.h>

#include "boundary.h"
#include "finding.h"
#include "options.h"
#include "plan.h"

#define CF_SELFTEST_COLUMNS 5
#define CF_SELFTEST_POOLS   2 /* cells whose losses the margin is tried with */

enum cf_selftest_kind {
    CF_SELFTEST_TRAINING,
    CF_SELFTEST_CLAIMS,
    CF_SELFTEST_SUMS,
    CF_SELFTEST_FLIPS,
    CF_SELFTEST_N
};

/* What is run, in this order, each into a store of its own. Banks are the baseline's. */
enum cf_selftest_stage {
    CF_STAGE_SUM_PAIRS,
    CF_STAGE_SUMS,
    CF_STAGE_FLIPS,
    CF_STAGE_TRAINING_BANK,
    CF_STAGE_TRAINING,
    CF_STAGE_PAIRS_BANK, /* the full form alone, from here on */
    CF_STAGE_PAIRS,
    CF_STAGE_CLAIMS_BANK,
    CF_STAGE_CLAIMS,
    CF_N_STAGES_OF_SELFTEST
};

/* The columns of a kind: "bits", "stat", ...; NULL ends. The components of findings that fill
 * them. */
extern const char *const cf_selftest_columns[CF_SELFTEST_N][CF_SELFTEST_COLUMNS + 1];

/* One bug in one cell. Texts are static or the self-test's own. */
struct cf_expectation {
    enum cf_selftest_kind kind;
    const char *bug;           /* in words */
    const char *configuration; /* its text */
    const char *cell;          /* the suite's name in the store */
    char expected[8];
    const char *source; /* section of the specification, or why */
};

struct cf_outcome {
    struct cf_expectation want;
    char got[8];  /* ' ' where there is no finding */
    char *reason; /* of the deciding finding. Owned */
};

/* Pairs of the baseline with something that differs by rounding alone. */
struct cf_alarms {
    int n, n_false;  /* failed, or called not rounding */
    int n_undecided; /* neither pass nor fail */
    char *first;     /* the first false one, in words; owned, or NULL */
    double upper;    /* Clopper-Pearson 95 % bound of the rate of false ones */
};

struct cf_selftest {
    int full;
    char *folder; /* of the stores; owned */
    int n;
    struct cf_outcome *outcome;
    struct cf_alarms training, sums;
    int n_boundaries;
    /* Kind after kind, pool after pool: the cells logreg and mlp of the training bugs. */
    struct cf_boundary boundary[CF_SELFTEST_POOLS * CF_N_BOUNDARIES];
    int n_anomalies, n_levels; /* stronger level passes, weaker fails; of how many levels */
    double seconds;
};

void cf_selftest_free(struct cf_selftest *st);

/* Does the letter fulfil the expectation? */
int cf_selftest_met(char expected, char got);
/* Columns in which an outcome is not what is expected; 0: all are. */
int cf_selftest_breaches(const struct cf_outcome *outcome);
/* Adds what the findings say about an expectation. */
void cf_selftest_observe(struct cf_selftest *st, const struct cf_expectation *want,
                         const struct cf_findings *findings);
/* Adds the pairs of configuration `index` of the findings in every cell. */
void cf_selftest_pair(struct cf_alarms *alarms, const struct cf_findings *findings, int index);
void cf_selftest_count_levels(struct cf_selftest *st, const struct cf_findings *findings);

/* Bugs all of whose expectations are met, of those that have any. */
struct cf_detection {
    int n, n_caught;
    double lower; /* Clopper-Pearson 95 % bound */
};
struct cf_detection cf_selftest_detection(const struct cf_selftest *st);

/* Why the self-test does not hold, in one sentence that the caller frees; NULL: it holds. */
char *cf_selftest_verdict(const struct cf_selftest *st);

/* The table of what is expected; the letters of one form. `each` gets a row at a time. */
void cf_selftest_each(enum cf_selftest_kind kind, int full,
                      void (*each)(void *context, const struct cf_expectation *), void *context);
/* Configurations that differ from the baseline by rounding alone; NULL ends. */
extern const char *const cf_selftest_orders[], *const cf_selftest_twins[];
#define CF_SELFTEST_BASELINE "plain kernel=forward"

int cf_selftest_is_bank(enum cf_selftest_stage stage);
/* The plan of a stage. -1 and a sentence. */
int cf_selftest_plan(struct cf_plan *plan, enum cf_selftest_stage stage, int full,
                     struct cf_error *err);

/* Runs what the folder has no record of, judges, and fills *st. 0; -1 and a sentence; or the number
 * of a signal + 128. */
int cf_selftest_run(struct cf_selftest *st, struct cf_options *options, struct cf_error *err);

/* The tables in words; and as JSON, conform-selftest/1 (the caller owns the reference). */
void cf_selftest_print(FILE *out, const struct cf_selftest *st);
json_t *cf_selftest_json(const struct cf_selftest *st);

#endif
