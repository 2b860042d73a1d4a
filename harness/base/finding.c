#include "finding.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "error.h"

/* Appends the words in double quotes as a POSIX shell reads them; frees what was there. */
static char *append_quoted(char *text, const char *words)
{
    char *quoted = cf_alloc(2 * strlen(words) + 1), *to = quoted, *longer;

    for (; *words; ++words) {
        if (strchr("\"\\$`", *words))
            *to++ = '\\';
        *to++ = *words;
    }
    *to = '\0';
    longer = cf_format("%s \"%s\"", text, quoted);
    free(quoted);
    free(text);
    return longer;
}

/* The only pair in which two configurations differ, or -1. */
static int only_difference(const struct cf_config *a, const struct cf_config *b)
{
    int found = -1;

    if (strcmp(a->backend, b->backend) != 0 || a->keys.n != b->keys.n)
        return -1;
    for (int i = 1; i < a->keys.n; ++i) {
        if (strcmp(a->keys.pair[i].key, b->keys.pair[i].key) != 0)
            return -1;
        if (strcmp(a->keys.pair[i].value, b->keys.pair[i].value) == 0)
            continue;
        if (found >= 0)
            return -1;
        found = i;
    }
    return found;
}

/* "blas lib=x threads={1,2}" for two that differ in one value. The caller frees; NULL when they
 * differ in more. */
static char *merge(const char *text_a, const char *text_b)
{
    struct cf_config a, b;
    char *merged = NULL;
    int found;

    if (cf_config_parse(&a, text_a, NULL) != 0)
        return NULL;
    if (cf_config_parse(&b, text_b, NULL) != 0) {
        cf_config_free(&a);
        return NULL;
    }
    found = only_difference(&a, &b);
    if (found > 0) {
        const char *key = a.keys.pair[found].key;
        char *value = cf_pairs_escape(a.keys.pair[found].value);
        char *other = cf_pairs_escape(b.keys.pair[found].value);
        char *word = cf_format(" %s=%s", key, value);
        const char *at = strstr(a.text, word);

        if (at)
            merged = cf_format("%.*s %s={%s,%s}%s", (int)(at - a.text), a.text, key, value, other,
                               at + strlen(word));
        free(word);
        free(other);
        free(value);
    }
    cf_config_free(&a);
    cf_config_free(&b);
    return merged;
}

char *cf_finding_replay(const struct cf_findings *findings, const struct cf_finding *finding)
{
    const int a = finding->a.configuration >= 0 ? finding->a.configuration : finding->configuration;
    const int b = finding->b.configuration >= 0 ? finding->b.configuration : finding->other;
    const char *text_a = findings->configurations[a].text;
    const char *text_b = b >= 0 && b != a ? findings->configurations[b].text : NULL;
    char *merged = text_b ? merge(text_a, text_b) : NULL;
    char *line =
        append_quoted(cf_strdup("conform replay"), finding->case_text ? finding->case_text : "");

    line = append_quoted(line, merged ? merged : text_a);
    if (text_b && !merged)
        line = append_quoted(line, text_b);
    free(merged);
    return line;
}
