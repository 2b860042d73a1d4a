#include "sumtree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void adopt(struct cf_sumtree *t, int parent, int child)
{
    struct cf_sumtree_node *p = &t->node[parent], *c = &t->node[child];

    c->parent = parent;
    c->next = p->child;
    p->child = child;
    ++p->n_children;
    p->n_leaves += c->n_leaves;
    if (c->least < p->least)
        p->least = c->least;
}

static int new_node(struct cf_sumtree *t, int n_leaves, int least)
{
    t->node[t->n_nodes] = (struct cf_sumtree_node){
        .parent = -1, .child = -1, .next = -1, .n_leaves = n_leaves, .least = least};
    return t->n_nodes++;
}

/* A leaf, and how many leaves lie below the node that adds it and the one in question. */
struct met {
    int leaf, under;
};

static int compare_met(const void *x, const void *y)
{
    const struct met *a = x, *b = y;

    return a->under != b->under ? (a->under < b->under ? -1 : 1)
                                : (a->leaf > b->leaf) - (a->leaf < b->leaf);
}

struct reveal {
    struct cf_sumtree *tree;
    cf_sumtree_ask *ask;
    void *context;
    int failed; /* a question had no answer */
};

/* met[1 .. n-1].under: asked about met[0]. -1: no answer. */
static int ask(struct reveal *r, struct met met[], int n)
{
    int *leaf = cf_alloc((size_t)n * sizeof leaf[0]), *under = cf_alloc((size_t)n * sizeof *under);
    int result = 0;

    for (int k = 1; k < n; ++k)
        leaf[k - 1] = met[k].leaf;
    if (n > 1)
        result = r->ask(r->context, met[0].leaf, leaf, n - 1, under);
    for (int k = 1; k < n && result == 0; ++k)
        met[k].under = under[k - 1];
    free(leaf);
    free(under);
    r->failed |= result != 0;
    return result;
}

static int build(struct reveal *r, struct met met[], int n);

/* The children of `node` among the leaves met[0 .. n-1], all of which meet each other below it or
 * in it. 0, or -1 when no tree does. */
static int add_children(struct reveal *r, int node, struct met met[], int n, int size)
{
    while (n > 0) {
        int n_inside = 1, child;

        if (ask(r, met, n) != 0)
            return -1;
        met[0].under = 0; /* itself comes first */
        qsort(met, (size_t)n, sizeof met[0], compare_met);
        while (n_inside < n && met[n_inside].under < size)
            ++n_inside;
        for (int k = n_inside; k < n; ++k)
            if (met[k].under != size)
                return -1;
        child = build(r, met, n_inside);
        if (child < 0)
            return -1;
        adopt(r->tree, node, child);
        met += n_inside;
        n -= n_inside;
    }
    return 0;
}

/* The tree of the leaves met[0 .. n-1], about whose first the others' `under` speaks; sorted. Its
 * root, or -1: none. */
static int build(struct reveal *r, struct met met[], int n)
{
    int spine = met[0].leaf, first = 1;

    while (first < n) {
        const int size = met[first].under;
        int last = first, node;

        while (last < n && met[last].under == size)
            ++last;
        /* All that meet here are below the node, and nothing else is. */
        if (size != last)
            return -1;
        node = new_node(r->tree, 0, r->tree->n);
        adopt(r->tree, node, spine);
        if (add_children(r, node, met + first, last - first, size) != 0)
            return -1;
        spine = node;
        first = last;
    }
    return spine;
}

/* Inner nodes by the number of leaves below: a parent has more than its children. */
static void sort_up(struct cf_sumtree *t)
{
    int *count = cf_alloc_zero((size_t)(t->n + 2) * sizeof count[0]);

    t->up = cf_alloc((size_t)(t->n_nodes - t->n + 1) * sizeof t->up[0]);
    for (int v = t->n; v < t->n_nodes; ++v)
        ++count[t->node[v].n_leaves + 1];
    for (int size = 1; size <= t->n + 1; ++size)
        count[size] += count[size - 1];
    for (int v = t->n; v < t->n_nodes; ++v)
        t->up[count[t->node[v].n_leaves]++] = v;
    free(count);
}

static int never_lost(const struct met met[], int n)
{
    for (int k = 1; k < n; ++k)
        if (met[k].under != 2)
            return 0;
    return n > 2;
}

int cf_sumtree_reveal(struct cf_sumtree *tree, int n, cf_sumtree_ask *question, void *context,
                      enum cf_reveal *found)
{
    struct reveal r = {tree, question, context, 0};
    struct met *met = cf_alloc((size_t)n * sizeof met[0]);

    CF_CHECK(n >= 1 && n <= CF_SUMTREE_LEAVES_MAX);
    *tree = (struct cf_sumtree){
        .n = n, .root = -1, .node = cf_alloc(2 * (size_t)n * sizeof tree->node[0])};
    for (int i = 0; i < n; ++i) {
        new_node(tree, 1, i);
        met[i] = (struct met){i, 0};
    }
    *found = CF_NO_TREE;
    if (ask(&r, met, n) == 0) {
        if (never_lost(met, n))
            *found = CF_ORDER_FREE;
        else {
            qsort(met + 1, (size_t)n - 1, sizeof met[0], compare_met);
            tree->root = build(&r, met, n);
        }
    }
    free(met);
    if (tree->root >= 0) {
        *found = CF_REVEALED;
        sort_up(tree);
    } else {
        cf_sumtree_free(tree);
    }
    return r.failed ? -1 : 0;
}

void cf_sumtree_free(struct cf_sumtree *tree)
{
    free(tree->node);
    free(tree->up);
    *tree = (struct cf_sumtree){.root = -1};
}

static int compare_digests(const void *x, const void *y)
{
    return memcmp(x, y, sizeof(struct cf_digest));
}

void cf_sumtree_digest(const struct cf_sumtree *t, struct cf_digest *digest)
{
    struct cf_digest *of = cf_alloc((size_t)t->n_nodes * sizeof of[0]);
    struct cf_digest *list = cf_alloc((size_t)t->n_nodes * sizeof list[0]);

    for (int i = 0; i < t->n; ++i) {
        uint8_t index[4];

        for (int b = 0; b < 4; ++b)
            index[b] = (uint8_t)(i >> 8 * b);
        cf_digest_of(&of[i], index, sizeof index);
    }
    for (int k = 0; k < t->n_nodes - t->n; ++k) {
        int n = 0;

        for (int c = t->node[t->up[k]].child; c >= 0; c = t->node[c].next)
            list[n++] = of[c];
        qsort(list, (size_t)n, sizeof list[0], compare_digests);
        cf_digest_of(&of[t->up[k]], list, (uint64_t)n * sizeof list[0]);
    }
    *digest = of[t->root];
    free(of);
    free(list);
}

int cf_sumtree_depth(const struct cf_sumtree *t)
{
    int *depth = cf_alloc_zero((size_t)t->n_nodes * sizeof depth[0]), deepest;

    for (int k = 0; k < t->n_nodes - t->n; ++k)
        for (int c = t->node[t->up[k]].child; c >= 0; c = t->node[c].next)
            if (depth[t->up[k]] < depth[c] + 1)
                depth[t->up[k]] = depth[c] + 1;
    deepest = depth[t->root];
    free(depth);
    return deepest;
}

/* Leaves among the children that enter unrounded. */
static int unrounded(const struct cf_sumtree *t, int v)
{
    int n = 0;

    for (int c = t->node[v].child; c >= 0; c = t->node[c].next)
        n += c < t->n && t->node[c].wide;
    return n;
}

int cf_sumtree_is_plain(const struct cf_sumtree *t, enum cf_dtype dtype)
{
    for (int v = t->n; v < t->n_nodes; ++v) {
        const int in_double = dtype == CF_F32 && t->node[v].wide;

        if (t->node[v].n_children != 2 || (unrounded(t, v) > 1 && !in_double))
            return 0;
    }
    return dtype == CF_F32 || dtype == CF_F64;
}

/* value[] of leaves that enter unrounded is not used but for f32, whose products are exact in
 * double. */
static double add(const struct cf_sumtree *t, int v, enum cf_dtype dtype, const double value[],
                  const double x[], const double y[])
{
    int a = t->node[v].child, b = t->node[a].next;

    if (a < t->n && t->node[a].wide) {
        const int other = a;

        a = b;
        b = other;
    }
    if (dtype == CF_F32 && t->node[v].wide)
        return value[a] + value[b];
    if (y && b < t->n && t->node[b].wide)
        return dtype == CF_F32 ? fmaf((float)x[b], (float)y[b], (float)value[a])
                               : fma(x[b], y[b], value[a]);
    return dtype == CF_F32 ? (double)((float)value[a] + (float)value[b]) : value[a] + value[b];
}

double cf_sumtree_sum(const struct cf_sumtree *t, enum cf_dtype dtype, const double x[],
                      const double y[])
{
    double *value = cf_alloc((size_t)t->n_nodes * sizeof value[0]), sum;

    for (int i = 0; i < t->n; ++i) {
        value[i] = y ? x[i] * y[i] : x[i];
        if (dtype == CF_F32 && !t->node[i].wide)
            value[i] = (float)value[i];
    }
    for (int k = 0; k < t->n_nodes - t->n; ++k)
        value[t->up[k]] = add(t, t->up[k], dtype, value, x, y);
    sum = dtype == CF_F32 ? (double)(float)value[t->root] : value[t->root];
    free(value);
    return sum;
}
