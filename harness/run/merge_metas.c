/* What merged stores say of themselves: runs, machines and their environments, units. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "merge_internal.h"

/* The least or the greatest of a time stamp over all parts, or NULL. ISO 8601 sorts as text. */
static char *extreme(const struct cf_merging *m, const char *key, int sign)
{
    char *best = NULL;

    for (int i = 0; i < m->n; ++i) {
        char *value = cf_store_get_meta(m->part[i].store, key);

        if (value && (!best || sign * strcmp(value, best) > 0)) {
            free(best);
            best = value;
        } else {
            free(value);
        }
    }
    return best;
}

/* Takes the value; NULL puts nothing. */
static int put_owned(struct cf_merging *m, const char *key, char *value)
{
    const int result = value ? cf_store_put_meta(m->out, key, value, m->err) : 0;

    free(value);
    return result;
}

static char *baseline(struct cf_merging *m)
{
    char *text = cf_store_get_meta(m->part[0].store, "baseline");
    char *line = text && m->part[0].node ? cf_format("%s node=%s", text, m->part[0].node) : text;
    struct cf_config config;

    if (line && line != text) {
        free(text);
        if (cf_config_parse(&config, line, NULL) == 0) {
            free(line);
            line = cf_strdup(config.text);
            cf_config_free(&config);
        }
    }
    return line;
}

static const char *all_complete(const struct cf_merging *m)
{
    int all = 1;

    for (int i = 0; i < m->n; ++i) {
        char *value = cf_store_get_meta(m->part[i].store, "complete");

        all &= value && strcmp(value, "yes") == 0;
        free(value);
    }
    return all ? "yes" : "no";
}

static int is_common(const struct cf_merging *m, const char *key, const char *value)
{
    int common = 1;

    for (int i = 0; i < m->n && common; ++i) {
        char *other = cf_store_get_meta(m->part[i].store, key);

        common = other && strcmp(other, value) == 0;
        free(other);
    }
    return common;
}

static char *name_of(const struct cf_merge_part *part)
{
    return part->node ? cf_strdup(part->node) : cf_format("shard%lld", (long long)part->index);
}

static int take_environment(void *context, const char *key, const char *value)
{
    struct cf_merging *m = context;
    char *name, *own;
    int result;

    if (strncmp(key, "env.", 4) != 0)
        return 0;
    if (is_common(m, key, value))
        return cf_store_put_meta(m->out, key, value, m->err);
    name = name_of(&m->part[m->at]);
    own = cf_format("env.%s.%s", name, key + 4);
    result = cf_store_put_meta(m->out, own, value, m->err);
    free(name);
    free(own);
    return result;
}

/* What machines that should give the same bits have in common. */
static char *kind_of(const struct cf_merge_part *part)
{
    static const char *const keys[] = {"env.cpu.vendor",       "env.cpu.family",
                                       "env.cpu.model",        "env.cpu.stepping",
                                       "env.cpu.flags_sha256", "env.machine.product"};
    char *value[CF_COUNT(keys)], *kind;

    for (int i = 0; i < CF_COUNT(keys); ++i)
        if (!(value[i] = cf_store_get_meta(part->store, keys[i])))
            value[i] = cf_strdup("?");
    kind = cf_format("%s family %s model %s stepping %s, flags %.8s, %s", value[0], value[1],
                     value[2], value[3], value[4], value[5]);
    for (int i = 0; i < CF_COUNT(keys); ++i)
        free(value[i]);
    return kind;
}

static int put_kind(struct cf_merging *m, const struct cf_merge_part *part)
{
    char *key;
    int result;

    if (!part->node)
        return 0;
    key = cf_format("node.%s.kind", part->node);
    result = put_owned(m, key, kind_of(part));
    free(key);
    return result;
}

/* One unit of a part, with the machine's name in it, as unit number *n of the whole. */
static int take_unit(struct cf_merging *m, const struct cf_merge_part *part, char *text, int *n)
{
    json_t *unit = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    char *key = cf_format("qualify.%05d", (*n)++), *name = name_of(part);
    int result;

    free(text);
    if (!json_is_object(unit))
        result =
            cf_fail_with(m->err, 3, "%s: a unit of the qualification cannot be read", part->path);
    else {
        json_object_set_new(unit, "node", json_string(name));
        result = put_owned(
            m, key, json_dumps(unit, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17)));
    }
    json_decref(unit);
    free(key);
    free(name);
    return result;
}

static int take_units(struct cf_merging *m)
{
    char *coverage = cf_strdup("");
    int n = 0, result = 0;

    for (int i = 0; i < m->n && result == 0; ++i) {
        const struct cf_merge_part *part = &m->part[i];
        char *own = cf_store_get_meta(part->store, "qualify.coverage"), *name = name_of(part);

        for (int k = 0; result == 0; ++k) {
            char *key = cf_format("qualify.%05d", k), *text = cf_store_get_meta(part->store, key);

            free(key);
            if (!text)
                break;
            result = take_unit(m, part, text, &n);
        }
        if (own) {
            char *longer = cf_format("%s%s%s: %s", coverage, *coverage ? " " : "", name, own);

            free(coverage);
            coverage = longer;
        }
        free(own);
        free(name);
    }
    if (result == 0 && *coverage)
        result = cf_store_put_meta(m->out, "qualify.coverage", coverage, m->err);
    free(coverage);
    return result;
}

int cf_merge_metas(struct cf_merging *m)
{
    int result = put_owned(m, "tool", cf_strdup(m->part[0].tool ? m->part[0].tool : ""));

    if (result == 0)
        result =
            put_owned(m, "level", cf_strdup(m->part[0].level ? m->part[0].level : "numerical"));
    if (result == 0)
        result = cf_store_put_meta(m->out, "command", "conform merge", m->err);
    if (result == 0)
        result = put_owned(m, "started", extreme(m, "started", -1));
    if (result == 0)
        result = put_owned(m, "finished", extreme(m, "finished", 1));
    if (result == 0)
        result = put_owned(m, "baseline", baseline(m));
    if (result == 0)
        result = cf_store_put_meta(m->out, "complete", all_complete(m), m->err);
    for (m->at = 0; m->at < m->n && result == 0; ++m->at) {
        result = put_kind(m, &m->part[m->at]);
        if (result == 0)
            result = cf_store_each_meta(m->part[m->at].store, take_environment, m);
    }
    if (result == 0)
        result = cf_merge_extensions(m);
    return result == 0 ? take_units(m) : -1;
}
