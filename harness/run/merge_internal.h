/* The inside of merge: the stores that go in, and what is known of each. */
#ifndef CF_MERGE_INTERNAL_H
#define CF_MERGE_INTERNAL_H

#include "merge.h"
#include "store.h"

struct cf_merge_part {
    const char *path;
    struct cf_store *store;
    char *node;                       /* NULL: a shard of a run on no machine in particular */
    char *tool, *level;               /* owned, like node */
    int64_t index, count;             /* of its shard; count 0: none */
    int64_t *configuration, *case_id; /* ids in the new store, by id here; owned */
    int n_configurations, n_cases;    /* room in the two */
};

struct cf_merging {
    struct cf_store *out;
    struct cf_merge_part *part; /* sorted by machine and shard */
    int n;
    struct cf_error *err;
    int at; /* the part in work */
};

/* The metas: what the run is, environments, kinds of machines, and units of qualifications. */
int cf_merge_metas(struct cf_merging *m);
/* Which cases were added to which part's plan, in the ids of the new store. */
int cf_merge_extensions(struct cf_merging *m);

#endif
