#include "loader.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "error.h"

struct job {
    const struct cf_loader *loader;
    const struct cf_split *split;
    int64_t **order; /* of each epoch */
    int32_t *rows, *shifts;
    uint8_t *masks;
    atomic_llong next; /* the first micro-batch that nobody has claimed */
};

/* Seeds and place of one micro-batch. */
struct place {
    struct cf_seeds seeds;
    int64_t first; /* counter of its first row */
};

static struct place place_of(const struct cf_loader *loader, int64_t micro)
{
    struct place place = {loader->seeds, micro * loader->batch};

    if (loader->by_worker) {
        const int64_t worker = micro % loader->workers;

        for (int p = 0; p < CF_N_PURPOSES; ++p)
            place.seeds.seed[p] += (uint64_t)worker;
        place.first = micro / loader->workers * loader->batch;
    }
    return place;
}

static int32_t row_of(const struct job *job, const struct place *place, int64_t i)
{
    const int64_t n = job->split->n_train;
    struct cf_stream stream;

    if (job->loader->replace) {
        stream = cf_seeds_stream(&place->seeds, CF_SAMPLING, 0);
        return job->split->train[cf_stream_below(&stream, (uint64_t)i, (uint64_t)n)];
    }
    if (!job->loader->by_worker)
        return job->split->train[job->order[i / n][i % n]];
    stream = cf_seeds_stream(&place->seeds, CF_SHUFFLING, 0);
    return job->split->train[cf_stream_below(&stream, (uint64_t)i, (uint64_t)n)];
}

static void fill_micro(const struct job *job, int64_t micro)
{
    const struct cf_loader *loader = job->loader;
    const struct place place = place_of(loader, micro);
    const struct cf_stream dropout = cf_seeds_stream(&place.seeds, CF_DROPOUT, 0);
    const struct cf_stream augment = cf_seeds_stream(&place.seeds, CF_AUGMENTATION, 0);

    for (int64_t b = 0; b < loader->batch; ++b) {
        const int64_t at = micro * loader->batch + b, i = place.first + b;

        job->rows[at] = row_of(job, &place, i);
        if (loader->augment)
            job->shifts[at] = (int32_t)cf_stream_below(&augment, (uint64_t)i, 9);
        for (int64_t j = 0; j < loader->mask_width; ++j)
            job->masks[at * loader->mask_width + j] = (uint8_t)cf_seeds_keep(
                &dropout, (uint64_t)(i * loader->mask_width + j), loader->dropout);
    }
}

static void *work(void *context)
{
    struct job *job = context;
    long long micro;

    while ((micro = atomic_fetch_add(&job->next, 1)) < job->loader->micro_batches)
        fill_micro(job, micro);
    return NULL;
}

static int64_t n_epochs(const struct cf_loader *loader, const struct cf_split *split)
{
    if (loader->replace || loader->by_worker)
        return 0;
    return (loader->micro_batches * loader->batch + split->n_train - 1) / split->n_train;
}

static void shuffle_epochs(struct job *job, int64_t n)
{
    job->order = cf_alloc((size_t)(n + 1) * sizeof job->order[0]);
    for (int64_t e = 0; e < n; ++e) {
        const struct cf_stream stream = cf_seeds_stream(&job->loader->seeds, CF_SHUFFLING, e);

        job->order[e] = cf_alloc((size_t)job->split->n_train * sizeof job->order[e][0]);
        cf_stream_permutation(&stream, job->order[e], job->split->n_train);
    }
}

void cf_loader_fill(const struct cf_loader *loader, const struct cf_split *split, int32_t *rows,
                    uint8_t *masks, int32_t *shifts)
{
    struct job job = {loader, split, NULL, rows, shifts, masks, 0};
    const int64_t epochs = n_epochs(loader, split);
    pthread_t thread[64];
    int started = 0;

    CF_CHECK(split->n_train > 0 && loader->workers >= 1 && loader->workers <= 64);
    shuffle_epochs(&job, epochs);
    while (started < loader->workers - 1 && pthread_create(&thread[started], NULL, work, &job) == 0)
        ++started;
    work(&job); /* where threads cannot be had, the caller does it all: the same bytes */
    for (int i = 0; i < started; ++i)
        pthread_join(thread[i], NULL);
    for (int64_t e = 0; e < epochs; ++e)
        free(job.order[e]);
    free(job.order);
}
