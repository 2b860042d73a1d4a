/* A loop over ranges, one thread a range. */
#include "parallel.h"

#include <pthread.h>

struct job {
    void (*run)(void *context, int64_t first, int64_t last, int part);
    void *context;
    int64_t first, last;
    int part;
    pthread_t thread;
    bool started;
};

static void *start(void *argument)
{
    struct job *j = argument;

    j->run(j->context, j->first, j->last, j->part);
    return NULL;
}

void cf_parallel(int parts, int64_t n,
                 void (*run)(void *context, int64_t first, int64_t last, int part), void *context)
{
    struct job job[CF_MAX_PARTS];

    for (int p = 0; p < parts; ++p)
        job[p] = (struct job){.run = run,
                              .context = context,
                              .first = n * p / parts,
                              .last = n * (p + 1) / parts,
                              .part = p};
    for (int p = 1; p < parts; ++p)
        job[p].started = pthread_create(&job[p].thread, NULL, start, &job[p]) == 0;
    start(&job[0]);
    for (int p = 1; p < parts; ++p) {
        if (job[p].started)
            pthread_join(job[p].thread, NULL);
        else /* a thread that the system refuses changes the time, not the result */
            start(&job[p]);
    }
}
