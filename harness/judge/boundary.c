#include "boundary.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "equivalence.h"
#include "philox.h"
#include "seed_bank.h"
#include "special.h"

#define SEEDS_MAX    80 /* of the last look */
#define THREADS_MAX  64
#define PAIRED_NOISE 0.05 /* in sigma: what is left of the differences of paired seeds */

const char *cf_boundary_name(enum cf_boundary_kind kind)
{
    static const char *const names[] = {"shift", "spread", "paired", "null"};

    return names[kind];
}

/* The losses, as the truth that trials are drawn from. */
struct pool {
    enum cf_boundary_kind kind;
    const double *loss;
    int n;
    double median, sd, factor;
};

/* P(f(X) > g(Y)) + P(equal) / 2 for X, Y of the pool, with X moved by the factor. */
static double theta_at(const struct pool *pool, double factor)
{
    double wins = 0;

    for (int i = 0; i < pool->n; ++i)
        for (int k = 0; k < pool->n; ++k) {
            double x = pool->loss[i], y = pool->loss[k];

            if (pool->kind == CF_BOUNDARY_SPREAD) {
                x = factor * fabs(x - pool->median);
                y = fabs(y - pool->median);
            } else {
                x += factor * pool->sd;
            }
            wins += x > y ? 1 : x == y ? 0.5 : 0;
        }
    return wins / pool->n / pool->n;
}

/* The least factor at which theta reaches 3/4; theta rises with the factor. */
static double solve(const struct pool *pool)
{
    double low = pool->kind == CF_BOUNDARY_SPREAD ? 1 : 0, high = 32;

    for (int i = 0; i < 60; ++i) {
        const double middle = (low + high) / 2;

        if (theta_at(pool, middle) >= 1 - cf_margins_default.theta)
            high = middle;
        else
            low = middle;
    }
    return high;
}

static void measure_pool(struct pool *pool)
{
    pool->median = cf_sample_median(pool->loss, pool->n);
    /* Of the distribution that is drawn from, hence without the n - 1. */
    pool->sd = cf_sample_moments(pool->loss, pool->n).sd * sqrt((pool->n - 1.0) / pool->n);
}

static struct pool make_pool(enum cf_boundary_kind kind, const double *loss, int n)
{
    struct pool pool = {.kind = kind, .loss = loss, .n = n};

    measure_pool(&pool);
    pool.factor = kind == CF_BOUNDARY_NULL     ? 0
                  : kind == CF_BOUNDARY_PAIRED ? cf_margins_default.sigma
                                               : solve(&pool);
    return pool;
}

struct cf_boundary cf_boundary_start(enum cf_boundary_kind kind, const double *loss, int n_loss)
{
    return (struct cf_boundary){.kind = kind, .factor = make_pool(kind, loss, n_loss).factor};
}

static double draw(const struct pool *pool, const struct cf_stream *stream, uint64_t i)
{
    return pool->loss[cf_stream_below(stream, i, (uint64_t)pool->n)];
}

/* Odd trials go down, even ones up. */
static double moved(const struct pool *pool, double x, double paired, int trial)
{
    const double sign = trial % 2 ? -1 : 1;

    switch (pool->kind) {
    case CF_BOUNDARY_SPREAD:
        return pool->median + pow(pool->factor, sign) * (x - pool->median);
    case CF_BOUNDARY_PAIRED:
        return paired + sign * pool->factor * pool->sd + PAIRED_NOISE * (x - pool->median);
    default:
        return x + sign * pool->factor * pool->sd;
    }
}

static struct cf_look judge_trial(const struct pool *pool, uint64_t seed, int trial)
{
    const struct cf_stream banks = {seed, 2 * (uint32_t)trial},
                           runs = {seed, 2 * (uint32_t)trial + 1};
    struct cf_look look = {.verdict = CF_SKIP};
    double bank_loss[CF_BANK_SEEDS], got[SEEDS_MAX];
    struct cf_bank bank;
    const struct cf_metric metric = {"loss", &bank, &cf_margins_default, got};

    for (int i = 0; i < CF_BANK_SEEDS; ++i)
        bank_loss[i] = draw(pool, &banks, (uint64_t)i);
    for (int i = 0; i < SEEDS_MAX; ++i)
        got[i] = moved(pool, draw(pool, &runs, (uint64_t)i), bank_loss[i], trial);
    if (cf_bank_init(&bank, bank_loss, CF_BANK_SEEDS, CF_LOWER_IS_BETTER))
        look.verdict = CF_UNKNOWN;
    for (int k = 0; k < CF_LOOKS && look.verdict == CF_UNKNOWN; ++k)
        look = cf_equivalence_look(&metric, 1, k);
    cf_bank_clear(&bank);
    return look;
}

struct share {
    const struct pool *pool;
    struct cf_boundary count;
    int first, step, n;
    uint64_t seed;
};

static void *work(void *context)
{
    struct share *share = context;

    for (int i = share->first; i < share->n; i += share->step) {
        const struct cf_look look = judge_trial(share->pool, share->seed, i);

        share->count.n_pass += look.verdict == CF_PASS;
        share->count.n_fail += look.verdict == CF_FAIL;
        share->count.n_first += look.verdict != CF_UNKNOWN && look.look == 0;
    }
    mpfr_free_cache();
    return NULL;
}

void cf_boundary_bound(struct cf_boundary *boundary)
{
    boundary->upper = cf_clopper_upper_d(boundary->n_pass, boundary->n, CF_ALPHA);
    boundary->lower = cf_clopper_lower_d(boundary->n_pass, boundary->n, CF_ALPHA);
}

void cf_boundary_try(struct cf_boundary *boundary, const double *loss, int n_loss, int n,
                     uint64_t seed)
{
    struct pool pool = {.kind = boundary->kind, .loss = loss, .n = n_loss};
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    const int n_threads = cpus > THREADS_MAX ? THREADS_MAX : cpus < 1 ? 1 : (int)cpus;
    struct share shares[THREADS_MAX];
    pthread_t threads[THREADS_MAX];

    measure_pool(&pool);
    pool.factor = boundary->factor;
    for (int i = 0; i < n_threads; ++i) {
        shares[i] = (struct share){.pool = &pool,
                                   .first = boundary->n + i,
                                   .step = n_threads,
                                   .n = boundary->n + n,
                                   .seed = seed};
        CF_CHECK(pthread_create(&threads[i], NULL, work, &shares[i]) == 0);
    }
    for (int i = 0; i < n_threads; ++i) {
        pthread_join(threads[i], NULL);
        boundary->n_pass += shares[i].count.n_pass;
        boundary->n_fail += shares[i].count.n_fail;
        boundary->n_first += shares[i].count.n_first;
    }
    boundary->n += n;
    cf_boundary_bound(boundary);
}
