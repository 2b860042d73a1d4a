/* reduced: the body of tf32.c and bf16.c: KEEP bits of each float operand, KERNEL the name. */
#include "plain.h"

#include <string.h>

/* x with KEEP significant bits: half of the last one that stays is added to the encoding, less one
 * where it is even, and the rest is cut off. An infinity or NaN stays; subnormals keep fewer. */
static float cut(float x)
{
    const uint32_t away = 24 - KEEP;
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7f800000) != 0x7f800000)
        bits = (bits + ((UINT32_C(1) << (away - 1)) - 1) + (bits >> away & 1)) >> away << away;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static enum cf_status solve_f32(struct cf_library *library, const struct cf_plain_problem_f32 *p)
{
    (void)library;
    for (int64_t i = 0; i < p->rows; ++i)
        for (int64_t j = 0; j < p->columns; ++j) {
            const float *x = p->x + i * p->n;
            const float *y = p->y ? p->y + (p->y_of_row ? i : j) * p->n : NULL;
            float sum = 0;

            for (int64_t l = 0; l < p->n; ++l)
                sum += y ? cut(x[l]) * cut(y[l]) : cut(x[l]);
            p->out[i * p->columns + j] = sum;
        }
    return CF_DONE;
}

static double reduce_f64(const struct cf_library *library, const double *t, int64_t n)
{
    double sum = 0;

    (void)library;
    for (int64_t i = 0; i < n; ++i)
        sum += t[i];
    return sum;
}

static const struct cf_plain_order order = {.solve_f32 = solve_f32, .reduce_f64 = reduce_f64};

#define NAMED(name) CF_PLAIN_KERNELS(name)
NAMED(KERNEL);
