/* label_find: a configuration by the words that a report's table calls it. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "discover.h"
#include "versions.h"

/* Characters of the second word when it is a version, else 0; *rest: what follows it. */
static int version_of(const char *label, const char **rest)
{
    const char *second = label + strcspn(label, " ");
    int length;

    *rest = second;
    second += strspn(second, " ");
    if (!isdigit((unsigned char)*second))
        return 0;
    length = (int)strcspn(second, " ");
    *rest = second + length;
    return length;
}

/* The same words but for the version: a report adds the one that it read back, or more of its
 * numbers, and people leave it out. */
static int is_called(const char *label, const char *words)
{
    const size_t name = strcspn(label, " ");
    const char *rest_a, *rest_b;
    const int a = version_of(label, &rest_a), b = version_of(words, &rest_b);

    return strcspn(words, " ") == name && strncmp(label, words, name) == 0 &&
           strcmp(rest_a, rest_b) == 0 &&
           strncmp(rest_a - a, rest_b - b, (size_t)(a < b ? a : b)) == 0;
}

static const char *find(const struct cf_matrix *known, const char *words)
{
    int found = -1, n = 0;

    for (int i = 0; i < known->n; ++i) {
        if (strcmp(known->label[i], words) == 0)
            return known->line[i];
        if (is_called(known->label[i], words)) {
            found = i;
            ++n;
        }
    }
    return n == 1 ? known->line[found] : NULL;
}

char *cf_label_line(const char *words)
{
    struct cf_matrix known = {0};
    const char *line = NULL;
    char *copy;

    if (strchr(words, ' ') && cf_discover(&known, "", NULL, NULL, NULL) == 0)
        line = find(&known, words);
    copy = line ? cf_strdup(line) : NULL;
    cf_matrix_free(&known);
    return copy;
}

struct adding {
    struct cf_matrix *matrix;
    struct cf_error *err;
};

static int add_labelled(const char *words, void *context)
{
    const struct adding *adding = context;
    char *line = cf_versions_line(words, adding->err);
    const int result = line ? cf_matrix_add(adding->matrix, line, NULL, NULL, adding->err) : -1;

    free(line);
    return result;
}

int cf_matrix_add_words(struct cf_matrix *matrix, const char *words, struct cf_error *err)
{
    struct adding adding = {matrix, err};

    return cf_pairs_expand(words, add_labelled, &adding, err);
}
