/* lanes4: lane l sums t[l], t[l+4], t[l+2*4], ... forward from +0, as a vector register of 4
 * does; then the upper half of the lanes is added to the lower half until one is left. */
#ifndef REAL
#define TYPED_FILE "lanes4.c"
#include "plain.h"

static const struct cf_plain_order order = {.reduce_f32 = reduce_f32, .reduce_f64 = reduce_f64};

CF_PLAIN_KERNELS(lanes4);
#else

static REAL TYPED(reduce)(const struct cf_library *library, const REAL *t, int64_t n)
{
    (void)library;
    return TYPED(cf_plain_lanes)(t, n, 4);
}
#endif
