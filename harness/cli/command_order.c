/* order: in which order, and in which arithmetic, configurations add the terms of one element. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "documents.h"
#include "listing.h"
#include "order.h"
#include "select.h"
#include "sides.h"
#include "task.h"
#include "terminal.h"
#include "versions.h"

#define TREE_LINES 6 /* of a tree's text that are printed */
#define INDENT     16

static const char *kind_word(enum cf_order_kind kind)
{
    static const char *const words[] = {"tree", "order-free", "fickle", "no-tree", "not-measured"};

    return words[kind];
}

/* What was found of one case: one entry a configuration. */
struct found {
    const struct cf_plan *plan;
    const struct cf_case *c;
    struct cf_order *order;
    struct cf_digest *digest; /* of trees */
};

static char *proof(const struct cf_order *o)
{
    if (o->n_draws == 0)
        return cf_strdup("not tried: terms are added more than two at once, or in more than f64");
    if (o->n_same == o->n_draws)
        return cf_format("the bits of this tree in %d of %d draws", o->n_same, o->n_draws);
    return cf_format("INCOMPLETE: the bits of this tree in %d of %d draws; something else happens "
                     "too",
                     o->n_same, o->n_draws);
}

/* The text in lines of the page, cut after TREE_LINES. */
static void put_wrapped(FILE *out, const char *text, int width)
{
    const char *line = text;

    for (int n = 0; *line && n < TREE_LINES; ++n) {
        int length = (int)strlen(line), room = width - INDENT;

        if (length > room) {
            while (room > 1 && line[room] != ' ')
                --room;
            length = room > 1 ? room : width - INDENT;
        }
        fprintf(out, "%*s%.*s\n", n == 0 ? 0 : INDENT, "", length, line);
        line += length;
        line += *line == ' ';
    }
    if (*line)
        fprintf(out, "%*s... %zu characters in all; --json=FILE holds the whole tree\n", INDENT, "",
                strlen(text));
}

static void put_tree(FILE *out, const struct found *f, int i, int width)
{
    const struct cf_order *o = &f->order[i];
    char *said = cf_order_describe(o), *how = cf_order_arithmetic(o, f->c->dtype);
    char *proven = proof(o), *text = cf_sumtree_text(&o->tree), digest[33];
    int first = 0;

    cf_digest_print(digest, &f->digest[i]);
    while (!cf_order_same(&f->order[first], o))
        ++first;
    fprintf(out, "        order   %.7s: %s\n        sums    %s\n        proof   %s\n", digest, said,
            how, proven);
    if (first < i) {
        char name[16];

        fprintf(out, "        tree    as %s\n", cf_side_name(first, name));
    } else {
        fputs("        tree    ", out);
        put_wrapped(out, text, width);
    }
    free(said);
    free(how);
    free(proven);
    free(text);
}

static void put_side(FILE *out, const struct found *f, int i, int width)
{
    const struct cf_order *o = &f->order[i];
    char name[16];

    fprintf(out, "%-7s %s\n", cf_side_name(i, name), f->plan->configurations[i].config.text);
    if (o->kind == CF_ORDER_TREE) {
        put_tree(out, f, i, width);
    } else {
        char *said = cf_order_describe(o);

        fprintf(out, "        %s%s\n", o->kind == CF_ORDER_UNASKED ? "" : "order   ", said);
        free(said);
    }
}

/* "the same order: a, c; b, d" */
static void put_classes(FILE *out, const struct found *f)
{
    const int n = f->plan->n_configurations;
    int n_classes = 0;

    for (int i = 0; i < n; ++i) {
        int n_members = 0, is_first = 1;
        char name[16];

        for (int k = 0; k < i; ++k)
            is_first &= !cf_order_same(&f->order[k], &f->order[i]);
        for (int k = i + 1; is_first && k < n; ++k)
            if (cf_order_same(&f->order[i], &f->order[k])) {
                if (n_members == 0)
                    fprintf(out, "%s%s", n_classes++ == 0 ? "the same order: " : "; ",
                            cf_side_name(i, name));
                fprintf(out, ", %s", cf_side_name(k, name));
                ++n_members;
            }
    }
    if (n > 1)
        fputs(n_classes > 0 ? "\n" : "no two have the same order\n", out);
}

static void print(FILE *out, const struct found *f, const struct cf_options *options)
{
    const int width = cf_terminal_page(options).width;

    fprintf(out, "case    %s, element %lld\n", f->c->text, (long long)options->element);
    for (int i = 0; i < f->plan->n_configurations; ++i)
        put_side(out, f, i, width);
    put_classes(out, f);
}

/* Additions, each after those that it needs: its children, leaves as 0 .. n-1 and the k-th addition
 * as n + k. */
static json_t *additions_json(const struct cf_sumtree *t)
{
    int *number = cf_alloc((size_t)t->n_nodes * sizeof number[0]);
    json_t *list = json_array();

    for (int i = 0; i < t->n; ++i)
        number[i] = i;
    for (int k = 0; k < t->n_nodes - t->n; ++k) {
        json_t *children = json_array();

        number[t->up[k]] = t->n + k;
        for (int c = t->node[t->up[k]].child; c >= 0; c = t->node[c].next)
            json_array_append_new(children, json_integer(number[c]));
        json_array_append_new(list, children);
    }
    free(number);
    return list;
}

static json_t *side_json(const struct found *f, int i)
{
    const struct cf_order *o = &f->order[i];
    json_t *object =
        json_pack("{s:s,s:s,s:I}", "configuration", f->plan->configurations[i].config.text, "kind",
                  kind_word(o->kind), "requests", (json_int_t)o->n_asked);

    if (o->kind == CF_ORDER_TREE) {
        char *said = cf_order_describe(o), digest[33];

        cf_digest_print(digest, &f->digest[i]);
        json_object_update_new(object, json_pack("{s:s,s:s,s:i,s:i,s:i,s:i,s:i,s:i,s:o}", "order",
                                                 digest, "description", said, "depth",
                                                 cf_sumtree_depth(&o->tree), "wide", o->n_wide,
                                                 "unrounded_products", o->n_fused, "operand_bits",
                                                 o->operand_bits, "draws", o->n_draws, "same_bits",
                                                 o->n_same, "additions", additions_json(&o->tree)));
        free(said);
    }
    if (*o->reason)
        json_object_set_new(object, "reason", json_string(o->reason));
    return object;
}

static json_t *as_json(const struct found *f, int64_t element)
{
    json_t *sides = json_array();

    for (int i = 0; i < f->plan->n_configurations; ++i)
        json_array_append_new(sides, side_json(f, i));
    return json_pack("{s:s,s:I,s:o}", "case", f->c->text, "element", (json_int_t)element,
                     "configurations", sides);
}

/* 1: orders differ, or change, or a tree does not explain the bits; 3: one was not measured. */
static int outcome(const struct found *f)
{
    int code = 0;

    for (int i = 0; i < f->plan->n_configurations; ++i) {
        const struct cf_order *o = &f->order[i];

        if (o->kind == CF_ORDER_UNASKED)
            code = code == 0 ? 3 : code;
        else if (!cf_order_same(&f->order[0], o) || o->n_same != o->n_draws)
            code = 1;
    }
    return code;
}

static int find_all(struct found *f, const struct cf_options *options, const char *worker,
                    struct cf_error *err)
{
    const int timeout_ms = options->timeout_s > 0 ? (int)(1000 * options->timeout_s) : 30000;

    for (int i = 0; i < f->plan->n_configurations; ++i) {
        if (cf_order_find(&f->order[i], f->c, options->element,
                          f->plan->configurations[i].config.text, worker, timeout_ms, err) != 0)
            return -1;
        if (f->order[i].kind == CF_ORDER_TREE)
            cf_sumtree_digest(&f->order[i].tree, &f->digest[i]);
    }
    return 0;
}

/* One case. Its exit code, or -1. */
static int show(const struct cf_plan *plan, int index, const struct cf_options *options,
                const char *worker, FILE *out, json_t *list, struct cf_error *err)
{
    const size_t n = (size_t)plan->n_configurations;
    struct found f = {plan, &plan->cases[index].c, cf_alloc_zero(n * sizeof f.order[0]),
                      cf_alloc_zero(n * sizeof f.digest[0])};
    int code = find_all(&f, options, worker, err);

    if (code == 0) {
        print(out, &f, options);
        json_array_append_new(list, as_json(&f, options->element));
        code = outcome(&f);
    }
    for (size_t i = 0; i < n; ++i)
        cf_order_free(&f.order[i]);
    free(f.order);
    free(f.digest);
    return code;
}

static int show_all(const struct cf_plan *plan, const struct cf_options *options,
                    const char *worker, struct cf_error *err)
{
    const char *json = options->document[cf_report_index("json")];
    json_t *list = json_array();
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int code = 0;

    CF_CHECK(out != NULL);
    for (int i = 0; i < plan->n_cases && code >= 0; ++i) {
        const int one = show(plan, i, options, worker, out, list, err);

        code = one < 0 ? one : cf_task_graver(code, one);
    }
    CF_CHECK(fclose(out) == 0);
    if (code >= 0 && (json ? cf_listing_put_json(json, json_incref(list), err)
                           : cf_document_put("-", text, size, err)) != 0)
        code = -1;
    json_decref(list);
    free(text);
    return code;
}

/* Configurations, and names of fetched libraries. */
struct ends {
    struct cf_versions *v;
    const char *backend;
    struct cf_error *err;
};

static int add_end(const char *line, void *context)
{
    const struct ends *ends = context;

    if (cf_versions_add(ends->v, line, ends->backend, ends->err) != 0)
        return -1;
    if (ends->v->end[ends->v->n - 1].store)
        return cf_fail(ends->err,
                       "`%s` is a store; orders are found by asking: name a "
                       "configuration or a fetched library",
                       line);
    return 0;
}

static int make_plan(const struct cf_options *options, struct cf_plan *plan, struct cf_error *err)
{
    struct cf_versions v = {0};
    const struct ends ends = {&v, options->backend, err};
    struct cf_options choice = *options;
    const char *lines[CF_ENDS_MAX];
    int result = 0;

    for (int i = 1; i < options->rest.n && result == 0; ++i)
        result = cf_pairs_expand(options->rest.word[i], add_end, (void *)(uintptr_t)&ends, err);
    for (int i = 0; i < v.n; ++i)
        lines[i] = v.end[i].line;
    choice.cases = (struct cf_words){1, options->rest.word};
    choice.configurations = (struct cf_words){v.n, lines};
    if (result == 0)
        result = cf_select_written_out(&choice, plan, err);
    cf_versions_free(&v);
    return result;
}

int cf_command_order(struct cf_options *options, struct cf_error *err)
{
    struct cf_plan plan;
    char *worker;
    int code;

    if (options->rest.n < 2)
        return cf_fail(err, "write `conform order CASE CONFIGURATION...`, for example `conform "
                            "order \"dot f32 m=1 n=100\" \"plain kernel={forward,pairwise}\"`");
    if (make_plan(options, &plan, err) != 0)
        return -1;
    worker = cf_task_worker(err);
    code = worker ? show_all(&plan, options, worker, err) : -1;
    free(worker);
    cf_plan_free(&plan);
    return code;
}
