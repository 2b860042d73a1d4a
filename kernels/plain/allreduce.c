/* allreduce: y[j] = sum over p of x[p,j].  x: [parts,n]; y: [n]. Rank r of R (the configuration's
 * threads) holds parts r*P/R .. (r+1)*P/R - 1 and adds them forward; then, on vectors v_0 .. v_R-1
 * (Thakur, Rabenseifner and Gropp, Optimization of collective communication operations in MPICH,
 * 2005, sections 3 and 4):
 *   rank_order          ((v_0 + v_1) + v_2) + ...
 *   ring                chunk c of R, the first n mod R of them one longer: ((v_c + v_c+1) + ...)
 *                       + v_c-1, indices modulo R: the order depends on where in the message an
 *                       element lies
 *   tree                binomial: v_r += v_r+d for d = 1, 2, 4, ... and r a multiple of 2d
 *   recursive_doubling  the first 2 (R - 2^k) ranks pair up, then v_r = v_r + v_(r xor d)
 *   arrival             in the order in which the ranks' threads arrive */
#ifndef REAL
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TYPED_FILE "allreduce.c"
#include "plain.h"

#define KERNEL(name_)                                                                              \
    static enum cf_status run_##name_(struct cf_library *library,                                  \
                                      const struct cf_pairs *attributes,                           \
                                      const struct cf_tensor in[], struct cf_tensor out[])         \
    {                                                                                              \
        (void)attributes;                                                                          \
        if (in[0].rank != 2 || out[0].rank != 1 || out[0].dim[0] != in[0].dim[1] ||                \
            out[0].dtype != in[0].dtype)                                                           \
            return CF_UNSUPPORTED;                                                                 \
        if (in[0].dtype == CF_F32)                                                                 \
            return reduce_f32(library, &in[0], out[0].bits, combine_##name_##_f32);                \
        if (in[0].dtype == CF_F64)                                                                 \
            return reduce_f64(library, &in[0], out[0].bits, combine_##name_##_f64);                \
        return CF_UNSUPPORTED;                                                                     \
    }
#define ENTRY(name_)                                                                               \
    {                                                                                              \
        .op = "allreduce", .name = #name_, .backend = &cf_backend_plain, .run = run_##name_        \
    }
KERNEL(rank_order)
KERNEL(ring)
KERNEL(tree)
KERNEL(recursive_doubling)
KERNEL(arrival)

extern const struct cf_kernel cf_kernels_plain_allreduce[];
const struct cf_kernel cf_kernels_plain_allreduce[] = {ENTRY(rank_order), ENTRY(ring),
                                                       ENTRY(tree),       ENTRY(recursive_doubling),
                                                       ENTRY(arrival),    {.op = NULL}};

#else

/* v: [ranks, n]; the sum ends up in y. */
typedef void TYPED(combine)(struct cf_library *library, REAL *v, int64_t ranks, int64_t n, REAL *y);

static void TYPED(add_to)(REAL *to, const REAL *x, int64_t n)
{
    for (int64_t j = 0; j < n; ++j)
        to[j] += x[j];
}

static void TYPED(combine_rank_order)(struct cf_library *library, REAL *v, int64_t ranks, int64_t n,
                                      REAL *y)
{
    (void)library;
    memcpy(y, v, (size_t)n * sizeof *y);
    for (int64_t r = 1; r < ranks; ++r)
        TYPED(add_to)(y, v + r * n, n);
}

static void TYPED(combine_ring)(struct cf_library *library, REAL *v, int64_t ranks, int64_t n,
                                REAL *y)
{
    (void)library;
    for (int64_t c = 0; c < ranks; ++c) {
        const int64_t longer = n % ranks, count = n / ranks + (c < longer);
        const int64_t first = c * (n / ranks) + (c < longer ? c : longer);

        memcpy(y + first, v + c * n + first, (size_t)count * sizeof *y);
        for (int64_t k = 1; k < ranks; ++k)
            TYPED(add_to)(y + first, v + (c + k) % ranks * n + first, count);
    }
}

static void TYPED(combine_tree)(struct cf_library *library, REAL *v, int64_t ranks, int64_t n,
                                REAL *y)
{
    (void)library;
    for (int64_t d = 1; d < ranks; d *= 2)
        for (int64_t r = 0; r + d < ranks; r += 2 * d)
            TYPED(add_to)(v + r * n, v + (r + d) * n, n);
    memcpy(y, v, (size_t)n * sizeof *y);
}

/* Addition commutes bit for bit, so that all ranks hold the same sum and rank 0's tells all. */
static void TYPED(combine_recursive_doubling)(struct cf_library *library, REAL *v, int64_t ranks,
                                              int64_t n, REAL *y)
{
    int64_t power = 1, extra;

    while (2 * power <= ranks)
        power *= 2;
    extra = ranks - power;
    for (int64_t r = 0; r < extra; ++r) { /* 2r and 2r + 1 become one; the rest move up */
        TYPED(add_to)(v + 2 * r * n, v + (2 * r + 1) * n, n);
        memmove(v + r * n, v + 2 * r * n, (size_t)n * sizeof *v);
    }
    for (int64_t r = extra; r < power; ++r)
        memmove(v + r * n, v + (r + extra) * n, (size_t)n * sizeof *v);
    TYPED(combine_tree)(library, v, power, n, y);
}

struct TYPED(meeting) {
    pthread_mutex_t lock;
    const REAL *v;
    REAL *y;
    int64_t n;
    int n_arrived;
};

static void TYPED(arrive)(void *context, int thread)
{
    struct TYPED(meeting) *m = context;

    pthread_mutex_lock(&m->lock);
    if (m->n_arrived++ == 0)
        memcpy(m->y, m->v + thread * m->n, (size_t)m->n * sizeof *m->y);
    else
        TYPED(add_to)(m->y, m->v + thread * m->n, m->n);
    pthread_mutex_unlock(&m->lock);
}

static void TYPED(combine_arrival)(struct cf_library *library, REAL *v, int64_t ranks, int64_t n,
                                   REAL *y)
{
    struct TYPED(meeting) m = {PTHREAD_MUTEX_INITIALIZER, v, y, n, 0};

    (void)ranks; /* as many as threads */
    cf_plain_parallel(library, TYPED(arrive), &m);
}

/* A rank without parts holds zeros. */
static enum cf_status TYPED(reduce)(struct cf_library *library, const struct cf_tensor *x, REAL *y,
                                    TYPED(combine) * combine)
{
    const int64_t ranks = library->threads, parts = x->dim[0], n = x->dim[1];
    REAL *v = calloc((size_t)(ranks * n + 1), sizeof *v);

    if (!v)
        return CF_NO_MEMORY;
    for (int r = 0; r < ranks; ++r) {
        const int64_t first = cf_plain_part(parts, r, (int)ranks);
        const int64_t last = cf_plain_part(parts, r + 1, (int)ranks);

        for (int64_t p = first; p < last; ++p)
            TYPED(add_to)(v + r * n, (const REAL *)x->bits + p * n, n);
    }
    combine(library, v, ranks, n, y);
    free(v);
    return CF_DONE;
}
#endif
