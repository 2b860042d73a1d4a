/* kahan: recursive summation with a running compensation: y = t[i] - c; s' = s + y; c = (s' - s) -
 * y. Kahan, "Further remarks on reducing truncation errors", 1965. A compensation that is not
 * finite is dropped, so that an overflow stays the infinity that it would be in any order. */
#ifndef REAL
#include <math.h>

#define TYPED_FILE "kahan.c"
#include "plain.h"

static const struct cf_plain_order order = {.reduce_f32 = reduce_f32, .reduce_f64 = reduce_f64};

CF_PLAIN_KERNELS(kahan);
#else

static REAL TYPED(reduce)(const struct cf_library *library, const REAL *t, int64_t n)
{
    REAL sum = 0, compensation = 0;

    (void)library;
    for (int64_t i = 0; i < n; ++i) {
        const REAL y = t[i] - compensation, next = sum + y;

        compensation = (next - sum) - y;
        if (!isfinite(compensation))
            compensation = 0;
        sum = next;
    }
    return sum;
}
#endif
