/* Trees of sums in words. */
#include <stdlib.h>

#include "sumtree.h"

/* Chains of at least two terms, which are added to one sum after the other; by the step from term
 * to term, the most frequent first. When there are too many steps, the last group takes the rest,
 * as 0: not the same from term to term. */
#define GROUPS 3
struct chains {
    struct group {
        int stride, n, shortest, longest; /* chains, and terms of each */
    } group[GROUPS];
    int n_groups;
    int widest; /* most children of a node */
};

static int is_leaf(const struct cf_sumtree *t, int v)
{
    return v < t->n;
}

/* An addition of one more term to a sum, or of two terms. */
static int extends(const struct cf_sumtree *t, int v)
{
    int n_leaves = 0;

    if (is_leaf(t, v) || t->node[v].n_children != 2)
        return 0;
    for (int c = t->node[v].child; c >= 0; c = t->node[c].next)
        n_leaves += is_leaf(t, c);
    return n_leaves > 0;
}

/* A chain from its last addition down: terms in the order in which they are added, after the sum
 * that it starts from. */
struct chain {
    int start;    /* an inner node that is no part of it; -1: it starts with its first term */
    int n, *leaf; /* owned */
};

static struct chain follow(const struct cf_sumtree *t, int v)
{
    struct chain chain = {-1, 0, cf_alloc((size_t)(t->node[v].n_leaves + 1) * sizeof(int))};

    while (extends(t, v)) {
        const int a = t->node[v].child, b = t->node[a].next;
        const int least = a < b ? a : b, other = a < b ? b : a; /* leaves come before inner nodes */

        chain.leaf[chain.n++] = is_leaf(t, other) ? other : least;
        v = is_leaf(t, other) ? least : other;
    }
    if (is_leaf(t, v))
        chain.leaf[chain.n++] = v;
    else
        chain.start = v;
    for (int i = 0; i < chain.n / 2; ++i) {
        const int leaf = chain.leaf[i];

        chain.leaf[i] = chain.leaf[chain.n - 1 - i];
        chain.leaf[chain.n - 1 - i] = leaf;
    }
    /* The first two commute: downwards reads better when all others go down. */
    if (chain.start < 0 && chain.n > 2 && chain.leaf[2] < chain.leaf[0]) {
        const int leaf = chain.leaf[0];

        chain.leaf[0] = chain.leaf[1];
        chain.leaf[1] = leaf;
    }
    return chain;
}

/* The step from term to term; 0 when it is not always the same. */
static int stride_of(const struct chain *chain)
{
    const int step = chain->n > 1 ? chain->leaf[1] - chain->leaf[0] : 0;

    for (int i = 2; i < chain->n; ++i)
        if (chain->leaf[i] - chain->leaf[i - 1] != step)
            return 0;
    return step;
}

static int is_top(const struct cf_sumtree *t, int v)
{
    return extends(t, v) && (t->node[v].parent < 0 || !extends(t, t->node[v].parent));
}

/* Into the group of its stride; when there are too many, into that of uneven strides. */
static void count_chain(struct chains *c, int stride, int n_terms)
{
    struct group *group = c->group;

    while (group < c->group + c->n_groups && group->stride != stride)
        ++group;
    if (group == c->group + GROUPS) {
        --group;
        group->stride = 0;
    } else if (group == c->group + c->n_groups) {
        ++c->n_groups;
        *group = (struct group){.stride = stride, .shortest = n_terms};
    }
    ++group->n;
    if (n_terms < group->shortest)
        group->shortest = n_terms;
    if (n_terms > group->longest)
        group->longest = n_terms;
}

static int compare_groups(const void *x, const void *y)
{
    const struct group *a = x, *b = y;

    return a->n != b->n ? (a->n < b->n) - (a->n > b->n)
                        : (a->stride > b->stride) - (a->stride < b->stride);
}

static void count_chains(struct chains *chains, const struct cf_sumtree *t)
{
    *chains = (struct chains){0};
    for (int v = t->n; v < t->n_nodes; ++v) {
        if (t->node[v].n_children > chains->widest)
            chains->widest = t->node[v].n_children;
        if (is_top(t, v)) {
            const struct chain chain = follow(t, v);

            if (chain.n > 1)
                count_chain(chains, stride_of(&chain), chain.n);
            free(chain.leaf);
        }
    }
    qsort(chains->group, (size_t)chains->n_groups, sizeof chains->group[0], compare_groups);
}

static int log2_up(int n)
{
    int bits = 0;

    while (1 << bits < n)
        ++bits;
    return bits;
}

/* "64 chains of 4 terms, stride 64; 1 chain of 12 terms, stride 1" */
static char *describe_chains(const struct chains *c)
{
    char *text = cf_strdup("");

    for (int g = 0; g < c->n_groups; ++g) {
        const struct group *group = &c->group[g];
        char *lengths = group->shortest == group->longest
                            ? cf_format("%d", group->longest)
                            : cf_format("%d to %d", group->shortest, group->longest);
        char *stride =
            group->stride ? cf_format("stride %d", group->stride) : cf_strdup("uneven strides");
        char *longer = cf_format("%s%d chain%s of %s terms, %s; ", text, group->n,
                                 group->n == 1 ? "" : "s", lengths, stride);

        free(lengths);
        free(stride);
        free(text);
        text = longer;
    }
    return text;
}

char *cf_sumtree_describe(const struct cf_sumtree *t)
{
    struct chains c;
    const int depth = cf_sumtree_depth(t);
    char *chains, *text;

    count_chains(&c, t);
    if (t->n == 1)
        return cf_strdup("one term: nothing is added");
    if (c.widest > 2)
        return cf_format("up to %d at once; a term meets at most %d roundings", c.widest, depth);
    if (c.group[0].longest == t->n && abs(c.group[0].stride) == 1)
        return cf_format("one after the other, %s",
                         c.group[0].stride == 1 ? "upwards" : "downwards");
    if (depth == log2_up(t->n))
        return cf_format("a balanced tree; a term meets at most %d roundings", depth);
    chains = describe_chains(&c);
    text = cf_format("%sa term meets at most %d roundings", chains, depth);
    free(chains);
    return text;
}

/* "0 32 .. 96": a list with what goes on evenly left out. */
static void put_leaves(FILE *out, const int leaf[], int n)
{
    for (int i = 0, next; i < n; i = next) {
        const int step = i + 1 < n ? leaf[i + 1] - leaf[i] : 0;

        next = i + 1;
        while (next < n && leaf[next] - leaf[next - 1] == step)
            ++next;
        if (next - i < 5)
            next = i + 1;
        fprintf(out, "%s%d", i > 0 ? " " : "", leaf[i]);
        if (next > i + 1)
            fprintf(out, " %d .. %d", leaf[i + 1], leaf[next - 1]);
    }
}

static void put(FILE *out, const struct cf_sumtree *t, int v);

static void put_chain(FILE *out, const struct cf_sumtree *t, int v)
{
    const struct chain chain = follow(t, v);

    fputc('[', out);
    if (chain.start >= 0) {
        put(out, t, chain.start);
        fputc(' ', out);
    }
    put_leaves(out, chain.leaf, chain.n);
    fputc(']', out);
    free(chain.leaf);
}

static int compare_least(const void *x, const void *y)
{
    const int *a = x, *b = y;

    return (a[0] > b[0]) - (a[0] < b[0]);
}

/* Children in the order of their least terms; terms in a row as a list. */
static void put_children(FILE *out, const struct cf_sumtree *t, int v, const char *between)
{
    const int n = t->node[v].n_children;
    int(*child)[2] = cf_alloc((size_t)n * sizeof child[0]);
    int *leaf = cf_alloc((size_t)n * sizeof leaf[0]), at = 0;

    for (int c = t->node[v].child; c >= 0; c = t->node[c].next, ++at) {
        child[at][0] = t->node[c].least;
        child[at][1] = c;
    }
    qsort(child, (size_t)n, sizeof child[0], compare_least);
    for (int i = 0; i < n;) {
        int run = 0;

        while (i + run < n && is_leaf(t, child[i + run][1])) {
            leaf[run] = child[i + run][1];
            ++run;
        }
        fputs(i > 0 ? between : "", out);
        if (run > 0)
            put_leaves(out, leaf, run);
        else
            put(out, t, child[i][1]);
        i += run > 0 ? run : 1;
    }
    free(child);
    free(leaf);
}

static void put(FILE *out, const struct cf_sumtree *t, int v)
{
    if (is_leaf(t, v)) {
        fprintf(out, "%d", v);
    } else if (extends(t, v)) {
        put_chain(out, t, v);
    } else if (t->node[v].n_children == 2) {
        fputc('(', out);
        put_children(out, t, v, " + ");
        fputc(')', out);
    } else {
        fputc('{', out);
        put_children(out, t, v, " ");
        fputc('}', out);
    }
}

char *cf_sumtree_text(const struct cf_sumtree *t)
{
    char *text = NULL;
    size_t n_bytes = 0;
    FILE *out = open_memstream(&text, &n_bytes);

    CF_CHECK(out != NULL);
    put(out, t, t->root);
    CF_CHECK(fclose(out) == 0);
    return text;
}
