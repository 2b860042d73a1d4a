#include "pairs.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex(int c)
{
    return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

/* In place; -1 when a '%' is not followed by two hexadecimal digits, or they spell NUL. */
static int decode(char *word)
{
    char *to = word;

    for (; *word; ++word, ++to) {
        *to = *word;
        if (*word != '%')
            continue;
        if (hex((unsigned char)word[1]) < 0 || hex((unsigned char)word[2]) < 0)
            return -1;
        *to = (char)(hex((unsigned char)word[1]) * 16 + hex((unsigned char)word[2]));
        if (!*to)
            return -1;
        word += 2;
    }
    *to = '\0';
    return 0;
}

static int add_word(struct cf_pairs *pairs, const char *what, char *word, struct cf_error *err)
{
    char *equals = strchr(word, '=');
    struct cf_pair *pair = &pairs->pair[pairs->n];

    if (pairs->n == CF_PAIRS_MAX)
        return cf_fail(err, "%s has more than %d words; shorten it", what, CF_PAIRS_MAX);
    if (equals == word)
        return cf_fail(err, "%s: `%s` has no key before '='; write key=value", what, word);
    if (equals)
        *equals = '\0';
    if (equals && cf_pairs_get(pairs, word))
        return cf_fail(err, "%s: the key `%s` occurs twice; keep one", what, word);
    pair->key = equals ? word : NULL;
    pair->value = equals ? equals + 1 : word;
    if (decode(equals ? equals + 1 : word) != 0)
        return cf_fail(
            err, "%s: a '%%' must be followed by two hexadecimal digits (a percent sign is %%25)",
            what);
    ++pairs->n;
    return 0;
}

int cf_pairs_parse(struct cf_pairs *pairs, const char *what, const char *line, struct cf_error *err)
{
    char *rest = NULL;

    *pairs = (struct cf_pairs){.text = cf_strdup(line)};
    for (char *word = strtok_r(pairs->text, " \t", &rest); word;
         word = strtok_r(NULL, " \t", &rest))
        if (add_word(pairs, what, word, err) != 0) {
            cf_pairs_free(pairs);
            return -1;
        }
    return 0;
}

void cf_pairs_free(struct cf_pairs *pairs)
{
    free(pairs->text);
    *pairs = (struct cf_pairs){0};
}

const char *cf_pairs_get(const struct cf_pairs *pairs, const char *key)
{
    for (int i = 0; i < pairs->n; ++i)
        if (pairs->pair[i].key && strcmp(pairs->pair[i].key, key) == 0)
            return pairs->pair[i].value;
    return NULL;
}

int cf_pairs_int(const struct cf_pairs *pairs, const char *key, int64_t fallback, int64_t *value,
                 struct cf_error *err)
{
    const char *text = cf_pairs_get(pairs, key);
    char *end;

    *value = fallback;
    if (!text)
        return 0;
    errno = 0;
    *value = strtoll(text, &end, 10);
    if (end == text || *end || errno)
        return cf_fail(err, "%s=%s is no whole number; write for example %s=%lld", key, text, key,
                       (long long)fallback);
    return 0;
}

char *cf_pairs_escape(const char *value)
{
    char *out = cf_alloc(3 * strlen(value) + 1), *to = out;

    for (; *value; ++value)
        if (strchr(" \t\n{},%", *value))
            to += snprintf(to, 4, "%%%02X", (unsigned)(unsigned char)*value);
        else
            *to++ = *value;
    *to = '\0';
    return out;
}

struct brace {
    const char *open, *close;
    long long first, last; /* of a range; first > last when it is a list */
};

static int find_brace(const char *line, struct brace *brace, struct cf_error *err)
{
    char extra;

    brace->open = strchr(line, '{');
    brace->close = strchr(line, '}');
    if (!brace->open && !brace->close)
        return 0;
    if (!brace->open || !brace->close || brace->close < brace->open ||
        memchr(brace->open + 1, '{', (size_t)(brace->close - brace->open - 1)))
        return cf_fail(err, "`%s`: a brace has no partner or nests; write {a,b} or {1..20}", line);
    if (sscanf(brace->open, "{%lld..%lld}%c", &brace->first, &brace->last, &extra) < 2 ||
        !strstr(brace->open, "..")) {
        brace->first = 1;
        brace->last = 0;
    } else if (brace->first > brace->last || brace->last - brace->first > 1000000) {
        return cf_fail(err, "`%s`: the range must rise and hold at most a million values", line);
    }
    return 1;
}

static int expand_list(const char *line, const struct brace *brace,
                       int (*each)(const char *, void *), void *context, struct cf_error *err)
{
    const char *item = brace->open + 1;

    for (;;) {
        const char *end = item + strcspn(item, ",}");
        char *text = cf_format("%.*s%.*s%s", (int)(brace->open - line), line, (int)(end - item),
                               item, brace->close + 1);
        int answer = cf_pairs_expand(text, each, context, err);

        free(text);
        if (answer != 0 || end == brace->close)
            return answer;
        item = end + 1;
    }
}

int cf_pairs_expand(const char *line, int (*each)(const char *, void *), void *context,
                    struct cf_error *err)
{
    struct brace brace;
    int found = find_brace(line, &brace, err), answer = 0;

    if (found <= 0)
        return found < 0 ? found : each(line, context);
    if (brace.first > brace.last)
        return expand_list(line, &brace, each, context, err);
    for (long long i = brace.first; i <= brace.last && answer == 0; ++i) {
        char *text = cf_format("%.*s%lld%s", (int)(brace.open - line), line, i, brace.close + 1);

        answer = cf_pairs_expand(text, each, context, err);
        free(text);
    }
    return answer;
}

int cf_glob_match(const char *glob, const char *text)
{
    return !glob || !*glob || fnmatch(glob, text, 0) == 0;
}
