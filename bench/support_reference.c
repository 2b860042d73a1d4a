/* Timing, rows and data of bench/reference.c. */
#include "support_reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 7 };

volatile double cf_bench_sink;
clockid_t cf_bench_clock = CLOCK_THREAD_CPUTIME_ID;
static double now(void)
{
    struct timespec t;

    clock_gettime(cf_bench_clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of one run: the mean over at least 3 ms of them, in batches so long that reading the
 * clock costs nothing. */
static double time_of(const struct contender *c, const struct data *d)
{
    int64_t runs = 0, batch = 1;
    const double start = now();
    double elapsed;

    do {
        for (int64_t i = 0; i < batch; ++i)
            c->run(d);
        runs += batch;
        batch *= 2;
        elapsed = now() - start;
    } while (elapsed < 3e-3);
    return elapsed / (double)runs / c->share;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, by_value);
    return n % 2 != 0 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* The first contender is ours; the others are what it is compared with. */
void cf_bench_compare(const char *what, const struct contender *c, int n, const struct data *d,
                      double per, const char *unit)
{
    double times[BENCH_CONTENDERS][ROUNDS], ratio[ROUNDS];

    for (int r = -1; r < ROUNDS; ++r) /* round -1 warms up */
        for (int i = 0; i < n; ++i)
            times[i][r < 0 ? 0 : r] = time_of(&c[i], d);
    for (int i = 1; i < n; ++i) {
        double mine[ROUNDS];

        memcpy(mine, times[0], sizeof mine);
        for (int r = 0; r < ROUNDS; ++r)
            ratio[r] = times[0][r] / times[i][r];
        median(ratio, ROUNDS);
        printf("%s\t%s\t%lld\t%.3g\t%.3g\t%.3g\t# %.4g and %.4g %s%s\n", what, c[i].name,
               (long long)d->n, ratio[0], ratio[ROUNDS / 2], ratio[ROUNDS - 1],
               median(mine, ROUNDS) / per, median(times[i], ROUNDS) / per, unit,
               c[i].share < 1 ? ", the peer on a sample of the work" : "");
    }
    fflush(stdout);
}

/* --- data --- */

uint64_t cf_bench_draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static double uniform(uint64_t *state)
{
    return ((double)(cf_bench_draw(state) >> 11) + 0.5) * 0x1p-53;
}

double cf_bench_signed_at(uint64_t *state, int exponent)
{
    return ldexp((cf_bench_draw(state) & 1) != 0 ? 1 + uniform(state) : -1 - uniform(state),
                 exponent);
}

const char *const cf_bench_fill_names[FILLS] = {"narrow", "uniform", "normal",
                                                "ill",    "wide",    "extreme"};

/* narrow: random signs over 7 binades; ill: exponents over 61 binades, and all but one percent
 * cancels; wide: +-300; extreme: +-1000 (a third of that for products, which are to stay finite).
 */
static double number(uint64_t *state, enum fill fill, int most)
{
    if (fill == NARROW)
        return cf_bench_signed_at(state, (int)(cf_bench_draw(state) % 7));
    if (fill == UNIFORM)
        return uniform(state);
    if (fill == NORMAL)
        return sqrt(-2 * log(uniform(state))) * cos(6.283185307179586 * uniform(state));
    if (fill == ILL)
        return cf_bench_signed_at(state, (int)(cf_bench_draw(state) % 61) - 30);
    if (fill == WIDE)
        return cf_bench_signed_at(state, (int)(cf_bench_draw(state) % 601) - 300);
    return cf_bench_signed_at(state, (int)(cf_bench_draw(state) % (uint64_t)(2 * most + 1)) - most);
}

void cf_bench_fill(struct data *d, enum fill fill, bool products)
{
    uint64_t state = 1;

    for (int64_t i = 0; i < d->n; ++i) {
        d->x[i] = number(&state, fill, 1000);
        d->y[i] = products ? number(&state, fill, 1000) : 0;
        if (fill == ILL && i % 2 == 1 && i % 200 != 1) {
            d->x[i] = -d->x[i - 1];
            d->y[i] = d->y[i - 1];
        }
    }
}

void cf_bench_fill_floats(struct data *d, enum fill fill)
{
    uint64_t state = 2;

    for (int64_t i = 0; i < d->n; ++i) {
        const bool wide = fill >= WIDE;

        d->xf[i] =
            (float)(wide ? cf_bench_signed_at(&state, (int)(cf_bench_draw(&state) % 201) - 100)
                         : number(&state, fill, 0));
        d->yf[i] =
            (float)(wide ? cf_bench_signed_at(&state, (int)(cf_bench_draw(&state) % 201) - 100)
                         : number(&state, fill, 0));
    }
}

void *cf_bench_allocate(int64_t n, size_t size)
{
    void *p = aligned_alloc(64, ((size_t)n * size + 63) / 64 * 64);

    if (p == NULL)
        abort();
    return p;
}

struct data cf_bench_allocate_data(int64_t n)
{
    return (struct data){n, cf_bench_allocate(n, 8), cf_bench_allocate(n, 8),
                         cf_bench_allocate(n, 4), cf_bench_allocate(n, 4)};
}

void cf_bench_free_data(struct data *d)
{
    free(d->x);
    free(d->y);
    free(d->xf);
    free(d->yf);
}

int cf_bench_add_if(struct contender *c, int n, bool there, struct contender more)
{
    if (there)
        c[n++] = more;
    return n;
}
