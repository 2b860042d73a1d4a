/* What the parts of bench/reference.c share: contenders, their timing, and data. */
#ifndef CF_BENCH_SUPPORT_REFERENCE_H
#define CF_BENCH_SUPPORT_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { BENCH_CONTENDERS = 16 };

/* x, y: [n], xf, yf: [n]; for matrix products [n][n]. */
struct data {
    int64_t n;
    double *x, *y;
    float *xf, *yf;
};

/* A way to compute something; `share` is the part of the whole work that one run does (sampled
 * peers). */
struct contender {
    const char *name;
    void (*run)(const struct data *d);
    double share;
};

/* The clock of compare: of the processor by default, CLOCK_MONOTONIC where threads work. */
extern clockid_t cf_bench_clock;
/* Where results go, so that no work is left out. */
extern volatile double cf_bench_sink;

/* Prints a row for each contender but the first, which is ours; `per` scales seconds to `unit`. */
void cf_bench_compare(const char *what, const struct contender *c, int n, const struct data *d,
                      double per, const char *unit);
/* Appends `more` where it can be run; returns how many contenders there are then. */
int cf_bench_add_if(struct contender *c, int n, bool there, struct contender more);

enum fill { NARROW, UNIFORM, NORMAL, ILL, WIDE, EXTREME, FILLS };
extern const char *const cf_bench_fill_names[FILLS];

void *cf_bench_allocate(int64_t n, size_t size);
struct data cf_bench_allocate_data(int64_t n);
void cf_bench_free_data(struct data *d);
void cf_bench_fill(struct data *d, enum fill fill, bool products);
void cf_bench_fill_floats(struct data *d, enum fill fill);
/* A random sign and significand. */
uint64_t cf_bench_draw(uint64_t *state);
double cf_bench_signed_at(uint64_t *state, int exponent);

/* Loops that the compiler may reorder. */
double cf_bench_fast_sum(const double *x, int64_t n);
double cf_bench_fast_dot(const double *x, const double *y, int64_t n);
uint64_t cf_bench_read(const double *x, int64_t n);

/* The matrix products; a library may lack any. */
typedef void (*cf_bench_dgemm)(int, int, int, int, int, int, double, const double *, int,
                               const double *, int, double, double *, int);
typedef void (*cf_bench_sgemm)(int, int, int, int, int, int, float, const float *, int,
                               const float *, int, float, float *, int);
void cf_bench_gemms(cf_bench_sgemm sgemm, cf_bench_dgemm dgemm);

#endif
