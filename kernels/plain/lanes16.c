/* lanes16: lane l sums t[l], t[l+16], t[l+2*16], ... forward from +0, as a vector register of 16
 * does; then the upper half of the lanes is added to the lower half until one is left. */
#ifndef REAL
#define TYPED_FILE "lanes16.c"
#include "plain.h"

static const struct cf_plain_order order = {.reduce_f32 = reduce_f32, .reduce_f64 = reduce_f64};

CF_PLAIN_KERNELS(lanes16);
#else

static REAL TYPED(reduce)(const struct cf_library *library, const REAL *t, int64_t n)
{
    (void)library;
    return TYPED(cf_plain_lanes)(t, n, 16);
}
#endif
