#include "vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cf_library {
    int opened;
};

static struct cf_library *open_vector(const struct cf_pairs *keys, struct cf_error *err)
{
    struct cf_library *library;
    int64_t threads;

    if (cf_pairs_int(keys, "threads", 1, &threads, err) != 0)
        return NULL;
    if (threads != 1) {
        cf_fail_with(err, 3, "vector runs on one thread, not on threads=%lld", (long long)threads);
        return NULL;
    }
    library = cf_alloc_zero(sizeof *library);
    library->opened = 1;
    return library;
}

static void close_vector(struct cf_library *library)
{
    free(library);
}

int cf_vector_has(const char *instructions)
{
    if (strcmp(instructions, "scalar") == 0)
        return 1;
#ifdef CF_VECTOR_X86
    __builtin_cpu_init();
    if (strcmp(instructions, "sse2") == 0)
        return 1;
    if (strcmp(instructions, "sse41") == 0)
        return __builtin_cpu_supports("sse4.1");
    if (strcmp(instructions, "fma") == 0)
        return __builtin_cpu_supports("fma");
    if (strcmp(instructions, "avx2") == 0)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (strcmp(instructions, "avx512") == 0)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
#endif
    return 0;
}

int cf_vector_fits(const struct cf_tensor in[], const struct cf_tensor *out, int64_t multiple)
{
    return in[0].rank == 1 && in[1].rank == 1 && in[1].dim[0] == CF_VECTOR_TABLE &&
           in[1].dtype == in[0].dtype && out->dtype == in[0].dtype && out->rank == 2 &&
           out->dim[1] == in[0].dim[0] && in[0].dim[0] % multiple == 0;
}

static void state(struct cf_library *library, void (*emit)(void *, const char *, const char *),
                  void *context)
{
    static const char *const sets[] = {"scalar", "sse2", "sse41", "fma", "avx2", "avx512"};
    char list[64] = "";

    (void)library;
    for (int i = 0; i < CF_COUNT(sets); ++i)
        if (cf_vector_has(sets[i])) {
            const size_t n = strlen(list);

            snprintf(list + n, sizeof list - n, "%s%s", n ? " " : "", sets[i]);
        }
    emit(context, "version", "1"); /* of the orders: changes when their bits do */
    emit(context, "threads", "1");
    emit(context, "instructions", list);
}

const struct cf_backend cf_backend_vector = {.name = "vector",
                                             .why = "one part of the processor kept busy",
                                             .kernel = "scalar",
                                             .open = open_vector,
                                             .close = close_vector,
                                             .state = state};
