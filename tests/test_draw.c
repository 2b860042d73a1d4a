/* draw: fills are what they say, sighted, the same for a variant as for its base. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "reference.h"

struct drawn {
    struct cf_case c;
    const struct cf_op *op;
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
};

static struct drawn draw(const char *line)
{
    struct drawn d = {0};
    struct cf_error err = {0};

    cr_assert_eq(cf_case_parse(&d.c, line, cf_op_grammar, &err), 0, "%s", err.text);
    d.op = cf_op_find(d.c.op);
    cr_assert_eq(cf_case_draw(&d.c, d.op, d.in, d.out, &err), 0, "%s", err.text);
    return d;
}

static void drop(struct drawn *d)
{
    for (int o = 0; o < d->op->n_inputs; ++o)
        cf_tensor_free(&d->in[o]);
    cf_case_free(&d->c);
}

/* condition = sum|terms| / |sum| of element 0, by the op's own definition. */
static double condition(const char *line)
{
    struct drawn d = draw(line);
    mpfr_t exact, scale;
    double ratio;

    mpfr_inits2(64, exact, scale, (mpfr_ptr)0);
    d.op->element(exact, scale, &d.c, d.in, 0, 0);
    mpfr_abs(exact, exact, MPFR_RNDN);
    mpfr_div(scale, scale, exact, MPFR_RNDN);
    ratio = mpfr_get_d(scale, MPFR_RNDN);
    mpfr_clears(exact, scale, (mpfr_ptr)0);
    drop(&d);
    return ratio;
}

struct condition_row {
    char line[80];
    double at_least, at_most;
};

Test(draw, cancelling_fills_have_the_condition_that_they_state)
{
    static const struct condition_row rows[] = {
        {"dot f64 m=1 n=1024 fill=cancel10 seed=1", 900, 1100},
        {"dot f32 m=1 n=1024 fill=cancel10 seed=1", 900, 1100},
        {"sum f64 m=1 n=1000 fill=cancel20 seed=2", 9e5, 1.2e6},
        {"sum f32 m=1 n=257 fill=cancel20 seed=2", 5e5, 1.6e6},
        {"gemm f64 m=3 n=2 k=64 fill=cancel20 seed=3", 9e5, 1.2e6},
        {"gemv f32 m=3 n=64 fill=cancel10 seed=3", 900, 1100},
        {"dot f64 m=1 n=1024 fill=uniform seed=1", 1, 1}};

    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; ++r) {
        const double k = condition(rows[r].line);

        cr_expect(k >= rows[r].at_least && k <= rows[r].at_most, "%s: condition %a", rows[r].line,
                  k);
    }
}

/* The share of elements whose lowest significand bit is set: near one half when a fill is sighted.
 */
static double low_bits(const char *line)
{
    struct drawn d = draw(line);
    const int64_t n = cf_tensor_count(&d.in[0]);
    double share = 0;

    for (int64_t i = 0; i < n; ++i)
        share += (double)(cf_tensor_encoding(&d.in[0], i) & 1);
    drop(&d);
    return share / (double)n;
}

Test(draw, fills_use_every_bit_of_the_significand)
{
    static const char *const lines[] = {
        "dot f64 m=1 n=20000 fill=normal seed=1",  "dot f32 m=1 n=20000 fill=normal seed=1",
        "dot f32 m=1 n=20000 fill=uniform seed=1", "dot f64 m=1 n=20000 fill=uniform seed=1",
        "dot f64 m=1 n=20000 fill=wide seed=1",    "dot f32 m=1 n=20000 fill=wide seed=1"};

    for (size_t r = 0; r < sizeof lines / sizeof lines[0]; ++r) {
        const double share = low_bits(lines[r]);

        cr_expect(share > 0.4 && share < 0.6, "%s: %a of the low bits are set", lines[r], share);
    }
}

Test(draw, normal_has_mean_0_and_deviation_1)
{
    struct drawn d = draw("dot f64 m=1 n=100000 fill=normal seed=5");
    double mean = 0, square = 0;

    for (int64_t i = 0; i < 100000; ++i) {
        const double x = cf_tensor_get(&d.in[0], i);

        mean += x / 1e5;
        square += x * x / 1e5;
    }
    cr_expect(fabs(mean) < 0.02, "mean %a", mean);
    cr_expect(fabs(square - 1) < 0.02, "mean square %a", square);
    drop(&d);
}

Test(draw, integers_never_overflow_the_significand)
{
    static const char *const lines[] = {
        "dot f32 m=1 n=1048576 fill=integer seed=1", "dot f32 m=1 n=1025 fill=integer seed=1",
        "gemm f32 m=3 n=3 k=1025 fill=integer seed=2", "sum f32 m=2 n=1025 fill=spike seed=1",
        "dot f32 m=1 n=16384 fill=spike seed=9"};

    for (size_t r = 0; r < sizeof lines / sizeof lines[0]; ++r) {
        struct drawn d = draw(lines[r]);
        mpfr_t exact, scale;

        mpfr_inits2(64, exact, scale, (mpfr_ptr)0);
        d.op->element(exact, scale, &d.c, d.in, 0, 0);
        cr_expect(mpfr_cmp_d(scale, 0x1p24) <= 0, "%s: sum of magnitudes is %a", lines[r],
                  mpfr_get_d(scale, MPFR_RNDU));
        cr_expect(mpfr_integer_p(exact));
        mpfr_clears(exact, scale, (mpfr_ptr)0);
        drop(&d);
    }
}

Test(draw, tiny_terms_are_subnormal)
{
    struct drawn d = draw("dot f32 m=1 n=1000 fill=tiny seed=1");

    for (int64_t i = 0; i < 1000; ++i) {
        const double p = fabs(cf_tensor_get(&d.in[0], i) * cf_tensor_get(&d.in[1], i));

        cr_assert(p < 0x1p-126 && p > 0x1p-149, "term %ld is %a", (long)i, p);
    }
    drop(&d);
}

Test(draw, special_lines_hold_what_they_promise)
{
    struct drawn d = draw("sum f32 m=12 n=5 fill=special seed=1");
    int nans = 0, infinities = 0, minus_zeros = 0;

    for (int64_t i = 0; i < 60; ++i) {
        const double x = cf_tensor_get(&d.in[0], i);

        nans += isnan(x);
        infinities += isinf(x) != 0;
        minus_zeros += x == 0 && signbit(x);
    }
    cr_expect_eq(nans, 2);
    cr_expect_eq(infinities, 8);
    cr_expect(minus_zeros >= 10, "%d", minus_zeros);
    drop(&d);
}

Test(draw, a_variant_holds_the_elements_of_its_base)
{
    static const char *const variants[] = {"row=4",     "rowperm=3",           "col=2",
                                           "colperm=9", "rowperm=1 colperm=2", "row=0 colperm=1"};

    for (size_t v = 0; v < sizeof variants / sizeof variants[0]; ++v) {
        char *line = cf_format("gemm f32 m=6 n=5 k=7 fill=integer seed=1 %s", variants[v]);
        struct drawn base = draw("gemm f32 m=6 n=5 k=7 fill=integer seed=1"), d = draw(line);
        mpfr_t a, b, scale;

        mpfr_inits2(64, a, b, scale, (mpfr_ptr)0);
        for (int64_t i = 0; i < cf_tensor_count(&d.out[0]); ++i) {
            const int64_t j = cf_case_base_index(&d.c, d.op, 0, i);

            cr_assert(j >= 0 && j < 30);
            d.op->element(a, scale, &d.c, d.in, 0, i);
            base.op->element(b, scale, &base.c, base.in, 0, j);
            cr_expect(mpfr_equal_p(a, b), "%s: element %ld is not %ld of the base", line, (long)i,
                      (long)j);
        }
        mpfr_clears(a, b, scale, (mpfr_ptr)0);
        drop(&base);
        drop(&d);
        free(line);
    }
}

Test(draw, refuses_what_makes_no_sense)
{
    static const char *const lines[] = {"gemv f32 m=3 n=2 col=1", "gemm f32 m=3 n=2 k=2 row=3",
                                        "dot f32 m=3 n=2 fill=lovely",
                                        "gemm f32 m=3 n=2 k=2 row=x"};

    for (size_t r = 0; r < sizeof lines / sizeof lines[0]; ++r) {
        struct cf_case c;
        struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
        struct cf_error err = {0};

        cr_assert_eq(cf_case_parse(&c, lines[r], cf_op_grammar, &err), 0);
        cr_expect_eq(cf_case_draw(&c, cf_op_find(c.op), in, out, &err), -1, "%s", lines[r]);
        cr_expect(strlen(err.text) > 10);
        cf_case_free(&c);
    }
}
