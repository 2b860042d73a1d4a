/* A loop over ranges, one thread a range. */
#ifndef CF_EXACT_PARALLEL_H
#define CF_EXACT_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CF_MAX_PARTS = 64 };

/* Calls run(context, first, last, part) for `parts` ranges that cover 0 .. n-1, each in a thread,
 * and returns when all have ended. 1 <= parts <= CF_MAX_PARTS; n * parts must not overflow. */
void cf_parallel(int parts, int64_t n,
                 void (*run)(void *context, int64_t first, int64_t last, int part), void *context);

/* How many parts to make of `work` units when a part should have at least `least` of them. */
static inline int cf_parts(int threads, int64_t work, int64_t least)
{
    const int64_t most = work / least;
    int64_t parts = threads;

    parts = parts > most ? most : parts;
    parts = parts > CF_MAX_PARTS ? CF_MAX_PARTS : parts;
    return parts < 1 ? 1 : (int)parts;
}

#endif
