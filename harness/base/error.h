/* error: the two failures that are not the subject's. A user's or the world's mistake is a sentence
 * that travels up and is printed once by main; a mistake of ours is an abort with file and line. */
#ifndef CF_ERROR_H
#define CF_ERROR_H

/* One sentence: what is wrong, where, and what to do. exit_code is what main returns: 2 for usage
 * or configuration, 3 for "could not measure", 4 for "nothing selected". */
struct cf_error {
    char text[1024];
    int exit_code;
};

/* Fills *err (which may be NULL) with the sentence and exit code 2; always returns -1, so that a
 * caller can write `return cf_fail(err, ...)`. */
int cf_fail(struct cf_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with another exit code. */
int cf_fail_with(struct cf_error *err, int exit_code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Holds in every build: prints file, line and the condition on stderr and aborts. */
#define CF_CHECK(condition)                                                                        \
    ((condition) ? (void)0 : cf_check_failed(__FILE__, __LINE__, #condition))
void cf_check_failed(const char *file, int line, const char *condition) __attribute__((noreturn));

/* malloc, calloc, realloc and strdup that abort with a sentence when memory is out. The caller
 * frees. */
void *cf_alloc(unsigned long n_bytes);
void *cf_alloc_zero(unsigned long n_bytes);
void *cf_realloc(void *old, unsigned long n_bytes);
char *cf_strdup(const char *text);

/* A printf into memory of its own. The caller frees. */
char *cf_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define CF_COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

#endif
