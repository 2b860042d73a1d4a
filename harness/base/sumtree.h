/* sumtree: in which order the terms of a sum are added, as a tree: terms are its leaves, an inner
 * node is one addition of all its children. It is found from outside, by asking the subject for
 * sums of M, -M and ones: ones that meet M before -M does are lost, so that the number of those
 * left tells how many terms lie below the lowest node that adds both.
 *
 * After Xie, Gao and Yang, "FPRev: revealing the order of floating-point summation", USENIX ATC
 * 2025, sections 4 and 5, whose algorithm for nodes of more than two children this is. */
#ifndef CF_SUMTREE_H
#define CF_SUMTREE_H

#include <stdio.h>

#include "record.h"
#include "tensor.h"

#define CF_SUMTREE_LEAVES_MAX 16384

struct cf_sumtree_node {
    int parent, child, next;         /* first child, next sibling; -1: none */
    int n_children, n_leaves, least; /* leaves below, and the least of them */
    /* Of an inner node: its sum is held with more bits than the type has. Of a leaf: its product
     * enters the addition unrounded (a fused multiply-add, or a wider type). */
    int wide;
};

struct cf_sumtree {
    int n, n_nodes, root;         /* leaves are nodes 0 .. n-1 */
    struct cf_sumtree_node *node; /* owned */
    int *up; /* inner nodes, every node after those below it: n_nodes - n of them. Owned */
};

enum cf_reveal {
    CF_REVEALED,   /* *tree explains every answer */
    CF_ORDER_FREE, /* nothing is ever lost: an exact or compensated sum */
    CF_NO_TREE     /* no tree explains the answers */
};

/* Sets under[k] to the number of leaves below the lowest node that adds terms i and j[k], k < n. 0,
 * or -1: no answer (the caller's context says why). */
typedef int cf_sumtree_ask(void *context, int i, const int j[], int n, int under[]);

/* Finds the tree of n terms, 1 <= n <= CF_SUMTREE_LEAVES_MAX, with n - 1 questions for a sum in
 * sequence and n log2(n) / 2 for a balanced one. 0 and *found; -1 when a question had no answer. A
 * tree is only made for CF_REVEALED. */
int cf_sumtree_reveal(struct cf_sumtree *tree, int n, cf_sumtree_ask *ask, void *context,
                      enum cf_reveal *found);
void cf_sumtree_free(struct cf_sumtree *tree);

/* Equal for two trees when the same terms meet in the same additions: additions commute, so that
 * the order of children does not count. The arithmetic (wide) is not part of it. */
void cf_sumtree_digest(const struct cf_sumtree *tree, struct cf_digest *digest);

/* Inner nodes on the longest way from a leaf to the root: the roundings that a term meets. */
int cf_sumtree_depth(const struct cf_sumtree *tree);

/* Can cf_sumtree_sum say the bits? Only where nodes have two children, and at most one of them is
 * an unrounded product. */
int cf_sumtree_is_plain(const struct cf_sumtree *tree, enum cf_dtype dtype);
/* The sum of x[t] (y NULL) or x[t] * y[t] in this order and arithmetic, in f32 or f64. */
double cf_sumtree_sum(const struct cf_sumtree *tree, enum cf_dtype dtype, const double x[],
                      const double y[]);

/* In words: "one after the other", "32 chains of 3 or 4 terms, stride 32; ...". The caller frees.
 */
char *cf_sumtree_describe(const struct cf_sumtree *tree);
/* The tree: [a b c] adds b to a, then c; (A + B) adds two sums; {a b c} adds all at once; "0 32 ..
 * 96" counts on. The caller frees. */
char *cf_sumtree_text(const struct cf_sumtree *tree);

#endif
