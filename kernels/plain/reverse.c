/* reverse: ((0 + t[n-1]) + t[n-2]) + ...: forward from the other end. */
#ifndef REAL
#define TYPED_FILE "reverse.c"
#include "plain.h"

static const struct cf_plain_order order = {.reduce_f32 = reduce_f32, .reduce_f64 = reduce_f64};

CF_PLAIN_KERNELS(reverse);
#else

static REAL TYPED(reduce)(const struct cf_library *library, const REAL *t, int64_t n)
{
    REAL sum = 0;

    (void)library;
    for (int64_t i = n - 1; i >= 0; --i)
        sum += t[i];
    return sum;
}
#endif
