#include "merge.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "merge_internal.h"

static int refuse(struct cf_merging *m, const char *what, const char *text)
{
    return cf_fail(m->err,
                   "%s and a store before it disagree about %s of `%s`; merge runs of one plan",
                   m->part[m->at].path, what, text);
}

/* `text` with node=NAME, in canonical form; the caller frees. NULL and a sentence. */
static char *with_node(const char *text, const char *node, struct cf_error *err)
{
    char *escaped = node ? cf_pairs_escape(node) : NULL,
         *line = node ? cf_format("%s node=%s", text, escaped) : cf_strdup(text), *canonical = NULL;
    struct cf_config config;

    if (cf_config_parse(&config, line, err) == 0) {
        canonical = cf_strdup(config.text);
        cf_config_free(&config);
    }
    free(escaped);
    free(line);
    return canonical;
}

static char *requested_with(const char *requested, const char *node)
{
    json_t *object = json_loads(requested, 0, NULL);
    char *text;

    if (!object || !node) {
        json_decref(object);
        return cf_strdup(requested);
    }
    json_object_set_new(object, "node", json_string(node));
    text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(object);
    return text;
}

/* Looks a text up among the rows of the new store. */
struct lookup {
    const char *text;
    int64_t id; /* 0: not there */
    struct cf_plan_case row;
};

static int match_configuration(void *context, const struct cf_plan_configuration *row)
{
    struct lookup *lookup = context;

    if (strcmp(row->text, lookup->text) == 0)
        lookup->id = row->id;
    return lookup->id != 0;
}

static int match_case(void *context, const struct cf_plan_case *row)
{
    struct lookup *lookup = context;

    if (strcmp(row->text, lookup->text) != 0)
        return 0;
    lookup->id = row->id;
    lookup->row = *row;
    return 1;
}

static void remember(int64_t **map, int *room, int64_t id, int64_t to)
{
    if (id >= *room) {
        const int more = (int)id * 2 + 16;

        *map = cf_realloc(*map, (size_t)more * sizeof **map);
        memset(*map + *room, 0, (size_t)(more - *room) * sizeof **map);
        *room = more;
    }
    (*map)[id] = to;
}

static int take_configuration(void *context, const struct cf_plan_configuration *row)
{
    struct cf_merging *m = context;
    struct cf_merge_part *part = &m->part[m->at];
    char *text = with_node(row->text, part->node, m->err),
         *label =
             part->node ? cf_format("%s node=%s", row->label, part->node) : cf_strdup(row->label),
         *requested = requested_with(row->requested, part->node);
    struct lookup lookup = {.text = text};
    int result = text ? 0 : -1;

    if (result == 0)
        cf_store_each_configuration(m->out, match_configuration, &lookup);
    if (result == 0 && lookup.id == 0) {
        struct cf_plan_configuration fresh = {
            .text = text, .label = label, .requested = requested, .effective = row->effective};

        result = cf_store_put_configuration(m->out, &fresh, m->err);
        lookup.id = fresh.id;
        if (result == 0)
            result = cf_store_put_effective(m->out, fresh.id, row->effective, m->err);
    }
    if (result == 0)
        remember(&part->configuration, &part->n_configurations, row->id, lookup.id);
    free(text);
    free(label);
    free(requested);
    return result;
}

static int is_drawn(const struct cf_digest *digest)
{
    static const struct cf_digest none;

    return !cf_digest_equal(digest, &none);
}

static int take_case(void *context, const struct cf_plan_case *row)
{
    struct cf_merging *m = context;
    struct cf_merge_part *part = &m->part[m->at];
    struct lookup lookup = {.text = row->text};
    struct cf_plan_case fresh = *row;

    cf_store_each_case(m->out, match_case, &lookup);
    if (lookup.id == 0) {
        if (cf_store_put_case(m->out, &fresh, m->err) != 0)
            return -1;
        lookup.id = fresh.id;
        lookup.row =
            (struct cf_plan_case){.processes = row->processes, .repetitions = row->repetitions};
    }
    if (lookup.row.processes != row->processes || lookup.row.repetitions != row->repetitions)
        return refuse(m, "the numbers of processes and repetitions", row->text);
    if (is_drawn(&lookup.row.inputs) && is_drawn(&row->inputs) &&
        !cf_digest_equal(&lookup.row.inputs, &row->inputs))
        return refuse(m, "the inputs", row->text);
    remember(&part->case_id, &part->n_cases, row->id, lookup.id);
    return is_drawn(&row->inputs) ? cf_store_put_inputs(m->out, lookup.id, &row->inputs, m->err)
                                  : 0;
}

static int take_library(void *context, int64_t configuration, const struct cf_mapped *mapped)
{
    struct cf_merging *m = context;

    return cf_store_put_library(m->out, m->part[m->at].configuration[configuration], mapped,
                                m->err);
}

static int take_record(void *context, const struct cf_record *record)
{
    struct cf_merging *m = context;
    struct cf_merge_part *part = &m->part[m->at];
    struct cf_record copy = *record;
    uint64_t n_bytes = 0;
    void *outputs = NULL;
    int result;

    copy.configuration = part->configuration[record->configuration];
    copy.case_id = part->case_id[record->case_id];
    if (cf_store_has_record(m->out, copy.configuration, copy.case_id, copy.process,
                            copy.repetition))
        return cf_fail(m->err, "%s holds records that another store holds too; give each run once",
                       part->path);
    if (record->fate == CF_RAN) {
        outputs = cf_store_get_outputs(part->store, &record->digest, &n_bytes, m->err);
        if (!outputs)
            return -1;
    }
    result = cf_store_put_record(m->out, &copy, outputs, n_bytes, m->err);
    free(outputs);
    return result;
}

static int take_part(struct cf_merging *m)
{
    struct cf_merge_part *part = &m->part[m->at];

    m->err->exit_code = 0;
    if (cf_store_each_configuration(part->store, take_configuration, m) == 0 &&
        cf_store_each_case(part->store, take_case, m) == 0 &&
        cf_store_each_library(part->store, take_library, m) == 0 &&
        cf_store_each_record(part->store, take_record, m) == 0)
        return 0;
    if (m->err->exit_code == 0) /* a row could not be read */
        cf_store_problem(part->store, m->err);
    return -1;
}

/* The file's name without folder and suffix. */
static char *stem_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');

    return cf_format("%.*s", (int)(dot && dot > name ? (size_t)(dot - name) : strlen(name)), name);
}

static int open_part(struct cf_merge_part *part, const char *path, struct cf_error *err)
{
    char *shard;

    part->path = path;
    part->store = cf_store_open(path, CF_STORE_READ, err);
    if (!part->store)
        return -1;
    part->node = cf_store_get_meta(part->store, "node");
    part->tool = cf_store_get_meta(part->store, "tool");
    part->level = cf_store_get_meta(part->store, "level");
    shard = cf_store_get_meta(part->store, "shard");
    if (!shard || sscanf(shard, "%" SCNd64 "/%" SCNd64, &part->index, &part->count) != 2)
        part->index = part->count = 0;
    free(shard);
    if (!part->node && part->count == 0)
        part->node = stem_of(path);
    return 0;
}

static int order(const struct cf_merge_part *a, const struct cf_merge_part *b)
{
    const int by_node = strcmp(a->node ? a->node : "", b->node ? b->node : "");

    if (a->index != b->index)
        return a->index < b->index ? -1 : 1;
    return by_node;
}

static int by_order(const void *a, const void *b)
{
    return order(a, b);
}

static int same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static int check_parts(struct cf_merging *m)
{
    for (int i = 1; i < m->n; ++i) {
        const struct cf_merge_part *a = &m->part[i - 1], *b = &m->part[i];

        if (order(a, b) == 0)
            return cf_fail(m->err,
                           "%s and %s are of one machine and shard (%s); one of them would count "
                           "twice: leave it out, or run with --node=NAME",
                           a->path, b->path, b->node ? b->node : "no node");
        if (!same_text(a->tool, b->tool))
            return cf_fail(m->err, "%s was made by %s and %s by %s; run both with one version",
                           a->path, a->tool ? a->tool : "?", b->path, b->tool ? b->tool : "?");
        if (!same_text(a->level, b->level))
            return cf_fail(m->err, "%s was made for the %s level and %s for the %s one", a->path,
                           a->level ? a->level : "?", b->path, b->level ? b->level : "?");
    }
    return 0;
}

/* Which indices are not there: in the words of Slurm, so that they can be pasted. */
static char *name_missing(const struct cf_merging *m, int64_t expect)
{
    char *list = cf_strdup(""), *sentence;

    for (int64_t i = 0; i < expect && strlen(list) < 400; ++i) {
        int there = 0;

        for (int k = 0; k < m->n; ++k)
            there |= m->part[k].count > 0 && m->part[k].index == i;
        if (!there) {
            char *longer = cf_format("%s%s%" PRId64, list, *list ? "," : "", i);

            free(list);
            list = longer;
        }
    }
    sentence =
        m->part[0].count > 0
            ? cf_format("%" PRId64 " of %" PRId64 " stores are missing: --array=%s", expect - m->n,
                        expect, list)
            : cf_format("%" PRId64 " of %" PRId64 " stores are missing", expect - m->n, expect);
    free(list);
    return sentence;
}

static int write_all(struct cf_merging *m)
{
    int result = cf_store_begin(m->out, m->err);

    for (m->at = 0; m->at < m->n && result == 0; ++m->at)
        result = take_part(m);
    if (result == 0)
        result = cf_merge_metas(m);
    if (result == 0)
        return cf_store_commit(m->out, m->err);
    cf_store_rollback(m->out);
    return -1;
}

static void close_parts(struct cf_merging *m)
{
    for (int i = 0; i < m->n; ++i) {
        struct cf_merge_part *part = &m->part[i];

        if (part->store)
            cf_store_close(part->store);
        free(part->node);
        free(part->tool);
        free(part->level);
        free(part->configuration);
        free(part->case_id);
    }
    free(m->part);
}

int cf_merge(const char *out, const char *const paths[], int n, int64_t expect, char **missing,
             struct cf_error *err)
{
    struct cf_merging m = {
        .part = cf_alloc_zero((size_t)(n + 1) * sizeof m.part[0]), .n = n, .err = err};
    int result = 0;

    *missing = NULL;
    for (int i = 0; i < n && result == 0; ++i)
        result = open_part(&m.part[i], paths[i], err);
    if (result == 0) {
        qsort(m.part, (size_t)n, sizeof m.part[0], by_order);
        result = check_parts(&m);
    }
    if (result == 0 && !(m.out = cf_store_open(out, CF_STORE_CREATE, err)))
        result = -1;
    if (m.out) {
        result = write_all(&m);
        cf_store_close(m.out);
        if (result != 0)
            unlink(out);
    }
    if (result == 0 && expect > n)
        *missing = name_missing(&m, expect);
    close_parts(&m);
    return result;
}
