#include "chosen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

#define MORE " ..."

/* The start of "key=" among the words of a text, or NULL. */
static const char *find(const char *text, const char *key)
{
    const size_t n = strlen(key);

    for (const char *at = text; *at;) {
        if (strncmp(at, key, n) == 0 && at[n] == '=')
            return at;
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    return NULL;
}

/* Is a member of n characters in the set that starts at `set`? */
static int has(const char *set, const char *member, size_t n)
{
    const size_t end = strcspn(set, " ");

    for (size_t at = 0; at < end;) {
        const size_t length = strcspn(set + at, "| ");

        if (length == n && strncmp(set + at, member, n) == 0)
            return 1;
        at += length + 1;
    }
    return 0;
}

/* Puts `more` at byte `at`, if it leaves room for the mark of what is dropped. */
static void insert(char text[CF_CHOSEN_MAX], size_t at, const char *more)
{
    const size_t n = strlen(text), length = strlen(more);
    const int is_full = n >= sizeof MORE - 1 && strcmp(text + n - (sizeof MORE - 1), MORE) == 0;

    if (is_full)
        return;
    if (n + length + sizeof MORE > CF_CHOSEN_MAX) {
        memcpy(text + n, MORE, sizeof MORE);
        return;
    }
    memmove(text + at + length, text + at, n - at + 1);
    memcpy(text + at, more, length);
}

static void add_member(char text[CF_CHOSEN_MAX], const char *key, const char *member, size_t n)
{
    const char *word = find(text, key);
    char *more;

    if (word && has(word + strlen(key) + 1, member, n))
        return;
    more = word ? cf_format("|%.*s", (int)n, member)
                : cf_format("%s%s=%.*s", *text ? " " : "", key, (int)n, member);
    for (char *c = more + (*more == ' '); *c; ++c)
        if (*c <= ' ' || *c > '~')
            *c = '_';
    insert(text, word ? (size_t)(word - text) + strcspn(word, " ") : strlen(text), more);
    free(more);
}

void cf_chosen_add(char text[CF_CHOSEN_MAX], const char *key, const char *value)
{
    while (*value) {
        const size_t n = strcspn(value, "|");

        if (n > 0)
            add_member(text, key, value, n);
        value += n + (value[n] == '|');
    }
}

const char *cf_chosen_get(const char *text, const char *key, char value[CF_CHOSEN_MAX])
{
    const char *word = find(text, key);

    if (!word)
        return NULL;
    word += strlen(key) + 1;
    snprintf(value, CF_CHOSEN_MAX, "%.*s", (int)strcspn(word, " "), word);
    return value;
}

/* Appends "key from X to Y". */
static void tell(char **list, const char *key, const char *from, const char *to)
{
    char *longer = cf_format("%s%s%s from %s to %s", *list ? *list : "", *list ? ", " : "", key,
                             from ? from : "-", to ? to : "-");

    free(*list);
    *list = longer;
}

/* Each key of a text whose value is another in `other`; of the second text, what the first lacks.
 * How many keys both have. */
static int tell_all(char **list, const char *text, const char *other, int is_first)
{
    int n_common = 0;

    while (*text) {
        const size_t n = strcspn(text, " "), length = strcspn(text, "= ");
        char *key = strndup(text, length), was[CF_CHOSEN_MAX], is[CF_CHOSEN_MAX];
        const char *a = cf_chosen_get(text, key, was), *b = cf_chosen_get(other, key, is);

        n_common += a && b;
        if (a && is_first && !(b && strcmp(a, b) == 0))
            tell(list, key, a, b);
        else if (a && !is_first && !b)
            tell(list, key, NULL, a);
        free(key);
        text += n + strspn(text + n, " ");
    }
    return n_common;
}

char *cf_chosen_change(const char *a, const char *b)
{
    char *list = NULL;
    const int n_common = tell_all(&list, a, b, 1);

    tell_all(&list, b, a, 0);
    if (n_common > 0)
        return list;
    free(list);
    return NULL;
}
