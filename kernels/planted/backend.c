/* planted: subjects with one bug each, for `conform selftest`: every rule must have something that
 * it catches. They say nothing of their bugs; the names do. */
#include "planted.h"

#include <stdlib.h>

static struct cf_library *open_planted(const struct cf_pairs *keys, struct cf_error *err)
{
    (void)keys;
    (void)err;
    return cf_alloc_zero(1);
}

static void close_planted(struct cf_library *library)
{
    free(library);
}

static void state(struct cf_library *library, void (*emit)(void *, const char *, const char *),
                  void *context)
{
    (void)library;
    emit(context, "version", "1");
    emit(context, "threads", "1");
}

const struct cf_backend cf_backend_planted = {
    .name = "planted",
    .why = "reductions with one bug each, for conform selftest",
    .open = open_planted,
    .close = close_planted,
    .state = state};
