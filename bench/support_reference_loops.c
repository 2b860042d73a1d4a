/* What the exact sums are measured against when the compiler may do as it likes: this file is built
 * with -O3 -ffast-math -march=native. */
#include "support_reference.h"

double cf_bench_fast_sum(const double *x, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; ++i)
        sum += x[i];
    return sum;
}

double cf_bench_fast_dot(const double *x, const double *y, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; ++i)
        sum += x[i] * y[i];
    return sum;
}

/* Loads every word and does one cheap thing with it: the speed of memory. */
uint64_t cf_bench_read(const double *x, int64_t n)
{
    const uint64_t *word = (const uint64_t *)x;
    uint64_t a = 0, b = 0, c = 0, d = 0;
    int64_t i;

    for (i = 0; i + 32 <= n; i += 32)
        for (int j = 0; j < 8; ++j) {
            a |= word[i + j];
            b |= word[i + 8 + j];
            c |= word[i + 16 + j];
            d |= word[i + 24 + j];
        }
    for (; i < n; ++i)
        a |= word[i];
    return a | b | c | d;
}
