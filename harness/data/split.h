/* split: which records train and which are held out, by the hash of a record's key: the same
 * whatever the order of the file, and unchanged for old records when others are added. Records that
 * are equal fall on the same side. */
#ifndef CF_SPLIT_H
#define CF_SPLIT_H

#include <stdint.h>

#include "digits.h"

/* Rows of the data in ascending order of their keys (ties by row, whose records are equal), so that
 * position i of a side holds the same record in every order of the file. */
struct cf_split {
    int64_t n_train, n_held;
    int32_t *train, *held; /* rows, owned */
};

/* Is the record with this key on the training side? `percent` of all keys are; salt: another split.
 */
int cf_split_trains(uint64_t key, int percent, uint64_t salt);

void cf_split_make(struct cf_split *split, const struct cf_digits *digits, int percent,
                   uint64_t salt);
void cf_split_free(struct cf_split *split);

/* XXH3 over the keys of one side in order: two splits are equal when theirs are. */
uint64_t cf_split_digest(const struct cf_digits *digits, const int32_t *rows, int64_t n);

#endif
