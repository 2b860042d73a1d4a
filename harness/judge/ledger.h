/* ledger: a store read into memory: the plan, and every record in the order case, configuration,
 * process, repetition. Bits of outputs stay in the store; here they are numbered per case. */
#ifndef CF_LEDGER_H
#define CF_LEDGER_H

#include "arena.h"
#include "config.h"
#include "extension.h"
#include "reference.h"
#include "store.h"
#include "suite.h"

struct cf_ledger_record {
    int configuration, process, repetition; /* configuration: index, from 0 */
    enum cf_fate fate;
    int output; /* which distinct output of its case; -1 unless it ran */
    int64_t wall_ns;
    const char *reason;
    const char *chosen; /* what the library chose to run (chosen.h); equal texts are one pointer */
};

struct cf_ledger_configuration {
    const char *text, *label, *requested, *effective;
    struct cf_config config;
    const char *family; /* the label less its key=value words; one family, one library and kernel */
    const char *library, *version; /* the library's own name and version, as read back; or "" */
};

/* What evidence is pooled over: op and type in a suite. */
struct cf_ledger_group {
    const char *suite, *name;     /* "reductions", "dot f32" */
    const struct cf_suite *rules; /* NULL: no suite of that name */
};

struct cf_ledger_case {
    struct cf_case c;
    const struct cf_op *op;
    int group, cell; /* cell: cases of a group that differ in the seed alone have one number */
    int base;        /* the case whose elements it computes again; -1: no variant or not planned */
    int is_variant;
    int processes, repetitions;
    struct cf_digest inputs;
    int n_outputs;
    struct cf_digest *output; /* the distinct outputs, by first appearance */
};

struct cf_ledger {
    int n_configurations, n_cases, n_groups, n_cells, baseline;
    struct cf_ledger_configuration *configuration;
    struct cf_ledger_case *cases;
    struct cf_ledger_group *group;
    int64_t n_records, n_planned;
    struct cf_ledger_record *record;
    int64_t *start; /* [n_cases * n_configurations + 1]: see cf_ledger_records */
    struct cf_extensions extensions;
};

/* -1 and a sentence (exit 3) when the store's texts are none that this program could have
 * written. What the ledger points to lives in the arena, or in the ledger (cf_ledger_free). */
int cf_ledger_read(struct cf_ledger *ledger, struct cf_store *store, struct cf_arena *arena,
                   struct cf_error *err);
void cf_ledger_free(struct cf_ledger *ledger);

/* How many records the plan asks for of one case in one configuration. */
int64_t cf_ledger_planned(const struct cf_ledger *ledger, int case_index, int configuration);
/* The records of one case in one configuration; *n receives their number. */
const struct cf_ledger_record *cf_ledger_records(const struct cf_ledger *ledger, int case_index,
                                                 int configuration, int64_t *n);
/* Of these n records the one that ran in this process and repetition, else the first that ran; NULL
 * if none ran. */
const struct cf_ledger_record *cf_ledger_pick(const struct cf_ledger_record *records, int64_t n,
                                              int process, int repetition);

#endif
