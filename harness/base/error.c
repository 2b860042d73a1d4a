#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill(struct cf_error *err, int exit_code, const char *format, va_list arguments)
{
    if (!err)
        return;
    vsnprintf(err->text, sizeof err->text, format, arguments);
    err->exit_code = exit_code;
}

int cf_fail(struct cf_error *err, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fill(err, 2, format, arguments);
    va_end(arguments);
    return -1;
}

int cf_fail_with(struct cf_error *err, int exit_code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fill(err, exit_code, format, arguments);
    va_end(arguments);
    return -1;
}

void cf_check_failed(const char *file, int line, const char *condition)
{
    fprintf(stderr, "conform: internal error at %s:%d: %s does not hold\n", file, line, condition);
    abort();
}

static void *or_abort(void *memory, unsigned long n_bytes)
{
    if (!memory && n_bytes > 0) {
        fprintf(stderr, "conform: no memory for %lu bytes\n", n_bytes);
        abort();
    }
    return memory;
}

void *cf_alloc(unsigned long n_bytes)
{
    return or_abort(malloc(n_bytes), n_bytes);
}

void *cf_alloc_zero(unsigned long n_bytes)
{
    return or_abort(calloc(1, n_bytes), n_bytes);
}

void *cf_realloc(void *old, unsigned long n_bytes)
{
    return or_abort(realloc(old, n_bytes), n_bytes);
}

char *cf_strdup(const char *text)
{
    return or_abort(strdup(text), 1);
}

char *cf_format(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    CF_CHECK(vasprintf(&text, format, arguments) >= 0);
    va_end(arguments);
    return text;
}
