#include "arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

void *cf_arena_own(struct cf_arena *arena, void *block)
{
    if (arena->n == arena->room) {
        arena->room = 2 * arena->room + 64;
        arena->block = cf_realloc(arena->block, (size_t)arena->room * sizeof arena->block[0]);
    }
    arena->block[arena->n++] = block;
    return block;
}

void *cf_arena_alloc(struct cf_arena *arena, size_t n_bytes)
{
    return cf_arena_own(arena, cf_alloc_zero(n_bytes + 1));
}

void *cf_arena_copy(struct cf_arena *arena, const void *from, size_t n_bytes)
{
    void *copy = cf_arena_alloc(arena, n_bytes);

    if (n_bytes > 0)
        memcpy(copy, from, n_bytes);
    return copy;
}

char *cf_arena_text(struct cf_arena *arena, const char *text)
{
    return text ? cf_arena_own(arena, cf_strdup(text)) : NULL;
}

char *cf_arena_format(struct cf_arena *arena, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    CF_CHECK(vasprintf(&text, format, arguments) >= 0);
    va_end(arguments);
    return cf_arena_own(arena, text);
}

void cf_arena_free(struct cf_arena *arena)
{
    for (int i = 0; i < arena->n; ++i)
        free(arena->block[i]);
    free(arena->block);
    *arena = (struct cf_arena){0};
}
