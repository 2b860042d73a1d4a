/* The threads of chunks and arrival: they wait for work and start it together. */
#include "plain.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

struct cf_plain_pool {
    int threads;
    pthread_t *thread;
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    unsigned round; /* a new number is new work; under the lock, like what follows */
    int stopping, running;
    void (*body)(void *, int);
    void *context;
    atomic_int arrived; /* at the gate of this round */
};

struct seat {
    struct cf_plain_pool *pool;
    int thread;
};

/* Nobody starts before everybody is awake, or the caller would always be first. */
static void pass_gate(struct cf_plain_pool *pool)
{
    atomic_fetch_add(&pool->arrived, 1);
    for (int spins = 0; atomic_load(&pool->arrived) < pool->threads; ++spins)
        if (spins > 200)
            sched_yield();
}

static void *work(void *argument)
{
    const struct seat seat = *(struct seat *)argument;
    struct cf_plain_pool *pool = seat.pool;
    unsigned round = 0;

    free(argument);
    for (;;) {
        pthread_mutex_lock(&pool->lock);
        while (pool->round == round && !pool->stopping)
            pthread_cond_wait(&pool->start, &pool->lock);
        round = pool->round;
        pthread_mutex_unlock(&pool->lock);
        if (pool->stopping)
            return NULL;
        pass_gate(pool);
        pool->body(pool->context, seat.thread);
        pthread_mutex_lock(&pool->lock);
        if (--pool->running == 0)
            pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->lock);
    }
}

void cf_plain_parallel(struct cf_library *library, void (*body)(void *, int), void *context)
{
    struct cf_plain_pool *pool = library->pool;

    pthread_mutex_lock(&pool->lock);
    pool->body = body;
    pool->context = context;
    pool->running = pool->threads - 1;
    atomic_store(&pool->arrived, 0);
    ++pool->round;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
    pass_gate(pool);
    body(context, 0);
    pthread_mutex_lock(&pool->lock);
    while (pool->running > 0)
        pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

struct cf_plain_pool *cf_plain_pool_start(int threads)
{
    struct cf_plain_pool *pool = cf_alloc_zero(sizeof *pool);

    pool->thread = cf_alloc_zero((size_t)threads * sizeof pool->thread[0]);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->start, NULL);
    pthread_cond_init(&pool->done, NULL);
    for (pool->threads = 1; pool->threads < threads; ++pool->threads) {
        struct seat *seat = cf_alloc(sizeof *seat);

        *seat = (struct seat){pool, pool->threads};
        if (pthread_create(&pool->thread[pool->threads], NULL, work, seat) != 0) {
            free(seat);
            cf_plain_pool_stop(pool);
            return NULL;
        }
    }
    return pool;
}

void cf_plain_pool_stop(struct cf_plain_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->stopping = 1;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 1; i < pool->threads; ++i)
        pthread_join(pool->thread[i], NULL);
    free(pool->thread);
    free(pool);
}
