/* exact paths: what random cases do not reach. Long sums at the limits of the accumulators, threads
 * and chunks, strides, known sums, and the traps that caught others. */
#include <criterion/criterion.h>

#include "exact_witness.h"

static void for_each_isa(void (*check)(const char *isa))
{
    const enum cf_exact_isa best = cf_exact_best_isa();

    for (int isa = 0; isa <= (int)best; ++isa) {
        cr_assert(cf_exact_force_isa((enum cf_exact_isa)isa));
        check(cf_exact_isa_name((enum cf_exact_isa)isa));
    }
    cf_exact_force_isa(best);
}

static bool is(const struct cf_truth *t, double rounded, double lo, double scale)
{
    return witness_same(t->rounded, rounded) && t->lo == lo && witness_same(t->scale, scale);
}

struct known {
    const char *claim;
    int n;
    double x[8], f64, f32, scale;
};

/* Sums that can be derived by hand; several are those of the test set of xsum (Neal, 2015):
 * cancellation of huge terms, ties to even, the ends of the range. */
static const struct known knowns[] = {
    {"an empty sum is +0", 0, {0}, 0.0, 0.0, 0.0},
    {"-0 alone stays -0", 1, {-0.0}, -0.0, -0.0, 0.0},
    {"-0 and +0 give +0", 2, {-0.0, 0.0}, 0.0, 0.0, 0.0},
    {"cancellation gives +0", 2, {-3.5, 3.5}, 0.0, 0.0, 7.0},
    {"1 survives 1e300", 3, {1e300, 1, -1e300}, 1.0, 1.0, 0x1.7e43c8800759dp+997},
    {"a tie goes to even, down", 2, {1, 0x1p-53}, 1.0, 1.0, 0x1.0000000000001p+0},
    {"a tie goes to even, up",
     2,
     {0x1.0000000000001p+0, 0x1p-53},
     0x1.0000000000002p+0,
     1.0,
     0x1.0000000000002p+0},
    {"a crumb breaks the tie",
     3,
     {1, 0x1p-53, 0x1p-1074},
     0x1.0000000000001p+0,
     1.0,
     0x1.0000000000001p+0},
    {"half an ulp of f32 and a crumb that double loses",
     3,
     {1, 0x1p-24, 0x1p-80},
     0x1.000001p+0,
     0x1.000002p+0,
     0x1.0000010000001p+0},
    {"DBL_MAX twice, once back", 3, {DBL_MAX, DBL_MAX, -DBL_MAX}, DBL_MAX, INFINITY, INFINITY},
    {"half an ulp beyond DBL_MAX is infinite", 2, {DBL_MAX, 0x1p970}, INFINITY, INFINITY, INFINITY},
    {"less than that is not", 3, {DBL_MAX, 0x1p970, -0x1p-1074}, DBL_MAX, INFINITY, INFINITY},
    {"subnormals add up", 2, {0x1p-1074, 0x1p-1074}, 0x1p-1073, 0.0, 0x1p-1073},
    {"into the normals", 2, {0x0.fffffffffffffp-1022, 0x1p-1074}, 0x1p-1022, 0.0, 0x1p-1022},
    {"infinity stays", 2, {INFINITY, -DBL_MAX}, INFINITY, INFINITY, INFINITY},
    {"infinities do not cancel", 2, {INFINITY, -INFINITY}, NAN, NAN, INFINITY},
    {"a negative power of two with nothing below", 2, {-0x1p64, 0}, -0x1p64, -0x1p64, 0x1p64},
};

static void check_known(const char *isa)
{
    for (size_t i = 0; i < sizeof knowns / sizeof knowns[0]; ++i) {
        const struct known *k = &knowns[i];
        struct cf_truth t;

        cf_exact_sum_f64(&t, k->x, k->n, CF_EXACT_F64, 1);
        cr_expect(witness_same(t.rounded, k->f64) && witness_same(t.scale, k->scale),
                  "%s: %s: %a scale %a", k->claim, isa, t.rounded, t.scale);
        cf_exact_sum_f64(&t, k->x, k->n, CF_EXACT_F32, 1);
        cr_expect(witness_same(t.rounded, k->f32), "%s: %s, f32: %a", k->claim, isa, t.rounded);
    }
}

Test(exact_paths, known_sums)
{
    for_each_isa(check_known);
}

/* The trap: bins whose limit forgot the last addition of all tables. Terms of one sign, all
 * significand bits set, so many that 32-bit halves would overflow a narrower accumulator; n * term
 * is exact here. */
enum { LONG = 1 << 22 };
static double *long_x;
static float *long_f;

static void check_long(const char *isa)
{
    static const int exponents[] = {0, -1074 + 52, 1000, -600};
    struct cf_truth t;

    for (size_t e = 0; e < sizeof exponents / sizeof exponents[0]; ++e) {
        const double term = ldexp(0x1.fffffffffffffp+0, exponents[e]), count = LONG - LONG / 2048;

        for (int64_t i = 0; i < LONG; ++i)
            long_x[i] = term;
        cf_exact_sum_f64(&t, long_x, LONG, CF_EXACT_F64, 1);
        cr_expect(is(&t, ldexp(term, 22), 0, ldexp(term, 22)), "%s: 2^22 times %a is %a", isa, term,
                  t.rounded);
        for (int64_t i = 0; i < LONG;
             i += 4096) { /* far apart in every block: the bins take all of it */
            long_x[i] = exponents[e] > 0 ? 0x1p-1000 : 0x1p1000;
            long_x[i + 1] = -long_x[i];
        }
        cf_exact_sum_f64(&t, long_x, LONG, CF_EXACT_F64, 1);
        cr_expect(t.rounded == term * count && t.lo == fma(term, count, -t.rounded),
                  "%s: in bins, %a", isa, t.rounded);
    }
    for (int64_t i = 0; i < LONG; ++i)
        long_f[i] = 0x1.fffffep+127f;
    cf_exact_dot_f32(&t, long_f, long_f, LONG, CF_EXACT_F64, 1);
    cr_expect(t.rounded == ldexp(0x1.fffffep+127 * 0x1.fffffep+127, 22) && t.lo == 0, "%s: f32 %a",
              isa, t.rounded);
    cf_exact_sum_f32(&t, long_f, LONG, CF_EXACT_F32, 1);
    cr_expect(is(&t, INFINITY, 0, 0x1.fffffep+149), "%s: overflow of f32: %a %a", isa, t.rounded,
              t.scale);
}

Test(exact_paths, long_sums_of_one_sign_do_not_overflow)
{
    long_x = malloc(LONG * sizeof *long_x);
    long_f = malloc(LONG * sizeof *long_f);
    for_each_isa(check_long);
    free(long_x);
    free(long_f);
}

/* Products that double cannot hold all go to the bins, and a stride of 0 makes any number of them
 * from two doubles: past every limit at which the bins must be emptied, with CONFORM_SCALE=10. */
Test(exact_paths, bins_are_emptied_in_time)
{
    const char *scale = getenv("CONFORM_SCALE");
    const int64_t n =
        scale != NULL && strtol(scale, NULL, 10) > 1 ? ((int64_t)1 << 31) + 12345 : (1 << 25) + 3;
    const double x = 0x1.fffffffffffffp-600, y = 0x1.ffffffffffffdp-440;
    struct cf_truth got, exact;
    struct witness w;

    witness_start(&w);
    witness_sum(&w, WITNESS_DOT, &x, &y, 1);
    mpfr_mul_ui(w.exact, w.exact, (unsigned long)n, MPFR_RNDN);
    mpfr_set(w.scale, w.exact, MPFR_RNDN);
    exact = witness_truth(&w, CF_EXACT_F64);
    cf_exact_dot_strided_f64(&got, &x, 0, &y, 0, n, CF_EXACT_F64, 1);
    cr_expect(witness_agrees(&exact, &got, WITNESS_DOT), "%a + %a, got %a + %a", exact.rounded,
              exact.lo, got.rounded, got.lo);
    witness_stop(&w);
}

/* The same limit without the memory: one accumulator is merged into itself again and again, up to
 * 2^40 terms of almost 2, and past the point where digits must be carried. */
Test(exact_paths, merging_doubles_without_overflow)
{
    struct cf_accumulator acc, copy;
    struct cf_truth t;

    cf_accumulator_clear(&acc);
    cf_accumulator_add(&acc, 0x1.fffffffffffffp+1023);
    cf_accumulator_add_product(&acc, -0x1p-1074, 0x1p-1074);
    for (int i = 0; i < 40; ++i) {
        copy = acc;
        cf_accumulator_merge(&acc, &copy);
    }
    cf_accumulator_add(&acc, -INFINITY);
    t = cf_accumulator_round(&acc, CF_EXACT_F64);
    cr_expect_eq(t.rounded, -INFINITY);
    for (int i = 0; i < 40; ++i)
        cf_accumulator_add_product(&copy, -0x1.fffffffffffffp+1023, ldexp(1, i));
    t = cf_accumulator_round(
        &copy, CF_EXACT_F64); /* 2^39 (x - y) - (2^40 - 1) x = (1 - 2^39) x - 2^39 y */
    cr_expect_eq(t.rounded, -INFINITY);
    for (int i = 0; i < 39; ++i)
        cf_accumulator_add_product(&copy, 0x1.fffffffffffffp+1023, ldexp(1, i));
    t = cf_accumulator_round(&copy, CF_EXACT_F64); /* what is left: - 2^39 2^-2148 */
    cr_expect(t.rounded == -0.0 && signbit(t.rounded), "%a", t.rounded);
    cr_expect_eq(t.lo, -0.0);
}

enum { MANY = 300000 };
static double many_x[MANY], many_y[MANY];

static void fill_many(uint64_t seed, int spread)
{
    for (int64_t i = 0; i < MANY; ++i) {
        many_x[i] = witness_number(&seed, witness_between(&seed, -spread, spread));
        many_y[i] = witness_number(&seed, witness_between(&seed, -spread, spread));
    }
}

/* Any number of threads, any chunks merged in any order, forwards and backwards: the same bits. */
static void check_chunks(const char *isa)
{
    struct cf_truth one, other;

    cf_exact_dot_f64(&one, many_x, many_y, MANY, CF_EXACT_F64, 1);
    for (int threads = 2; threads <= 9; threads += 3) {
        cf_exact_dot_f64(&other, many_x, many_y, MANY, CF_EXACT_F64, threads);
        cr_expect_eq(memcmp(&one, &other, sizeof one), 0, "%s: %d threads", isa, threads);
    }
    cf_exact_dot_strided_f64(&other, many_x + MANY - 1, -1, many_y + MANY - 1, -1, MANY,
                             CF_EXACT_F64, 2);
    cr_expect_eq(memcmp(&one, &other, sizeof one), 0, "%s: backwards", isa);
}

Test(exact_paths, same_bits_for_any_threads_chunks_and_order)
{
    static const int spreads[] = {3, 40, 500};

    for (int s = 0; s < 3; ++s) {
        struct cf_accumulator parts[7], whole;
        struct cf_truth a, b;

        fill_many((uint64_t)s, spreads[s]);
        for_each_isa(check_chunks);
        for (int p = 0; p < 7; ++p) {
            cf_accumulator_clear(&parts[p]);
            for (int64_t i = p; i < MANY; i += 7)
                cf_accumulator_add_product(&parts[p], many_x[i], many_y[i]);
        }
        whole = parts[6];
        for (int p = 5; p >= 0; --p)
            cf_accumulator_merge(&whole, &parts[p]);
        a = cf_accumulator_round(&whole, CF_EXACT_F64);
        cf_exact_dot_f64(&b, many_x, many_y, MANY, CF_EXACT_F64, 1);
        cr_expect_eq(memcmp(&a, &b, sizeof a), 0, "spread %d: %a %a", spreads[s], a.rounded,
                     b.rounded);
    }
}

/* 2^20 terms against MPFR, each way of adding them. */
static void check_mpfr(const char *isa)
{
    struct witness w;

    witness_start(&w);
    for (int op = 0; op < WITNESS_OPS; ++op) {
        struct cf_truth exact, got;

        witness_sum(&w, (enum witness_op)op, many_x, many_y, MANY);
        exact = witness_truth(&w, CF_EXACT_F64);
        got = witness_got((enum witness_op)op, many_x, many_y, MANY, CF_EXACT_F64, 2);
        cr_expect(witness_agrees(&exact, &got, (enum witness_op)op), "%s op %d: %a %a", isa, op,
                  exact.rounded, got.rounded);
    }
    witness_stop(&w);
}

Test(exact_paths, long_sums_agree_with_mpfr)
{
    static const int spreads[] = {5, 30, 45, 300};

    for (int s = 0; s < 4; ++s) {
        fill_many(100 + (uint64_t)s, spreads[s]);
        check_mpfr(cf_exact_isa_name(cf_exact_best_isa()));
    }
}

/* mpfr_sum is a second witness, with code of its own. */
Test(exact_paths, mpfr_sum_agrees)
{
    enum { N = 1 << 16 };
    mpfr_t *terms = malloc(N * sizeof *terms), sum;
    mpfr_ptr *pointers = malloc(N * sizeof *pointers);
    struct cf_truth t;

    for (int i = 0; i < N; ++i) {
        mpfr_init2(terms[i], 53);
        pointers[i] = terms[i];
    }
    mpfr_init2(sum, 53);
    for (int s = 0; s < 3; ++s) {
        fill_many(200 + (uint64_t)s, 1 + 100 * s);
        for (int i = 0; i < N; ++i)
            mpfr_set_d(terms[i], many_x[i], MPFR_RNDN);
        mpfr_sum(sum, pointers, N, MPFR_RNDN);
        cf_exact_sum_f64(&t, many_x, N, CF_EXACT_F64, 1);
        cr_expect_eq(t.rounded, mpfr_get_d(sum, MPFR_RNDN));
    }
    for (int i = 0; i < N; ++i)
        mpfr_clear(terms[i]);
    mpfr_clear(sum);
    free(terms);
    free(pointers);
}

static void check_strides(const char *isa)
{
    static const int64_t incs[] = {1, 2, -3, 0, 7};
    struct witness w;

    witness_start(&w);
    for (int a = 0; a < 5; ++a)
        for (int b = 0; b < 5; ++b) {
            double x[100], y[100];
            int64_t ix[100], iy[100];
            const int64_t base = 1000;
            struct cf_truth exact, strided, gathered;

            for (int64_t i = 0; i < 100; ++i) {
                ix[i] = i * incs[a];
                iy[i] = i * incs[b];
                x[i] = many_x[base + ix[i]];
                y[i] = many_y[base + iy[i]];
            }
            witness_sum(&w, WITNESS_DOT, x, y, 100);
            exact = witness_truth(&w, CF_EXACT_F32);
            cf_exact_dot_strided_f64(&strided, many_x + base, incs[a], many_y + base, incs[b], 100,
                                     CF_EXACT_F32, 1);
            cf_exact_dot_gather_f64(&gathered, many_x + base, ix, many_y + base, iy, 100,
                                    CF_EXACT_F32);
            cr_expect(witness_agrees(&exact, &strided, WITNESS_DOT), "%s %d %d", isa, a, b);
            cr_expect(witness_agrees(&exact, &gathered, WITNESS_DOT), "%s %d %d", isa, a, b);
        }
    witness_stop(&w);
}

Test(exact_paths, strides_and_gathers)
{
    fill_many(300, 20);
    for_each_isa(check_strides);
}

/* Products whose low half would fall below the subnormals, or that vanish in double: exact all the
 * same, in blocks that are otherwise ordinary. */
static void check_small_products(const char *isa)
{
    struct witness w;

    witness_start(&w);
    for (int low = -1074; low < -400; low += 7) {
        double x[64], y[64];
        uint64_t state = (uint64_t)(low + 2000);
        struct cf_truth exact, got;

        for (int i = 0; i < 64; ++i) {
            x[i] = witness_number(&state, i % 3 == 0 ? low : low / 2);
            y[i] = i % 7 == 0 ? 0 : witness_number(&state, i % 5 == 0 ? low / 3 : -low - 40);
        }
        witness_sum(&w, WITNESS_DOT, x, y, 64);
        exact = witness_truth(&w, CF_EXACT_F64);
        cf_exact_dot_f64(&got, x, y, 64, CF_EXACT_F64, 1);
        cr_expect(witness_agrees(&exact, &got, WITNESS_DOT), "%s at 2^%d: %a + %a, got %a + %a",
                  isa, low, exact.rounded, exact.lo, got.rounded, got.lo);
    }
    witness_stop(&w);
}

Test(exact_paths, products_that_double_cannot_split)
{
    for_each_isa(check_small_products);
}

/* A block of zeros, products that are zero, and a single other term: zeros keep their signs to the
 * end. */
static void check_zeros(const char *isa)
{
    double x[200], y[200];
    struct cf_truth t;

    for (int i = 0; i < 200; ++i) {
        x[i] = -0.0;
        y[i] = i % 2 != 0 ? 3.0 : 0.0;
    }
    cf_exact_sum_f64(&t, x, 200, CF_EXACT_F64, 1);
    cr_expect(is(&t, -0.0, 0, 0), "%s: %a", isa, t.rounded);
    cf_exact_dot_f64(&t, x, y, 200, CF_EXACT_F64, 1);
    cr_expect(is(&t, -0.0, 0, 0), "%s: %a", isa, t.rounded);
    y[150] = -1;
    cf_exact_dot_f64(&t, x, y, 200, CF_EXACT_F64, 1);
    cr_expect(is(&t, 0.0, 0, 0), "%s: %a", isa, t.rounded);
    cf_exact_asum_f64(&t, x, 200, CF_EXACT_F64, 1);
    cr_expect(is(&t, 0.0, 0, 0), "%s: %a", isa, t.rounded);
    y[77] = INFINITY;
    cf_exact_dot_f64(&t, x, y, 200, CF_EXACT_F64, 1);
    cr_expect(t.rounded != t.rounded, "%s: 0 * Inf is NaN, not %a", isa, t.rounded);
}

Test(exact_paths, zeros_keep_their_signs)
{
    for_each_isa(check_zeros);
}
