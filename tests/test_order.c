/* Orders of real kernels through the worker: each is found, proven bit for bit, and what is no
 * plain order is not called one. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "order.h"
#include "reference.h"

#define WORKER CF_BINARY_DIR "/conform-worker"

static void find(struct cf_order *order, const char *line, int element, const char *configuration)
{
    struct cf_case c;
    struct cf_error err = {.text = ""};

    cr_assert_eq(cf_case_parse(&c, line, cf_op_grammar, &err), 0, "%s", err.text);
    cr_assert_eq(cf_order_find(order, &c, element, configuration, WORKER, 60000, &err), 0, "%s: %s",
                 configuration, err.text);
    cf_case_free(&c);
}

Test(order, of_kernels)
{
    static const struct {
        const char *line, *configuration, *text;
        enum cf_order_kind kind;
        int element, n_wide, n_fused, operand_bits, n_same;
    } rows[] = {
        {"dot f32 m=2 n=9", "plain kernel=forward", "[0 1 .. 8]", CF_ORDER_TREE, 1, 0, 0, 24, 100},
        {"dot f64 m=1 n=9", "plain kernel=reverse", "[8 7 .. 0]", CF_ORDER_TREE, 0, 0, 0, 53, 100},
        {"dot f32 m=1 n=9", "plain kernel=fma", "[0 1 .. 8]", CF_ORDER_TREE, 0, 0, 8, 24, 100},
        {"dot f64 m=1 n=9", "plain kernel=fma", "[0 1 .. 8]", CF_ORDER_TREE, 0, 0, 8, 53, 100},
        {"sum f64 m=1 n=8", "plain kernel=lanes4", "(([0 4] + [2 6]) + ([1 5] + [3 7]))",
         CF_ORDER_TREE, 0, 0, 0, 53, 100},
        {"gemm f32 m=2 n=3 k=6", "plain kernel=tf32", "[0 1 .. 5]", CF_ORDER_TREE, 5, 0, 0, 11,
         100},
        {"gemv f32 m=3 n=6", "plain kernel=bf16", "[0 1 .. 5]", CF_ORDER_TREE, 2, 0, 0, 8, 100},
        {"dot f32 m=1 n=6", "cuda device=cpu kernel=atomic-double", NULL, CF_ORDER_TREE, 0, -1, -1,
         24, 100},
        {"sum f32 m=1 n=40", "cuda device=cpu kernel=fixed", NULL, CF_ORDER_FREE_SUM, 0, 0, 0, 0,
         0},
        {"gemm f32 m=2 n=2 k=8", "model device=v100 kernel=f16", "{{0 1 2 3} 4 5 6 7}",
         CF_ORDER_TREE, 3, 0, 0, 11, 0},
        {"conv2d_fwd f32 n=1 c=2 h=3 w=3 k=2 r=2 s=2", "plain kernel=direct-crs", "[0 1 .. 7]",
         CF_ORDER_TREE, 5, 0, 0, 24, 100},
        {"allreduce f32 parts=8 n=3", "plain kernel=ring threads=4",
         "((([0 1] + [2 3]) + [4 5]) + [6 7])", CF_ORDER_TREE, 0, 0, 0, 24, 100},
        {"dot f64 m=1 n=1", "plain", "0", CF_ORDER_TREE, 0, 0, 0, 53, 100},
        {"dot f64 m=1 n=4", "plain kernel=nonsense", NULL, CF_ORDER_UNASKED, 0, 0, 0, 0, 0},
    };

    for (int r = 0; r < CF_COUNT(rows); ++r) {
        struct cf_order order;

        find(&order, rows[r].line, rows[r].element, rows[r].configuration);
        cr_assert_eq(order.kind, rows[r].kind, "row %d: %d %s", r, (int)order.kind, order.reason);
        cr_expect_eq(order.operand_bits, rows[r].operand_bits, "row %d: %d", r, order.operand_bits);
        cr_expect_eq(order.n_same, rows[r].n_same, "row %d: %d", r, order.n_same);
        cr_expect(rows[r].n_wide < 0 || order.n_wide == rows[r].n_wide, "row %d: %d", r,
                  order.n_wide);
        cr_expect(rows[r].n_fused < 0 || order.n_fused == rows[r].n_fused, "row %d: %d", r,
                  order.n_fused);
        if (order.kind == CF_ORDER_TREE && rows[r].text) {
            char *text = cf_sumtree_text(&order.tree);

            cr_expect_str_eq(text, rows[r].text, "row %d: %s", r, text);
            free(text);
        }
        cf_order_free(&order);
    }
}

/* A tree is found, but its bits are not all: compensation, a scaled result, a lost term. */
Test(order, a_tree_that_is_not_all_is_not_proven)
{
    static const char *const liars[] = {"plain kernel=kahan", "planted kernel=scaled-8u",
                                        "planted kernel=truncating", "planted kernel=one-twice",
                                        "planted kernel=last-dropped"};

    for (int i = 0; i < CF_COUNT(liars); ++i) {
        struct cf_order order;

        find(&order, "dot f32 m=1 n=64", 0, liars[i]);
        cr_expect(order.kind != CF_ORDER_UNASKED, "%s: %s", liars[i], order.reason);
        cr_expect(order.kind == CF_ORDER_NO_TREE ||
                      (order.kind == CF_ORDER_TREE && order.n_same < order.n_draws),
                  "%s: kind %d, %d of %d", liars[i], (int)order.kind, order.n_same, order.n_draws);
        cf_order_free(&order);
    }
}

Test(order, one_that_changes_is_told)
{
    int n_told = 0;

    for (int i = 0; i < 3; ++i) {
        struct cf_order order;

        find(&order, "dot f32 m=1 n=64", 0, "plain kernel=arrival threads=4");
        n_told += order.kind == CF_ORDER_FICKLE || order.kind == CF_ORDER_NO_TREE;
        cf_order_free(&order);
    }
    cr_expect_geq(n_told, 1);
}

Test(order, what_has_none_is_refused)
{
    static const struct {
        const char *line, *word;
        int element;
    } rows[] = {{"nrm2 f32 m=1 n=8", "orders are found for ops that add", 0},
                {"asum f32 m=1 n=8", "orders are found for ops that add", 0},
                {"dot f32 m=1 n=8", "has the elements 0 to 0", 1},
                {"dot f32 m=1 n=20000", "has 20000 terms", 0},
                {"dot f32 m=1 n=0", "has 0 terms", 0},
                {"gemm f32 m=4 n=4 k=4 row=1", "leave out row=", 0}};

    for (int r = 0; r < CF_COUNT(rows); ++r) {
        struct cf_error err = {.text = ""};
        struct cf_order order;
        struct cf_case c;

        cr_assert_eq(cf_case_parse(&c, rows[r].line, cf_op_grammar, &err), 0, "%s", err.text);
        cr_expect_eq(cf_order_find(&order, &c, rows[r].element, "plain", WORKER, 60000, &err), -1);
        cr_expect(strstr(err.text, rows[r].word) != NULL, "%s", err.text);
        cr_expect_eq(err.exit_code, 2);
        cf_case_free(&c);
    }
}

/* Where an op says that its terms are is where they are: their sum is the element. */
Test(order, places_are_the_terms)
{
    static const char *const lines[] = {
        "sum f64 m=3 n=5",
        "dot f64 m=3 n=5",
        "gemv f64 m=3 n=5",
        "symv f64 n=5",
        "gemm f64 m=3 n=4 k=5",
        "allreduce f64 parts=4 n=3",
        "bias_bwd f64 n=2 c=3 h=2 w=3",
        "conv2d_fwd f64 n=2 c=4 h=5 w=4 k=2 r=3 s=2 pad=1 stride=2 groups=2",
        "conv2d_bwd_data f64 n=2 c=4 h=5 w=4 k=2 r=3 s=2 pad=1 stride=2 groups=2",
        "conv2d_bwd_filter f64 n=2 c=4 h=5 w=4 k=2 r=3 s=2 pad=1 stride=2 groups=2"};
    int n_with_places = 0;

    for (int i = 0; cf_ops[i]; ++i)
        n_with_places += cf_ops[i]->places != NULL;
    cr_expect_eq(n_with_places, CF_COUNT(lines), "every op with places is a row here");
    for (int r = 0; r < CF_COUNT(lines); ++r) {
        struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
        const struct cf_op *op;
        struct cf_case c;
        mpfr_t exact, scale, sum, other;

        cr_assert_eq(cf_case_parse(&c, lines[r], cf_op_grammar, NULL), 0);
        op = cf_op_find(c.op);
        cr_assert(op->places != NULL, "%s", c.op);
        cr_assert_eq(cf_case_draw(&c, op, in, out, NULL), 0);
        mpfr_inits2(64, exact, scale, sum, other, (mpfr_ptr)NULL);
        for (int64_t i = 0; i < cf_tensor_count(&out[0]); ++i) {
            const int64_t n = op->terms(&c, 0, i);
            int64_t place[2][64];

            cr_assert_leq(n, 64);
            op->places(&c, in, i, place[0], place[1]);
            cf_exact_zero(sum, 4000);
            cf_exact_zero(other, 4000);
            for (int64_t t = 0; t < n; ++t)
                cf_exact_add_product(sum, other, cf_tensor_get(&in[0], place[0][t]),
                                     op->n_inputs > 1 ? cf_tensor_get(&in[1], place[1][t]) : 1);
            op->element(exact, scale, &c, in, 0, i);
            cr_expect(mpfr_equal_p(sum, exact), "%s element %lld", lines[r], (long long)i);
        }
        mpfr_clears(exact, scale, sum, other, (mpfr_ptr)NULL);
        for (int o = 0; o < op->n_inputs; ++o)
            cf_tensor_free(&in[o]);
        cf_case_free(&c);
    }
}
