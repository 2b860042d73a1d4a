/* whole: the fast values against MPFR in every binade, answers that lie in one way, and blocks in a
 * store. */
#include <criterion/criterion.h>
#include <math.h>

#include "store_support.h"
#include "truth.h"
#include "whole_print.h"

static const char *const functions[] = {"exp", "log", "sin", "cos", "tanh", "erf"};

#define N_EACH 4 /* arguments of a sign and an exponent, beside its first and last */

static float float_of(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static struct cf_truth by_mpfr(const struct cf_op *op, float x)
{
    const struct cf_tensor in = {.dtype = CF_F32, .rank = 1, .dim = {1}, .bits = &x};
    const struct cf_tensor out = {.dtype = CF_F32, .rank = 1, .dim = {1}};
    struct cf_truth truth;

    cf_reference_element(&truth, NULL, op, &in, &out, 0, 0);
    return truth;
}

/* The first, the last and some more of a sign and an exponent field. */
static void draw(float x[N_EACH + 2], uint32_t top)
{
    const struct cf_stream stream = {.seed = top, .stream = 3};

    x[0] = float_of(top << 23);
    x[1] = float_of(top << 23 | 0x7fffff);
    for (uint64_t i = 0; i < N_EACH; ++i)
        x[i + 2] = float_of(top << 23 | (uint32_t)cf_stream_below(&stream, i, 1 << 23));
}

static void check_value(const struct cf_op *op, float x, double y, double bound)
{
    const struct cf_truth truth = by_mpfr(op, x);
    const double exact = truth.rounded + truth.lo;

    if (!isfinite(truth.rounded) || fabs(exact) < CF_VALUES_LEAST)
        cr_assert(isnan(truth.rounded) ? isnan(y)
                                       : bits_of((float)truth.rounded) == bits_of((float)y),
                  "%s(%a): %a instead of %a", op->grammar.op, x, y, truth.rounded);
    else
        cr_assert(fabs(y - truth.rounded - truth.lo) <= bound * fabs(exact),
                  "%s(%a) = %a: off by %.3g of it, allowed %.3g", op->grammar.op, x, y,
                  fabs(y - truth.rounded - truth.lo) / fabs(exact), bound);
}

/* The bound must hold, and be small: an infinite one holds for anything. */
Test(whole, values_keep_their_bound_in_every_binade)
{
    for (size_t f = 0; f < sizeof functions / sizeof functions[0]; ++f) {
        const struct cf_op *op = cf_op_find(functions[f]);

        for (uint32_t top = 0; top < 512; ++top) {
            float x[N_EACH + 2];
            double y[N_EACH + 2], bound;

            draw(x, top);
            bound = op->values(y, x, N_EACH + 2);
            cr_assert(bound > 0 && bound < 0x1p-42, "%s: %g", functions[f], bound);
            for (int i = 0; i < N_EACH + 2; ++i)
                check_value(op, x[i], y[i], bound);
        }
    }
}

/* The float next to a multiple of pi / 2 (Muller, Elementary Functions, 2016, table 11.1), where a
 * short reduction leaves nothing; and the bits of 1 / (2 pi) that no short range reaches. */
Test(whole, reduction_of_large_arguments)
{
    static const float hard[] = {16367173 * 0x1p+72f, 0x1.921fb6p+0f, 0x1.fffffep+127f,
                                 0x1.dfb95cp+73f,     0x1.921fb6p+1f, -0x1.921fb6p+1f};

    for (size_t i = 0; i < sizeof hard / sizeof hard[0]; ++i)
        for (int f = 2; f < 4; ++f) {
            const struct cf_op *op = cf_op_find(functions[f]);
            double y;
            const double bound = op->values(&y, &hard[i], 1);

            cr_assert(bound < 0x1p-42);
            check_value(op, hard[i], y, bound);
        }
}

#define N 70000

/* Answers that are right, to arguments around 0x3f800000; `lie` changes them. */
static void answer(struct cf_whole_tally *tally, void (*lie)(uint32_t got[]), int both)
{
    static int is_ready;
    static uint32_t x[N], right[N], got[2][N];
    const struct cf_op *op = cf_op_find("tanh");
    const uint32_t *const answers[2] = {got[0], both ? got[1] : NULL};

    for (int64_t i = 0; i < N; ++i) {
        x[i] = i < 8 ? (i < 4 ? (uint32_t)i : 0x7f7ffffeu + (uint32_t)i - 4)
                     : 0x3f800000u - 1000 + (uint32_t)i;
        if (!is_ready)
            right[i] = bits_of((float)by_mpfr(op, float_of(x[i])).rounded);
        got[0][i] = got[1][i] = right[i];
    }
    is_ready = 1;
    lie(got[both]);
    *tally = (struct cf_whole_tally){0};
    cf_whole_judge(tally, op, x, answers, N);
}

static void nothing(uint32_t got[])
{
    (void)got;
}

static void one(uint32_t got[])
{
    ++got[12345];
}

static void sign_of_zero(uint32_t got[])
{
    got[0] = 0x80000000;
}

static void another_nan(uint32_t got[])
{
    got[7] = 0xffc12345;
}

static void nan_for_a_number(uint32_t got[])
{
    got[69999] = 0x7fc00000;
}

static void number_for_a_nan(uint32_t got[])
{
    got[7] = 0x3f800000;
}

static void infinity(uint32_t got[])
{
    got[4] = 0x7f800000;
}

struct row {
    char claim[44];
    void (*lie)(uint32_t got[]);
    int64_t n_wrong;
    double low, high; /* of the largest error */
};

Test(whole, each_lie_is_seen)
{
    static const struct row rows[] = {
        {"the truth passes", nothing, 0, 0.49, 0.5001},
        {"one unit is seen", one, 1, 0.5, 1.5001},
        {"-0 is not +0", sign_of_zero, 1, 0.49, 0.5001},
        {"a NaN is a NaN", another_nan, 0, 0.49, 0.5001},
        {"a NaN for a number", nan_for_a_number, 1, INFINITY, INFINITY},
        {"a number for a NaN", number_for_a_nan, 1, INFINITY, INFINITY},
        {"an infinity counts as 2^128", infinity, 1, 0x1p150, 0x1p153}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        struct cf_whole_tally t;

        answer(&t, rows[i].lie, 0);
        cr_assert(t.n == N && t.n_sampled >= 2);
        cr_assert_eq(t.side[0].n_wrong, rows[i].n_wrong, "%s: %lld", rows[i].claim,
                     (long long)t.side[0].n_wrong);
        cr_assert(t.side[0].worst >= rows[i].low && t.side[0].worst <= rows[i].high, "%s: %a",
                  rows[i].claim, t.side[0].worst);
    }
}

Test(whole, who_is_right)
{
    struct cf_whole_tally t, sum = {0};
    uint32_t right;

    answer(&t, one, 1);
    cr_assert(t.differ[CF_OLD_RIGHT].n == 1 && t.differ[CF_NEW_RIGHT].n == 0);
    cr_assert_eq(t.differ[CF_OLD_RIGHT].x, 0x3f800000u - 1000 + 12345);
    cr_assert_eq(t.differ[CF_OLD_RIGHT].got[1], t.differ[CF_OLD_RIGHT].right + 1);
    cr_assert_eq(t.side[0].n_wrong, 0);
    cr_assert(cf_whole_measure(cf_op_find("tanh"), t.side[1].x, t.side[1].got, &right) > 0.5 &&
              right == t.differ[CF_OLD_RIGHT].right);
    cf_whole_add(&sum, &t);
    answer(&t, another_nan, 1);
    cr_assert(t.differ[CF_BOTH_RIGHT].n == 1);
    cf_whole_add(&sum, &t);
    cr_assert(sum.n == 2 * N && sum.differ[CF_OLD_RIGHT].n == 1 && sum.side[1].n_wrong == 1 &&
              sum.side[1].worst > 0.5 && sum.side[0].worst <= 0.5001);
}

/* Of moved answers: one alone counts, ten against eight are chance; a larger error than the op
 * allows counts in any case, and NaN is no small one. */
Test(whole, verdicts)
{
    static const struct {
        int64_t better, worse;
        double old_worst, new_worst;
        enum cf_whole_verdict verdict;
    } rows[] = {{0, 1, 0.5, 0.6, CF_WHOLE_REGRESSED},     {1, 0, 0.6, 0.5, CF_WHOLE_IMPROVED},
                {8, 10, 0.6, 0.6, CF_WHOLE_CHANGED},      {10, 8, 0.6, 0.6, CF_WHOLE_CHANGED},
                {100, 200, 0.6, 0.6, CF_WHOLE_REGRESSED}, {200, 100, 0.6, 0.6, CF_WHOLE_IMPROVED},
                {0, 0, 0.6, 0.6, CF_WHOLE_CHANGED},       {9, 1, 0.6, 5.1, CF_WHOLE_REGRESSED},
                {9, 0, 5.1, NAN, CF_WHOLE_REGRESSED},     {9, 0, 9.0, 6.0, CF_WHOLE_IMPROVED}};
    const struct cf_whole_order order = {.op = cf_op_find("exp"), .n_sides = 2};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        struct cf_whole_result result = {.n_differ = 1};

        result.tally.differ[CF_NEW_RIGHT].n = rows[i].better;
        result.tally.differ[CF_OLD_RIGHT].n = rows[i].worse;
        result.tally.side[0].worst = rows[i].old_worst;
        result.tally.side[1].worst = rows[i].new_worst;
        cr_assert_eq(cf_whole_decide(&result, &order), rows[i].verdict, "row %zu", i);
    }
}

/* All members of a block come back, also infinite ones; a damaged one is refused. */
Test(whole, blocks_are_kept, .init = make_folder, .fini = remove_folder)
{
    const struct cf_whole_order order = {.text = "tanh f32 n=70000 range=whole"};
    struct cf_store *store = open_or_fail(CF_STORE_CREATE);
    struct cf_whole_block block = {.is_done = 1, .digest = {{{1, 2, 255}}, {{7}}}}, got = {0};
    struct cf_error err;

    answer(&block.tally, nan_for_a_number, 1);
    cr_assert_eq(cf_whole_put(store, &order, 3, &block, &err), 0);
    cr_assert_eq(cf_whole_get(store, &order, 2, &got, &err), 0);
    cr_assert_eq(cf_whole_get(store, &order, 3, &got, &err), 1);
    cr_assert(memcmp(&got, &block, sizeof got) == 0);
    cr_assert_eq(
        cf_store_put_meta(store, "whole tanh f32 n=70000 range=whole block 4", "12 34", &err), 0);
    cr_assert_eq(cf_whole_get(store, &order, 4, &got, &err), -1);
    cf_store_close(store);
}
