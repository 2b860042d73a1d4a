/* matrix_yaml: the file that people write. libyaml's document API keeps line and column of every
 * node, and a key whose value is a list (a sweep) or an open mapping (env) needs no fixed schema.
 */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "matrix.h"
#include "suggest.h"

#define NODES_MAX 20000

struct reading {
    struct cf_matrix *matrix;
    yaml_document_t document;
    const char *path;
    struct cf_error *err;
    char *line; /* the configuration that is being put together, braces for sweeps */
    char *label;
};

#define COMPLAIN(r, node, format, ...)                                                             \
    cf_fail((r)->err, "%s:%zu:%zu: " format, (r)->path, (node)->start_mark.line + 1,               \
            (node)->start_mark.column + 1, __VA_ARGS__)

static yaml_node_t *node_of(struct reading *r, int index)
{
    return yaml_document_get_node(&r->document, index);
}

static const char *text_of(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

static int is_word(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE && strlen(text_of(node)) == node->data.scalar.length &&
           node->data.scalar.length > 0;
}

static void append(struct reading *r, const char *between, const char *more)
{
    char *longer = cf_format("%s%s%s", r->line, between, more);

    free(r->line);
    r->line = longer;
}

/* A value as the grammar wants it. */
static void append_value(struct reading *r, const char *between, const char *value)
{
    char *escaped = cf_pairs_escape(value);

    append(r, between, escaped);
    free(escaped);
}

/* Every file that a path or glob stands for, by its real name; relative to the matrix. */
static int append_files(struct reading *r, const yaml_node_t *node, const char *between)
{
    const char *word = text_of(node), *slash = strrchr(r->path, '/');
    char *pattern = *word == '/' || !slash
                        ? cf_format("%s%s", *word == '/' ? "" : "./", word)
                        : cf_format("%.*s/%s", (int)(slash - r->path), r->path, word);
    glob_t found = {0};
    int result = 0;

    if (!strchr(word, '/'))
        result = COMPLAIN(r, node, "`%s` is searched for by the loader; write a path, as in ./%s",
                          word, word);
    else if (glob(pattern, GLOB_NOCHECK | GLOB_BRACE, NULL, &found) != 0)
        result = COMPLAIN(r, node, "`%s` cannot be looked up", word);
    for (size_t i = 0; result == 0 && i < found.gl_pathc; ++i) {
        char real[PATH_MAX];

        if (!realpath(found.gl_pathv[i], real))
            result = COMPLAIN(r, node, "there is no file `%s`", word);
        else
            append_value(r, i == 0 ? between : ",", real);
    }
    globfree(&found);
    free(pattern);
    return result;
}

static int append_item(struct reading *r, const char *key, const yaml_node_t *node,
                       const char *between)
{
    if (!is_word(node))
        return COMPLAIN(r, node, "%s must be a word or a list of words", key);
    if (strcmp(key, "lib") == 0)
        return append_files(r, node, between);
    append_value(r, between, text_of(node));
    return 0;
}

/* ` key={a,b}`; braces of one item are dropped by the expansion. */
static int append_key(struct reading *r, const char *key, const yaml_node_t *node)
{
    char *start = cf_format(" %s=", key);
    int result = 0, n = 0;

    append(r, start, "{");
    free(start);
    if (node->type != YAML_SEQUENCE_NODE)
        result = append_item(r, key, node, "");
    else if (node->data.sequence.items.start == node->data.sequence.items.top)
        return COMPLAIN(r, node, "the list of %s is empty; leave the key out", key);
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         node->type == YAML_SEQUENCE_NODE && item < node->data.sequence.items.top && result == 0;
         ++item)
        result = append_item(r, key, node_of(r, *item), n++ ? "," : "");
    append(r, "}", "");
    return result;
}

static int check_unique(struct reading *r, const yaml_node_t *map, const yaml_node_pair_t *pair)
{
    const yaml_node_t *key = node_of(r, pair->key);

    if (!is_word(key))
        return COMPLAIN(r, key, "%s", "a key must be a word");
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < pair; ++p)
        if (strcmp(text_of(node_of(r, p->key)), text_of(key)) == 0)
            return COMPLAIN(r, key, "`%s` occurs twice; keep one", text_of(key));
    return 0;
}

static int append_environment(struct reading *r, const yaml_node_t *map)
{
    int result = 0;

    if (map->type != YAML_MAPPING_NODE)
        return COMPLAIN(r, map, "%s", "env must hold NAME: value pairs");
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start;
         p < map->data.mapping.pairs.top && result == 0; ++p) {
        char *key;

        if (check_unique(r, map, p) != 0)
            return -1;
        if (strpbrk(text_of(node_of(r, p->key)), " ={},%"))
            return COMPLAIN(r, node_of(r, p->key), "`%s` is no name of a variable",
                            text_of(node_of(r, p->key)));
        key = cf_format("env.%s", text_of(node_of(r, p->key)));
        result = append_key(r, key, node_of(r, p->value));
        free(key);
    }
    return result;
}

static int unknown_key(struct reading *r, const yaml_node_t *node, const char *const names[], int n)
{
    char *hint = cf_suggest_words(text_of(node), names, n);
    char *all = cf_strdup("");

    for (int i = 0; i < n && !*hint; ++i) {
        char *longer = cf_format("%s %s", all, names[i]);

        free(all);
        all = longer;
    }
    COMPLAIN(r, node, "there is no key `%s`%s%s", text_of(node), *hint ? hint : "; the keys are",
             all);
    free(all);
    free(hint);
    return -1;
}

static int read_key(struct reading *r, const yaml_node_t *key, const yaml_node_t *value)
{
    const char *names[32] = {"backend", "label", "env"};
    int n = 3;

    for (const struct cf_config_key *k = cf_config_keys; k->name; ++k)
        names[n++] = k->name;
    if (strcmp(text_of(key), "env") == 0)
        return append_environment(r, value);
    if (strcmp(text_of(key), "label") == 0) {
        if (!is_word(value))
            return COMPLAIN(r, value, "%s", "label must be a word or a phrase");
        free(r->label);
        r->label = cf_strdup(text_of(value));
        return 0;
    }
    if (strcmp(text_of(key), "backend") == 0)
        return 0; /* read before the others */
    for (int i = 3; i < n; ++i)
        if (strcmp(text_of(key), names[i]) == 0)
            return append_key(r, text_of(key), value);
    return unknown_key(r, key, names, n);
}

static int read_backend(struct reading *r, const yaml_node_t *map)
{
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; ++p)
        if (is_word(node_of(r, p->key)) && strcmp(text_of(node_of(r, p->key)), "backend") == 0) {
            const yaml_node_t *value = node_of(r, p->value);

            if (!is_word(value) || strpbrk(text_of(value), " ={},%"))
                return COMPLAIN(r, value, "%s", "backend must be one word, as in backend: blas");
            append(r, text_of(value), "");
            return 0;
        }
    return COMPLAIN(r, map, "%s", "a configuration needs its backend, as in backend: blas");
}

/* One entry into the matrix; *first receives the index of what it stands for. */
static int read_entry(struct reading *r, const yaml_node_t *map, int *first)
{
    struct cf_error inner = {0};
    int result;

    if (map->type != YAML_MAPPING_NODE)
        return COMPLAIN(r, map, "%s", "a configuration must be written as key: value pairs");
    free(r->line);
    free(r->label);
    r->line = cf_strdup("");
    r->label = NULL;
    result = read_backend(r, map);
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start;
         p < map->data.mapping.pairs.top && result == 0; ++p) {
        result = check_unique(r, map, p);
        if (result == 0)
            result = read_key(r, node_of(r, p->key), node_of(r, p->value));
    }
    if (result == 0 && cf_matrix_add(r->matrix, r->line, r->label, first, &inner) != 0)
        result = COMPLAIN(r, map, "%s", inner.text);
    return result;
}

static int read_list(struct reading *r, const yaml_node_t *list)
{
    int result = 0;

    if (list->type != YAML_SEQUENCE_NODE)
        return COMPLAIN(r, list, "%s", "configurations must be a list: lines that start with `-`");
    for (yaml_node_item_t *item = list->data.sequence.items.start;
         item < list->data.sequence.items.top && result == 0; ++item)
        result = read_entry(r, node_of(r, *item), NULL);
    return result;
}

static int read_root(struct reading *r, const yaml_node_t *root)
{
    static const char *const names[] = {"baseline", "configurations"};
    int result = 0;

    if (root->type != YAML_MAPPING_NODE)
        return COMPLAIN(r, root, "%s", "the matrix must hold `baseline:` and `configurations:`");
    for (yaml_node_pair_t *p = root->data.mapping.pairs.start;
         p < root->data.mapping.pairs.top && result == 0; ++p) {
        const yaml_node_t *key = node_of(r, p->key), *value = node_of(r, p->value);

        if ((result = check_unique(r, root, p)) != 0)
            break;
        if (strcmp(text_of(key), "configurations") == 0)
            result = read_list(r, value);
        else if (strcmp(text_of(key), "baseline") == 0)
            result = read_entry(r, value, &r->matrix->baseline);
        else
            result = unknown_key(r, key, names, 2);
    }
    if (result == 0 && r->matrix->n == 0)
        result = COMPLAIN(r, root, "%s", "the matrix names no configuration");
    return result;
}

static int read_document(struct reading *r, yaml_parser_t *parser)
{
    const yaml_node_t *root;
    int result;

    if (!yaml_parser_load(parser, &r->document))
        return cf_fail(r->err, "%s:%zu:%zu: this is no YAML: %s", r->path,
                       parser->problem_mark.line + 1, parser->problem_mark.column + 1,
                       parser->problem ? parser->problem : "out of memory");
    root = yaml_document_get_root_node(&r->document);
    if (!root)
        result = cf_fail(r->err, "%s:1:1: the file is empty; docs/matrix.md shows what it may say",
                         r->path);
    else if (r->document.nodes.top - r->document.nodes.start > NODES_MAX)
        result = COMPLAIN(r, root, "the file has more than %d values", NODES_MAX);
    else
        result = read_root(r, root);
    yaml_document_delete(&r->document);
    free(r->line);
    free(r->label);
    return result;
}

int cf_matrix_read(struct cf_matrix *matrix, const char *path, struct cf_error *err)
{
    struct reading reading = {.matrix = matrix, .path = path, .err = err};
    yaml_parser_t parser;
    FILE *file = fopen(path, "re");
    int result;

    if (!file)
        return cf_fail(err, "the matrix %s cannot be read: %s", path, strerror(errno));
    CF_CHECK(yaml_parser_initialize(&parser));
    yaml_parser_set_input_file(&parser, file);
    result = read_document(&reading, &parser);
    yaml_parser_delete(&parser);
    fclose(file);
    return result;
}
