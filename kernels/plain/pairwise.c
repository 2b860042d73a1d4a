/* pairwise: S(n) = S(first floor(n/2) terms) + S(the others), down to single terms. Higham,
 * Accuracy and Stability, 2002, section 4.1. */
#ifndef REAL
#define TYPED_FILE "pairwise.c"
#include "plain.h"

static const struct cf_plain_order order = {.reduce_f32 = reduce_f32, .reduce_f64 = reduce_f64};

CF_PLAIN_KERNELS(pairwise);
#else

static REAL TYPED(halve)(const REAL *t, int64_t n)
{
    const int64_t half = n / 2;

    return n == 1 ? t[0] : TYPED(halve)(t, half) + TYPED(halve)(t + half, n - half);
}

static REAL TYPED(reduce)(const struct cf_library *library, const REAL *t, int64_t n)
{
    (void)library;
    return n > 0 ? 0 + TYPED(halve)(t, n) : 0;
}
#endif
