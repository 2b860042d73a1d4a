/* whole: one or two versions of a function of a float asked for a whole range, block by block, on
 * several CPUs. A block is CF_WHOLE_BLOCK arguments in one request; the next is asked when it is
 * judged, so that no more than a few are held at a time. */
#ifndef CF_CLI_WHOLE_H
#define CF_CLI_WHOLE_H

#include "case.h"
#include "record.h"
#include "store.h"
#include "whole_tally.h"

#define CF_WHOLE_BLOCK (1 << 20)

/* What is asked: argument i has the encoding first + i * step. */
struct cf_whole_order {
    const struct cf_op *op;
    const char *text; /* of the case */
    uint64_t first, step;
    int64_t n;
    int n_sides;
    const char *line[2]; /* configurations */
    const char *worker;  /* path */
    int timeout_ms, threads;
    struct cf_store *store; /* blocks are kept in it, and those that it has are not asked again; or
                               NULL */
};

struct cf_whole_block {
    int is_done;
    struct cf_digest digest[2]; /* of the bits of the answers */
    struct cf_whole_tally tally;
};

struct cf_whole_result {
    int64_t n_blocks, n_kept;     /* n_kept: from the store */
    struct cf_whole_block *block; /* owned */
    struct cf_whole_tally tally;  /* of all */
    struct cf_digest digest[2];   /* of the digests of the blocks, one behind the other */
    int64_t n_differ;             /* blocks whose digests differ */
    int64_t wall_ns[2];           /* the subject's own time, over the blocks asked now */
    enum cf_fate fate;            /* CF_RAN; or why an answer is missing */
    int side;                     /* then: whose, and the sentence */
    char reason[400];
};

/* `progress` as in terminal.h. -1 and a sentence when the world is wrong; a subject that does not
 * answer is a fate in the result. */
int cf_whole_run(struct cf_whole_result *result, const struct cf_whole_order *order,
                 void (*progress)(void *, int64_t done, int64_t total, const char *what),
                 void *context, struct cf_error *err);
void cf_whole_free(struct cf_whole_result *result);

/* One block from and into the store, as a meta of its own. get: 1 it was there, 0 not. -1 and a
 * sentence. */
int cf_whole_put(struct cf_store *store, const struct cf_whole_order *order, int64_t block,
                 const struct cf_whole_block *from, struct cf_error *err);
int cf_whole_get(struct cf_store *store, const struct cf_whole_order *order, int64_t block,
                 struct cf_whole_block *to, struct cf_error *err);

#endif
