/* Loops that bench/reference.c compares with, in a file of their own because of their flags. */
#ifndef CF_BENCH_SUPPORT_REFERENCE_H
#define CF_BENCH_SUPPORT_REFERENCE_H

#include <stdint.h>

double cf_bench_fast_sum(const double *x, int64_t n);
double cf_bench_fast_dot(const double *x, const double *y, int64_t n);
uint64_t cf_bench_read(const double *x, int64_t n);

#endif
