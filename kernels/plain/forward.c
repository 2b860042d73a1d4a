/* forward: ((0 + t[0]) + t[1]) + ...: the loop that everybody writes. Products of matrices take
 * eight columns at a time, each of which is summed in that very order: eight chains of additions
 * that do not wait for one another. */
#ifndef REAL
#define ABREAST    8
#define TYPED_FILE "forward.c"
#include "plain.h"

static const struct cf_plain_order order = {.solve_f32 = solve_f32, .solve_f64 = solve_f64};

CF_PLAIN_KERNELS(forward);
#else

/* Elements (i, j) .. (i, j + ABREAST - 1). */
static void TYPED(solve_abreast)(const struct TYPED(cf_plain_problem) * p, int64_t i, int64_t j)
{
    const REAL *x = p->x + i * p->n, *y = p->y + j * p->n;
    REAL sum[ABREAST] = {0};

    for (int64_t l = 0; l < p->n; ++l)
        for (int c = 0; c < ABREAST; ++c)
            sum[c] += x[l] * y[c * p->n + l];
    for (int c = 0; c < ABREAST; ++c)
        p->out[i * p->columns + j + c] = sum[c];
}

static enum cf_status TYPED(solve)(struct cf_library *library,
                                   const struct TYPED(cf_plain_problem) * p)
{
    (void)library;
    for (int64_t i = 0; i < p->rows; ++i) {
        int64_t j = 0;

        for (; p->y && !p->y_of_row && j + ABREAST <= p->columns; j += ABREAST)
            TYPED(solve_abreast)(p, i, j);
        for (; j < p->columns; ++j)
            p->out[i * p->columns + j] = TYPED(cf_plain_partial)(p, i * p->columns + j, 0, p->n);
    }
    return CF_DONE;
}
#endif
