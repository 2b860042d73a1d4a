#include "plain.h"

#include <stdlib.h>

#define THREADS_MAX 64

static struct cf_library *open_plain(const struct cf_pairs *keys, struct cf_error *err)
{
    struct cf_library *library;
    int64_t threads;

    if (cf_pairs_int(keys, "threads", 1, &threads, err) != 0)
        return NULL;
    if (threads < 1 || threads > THREADS_MAX) {
        cf_fail_with(err, 3, "plain runs on 1 to %d threads, not on threads=%lld", THREADS_MAX,
                     (long long)threads);
        return NULL;
    }
    library = cf_alloc_zero(sizeof *library);
    library->threads = (int)threads;
    library->pool = cf_plain_pool_start((int)threads);
    if (!library->pool) {
        cf_fail_with(err, 3, "the system does not give plain its threads=%lld", (long long)threads);
        free(library);
        return NULL;
    }
    return library;
}

static void close_plain(struct cf_library *library)
{
    cf_plain_pool_stop(library->pool);
    free(library->order);
    free(library);
}

static void state(struct cf_library *library, void (*emit)(void *, const char *, const char *),
                  void *context)
{
    char *threads = cf_format("%d", library->threads);

    emit(context, "version", "1"); /* of the orders: changes when their bits do */
    emit(context, "threads", threads);
    free(threads);
}

const struct cf_backend cf_backend_plain = {.name = "plain",
                                            .why = "the orders of operations, written out",
                                            .kernel = "forward",
                                            .open = open_plain,
                                            .close = close_plain,
                                            .state = state};
