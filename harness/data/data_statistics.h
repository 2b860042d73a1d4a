/* data_statistics: what a split's side looks like: count, classes, mean and deviation, recorded
 * with a run and compared before anything else, so that an accidental change of the data is named.
 */
#ifndef CF_DATA_STATISTICS_H
#define CF_DATA_STATISTICS_H

#include <stdint.h>

#include "digits.h"
#include "tensor.h"
#include "training.h"

struct cf_data_statistics {
    int64_t n, n_class[CF_CLASSES];
    double mean, deviation; /* of all pixels after preprocessing; deviation with n - 1 */
    uint64_t records;       /* cf_split_digest: which records, in which order */
    uint64_t bits;          /* of the preprocessed pixels in that order */
    char sha256[65];        /* of the text they were read from, or "" */
};

/* `images` are the preprocessed pixels of all rows, [N,64]. Sums of integers and of dyadic numbers:
 * exact for what cf_training_draw gives, so equal on every machine. */
void cf_data_statistics_of(struct cf_data_statistics *statistics, const struct cf_digits *digits,
                           const struct cf_tensor *images, const int32_t *rows, int64_t n);

/* NULL when equal; else the sentence that names the first difference in this order: other text,
 * count, classes, records, their order, preprocessing. `side` is "train" or "held-out". The caller
 * frees. */
char *cf_data_statistics_compare(const char *side, const struct cf_data_statistics *recorded,
                                 const struct cf_data_statistics *found);

/* One line of text: `n=1437 classes=144,145,... mean=0x1.38p-2 deviation=0x1.8p-2 records=HEX
 * bits=HEX sha256=HEX`; parse is its inverse, with a sentence for a line that is none. The caller
 * frees. */
char *cf_data_statistics_print(const struct cf_data_statistics *statistics);
int cf_data_statistics_parse(struct cf_data_statistics *statistics, const char *line,
                             struct cf_error *err);

#endif
