/* Distances from the true trajectories, for the reports that draw them. */
#include "training_levels.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"

#define PRECISION   128
#define THREADS_MAX 16

/* The true weights of one cell and seed after each point of the curve. */
struct truth {
    int cell, case_index;
    int64_t seed, n_weights;
    struct cf_truth *weights; /* [n_curve][n_weights], owned */
};

struct team {
    struct cf_training *t;
    struct truth *job;
    int n_jobs;
    atomic_int next, n_done, failed;
    pthread_mutex_t lock;
    struct cf_error err;
};

static void list_jobs(struct team *team)
{
    const struct cf_trained *trained = &team->t->trained;
    const int n_seeds = team->t->j->options.curves;

    team->job = cf_alloc_zero((size_t)(trained->n_cells * n_seeds + 1) * sizeof team->job[0]);
    for (int c = 0; c < trained->n_cells; ++c)
        for (int64_t s = 1; s <= n_seeds && trained->cell[c].n_curve > 0; ++s) {
            const struct cf_trained_run *run =
                cf_trained_find(trained, c, s, team->t->j->ledger.baseline, 0, 0);

            if (run && run->n_curve == trained->cell[c].n_curve)
                team->job[team->n_jobs++] =
                    (struct truth){.cell = c, .case_index = run->case_index, .seed = s};
        }
}

static int compute(struct truth *job, const struct cf_trained_cell *cell,
                   const struct cf_ledger_case *one, struct cf_error *err)
{
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    char *text = cf_format("%s, true trajectory, %d bits", one->c.text, PRECISION);
    int64_t steps[CF_CURVE_MAX], n;
    struct cf_digest key;
    int result = 0;

    cf_cache_key(&key, text, &one->inputs);
    free(text);
    if (cf_case_draw(&one->c, one->op, in, out, err) != 0)
        return -1;
    job->n_weights = in[CF_IN_WEIGHTS].dim[0];
    n = job->n_weights * cell->n_curve;
    job->weights = cf_alloc((size_t)n * sizeof job->weights[0]);
    for (int k = 0; k < cell->n_curve; ++k)
        steps[k] = (int64_t)cell->step[k];
    if (cf_cache_read(&key, job->weights, n) != 0) {
        result = cf_trajectory_weights(job->weights, (enum cf_model)cf_training_model(one->c.op),
                                       in, steps, cell->n_curve, PRECISION, err);
        if (result == 0)
            cf_cache_write(&key, job->weights, n);
    }
    for (int o = 0; o < CF_N_TRAINING_INPUTS; ++o)
        cf_tensor_free(&in[o]);
    return result;
}

static void work(struct team *team, int is_caller)
{
    const struct cf_judge_options *options = &team->t->j->options;

    for (int i;
         !atomic_load(&team->failed) && (i = atomic_fetch_add(&team->next, 1)) < team->n_jobs;) {
        struct truth *job = &team->job[i];
        struct cf_error err = {.text = ""};

        if (is_caller && options->progress)
            options->progress(options->context, atomic_load(&team->n_done), team->n_jobs,
                              "true trajectories");
        if (compute(job, &team->t->trained.cell[job->cell],
                    &team->t->j->ledger.cases[job->case_index], &err) != 0) {
            pthread_mutex_lock(&team->lock);
            team->err = err;
            atomic_store(&team->failed, 1);
            pthread_mutex_unlock(&team->lock);
        }
        atomic_fetch_add(&team->n_done, 1);
    }
}

static void *helper(void *context)
{
    work(context, 0);
    mpfr_free_cache();
    return NULL;
}

static int compute_all(struct team *team, struct cf_error *err)
{
    pthread_t thread[THREADS_MAX];
    const int asked = team->t->j->options.threads;
    int n_threads = asked, n = 0;
    cpu_set_t set;

    if (asked <= 0)
        n_threads = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    while (n < n_threads - 1 && n < team->n_jobs - 1 && n < THREADS_MAX &&
           pthread_create(&thread[n], NULL, helper, team) == 0)
        ++n;
    work(team, 1);
    for (int i = 0; i < n; ++i)
        pthread_join(thread[i], NULL);
    return atomic_load(&team->failed) ? cf_fail_with(err, 3, "%s", team->err.text) : 0;
}

/* norm(w - true w) / norm(true w); the weights are row `row` of a tensor [..,P]. */
static double distance(const struct cf_tensor *w, int64_t row, const struct cf_truth *truth,
                       int64_t n)
{
    double square = 0, norm = 0;

    for (int64_t i = 0; i < n; ++i) {
        const double away = cf_tensor_get(w, row * n + i) - truth[i].rounded - truth[i].lo;

        square += away * away;
        norm += truth[i].rounded * truth[i].rounded;
    }
    return sqrt(square / norm);
}

/* Least, mean of logarithms and greatest over the seeds that were added. */
struct pool {
    int n, n_seeds;
    double *low, *middle, *high; /* in the arena; middle: sum of logarithms until it is closed */
};

static struct pool open_pool(struct cf_judgement *j, int n)
{
    const size_t bytes = (size_t)n * sizeof(double);
    struct pool pool = {n, 0, cf_arena_alloc(&j->arena, bytes), cf_arena_alloc(&j->arena, bytes),
                        cf_arena_alloc(&j->arena, bytes)};

    for (int k = 0; k < n; ++k) {
        pool.low[k] = INFINITY;
        pool.high[k] = pool.middle[k] = 0;
    }
    return pool;
}

static void add(struct pool *pool, const double d[])
{
    for (int k = 0; k < pool->n; ++k) {
        pool->low[k] = fmin(pool->low[k], d[k]);
        pool->high[k] = fmax(pool->high[k], d[k]);
        pool->middle[k] += log(d[k]);
    }
    ++pool->n_seeds;
}

static void close_pool(struct cf_training *t, struct pool *pool, int cell, int configuration)
{
    struct cf_findings *f = &t->j->findings;
    const struct cf_trained_cell *from = &t->trained.cell[cell];
    double *step = cf_arena_alloc(&t->j->arena, sizeof from->step);

    if (pool->n_seeds == 0)
        return;
    for (int k = 0; k < pool->n; ++k)
        pool->middle[k] = exp(pool->middle[k] / pool->n_seeds);
    memcpy(step, from->step, sizeof from->step);
    ((struct cf_curve_finding *)f->curves)[f->n_curves++] =
        (struct cf_curve_finding){.suite = t->j->ledger.group[from->group].suite,
                                  .cell = cf_arena_text(&t->j->arena, from->text),
                                  .configuration = configuration,
                                  .n = pool->n,
                                  .n_seeds = pool->n_seeds,
                                  .step = step,
                                  .low = pool->low,
                                  .middle = pool->middle,
                                  .high = pool->high};
}

static void draw_twins(struct cf_training *t, int cell)
{
    const struct cf_bank_cell *bank =
        t->no_bank ? NULL : cf_seed_bank_find(&t->bank, t->trained.cell[cell].text);
    struct pool pool = open_pool(t->j, t->trained.cell[cell].n_curve);

    if (!bank || bank->n_curve != pool.n)
        return;
    for (int s = 0; s < bank->n_twin_seeds; ++s)
        for (int k = 0; k < CF_BANK_TWINS; ++k)
            add(&pool, bank->twin[k][s]);
    pool.n_seeds = bank->n_twin_seeds * CF_BANK_TWINS;
    close_pool(t, &pool, cell, -1);
}

static int add_seed(struct cf_training *t, struct pool *pool, const struct truth *job,
                    int configuration, struct cf_error *err)
{
    const struct cf_trained_run *found =
        cf_trained_find(&t->trained, job->cell, job->seed, configuration, 0, 0);
    struct cf_trained_run run;
    struct cf_trained_outputs outputs;
    double d[CF_CURVE_MAX];

    if (!found || found->n_curve != pool->n || !found->same_data)
        return 0;
    run = *found;
    if (cf_trained_outputs(&outputs, &t->j->ledger, t->j->store, &run, err) != 0)
        return -1;
    for (int k = 0; k < pool->n && outputs.bits; ++k) {
        const int last = k == pool->n - 1;

        d[k] = distance(&outputs.out[last ? CF_OUT_WEIGHTS : CF_OUT_SNAPSHOTS], last ? 0 : k,
                        job->weights + k * job->n_weights, job->n_weights);
    }
    if (outputs.bits)
        add(pool, d);
    free(outputs.bits);
    return 0;
}

static int draw_cell(struct team *team, int cell, struct cf_error *err)
{
    struct cf_training *t = team->t;
    int result = 0;

    draw_twins(t, cell);
    for (int i = 0; i < t->j->ledger.n_configurations && result == 0; ++i) {
        struct pool pool = open_pool(t->j, t->trained.cell[cell].n_curve);

        for (int k = 0; k < team->n_jobs && result == 0; ++k)
            if (team->job[k].cell == cell)
                result = add_seed(t, &pool, &team->job[k], i, err);
        close_pool(t, &pool, cell, i);
    }
    return result;
}

int cf_judge_curves(struct cf_judgement *j, struct cf_error *err)
{
    struct cf_training t;
    struct team team = {.t = &t, .lock = PTHREAD_MUTEX_INITIALIZER};
    int result;

    if (cf_training_open(&t, j, err) != 0)
        return -1;
    list_jobs(&team);
    j->findings.curves = cf_arena_alloc(
        &j->arena, (size_t)(t.trained.n_cells * (j->ledger.n_configurations + 1) + 1) *
                       sizeof j->findings.curves[0]);
    result = compute_all(&team, err);
    for (int c = 0; c < t.trained.n_cells && result == 0; ++c)
        if (t.trained.cell[c].n_curve > 0)
            result = draw_cell(&team, c, err);
    for (int i = 0; i < team.n_jobs; ++i)
        free(team.job[i].weights);
    free(team.job);
    cf_training_close(&t);
    return result;
}
