/* chunks: thread t of T sums its chunk, terms t*n/T .. (t+1)*n/T - 1, forward; then the partial
 * sums are added in the order of the threads. The same bits for the same number of threads. */
#ifndef REAL
#include <stdlib.h>

#define TYPED_FILE "chunks.c"
#include "plain.h"

static const struct cf_plain_order order = {.solve_f32 = solve_f32, .solve_f64 = solve_f64};

CF_PLAIN_KERNELS(chunks);
#else

struct TYPED(share) {
    const struct TYPED(cf_plain_problem) * p;
    int threads;
    REAL *partial; /* [threads, elements] */
};

static void TYPED(body)(void *context, int thread)
{
    const struct TYPED(share) *share = context;
    const struct TYPED(cf_plain_problem) *p = share->p;
    const int64_t elements = p->rows * p->columns;
    const int64_t first = cf_plain_part(p->n, thread, share->threads);
    const int64_t last = cf_plain_part(p->n, thread + 1, share->threads);

    for (int64_t e = 0; e < elements; ++e)
        share->partial[thread * elements + e] = TYPED(cf_plain_partial)(p, e, first, last);
}

static enum cf_status TYPED(solve)(struct cf_library *library,
                                   const struct TYPED(cf_plain_problem) * p)
{
    const int64_t elements = p->rows * p->columns, threads = library->threads;
    REAL *partial = malloc((size_t)(elements * threads + 1) * sizeof *partial);
    struct TYPED(share) share = {p, library->threads, partial};

    if (!partial)
        return CF_NO_MEMORY;
    cf_plain_parallel(library, TYPED(body), &share);
    for (int64_t e = 0; e < elements; ++e) {
        REAL sum = 0;

        for (int64_t t = 0; t < threads; ++t)
            sum += partial[t * elements + e];
        p->out[e] = sum;
    }
    free(partial);
    return CF_DONE;
}
#endif
