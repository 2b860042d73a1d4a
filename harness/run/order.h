/* order: in which order a configuration adds the terms of one element of an output, in which
 * arithmetic, and whether that is all there is to its bits. */
#ifndef CF_ORDER_H
#define CF_ORDER_H

#include "case.h"
#include "sumtree.h"

#define CF_ORDER_DRAWS 100

enum cf_order_kind {
    CF_ORDER_TREE,     /* `tree` is there */
    CF_ORDER_FREE_SUM, /* no term is ever lost: an exact or compensated sum, in any order */
    CF_ORDER_FICKLE,   /* the same question had two answers: the order changes from run to run */
    CF_ORDER_NO_TREE,  /* no order of plain additions explains the answers */
    CF_ORDER_UNASKED   /* not offered, not opened, crashed, ...: `reason` */
};

struct cf_order {
    enum cf_order_kind kind;
    struct cf_sumtree tree;
    long n_asked;     /* requests */
    char reason[400]; /* CF_ORDER_NO_TREE, CF_ORDER_UNASKED: one sentence */
    /* How the additions are done, for a tree. */
    int n_wide;       /* additions whose sum is held with more bits than the type has */
    int n_fused;      /* products that enter their addition unrounded */
    int operand_bits; /* that count of an operand's significand; fewer than the type's: rounded */
    /* Seeds of the case whose bits are those of the tree in that arithmetic; n_draws 0: nodes add
     * more than two at once, or products of f64 are kept unrounded by both sides. */
    int n_draws, n_same;
};

/* Asks for element `element` of the case's output (f32 or f64, of an op that is a sum of terms).
 * 0; -1 and a sentence when the case or the configuration is none. */
int cf_order_find(struct cf_order *order, const struct cf_case *c, int64_t element,
                  const char *configuration, const char *worker, int timeout_ms,
                  struct cf_error *err);
void cf_order_free(struct cf_order *order);

/* The same additions, whatever their arithmetic. */
int cf_order_same(const struct cf_order *a, const struct cf_order *b);
/* In words, each owned by the caller: the order or why there is none; "299 additions in f32, 11 of
 * them held in more bits; 224 of 300 products enter unrounded (fused)" of a tree; and what became
 * of one in another version. */
char *cf_order_describe(const struct cf_order *order);
char *cf_order_arithmetic(const struct cf_order *order, enum cf_dtype dtype);
char *cf_order_difference(const struct cf_order *old, const struct cf_order *new,
                          enum cf_dtype dtype);

#endif
