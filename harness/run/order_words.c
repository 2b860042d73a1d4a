/* Orders in words. */
#include <stdlib.h>
#include <string.h>

#include "order.h"

int cf_order_same(const struct cf_order *a, const struct cf_order *b)
{
    struct cf_digest x, y;

    if (a->kind != b->kind || a->kind != CF_ORDER_TREE)
        return a->kind == b->kind && a->kind == CF_ORDER_FREE_SUM;
    cf_sumtree_digest(&a->tree, &x);
    cf_sumtree_digest(&b->tree, &y);
    return cf_digest_equal(&x, &y);
}

char *cf_order_arithmetic(const struct cf_order *o, enum cf_dtype dtype)
{
    char *wide =
        o->n_wide == 0 ? cf_strdup("") : cf_format(", %d of them held in more bits", o->n_wide);
    char *fused = o->n_fused == 0 ? cf_strdup("")
                                  : cf_format("; %d of %d products enter unrounded (fused)",
                                              o->n_fused, o->tree.n);
    char *narrow = o->operand_bits >= cf_dtype_digits(dtype)
                       ? cf_strdup("")
                       : cf_format("; operands are rounded to %d bits first", o->operand_bits);
    char *text = cf_format("%d additions in %s%s%s%s", o->tree.n_nodes - o->tree.n,
                           cf_dtype_name(dtype), wide, fused, narrow);

    free(wide);
    free(fused);
    free(narrow);
    return text;
}

char *cf_order_describe(const struct cf_order *o)
{
    switch (o->kind) {
    case CF_ORDER_TREE:
        return cf_sumtree_describe(&o->tree);
    case CF_ORDER_FREE_SUM:
        return cf_strdup("none: no term is ever lost, as in exact and in compensated sums");
    case CF_ORDER_FICKLE:
        return cf_format("changes from run to run: %s", o->reason);
    case CF_ORDER_NO_TREE:
        return cf_format("not found: %s", o->reason);
    default:
        return cf_strdup(o->reason);
    }
}

static int is_proven(const struct cf_order *o)
{
    return o->kind == CF_ORDER_FREE_SUM ||
           (o->kind == CF_ORDER_TREE && o->n_draws > 0 && o->n_same == o->n_draws);
}

char *cf_order_difference(const struct cf_order *old, const struct cf_order *new,
                          enum cf_dtype dtype)
{
    const char *doubt = is_proven(old) && is_proven(new)
                            ? ""
                            : " (which does not explain every bit: `conform order` says more)";
    char *was, *is, *text;

    if (cf_order_same(old, new) && old->kind == CF_ORDER_TREE) {
        was = cf_order_arithmetic(old, dtype);
        is = cf_order_arithmetic(new, dtype);
        text = strcmp(was, is) == 0
                   ? cf_format("the same order and arithmetic%s: %s", doubt, was)
                   : cf_format("the same order in another arithmetic: %s -> %s%s", was, is, doubt);
    } else {
        was = cf_order_describe(old);
        is = cf_order_describe(new);
        text = cf_format("another order: %s -> %s%s", was, is, doubt);
    }
    free(was);
    free(is);
    return text;
}
