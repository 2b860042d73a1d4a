/* forward: ((0 + t[0]) + t[1]) + ...: the loop that everybody writes. */
#ifndef REAL
#define TYPED_FILE "forward.c"
#include "plain.h"

static const struct cf_plain_order order = {.reduce_f32 = reduce_f32, .reduce_f64 = reduce_f64};

CF_PLAIN_KERNELS(forward);
#else

static REAL TYPED(reduce)(const struct cf_library *library, const REAL *t, int64_t n)
{
    REAL sum = 0;

    (void)library;
    for (int64_t i = 0; i < n; ++i)
        sum += t[i];
    return sum;
}
#endif
