#include "whole.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "talk.h"

/* What the threads share; everything below `lock` is touched with it held. */
struct team {
    const struct cf_whole_order *order;
    struct cf_whole_result *result;
    void (*progress)(void *, int64_t, int64_t, const char *);
    void *context;
    struct cf_error *err;
    pthread_mutex_t lock;
    int64_t next, n_done;
    int stop, failed; /* failed: err has a sentence */
};

struct member {
    struct team *team;
    struct cf_talk *talk[2];
    struct cf_tensor x, got[2];
};

/* An answer that is the worker's poison (harness/worker/buffer.c) counts as not written; the NaNs
 * that a function may turn into it are asked as the plain NaN. */
static uint32_t argument(const struct cf_whole_order *order, int64_t i)
{
    const uint32_t x = (uint32_t)(order->first + (uint64_t)i * order->step);

    return (x & 0x7fbfffff) == 0x7facc0f1 ? 0x7fc00000 : x;
}

static void fail(struct member *m, int side, const struct cf_told *told)
{
    struct cf_whole_result *result = m->team->result;

    pthread_mutex_lock(&m->team->lock);
    if (!m->team->stop) {
        result->fate = told->fate;
        result->side = side;
        memcpy(result->reason, told->reason, sizeof result->reason);
    }
    m->team->stop = 1;
    pthread_mutex_unlock(&m->team->lock);
}

/* -1: a side did not answer. */
static int ask(struct member *m, int64_t block, struct cf_told told[2])
{
    const struct cf_whole_order *order = m->team->order;
    const int64_t first = block * CF_WHOLE_BLOCK, rest = order->n - first;

    m->x.dim[0] = rest < CF_WHOLE_BLOCK ? rest : CF_WHOLE_BLOCK;
    for (int64_t i = 0; i < m->x.dim[0]; ++i)
        ((uint32_t *)m->x.bits)[i] = argument(order, first + i);
    for (int k = 0; k < order->n_sides; ++k) {
        m->got[k] = (struct cf_tensor){.dtype = CF_F32, .rank = 1, .dim = {m->x.dim[0]}};
        cf_talk_run(m->talk[k], order->op->grammar.op, NULL, &m->x, 1, &m->got[k], 1, &told[k]);
        if (told[k].fate != CF_RAN) {
            fail(m, k, &told[k]);
            return -1;
        }
    }
    return 0;
}

/* Equal bits are judged once. */
static void judge(struct member *m, struct cf_whole_block *block)
{
    const struct cf_whole_order *order = m->team->order;
    const uint32_t *got[2] = {m->got[0].bits, NULL};

    for (int k = 0; k < order->n_sides; ++k)
        cf_digest_of(&block->digest[k], m->got[k].bits, cf_tensor_bytes(&m->got[k]));
    if (order->n_sides == 2 && !cf_digest_equal(&block->digest[0], &block->digest[1]))
        got[1] = m->got[1].bits;
    cf_whole_judge(&block->tally, order->op, m->x.bits, got, m->x.dim[0]);
    if (order->n_sides == 2 && !got[1])
        block->tally.side[1] = block->tally.side[0];
    block->is_done = 1;
}

static void put(struct member *m, int64_t i, const struct cf_told told[2])
{
    struct team *team = m->team;
    const struct cf_whole_order *order = team->order;

    pthread_mutex_lock(&team->lock);
    ++team->n_done;
    for (int k = 0; k < order->n_sides; ++k)
        team->result->wall_ns[k] += told[k].wall_ns;
    if (order->store && !team->failed &&
        cf_whole_put(order->store, order, i, &team->result->block[i], team->err) != 0)
        team->failed = team->stop = 1;
    if (team->progress)
        team->progress(team->context, team->n_done, team->result->n_blocks, order->op->grammar.op);
    pthread_mutex_unlock(&team->lock);
}

/* The next block that is not done, or -1. */
static int64_t take(struct team *team)
{
    int64_t i;

    pthread_mutex_lock(&team->lock);
    while (team->next < team->result->n_blocks && team->result->block[team->next].is_done)
        ++team->next;
    i = team->stop || team->next == team->result->n_blocks ? -1 : team->next++;
    pthread_mutex_unlock(&team->lock);
    return i;
}

static int open_member(struct member *m)
{
    const struct cf_whole_order *order = m->team->order;
    struct cf_error err;

    m->x = (struct cf_tensor){.dtype = CF_F32, .rank = 1, .dim = {CF_WHOLE_BLOCK}};
    cf_tensor_alloc(&m->x);
    for (int k = 0; k < order->n_sides; ++k) {
        m->talk[k] = cf_talk_start(order->line[k], order->worker, order->timeout_ms, &err);
        if (m->talk[k])
            continue;
        pthread_mutex_lock(&m->team->lock);
        if (!m->team->failed)
            *m->team->err = err;
        m->team->failed = m->team->stop = 1;
        pthread_mutex_unlock(&m->team->lock);
        return -1;
    }
    return 0;
}

/* A thread of its own starts and ends its workers: they die with their starter. */
static void *work(void *context)
{
    struct member m = {.team = context};
    struct cf_told told[2];

    for (int64_t i = open_member(&m) == 0 ? take(m.team) : -1; i >= 0; i = take(m.team)) {
        if (ask(&m, i, told) == 0) {
            judge(&m, &m.team->result->block[i]);
            put(&m, i, told);
        }
        for (int k = 0; k < 2; ++k)
            cf_tensor_free(&m.got[k]);
    }
    for (int k = 0; k < 2; ++k)
        if (m.talk[k])
            cf_talk_stop(m.talk[k]);
    cf_tensor_free(&m.x);
    return NULL;
}

static int read_kept(struct team *team)
{
    const struct cf_whole_order *order = team->order;
    struct cf_whole_result *result = team->result;

    for (int64_t i = 0; order->store && i < result->n_blocks; ++i) {
        const int got = cf_whole_get(order->store, order, i, &result->block[i], team->err);

        if (got < 0)
            return -1;
        result->n_kept += got;
    }
    team->n_done = result->n_kept;
    return 0;
}

static void add_up(struct cf_whole_result *result, int n_sides)
{
    struct cf_digest *all = cf_alloc((size_t)(result->n_blocks + 1) * sizeof all[0]);

    for (int64_t i = 0; i < result->n_blocks; ++i) {
        cf_whole_add(&result->tally, &result->block[i].tally);
        result->n_differ +=
            !cf_digest_equal(&result->block[i].digest[0], &result->block[i].digest[n_sides - 1]);
    }
    for (int k = 0; k < n_sides; ++k) {
        for (int64_t i = 0; i < result->n_blocks; ++i)
            all[i] = result->block[i].digest[k];
        cf_digest_of(&result->digest[k], all, (uint64_t)result->n_blocks * sizeof all[0]);
    }
    free(all);
}

static void run_threads(struct team *team)
{
    pthread_t *thread = cf_alloc((size_t)team->order->threads * sizeof *thread);
    int n = 0;

    while (n < team->order->threads && pthread_create(&thread[n], NULL, work, team) == 0)
        ++n;
    if (n == 0)
        work(team);
    for (int i = 0; i < n; ++i)
        pthread_join(thread[i], NULL);
    free(thread);
}

int cf_whole_run(struct cf_whole_result *result, const struct cf_whole_order *order,
                 void (*progress)(void *, int64_t, int64_t, const char *), void *context,
                 struct cf_error *err)
{
    struct team team = {
        .order = order, .result = result, .progress = progress, .context = context, .err = err};

    *result =
        (struct cf_whole_result){.n_blocks = (order->n + CF_WHOLE_BLOCK - 1) / CF_WHOLE_BLOCK};
    result->block = cf_alloc_zero((size_t)(result->n_blocks + 1) * sizeof result->block[0]);
    result->fate = CF_RAN;
    if (read_kept(&team) != 0)
        return -1;
    pthread_mutex_init(&team.lock, NULL);
    run_threads(&team);
    pthread_mutex_destroy(&team.lock);
    if (team.failed)
        return -1;
    if (result->fate == CF_RAN)
        add_up(result, order->n_sides);
    return 0;
}

void cf_whole_free(struct cf_whole_result *result)
{
    free(result->block);
    result->block = NULL;
}
