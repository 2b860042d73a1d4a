/* pairs: the one grammar. A line is words separated by blanks; a word is bare or `key=value`;
 * `{a,b}` and
 * `{1..20}` inside a value stand for a product. A value that needs a blank, brace, comma or '%' of
 * its own writes it as %XX (hexadecimal). Cases and configurations are both such lines. */
#ifndef CF_PAIRS_H
#define CF_PAIRS_H

#include <stdint.h>

#include "error.h"

#define CF_PAIRS_MAX 40

/* key is NULL for a bare word. Both point into the owner's text. */
struct cf_pair {
    const char *key, *value;
};

struct cf_pairs {
    char *text; /* owned; cut into the words below */
    int n;
    struct cf_pair pair[CF_PAIRS_MAX];
};

/* Cuts a line (without braces) into words and decodes %XX. `what` names the line in the error
 * sentence. */
int cf_pairs_parse(struct cf_pairs *pairs, const char *what, const char *line,
                   struct cf_error *err);
void cf_pairs_free(struct cf_pairs *pairs);

/* The value of a key, or NULL. */
const char *cf_pairs_get(const struct cf_pairs *pairs, const char *key);

/* The value as a decimal integer, or `fallback` when the key is absent. A value that is no integer
 * is a sentence in *err and -1; else 0. */
int cf_pairs_int(const struct cf_pairs *pairs, const char *key, int64_t fallback, int64_t *value,
                 struct cf_error *err);

/* A value written so that it parses back: blanks, braces, commas and '%' as %XX. The caller frees.
 */
char *cf_pairs_escape(const char *value);

/* Calls `each` with every line that the braces of `line` stand for, leftmost brace slowest; stops
 * at the first non-zero answer and returns it. A brace without its partner is a sentence in *err
 * and -1. */
int cf_pairs_expand(const char *line, int (*each)(const char *line, void *context), void *context,
                    struct cf_error *err);

/* Does the text match a shell glob (fnmatch; '*' crosses everything)? NULL and "" match all. */
int cf_glob_match(const char *glob, const char *text);

#endif
