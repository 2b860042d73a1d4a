/* seeds: one stream of Philox (philox.h) for each purpose of a training run, so that releasing one
 * seed changes nothing else, and so that any number is known without the numbers before it: for any
 * number of workers, on any machine, from any step on. */
#ifndef CF_SEEDS_H
#define CF_SEEDS_H

#include "philox.h"

enum cf_purpose {
    CF_INITIALISATION,
    CF_SHUFFLING,
    CF_DROPOUT,
    CF_AUGMENTATION,
    CF_SAMPLING,
    CF_N_PURPOSES
};

struct cf_seeds {
    uint64_t seed[CF_N_PURPOSES];
};

const char *cf_purpose_name(int purpose); /* "init", "shuffle", "dropout", "augment", "sampling" */

/* Stream of a purpose; epochs (0 .. 2^24 - 1) have streams of their own. */
struct cf_stream cf_seeds_stream(const struct cf_seeds *seeds, enum cf_purpose purpose,
                                 int64_t epoch);

/* Uniform in [-1, 1): 53 bits of word i, exact. */
double cf_seeds_centred(const struct cf_stream *stream, uint64_t i);

/* 1 with probability 1 - percent / 100 to within 2^-17: sixteen bits of word i / 4. */
int cf_seeds_keep(const struct cf_stream *stream, uint64_t i, int percent);

#endif
