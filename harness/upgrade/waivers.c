#include "waivers.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pairs.h"

static int is_date(const char *text)
{
    static const char pattern[] = "dddd-dd-dd";
    int i = 0;

    for (; pattern[i]; ++i)
        if (pattern[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != pattern[i])
            return 0;
    return text[i] == '\0';
}

static int parse_digest(const char *text, struct cf_digest *digest)
{
    if (strncmp(text, "xxh3:", 5) != 0 || strlen(text) != 37 ||
        strspn(text + 5, "0123456789abcdef") != 32)
        return -1;
    for (int i = 0; i < 16; ++i) {
        const char pair[3] = {text[5 + 2 * i], text[6 + 2 * i], '\0'};

        digest->byte[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return 0;
}

static int take(struct cf_waivers *waivers, const char *path, size_t i, json_t *entry,
                struct cf_error *err)
{
    static const char *const keys[] = {"case", "owner", "reason", "expires", "digest"};
    const char *word[5];
    struct cf_waiver *w = &waivers->waiver[waivers->n];

    for (int k = 0; k < 5; ++k) {
        word[k] = json_string_value(json_object_get(entry, keys[k]));
        if (!word[k] || !*word[k])
            return cf_fail(err,
                           "%s: waiver %zu has no `%s`; case, owner, reason, expires and "
                           "digest must all be there",
                           path, i + 1, keys[k]);
    }
    if (json_object_size(entry) != 5)
        return cf_fail(err, "%s: waiver %zu has more than case, owner, reason, expires and digest",
                       path, i + 1);
    if (!is_date(word[3]))
        return cf_fail(err, "%s: waiver %zu expires on `%s`; write YYYY-MM-DD", path, i + 1,
                       word[3]);
    if (parse_digest(word[4], &w->digest) != 0)
        return cf_fail(err, "%s: waiver %zu: `%s` is no digest; copy it from the gate's report",
                       path, i + 1, word[4]);
    w->glob = cf_strdup(word[0]);
    w->owner = cf_strdup(word[1]);
    w->reason = cf_strdup(word[2]);
    w->expires = cf_strdup(word[3]);
    ++waivers->n;
    return 0;
}

int cf_waivers_read(struct cf_waivers *waivers, const char *path, struct cf_error *err)
{
    json_error_t error;
    json_t *list = json_load_file(path, JSON_REJECT_DUPLICATES, &error), *entry;
    int result = 0;
    size_t i;

    *waivers = (struct cf_waivers){0};
    if (!json_is_array(list)) {
        json_decref(list);
        return cf_fail(err, "%s:%d: %s", path, list ? 1 : error.line,
                       list ? "a file of waivers is a JSON array" : error.text);
    }
    waivers->waiver = cf_alloc_zero((json_array_size(list) + 1) * sizeof waivers->waiver[0]);
    json_array_foreach(list, i, entry) if (result == 0) result = take(waivers, path, i, entry, err);
    json_decref(list);
    if (result != 0)
        cf_waivers_free(waivers);
    return result;
}

void cf_waivers_free(struct cf_waivers *waivers)
{
    for (int i = 0; i < waivers->n; ++i) {
        free(waivers->waiver[i].glob);
        free(waivers->waiver[i].owner);
        free(waivers->waiver[i].reason);
        free(waivers->waiver[i].expires);
    }
    free(waivers->waiver);
    *waivers = (struct cf_waivers){0};
}

int cf_waivers_find(const struct cf_waivers *waivers, const char *case_text)
{
    for (int i = 0; i < waivers->n; ++i)
        if (cf_glob_match(waivers->waiver[i].glob, case_text))
            return i;
    return -1;
}

struct cf_digest cf_waiver_digest(const char *const text[], const struct cf_digest digest[], int n)
{
    struct cf_digest all;
    char *lines = cf_strdup("");

    if (n == 1) {
        free(lines);
        return digest[0];
    }
    for (int i = 0; i < n; ++i) {
        char word[33], *longer;

        cf_digest_print(word, &digest[i]);
        longer = cf_format("%s%s %s\n", lines, text[i], word);
        free(lines);
        lines = longer;
    }
    cf_digest_of(&all, lines, strlen(lines));
    free(lines);
    return all;
}

int cf_waiver_holds(const struct cf_waiver *w, const char *today, const char *const text[],
                    const struct cf_digest digest[], int n, char reason[300])
{
    const struct cf_digest now = cf_waiver_digest(text, digest, n);
    char was[33], is[33];

    cf_digest_print(was, &w->digest);
    cf_digest_print(is, &now);
    if (strcmp(today, w->expires) > 0)
        snprintf(reason, 300, "the waiver of %.80s expired on %s", w->owner, w->expires);
    else if (!cf_digest_equal(&now, &w->digest))
        snprintf(reason, 300, "the answers moved: %.80s waived xxh3:%s, and now it is xxh3:%s",
                 w->owner, was, is);
    else
        return 1;
    return 0;
}
