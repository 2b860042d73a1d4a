/* history: a store of several configurations read for telling one from another: what each answered
 * to each case, how far from the exact answer; and what became of a case from an old to a new one.
 */
#ifndef CF_HISTORY_H
#define CF_HISTORY_H

#include "ledger.h"
#include "measure.h"

struct cf_history {
    struct cf_arena arena;
    struct cf_ledger ledger;
    struct cf_measure measure;
};

/* -1 and a sentence (exit 3): see judge.h. threads: for the references; 0: all. */
int cf_history_open(struct cf_history *history, struct cf_store *store, int threads,
                    struct cf_error *err);
void cf_history_close(struct cf_history *history);

/* What one configuration did with one case, over all its processes and repetitions. */
struct cf_standing {
    int n_ran, n_failed, n_not_offered; /* n_failed: neither ran nor not offered */
    enum cf_fate fate;                  /* of the first that failed */
    const char *reason;
    const char *chosen; /* of the first that ran (chosen.h), or "" */
    int n_answers;      /* distinct outputs */
    int answer;         /* the first, as the ledger numbers the outputs of the case; -1: none */
    int64_t n_wrong;    /* elements that fail S1, S2 or S3 in any answer: see accuracy.h */
    int64_t n_elements;
    double rms, bias, largest; /* of (got - exact) / (u * scale), the worst answer's; NaN: no answer
                                  or no such measure */
    int64_t wall_ns;           /* the fastest run's; -1 unknown */
};
void cf_standing_read(struct cf_standing *standing, const struct cf_history *history,
                      int configuration, int case_index);
/* The digest of the first answer; all zero without one. */
struct cf_digest cf_standing_digest(const struct cf_standing *standing,
                                    const struct cf_history *history, int case_index);

/* The first that matches decides, in this order. */
enum cf_move {
    CF_MOVE_ERROR,     /* one of the two could not be measured */
    CF_MOVE_REGRESSED, /* no longer offered; wrong now; other bits from run to run now; or farther
                          from the old answers than the level that was asked for */
    CF_MOVE_IMPROVED,  /* offered now; no longer wrong; reproducible now; or closer to the exact
                          answer: an RMS error of at most half, a quarter below 8 elements */
    CF_MOVE_CHANGED,   /* other bits, level and accuracy as before */
    CF_MOVE_SAME,      /* the same bits */
    CF_MOVE_NONE,      /* neither offers it */
    CF_N_MOVES
};
const char *cf_move_name(enum cf_move move);

struct cf_moved {
    enum cf_move move;
    double ratio;     /* new RMS error / old RMS error; NaN unknown */
    char reason[320]; /* a clause */
};
/* below: a clause that says how the new one falls below the level that was asked for in this group
 * of cases; NULL: it does not. */
void cf_move_decide(struct cf_moved *moved, const struct cf_history *history, int case_index,
                    int old, int new, const char *below);

#endif
