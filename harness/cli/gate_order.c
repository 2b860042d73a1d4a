/* What became of the order of additions, for changed cases that are sums of terms. */
#include <stdlib.h>
#include <string.h>

#include "gating.h"
#include "order.h"
#include "sides.h"
#include "task.h"

#define TERMS_MAX 128 /* a question a term, and more: so that it stays a matter of seconds */

/* An element of the first output whose bits changed; -1: none is known. */
static int64_t find_element(const struct cf_gate_result *g, int i, struct cf_error *err)
{
    struct cf_sides sides;
    struct cf_spot spot;
    int64_t element = -1;

    if (cf_sides_read(&sides, g->v->store, g->v->plan.cases[i].c.text, i + 1,
                      g->v->plan.n_configurations, err) == 0 &&
        cf_sides_spots(&sides, &spot, 1) == 1 && spot.differs && spot.output == 0)
        element = spot.element;
    cf_sides_free(&sides);
    return element;
}

/* Terms of a case whose order can be asked for; 0: none can. */
static int64_t n_terms(const struct cf_gate_result *g, int i)
{
    const struct cf_case *c = &g->v->plan.cases[i].c;
    const struct cf_op *op = cf_op_find(c->op);
    const int has_answers = g->one[i].old.n_answers == 1 && g->one[i].new.n_answers == 1;
    char *base = cf_case_base(c);
    const int is_base = strcmp(base, c->text) == 0;
    int64_t n = 0;

    free(base);
    if (has_answers && is_base && op && op->places && (c->dtype == CF_F32 || c->dtype == CF_F64))
        n = op->terms(c, 0, 0);
    return n > TERMS_MAX ? 0 : n;
}

/* The changed case with the fewest terms of an op and type that has none yet; -1: no more. */
static int choose(const struct cf_gate_result *g)
{
    const struct cf_ledger *ledger = &g->v->history.ledger;
    int best = -1;

    for (int i = 0; i < g->v->plan.n_cases; ++i) {
        const enum cf_move move = g->one[i].moved.move;
        const int64_t n = n_terms(g, i);
        int is_new = 1;

        for (int k = 0; k < g->n_orders; ++k)
            is_new &= ledger->cases[g->order[k].index].group != ledger->cases[i].group;
        if (is_new && n > 1 && move != CF_MOVE_SAME && move != CF_MOVE_NONE &&
            (best < 0 || n < n_terms(g, best)))
            best = i;
    }
    return best;
}

static int find(struct cf_gated_order *one, const struct cf_gate_result *g, const char *worker,
                struct cf_error *err)
{
    const struct cf_case *c = &g->v->plan.cases[one->index].c;
    const int ends[2] = {g->old, g->new};
    struct cf_order order[2] = {{.tree = {.root = -1}}, {.tree = {.root = -1}}};
    int result = 0;

    for (int s = 0; s < 2 && result == 0; ++s)
        result =
            cf_order_find(&order[s], c, one->element, g->v->end[ends[s]].line, worker, 30000, err);
    if (result == 0) {
        one->is_known = order[0].kind != CF_ORDER_UNASKED && order[1].kind != CF_ORDER_UNASKED;
        one->sentence = cf_order_difference(&order[0], &order[1], c->dtype);
    }
    cf_order_free(&order[0]);
    cf_order_free(&order[1]);
    return result;
}

int cf_gate_find_orders(struct cf_gate_result *g, struct cf_error *err)
{
    char *worker;
    int result = 0, i;

    if (g->v->end[g->old].store || g->v->end[g->new].store)
        return 0; /* what ran elsewhere, or long ago, cannot be asked */
    worker = cf_task_worker(err);
    if (!worker)
        return -1;
    while (result == 0 && g->n_orders < CF_GATED_ORDERS && (i = choose(g)) >= 0) {
        struct cf_gated_order *one = &g->order[g->n_orders++];

        *one = (struct cf_gated_order){.index = i, .element = find_element(g, i, err)};
        if (one->element >= 0)
            result = find(one, g, worker, err);
    }
    free(worker);
    return result;
}
