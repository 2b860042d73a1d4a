/* fma: s = fma(x[i], y[i], s), each step rounded once, forward; forward itself where terms are no
 * products. */
#ifndef REAL
#include <math.h>

#define TYPED_FILE "fma.c"
#include "plain.h"

static const struct cf_plain_order order = {.solve_f32 = solve_f32, .solve_f64 = solve_f64};

CF_PLAIN_KERNELS(fma);
#else

static REAL TYPED(step)(REAL x, REAL y, REAL sum)
{
    return sizeof(REAL) == sizeof(float) ? (REAL)fmaf((float)x, (float)y, (float)sum)
                                         : (REAL)fma((double)x, (double)y, (double)sum);
}

static enum cf_status TYPED(solve)(struct cf_library *library,
                                   const struct TYPED(cf_plain_problem) * p)
{
    (void)library;
    for (int64_t e = 0; e < p->rows * p->columns; ++e) {
        const int64_t i = e / p->columns, j = e % p->columns;
        const REAL *x = p->x + i * p->n;
        const REAL *y = p->y ? p->y + (p->y_of_row ? i : j) * p->n : NULL;
        REAL sum = 0;

        for (int64_t l = 0; l < p->n; ++l)
            sum = y ? TYPED(step)(x[l], y[l], sum) : sum + x[l];
        p->out[e] = sum;
    }
    return CF_DONE;
}
#endif
