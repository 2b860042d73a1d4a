/* canon: recursive summation in a random order: forward over a permutation of the n terms that
 * depends on n alone. The declared arithmetic to which the statistics compare an unknown order. */
#ifndef REAL
#include <stdlib.h>

#define TYPED_FILE "canon.c"
#include "plain.h"

/* Never to change: the stored answers of old runs were computed with it. */
#define STREAM 0x63616e6f

static enum cf_status prepare(struct cf_library *library, int64_t n)
{
    const struct cf_stream stream = {.seed = (uint64_t)n, .stream = STREAM};

    if (library->order && library->n_order == n)
        return CF_DONE;
    free(library->order);
    library->n_order = n;
    library->order = malloc(((size_t)n + 1) * sizeof library->order[0]);
    if (!library->order)
        return CF_NO_MEMORY;
    cf_stream_permutation(&stream, library->order, n);
    return CF_DONE;
}

static const struct cf_plain_order order = {
    .reduce_f32 = reduce_f32, .reduce_f64 = reduce_f64, .prepare = prepare};

CF_PLAIN_KERNELS(canon);
#else

static REAL TYPED(reduce)(const struct cf_library *library, const REAL *t, int64_t n)
{
    REAL sum = 0;

    for (int64_t i = 0; i < n; ++i)
        sum += t[library->order[i]];
    return sum;
}
#endif
