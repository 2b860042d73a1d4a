#include "extension.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cf_extensions_add(struct cf_extensions *x, int first, int end, const char asked[],
                       int n_configurations)
{
    struct cf_extension *one;

    x->all = cf_realloc(x->all, (size_t)(x->n + 1) * sizeof x->all[0]);
    one = &x->all[x->n++];
    *one = (struct cf_extension){.first = first, .end = end};
    one->configuration = cf_alloc((size_t)(n_configurations + 1) * sizeof one->configuration[0]);
    for (int i = 0; i < n_configurations; ++i)
        if (asked[i])
            one->configuration[one->n++] = i;
}

void cf_extensions_free(struct cf_extensions *x)
{
    for (int i = 0; i < x->n; ++i)
        free(x->all[i].configuration);
    free(x->all);
    *x = (struct cf_extensions){0};
}

int cf_extensions_ask(const struct cf_extensions *x, int case_index, int configuration)
{
    for (int i = 0; i < x->n; ++i) {
        if (case_index < x->all[i].first || case_index >= x->all[i].end)
            continue;
        for (int k = 0; k < x->all[i].n; ++k)
            if (x->all[i].configuration[k] == configuration)
                return 1;
        return 0;
    }
    return 1;
}

/* The next number of a line, from 1; 0: there is none; -1: something else stands there. */
static int next(char **at)
{
    char *end;
    long value;

    *at += strspn(*at, " ");
    if (**at == '\0')
        return 0;
    value = strtol(*at, &end, 10);
    if (end == *at || value < 1 || value >= INT_MAX)
        return -1;
    *at = end;
    return (int)value;
}

static int parse(struct cf_extensions *x, char *line)
{
    const int first = next(&line), end = next(&line);
    char *asked = cf_alloc_zero(strlen(line) + 1);
    int n = 0, room = 0, id = 0;

    while (first > 0 && end > first && (id = next(&line)) > 0) {
        if (id > room) {
            asked = cf_realloc(asked, (size_t)id);
            memset(asked + room, 0, (size_t)(id - room));
            room = id;
        }
        asked[id - 1] = 1;
        ++n;
    }
    if (n > 0 && id == 0)
        cf_extensions_add(x, first - 1, end - 1, asked, room);
    free(asked);
    return n > 0 && id == 0 ? 0 : -1;
}

int cf_extensions_read(struct cf_extensions *x, struct cf_store *store, struct cf_error *err)
{
    char *text = cf_store_get_meta(store, "extensions"), *save = NULL;
    int result = 0;

    *x = (struct cf_extensions){0};
    for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line && result == 0;
         line = strtok_r(NULL, "\n", &save))
        result = parse(x, line);
    free(text);
    if (result == 0)
        return 0;
    cf_extensions_free(x);
    return cf_fail_with(err, 3, "the store's list of added seeds is damaged; restore a copy");
}

int cf_extensions_write(const struct cf_extensions *x, struct cf_store *store, struct cf_error *err)
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    int result;

    CF_CHECK(out != NULL);
    for (int i = 0; i < x->n; ++i) {
        fprintf(out, "%d %d", x->all[i].first + 1, x->all[i].end + 1);
        for (int k = 0; k < x->all[i].n; ++k)
            fprintf(out, " %d", x->all[i].configuration[k] + 1);
        fputc('\n', out);
    }
    CF_CHECK(fclose(out) == 0 && text);
    result = cf_store_put_meta(store, "extensions", text, err);
    free(text);
    return result;
}
