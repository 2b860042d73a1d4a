/* arena: memory that is given back all at once. Everything that findings point to lives in one. */
#ifndef CF_ARENA_H
#define CF_ARENA_H

#include <stddef.h>

struct cf_arena {
    void **block;
    int n, room;
};

void *cf_arena_alloc(struct cf_arena *arena, size_t n_bytes); /* zeroed; aborts without memory */
void *cf_arena_copy(struct cf_arena *arena, const void *from, size_t n_bytes); /* from NULL for 0 */
char *cf_arena_text(struct cf_arena *arena, const char *text); /* a copy; NULL stays NULL */
char *cf_arena_format(struct cf_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void *cf_arena_own(struct cf_arena *arena, void *block); /* takes over what malloc gave */
void cf_arena_free(struct cf_arena *arena);

#endif
