/* arrival: the terms are cut into 4 T pieces, of which thread t of T takes t, t + T, ...; each sums
 * a piece forward and adds it to the accumulator that all share, first come, first served. An
 * honest subject that does not reproduce: with two threads or more the order of the pieces is the
 * order of arrival, shaken by a delay of up to a microsecond as on a busy machine. */
#ifndef REAL
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PIECES 4

/* The low bits of the clock are the machine's noise. */
static void delay(int thread)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    for (long spin = ((now.tv_nsec >> 1) ^ thread) % 256; spin > 0; --spin)
        __asm__ volatile("");
}

#define TYPED_FILE "arrival.c"
#include "plain.h"

static const struct cf_plain_order order = {.solve_f32 = solve_f32, .solve_f64 = solve_f64};

CF_PLAIN_KERNELS(arrival);
#else

struct TYPED(share) {
    const struct TYPED(cf_plain_problem) * p;
    int threads;
    REAL *sum; /* [elements] */
};

static void TYPED(add)(REAL *sum, REAL piece)
{
    REAL old, next;

    __atomic_load(sum, &old, __ATOMIC_RELAXED);
    do
        next = old + piece;
    while (!__atomic_compare_exchange(sum, &old, &next, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

static void TYPED(body)(void *context, int thread)
{
    const struct TYPED(share) *share = context;
    const struct TYPED(cf_plain_problem) *p = share->p;
    const int pieces = PIECES * share->threads;

    for (int64_t e = 0; e < p->rows * p->columns; ++e)
        for (int piece = thread; piece < pieces; piece += share->threads) {
            const int64_t first = cf_plain_part(p->n, piece, pieces);
            const int64_t last = cf_plain_part(p->n, piece + 1, pieces);

            if (first == last)
                continue;
            if (share->threads > 1)
                delay(thread);
            TYPED(add)(&share->sum[e], TYPED(cf_plain_partial)(p, e, first, last));
        }
}

static enum cf_status TYPED(solve)(struct cf_library *library,
                                   const struct TYPED(cf_plain_problem) * p)
{
    const int64_t elements = p->rows * p->columns;
    REAL *sum = calloc((size_t)elements + 1, sizeof *sum);
    struct TYPED(share) share = {p, library->threads, sum};

    if (!sum)
        return CF_NO_MEMORY;
    cf_plain_parallel(library, TYPED(body), &share);
    memcpy(p->out, sum, (size_t)elements * sizeof *sum);
    free(sum);
    return CF_DONE;
}
#endif
