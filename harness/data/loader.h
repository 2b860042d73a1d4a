/* loader: which rows, masks and shifts each micro-batch gets. Threads share the work; because every
 * number is a function of its place alone, their count and their pace change nothing. */
#ifndef CF_LOADER_H
#define CF_LOADER_H

#include "seeds.h"
#include "split.h"

struct cf_loader {
    struct cf_seeds seeds;
    int64_t micro_batches, batch, mask_width; /* mask_width 0: no dropout */
    int dropout;                              /* percent */
    int augment;                              /* non-zero: draw shifts */
    int replace;   /* non-zero: rows with replacement (sampling), else an epoch's permutation
                      (shuffling), the next epoch following at once */
    int by_worker; /* non-zero: each worker has a seed and a counter of its own, as loaders are
                      often written: then the count of workers is part of the data */
    int workers;   /* 1 .. 64 */
};

/* Fills rows [micro_batches, batch], masks [micro_batches, batch, mask_width] and shifts
 * [micro_batches, batch] (NULL unless augment). */
void cf_loader_fill(const struct cf_loader *loader, const struct cf_split *split, int32_t *rows,
                    uint8_t *masks, int32_t *shifts);

#endif
