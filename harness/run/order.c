#include "order.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"
#include "talk.h"

/* Operands of one term: the large one and what stands for 1, of the first and the second input.
 * Products: M swallows whatever many small ones sum up to, also in a wider accumulator. */
struct scale {
    double large[2], small[2];
};

/* Wide ones first. The others are for kernels that round their operands: to f16, and to the e4m3 of
 * the Open Compute Project (OFP8, 2023, table 1: up to 448, down to 2^-9). */
static const struct scale scales_f64[] = {{{0x1p500, 1}, {1, 1}}, {{NAN, 0}, {0, 0}}};
static const struct scale scales_f32[] = {{{0x1p100, 1}, {1, 1}},
                                          {{0x1p15, 0x1p15}, {0x1p-12, 0x1p-12}},
                                          {{0x1p8, 0x1p8}, {0x1p-9, 0x1p-9}},
                                          {{NAN, 0}, {0, 0}}};

struct asker {
    struct cf_order *order;
    struct cf_talk *talk;
    const struct cf_case *c;
    const struct cf_op *op;
    int64_t element, *place[2]; /* of the terms in each input */
    int64_t n_terms;
    int n; /* the same, once it is known to be not too many */
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    const struct scale *scale;
    int n_batches;
};

static void put(struct asker *a, int term, double first, double second)
{
    cf_tensor_set(&a->in[0], a->place[0][term], first);
    if (a->op->n_inputs > 1)
        cf_tensor_set(&a->in[1], a->place[1][term], second);
}

/* Every operand, of our terms and of others, has one value. */
static void put_all(struct asker *a, double first, double second)
{
    for (int o = 0; o < a->op->n_inputs; ++o)
        for (int64_t i = 0; i < cf_tensor_count(&a->in[o]); ++i)
            cf_tensor_set(&a->in[o], i, o == 0 ? first : second);
}

/* The element; -1 when it was not computed. */
static int answer(struct asker *a, double *value)
{
    struct cf_told told;

    cf_talk_run(a->talk, a->op->grammar.op, &a->c->keys, a->in, a->op->n_inputs, a->out,
                a->op->n_outputs, &told);
    ++a->order->n_asked;
    if (told.fate != CF_RAN) {
        a->order->kind = CF_ORDER_UNASKED;
        snprintf(a->order->reason, sizeof a->order->reason, "%s: %.360s", cf_fate_name(told.fate),
                 told.reason);
        return -1;
    }
    *value = cf_tensor_get(&a->out[0], a->element);
    for (int o = 0; o < a->op->n_outputs; ++o)
        cf_tensor_free(&a->out[o]);
    return 0;
}

static void put_small(struct asker *a, int term)
{
    put(a, term, a->scale->small[0], a->scale->small[1]);
}

static void put_large(struct asker *a, int term, int sign)
{
    put(a, term, sign * a->scale->large[0], a->scale->large[1]);
}

/* A scale in which M alone comes out as M: 0; 1: none does; -1: no answer. */
static int choose_scale(struct asker *a)
{
    const struct scale *scale = a->c->dtype == CF_F64 ? scales_f64 : scales_f32;
    const int n_single = a->op->n_inputs == 1;

    for (; !isnan(scale->large[0]); ++scale) {
        double value = 0;

        a->scale = scale;
        put_all(a, scale->small[0], scale->small[1]);
        put_large(a, 0, 1);
        if (answer(a, &value) != 0)
            return -1;
        put_small(a, 0);
        if (value == scale->large[0] * (n_single ? 1 : scale->large[1]))
            return 0;
        if (n_single)
            break;
    }
    return 1;
}

static int no_tree(struct asker *a, int i, int j, double value)
{
    a->order->kind = CF_ORDER_NO_TREE;
    snprintf(a->order->reason, sizeof a->order->reason,
             "M at term %d, -M at term %d and ones elsewhere give %g, which no order of additions "
             "of %d terms does",
             i, j, value, a->n);
    return -1;
}

/* One question: how many terms lie below the node that adds i and j. */
static int ask_pair(struct asker *a, int i, int j, int *under)
{
    const double one = a->scale->small[0] * a->scale->small[1];
    double value;

    put_large(a, i, 1);
    put_large(a, j, -1);
    if (answer(a, &value) != 0)
        return -1;
    put_small(a, i);
    put_small(a, j);
    value /= one;
    if (!(value >= 0 && value <= a->n - 2 && value == floor(value)))
        return no_tree(a, i, j, value);
    *under = a->n - (int)value;
    return 0;
}

/* For cf_sumtree_reveal. The first batch is asked twice. */
static int ask_batch(void *context, int i, const int j[], int n, int under[])
{
    struct asker *a = context;

    for (int k = 0; k < n; ++k)
        if (ask_pair(a, i, j[k], &under[k]) != 0)
            return -1;
    for (int k = 0; k < n && a->n_batches == 0; ++k) {
        int again;

        if (ask_pair(a, i, j[k], &again) != 0)
            return -1;
        if (again != under[k]) {
            a->order->kind = CF_ORDER_FICKLE;
            snprintf(a->order->reason, sizeof a->order->reason,
                     "terms %d and %d once met below %d terms, once below %d", i, j[k], under[k],
                     again);
            return -1;
        }
    }
    ++a->n_batches;
    return 0;
}

/* Three terms that are not zero; what comes out. */
static int ask_three(struct asker *a, const int term[3], const double first[3], double second,
                     double *value)
{
    int result;

    for (int i = 0; i < 3; ++i)
        if (term[i] >= 0)
            put(a, term[i], first[i], i == 0 ? second : 1);
    result = answer(a, value);
    for (int i = 0; i < 3; ++i)
        if (term[i] >= 0)
            put(a, term[i], 0, 1);
    return result;
}

/* The least leaf of a child of v's parent that is not v. */
static int beside(const struct cf_sumtree *t, int v)
{
    int c = t->node[t->node[v].parent].child;

    return t->node[c == v ? t->node[c].next : c].least;
}

/* 1 + 2^-30 in one node, and what cancels the 1 above it: is 2^-30 still there? */
static int find_wide(struct asker *a)
{
    struct cf_sumtree *t = &a->order->tree;

    for (int v = t->n; v < t->n_nodes; ++v) {
        const int child = t->node[v].child;
        double value;

        if (v == t->root)
            continue;
        if (ask_three(a,
                      (const int[]){t->node[child].least, t->node[t->node[child].next].least,
                                    beside(t, v)},
                      (const double[]){1, 0x1p-30, -1}, 1, &value) != 0)
            return -1;
        t->node[v].wide = value != 0;
        a->order->n_wide += t->node[v].wide;
        if (t->node[v].wide)
            t->node[t->root].wide = 1; /* where it is rounded to the type at last */
    }
    return 0;
}

/* The square of 1 + h, and what it is when it is rounded: is h * h still there? */
static int find_fused(struct asker *a)
{
    struct cf_sumtree *t = &a->order->tree;
    const double h = a->c->dtype == CF_F64 ? 0x1p-27 : 0x1p-13;

    for (int i = 0; i < t->n && t->n > 1; ++i) {
        double value;

        if (ask_three(a, (const int[]){i, beside(t, i), -1},
                      (const double[]){1 + h, -(1 + 2 * h), 0}, 1 + h, &value) != 0)
            return -1;
        t->node[i].wide = value == h * h;
        a->order->n_fused += t->node[i].wide;
    }
    return 0;
}

/* How many bits of an operand count: the largest k for which 1 + 2^-k is not 1, and one. */
static int find_operand_bits(struct asker *a)
{
    int bits = cf_dtype_digits(a->c->dtype);

    for (; bits > 1 && a->n > 1; --bits) {
        const double last = ldexp(1, 1 - bits);
        double value;

        if (ask_three(a, (const int[]){0, beside(&a->order->tree, 0), -1},
                      (const double[]){1 + last, -1, 0}, 1, &value) != 0)
            return -1;
        if (value == last)
            break;
    }
    a->order->operand_bits = bits;
    return 0;
}

static int find_arithmetic(struct asker *a)
{
    struct cf_sumtree *t = &a->order->tree;

    put_all(a, 1, 1);
    for (int i = 0; i < a->n; ++i)
        put(a, i, 0, 1);
    if (find_operand_bits(a) != 0 || (a->c->dtype == CF_F32 && find_wide(a) != 0) ||
        (a->op->n_inputs > 1 && find_fused(a) != 0))
        return -1;
    /* Of the last sum nothing can be seen above it. Two unrounded products are added in double. */
    if (a->c->dtype == CF_F32 && a->n > 1) {
        int n_unrounded = 0;

        for (int c = t->node[t->root].child; c >= 0; c = t->node[c].next)
            n_unrounded += c < t->n && t->node[c].wide;
        t->node[t->root].wide |= n_unrounded > 1;
    }
    return 0;
}

/* To nearest, ties to even, as every format that operands are rounded to does. */
static double round_to(double x, int bits)
{
    int exponent;
    const double significand = frexp(x, &exponent);

    return ldexp(nearbyint(ldexp(significand, bits)), exponent - bits);
}

/* One more seed: does the tree give these bits? */
static int try_draw(struct asker *a, const char *cell, int seed, double *x, double *y)
{
    char *line = cf_format("%s seed=%d", cell, seed);
    struct cf_tensor shape[CF_OPERANDS_MAX];
    struct cf_case c;
    double value;
    int result;

    CF_CHECK(cf_case_parse(&c, line, cf_op_grammar, NULL) == 0);
    free(line);
    for (int o = 0; o < a->op->n_inputs; ++o)
        cf_tensor_free(&a->in[o]);
    CF_CHECK(cf_case_draw(&c, a->op, a->in, shape, NULL) == 0);
    cf_case_free(&c);
    for (int i = 0; i < a->n; ++i) {
        x[i] = round_to(cf_tensor_get(&a->in[0], a->place[0][i]), a->order->operand_bits);
        y[i] = a->op->n_inputs > 1
                   ? round_to(cf_tensor_get(&a->in[1], a->place[1][i]), a->order->operand_bits)
                   : 1;
    }
    result = answer(a, &value);
    if (result == 0) {
        const double sum =
            cf_sumtree_sum(&a->order->tree, a->c->dtype, x, a->op->n_inputs > 1 ? y : NULL);

        a->order->n_same += memcmp(&sum, &value, sizeof sum) == 0;
        ++a->order->n_draws;
    }
    return result;
}

static int prove(struct asker *a)
{
    double *x = cf_alloc((size_t)a->n * sizeof x[0]), *y = cf_alloc((size_t)a->n * sizeof y[0]);
    char *cell = cf_case_cell(a->c);
    int result = 0;

    for (int seed = 1; seed <= CF_ORDER_DRAWS && result == 0; ++seed)
        result = try_draw(a, cell, seed, x, y);
    free(x);
    free(y);
    free(cell);
    return result;
}

/* Everything; *order says what came of it. */
static void find(struct asker *a)
{
    struct cf_order *order = a->order;
    enum cf_reveal found;
    int chosen;

    order->kind = CF_ORDER_UNASKED;
    chosen = choose_scale(a);
    if (chosen > 0) {
        order->kind = CF_ORDER_NO_TREE;
        snprintf(order->reason, sizeof order->reason,
                 "a large term among small ones does not come out as itself");
    }
    if (chosen != 0 || cf_sumtree_reveal(&order->tree, a->n, ask_batch, a, &found) != 0)
        return;
    order->kind = found == CF_REVEALED     ? CF_ORDER_TREE
                  : found == CF_ORDER_FREE ? CF_ORDER_FREE_SUM
                                           : CF_ORDER_NO_TREE;
    if (found == CF_NO_TREE)
        snprintf(order->reason, sizeof order->reason,
                 "the answers contradict each other: no order of plain additions gives them all");
    if (found != CF_REVEALED)
        return;
    if (find_arithmetic(a) != 0 ||
        (cf_sumtree_is_plain(&order->tree, a->c->dtype) && prove(a) != 0))
        cf_sumtree_free(&order->tree);
}

static int check(const struct asker *a, struct cf_error *err)
{
    const int64_t n_elements = cf_tensor_count(&a->out[0]);

    if (a->element < 0 || a->element >= n_elements)
        return cf_fail(err, "--element=%" PRId64 ": `%s` has the elements 0 to %" PRId64,
                       a->element, a->c->text, n_elements - 1);
    if (a->n_terms < 1 || a->n_terms > CF_SUMTREE_LEAVES_MAX)
        return cf_fail(
            err, "element %" PRId64 " of `%s` has %" PRId64 " terms; orders are found for 1 to %d",
            a->element, a->c->text, a->n_terms, CF_SUMTREE_LEAVES_MAX);
    return 0;
}

/* Shapes, and where the terms are. */
static int prepare(struct asker *a, struct cf_error *err)
{
    if (cf_case_shape(a->c, a->op, a->in, a->out, err) != 0)
        return -1;
    if (a->element >= 0 && a->element < cf_tensor_count(&a->out[0]))
        a->n_terms = a->op->terms(a->c, 0, a->element);
    if (check(a, err) != 0)
        return -1;
    a->n = (int)a->n_terms;
    for (int o = 0; o < 2; ++o)
        a->place[o] = cf_alloc((size_t)a->n * sizeof a->place[o][0]);
    for (int o = 0; o < a->op->n_inputs; ++o)
        cf_tensor_alloc(&a->in[o]);
    a->op->places(a->c, a->in, a->element, a->place[0], a->place[1]);
    return 0;
}

static int refuse_op(const struct cf_case *c, struct cf_error *err)
{
    char *names = cf_strdup("");

    for (int i = 0; cf_ops[i]; ++i)
        if (cf_ops[i]->places) {
            char *longer = cf_format("%s%s%s", names, *names ? ", " : "", cf_ops[i]->grammar.op);

            free(names);
            names = longer;
        }
    cf_fail(err, "`%s`: orders are found for ops that add terms or products: %s", c->text, names);
    free(names);
    return -1;
}

static int supports(const struct cf_case *c, const struct cf_op *op, struct cf_error *err)
{
    static const char *const variants[] = {"row", "rowperm", "col", "colperm"};

    if (!op->places)
        return refuse_op(c, err);
    if (c->dtype != CF_F32 && c->dtype != CF_F64)
        return cf_fail(err, "`%s`: the order is found for f32 and f64", c->text);
    for (int i = 0; i < CF_COUNT(variants); ++i)
        if (cf_pairs_get(&c->keys, variants[i]))
            return cf_fail(err, "`%s`: leave out %s=; --element=N names the element", c->text,
                           variants[i]);
    return 0;
}

int cf_order_find(struct cf_order *order, const struct cf_case *c, int64_t element,
                  const char *configuration, const char *worker, int timeout_ms,
                  struct cf_error *err)
{
    struct asker a = {.order = order, .c = c, .op = cf_op_find(c->op), .element = element};
    int result = -1;

    *order = (struct cf_order){.tree = {.root = -1}};
    CF_CHECK(a.op != NULL);
    if (supports(c, a.op, err) != 0)
        return -1;
    a.talk = cf_talk_start(configuration, worker, timeout_ms, err);
    if (a.talk) {
        result = prepare(&a, err);
        if (result == 0)
            find(&a);
        cf_talk_stop(a.talk);
    }
    for (int o = 0; o < a.op->n_inputs; ++o)
        cf_tensor_free(&a.in[o]);
    free(a.place[0]);
    free(a.place[1]);
    return result;
}

void cf_order_free(struct cf_order *order)
{
    cf_sumtree_free(&order->tree);
}
