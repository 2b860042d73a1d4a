/* judgement: what the parts of the judge share, private to this folder. Every configuration has in
 * every group one finding a slot: the gates F, S1 to S5 and D against the reference, then one for
 * each scope. Slots that the suite does not demand are judged too, but not reported.
 *
 * Our reading of docs/levels.md, section 5, "numerical": the evidence is pooled over a group, that
 * is over all inputs of one op and type, times their repetitions. M counts comparisons of whole
 * outputs; under batch, position and layout it counts elements, each of which has operands of its
 * own there. A pass needs 0 mismatches of M >= 299 from at least 10 fresh workers; without a
 * mismatch but with less evidence the verdict is unknown; one mismatch is a fail. */
#ifndef CF_JUDGEMENT_H
#define CF_JUDGEMENT_H

#include "flips.h"
#include "measure.h"
#include "units.h"

#define CF_COMPARISONS_NEEDED 299 /* ln(0.05) / ln(1 - 0.01), rounded up */
#define CF_WORKERS_NEEDED     10
#define CF_CHAINS_NEEDED      59 /* training: ln(0.05) / ln(1 - 0.05), rounded up; section 3 */
#define CF_TRAINERS_NEEDED    3  /* 20 seeds x 3 processes; section 6 */

enum cf_slot {
    CF_SLOT_F,
    CF_SLOT_S1,
    CF_SLOT_S2,
    CF_SLOT_S3,
    CF_SLOT_S4,
    CF_SLOT_S5,
    CF_SLOT_D,           /* scientific: decisions of ops, verdicts of solvers, claims of training */
    CF_SLOT_USE,         /* functional: the frozen classifier; quality of training */
    CF_SLOT_EQUIVALENCE, /* statistical, training alone */
    CF_SLOT_ATTRIBUTION, /* beside the level, training alone */
    CF_SLOT_SCOPES,      /* + enum cf_scope, run .. baseline */
    CF_N_SLOTS = CF_SLOT_SCOPES + CF_TO_REFERENCE
};

/* What was recorded of a configuration in a group. */
struct cf_coverage {
    int64_t n_planned, n_recorded, n_fates[CF_N_FATES], n_flushed;
    const struct cf_ledger_record *first[CF_N_FATES]; /* of each fate */
    int first_case[CF_N_FATES];
};

struct cf_judgement {
    struct cf_units units;
    struct cf_flips flips;
    struct cf_findings findings; /* first: what the caller sees */
    struct cf_arena arena;
    struct cf_ledger ledger;
    struct cf_measure measure;
    struct cf_store *store;
    struct cf_judge_options options;
    struct cf_finding *slot;      /* [n_configurations][n_groups][CF_N_SLOTS] */
    struct cf_coverage *coverage; /* [n_configurations][n_groups] */
    const char **unqualified;     /* [n_groups]: why the baseline is not qualified; NULL: it is */
    struct cf_pending *pending;   /* witnesses to be looked up */
    int n_pending, room_pending;
    struct cf_promises promises; /* what vendors document */
};

/* How a group is judged: by the exact value of each element; by what a solver says; by metrics. */
enum cf_group_kind { CF_GROUP_SUMS, CF_GROUP_SOLVER, CF_GROUP_TRAINING };
enum cf_group_kind cf_judgement_kind(const struct cf_judgement *j, int group);

struct cf_finding *cf_judgement_slot(const struct cf_judgement *j, int configuration, int group,
                                     int slot);
struct cf_coverage *cf_judgement_coverage(const struct cf_judgement *j, int configuration,
                                          int group);
/* Does the suite of a group ask for this slot? The reference, the baseline and the scope run are
 * always asked for; a group without a suite asks for all. */
int cf_judgement_demands(const struct cf_judgement *j, int group, int slot);

/* Fills the slots F, S1 to S4 and D of all configurations and groups, and the coverage. */
void cf_judge_gates(struct cf_judgement *j);
/* Fills S5; needs the coverage. */
void cf_judge_noise(struct cf_judgement *j);
/* Fills D and S5 of solvers, and the use of all ops. -1 and a sentence when an output cannot be
 * read. */
int cf_judge_solvers(struct cf_judgement *j, struct cf_error *err);
int cf_judge_use(struct cf_judgement *j, struct cf_error *err);
/* Fills the slots of training groups: training_levels.h. After the gates, whose F it may take over.
 */
int cf_judge_training(struct cf_judgement *j, struct cf_error *err);
/* Fills the curves of the findings. */
int cf_judge_curves(struct cf_judgement *j, struct cf_error *err);
/* Fills the slots of the scopes; needs the coverage. The baseline's own comparison is the scope
 * run. */
int cf_judge_bits(struct cf_judgement *j, struct cf_error *err);
/* One finding along a scope, over the pairs of records alone that a filter takes (NULL: all). With
 * a filter no witness is looked up. */
struct cf_pair_filter {
    int (*takes)(void *context, const struct cf_ledger_record *a, const struct cf_ledger_record *b);
    void *context;
};
int cf_judgement_bits(struct cf_judgement *j, enum cf_scope scope, int configuration, int group,
                      const struct cf_pair_filter *filter, struct cf_finding *finding,
                      struct cf_error *err);
/* Cells, configurations, families, classes, the sentence and the exit code. */
void cf_judge_levels(struct cf_judgement *j);
void cf_judge_invariances(struct cf_judgement *j);
void cf_judge_classes(struct cf_judgement *j);
/* Lists what the libraries chose to run. */
void cf_judge_chosen(struct cf_judgement *j);
/* Holds the vendors' promises against the slots of the scopes; marks differences that are
 * documented, and adds what is violated to the sentence and the exit code. After cf_judge_chosen.
 * -1 and a sentence when an output cannot be read. */
int cf_judge_promises(struct cf_judgement *j, struct cf_error *err);
/* What the same bits cost. After cf_judge_promises. */
void cf_judge_prices(struct cf_judgement *j);
/* The one scope along which two configurations differ, or CF_N_SCOPES. */
enum cf_scope cf_judgement_scope_between(const struct cf_judgement *j, int a, int b);

/* A pair of records whose outputs differ: the witness is looked up by cf_witness_all, case by case.
 * base: the case of b, when it is not a's own. */
void cf_witness_ask(struct cf_judgement *j, struct cf_finding *finding, int case_index,
                    const struct cf_ledger_record *a, int base, const struct cf_ledger_record *b);
int cf_witness_all(struct cf_judgement *j, struct cf_error *err);
/* map[flat index over all outputs of a variant] = the same in its base. The caller frees. */
int64_t *cf_witness_map(const struct cf_ledger_case *variant, int64_t *n);
/* How many elements of two outputs differ; -1 and a sentence when they cannot be read. map: NULL
 * when both are of the same case. */
int64_t cf_witness_count(struct cf_judgement *j, int case_index, const struct cf_ledger_record *a,
                         int base, const struct cf_ledger_record *b, const int64_t *map,
                         struct cf_error *err);
/* "-0x1.8p+1", "nan:7ff8000000000000", "inf". */
void cf_witness_print(char text[48], const struct cf_tensor *tensor, int64_t i);
void cf_witness_print_value(char text[48], double value);

#endif
