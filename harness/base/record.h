/* record: what one run of one case in one configuration did: a fate and a digest. Never a
 * judgement. */
#ifndef CF_RECORD_H
#define CF_RECORD_H

#include <stdint.h>

#include "chosen.h"

/* The order is part of the store's format: append only. */
enum cf_fate {
    CF_RAN,
    CF_NOT_OFFERED, /* the library has no such operation for this type or shape */
    CF_NOT_OPENED,  /* it could not be loaded */
    CF_BROKE,       /* it said that it failed, or left elements unwritten, or wrote past the end */
    CF_TIMED_OUT,
    CF_CRASHED, /* a signal, or an exit without an answer */
    CF_OUT_OF_MEMORY,
    CF_PROTOCOL,       /* an answer that is no answer */
    CF_STATE_MISMATCH, /* the state read back is not the state asked for */
    CF_N_FATES
};

const char *cf_fate_name(enum cf_fate fate); /* "ran", "not-offered", ... */

/* XXH3-128 in canonical (big-endian) order. */
struct cf_digest {
    uint8_t byte[16];
};
void cf_digest_of(struct cf_digest *digest, const void *bytes, uint64_t n_bytes);
void cf_digest_print(char text[33], const struct cf_digest *digest); /* lower-case hexadecimal */
int cf_digest_equal(const struct cf_digest *a, const struct cf_digest *b);

/* One row of the store. `configuration` and `case_id` are row ids of the plan. */
struct cf_record {
    int64_t configuration, case_id;
    int process, repetition; /* which fresh worker, which request in it; from 0 */
    enum cf_fate fate;
    struct cf_digest digest; /* of all outputs, when fate is CF_RAN */
    int64_t wall_ns;  /* the library's own time, by the worker's monotonic clock; -1 unknown */
    char reason[400]; /* one sentence for every fate but CF_RAN; state changes noted for CF_RAN */
    char chosen[CF_CHOSEN_MAX]; /* what the library chose to run (chosen.h); "" where it said
                                   nothing */
};

#endif
