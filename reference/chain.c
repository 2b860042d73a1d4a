/* chain: `rounds` times, with c = t[round mod 256] / 4: fused=1: y = fma(x, 3/4, c), x = fma(-2 y,
 * y, 1); fused=0: y = x * 3/4 + c, x = 1 - 2 y * y with every operation rounded. x: [n], t: [256],
 * out: [passes, n], all rows equal. x, t, y and every x lie in [-1, 1], multiples of 2^-56 or 0, so
 * that nothing under- or overflows. */
#include <stdlib.h>
#include <string.h>

#include "reference.h"
#include "support_soft.h"
#include "support_units.h"

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    if (c->dtype != CF_F64 && c->dtype != CF_F32)
        return cf_fail(err, "`%s`: chain is of f64 or f32", c->text);
    return cf_units_shape(c, in, out, err);
}

static int draw(const struct cf_case *c, struct cf_tensor in[], struct cf_error *err)
{
    (void)err; /* shape has checked everything */
    return cf_units_draw(c, in, 2);
}

/* The definition: each step exact, then rounded to the type. */
static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    const int64_t n = in[0].dim[0], rounds = cf_case_int(c, "rounds", 1);
    const int fused = cf_case_int(c, "fused", 1) != 0, digits = cf_dtype_digits(c->dtype);
    mpfr_t y, term, one;

    (void)o;
    mpfr_inits2(digits, y, term, one, (mpfr_ptr)0);
    mpfr_set_prec(exact, digits);
    mpfr_set_prec(scale, digits);
    mpfr_set_d(exact, cf_tensor_get(&in[0], i % n), MPFR_RNDN);
    mpfr_set_ui(one, 1, MPFR_RNDN);
    for (int64_t r = 0; r < rounds; ++r) {
        mpfr_set_d(term, cf_tensor_get(&in[1], r % CF_UNITS_TABLE) / 4, MPFR_RNDN);
        mpfr_set_d(y, 0.75, MPFR_RNDN);
        if (fused) {
            mpfr_fma(y, exact, y, term, MPFR_RNDN);
            mpfr_mul_si(term, y, -2, MPFR_RNDN);
            mpfr_fma(exact, term, y, one, MPFR_RNDN);
        } else {
            mpfr_mul(y, exact, y, MPFR_RNDN);
            mpfr_add(y, y, term, MPFR_RNDN);
            mpfr_mul_ui(term, y, 2, MPFR_RNDN);
            mpfr_mul(term, term, y, MPFR_RNDN);
            mpfr_sub(exact, one, term, MPFR_RNDN);
        }
    }
    mpfr_abs(scale, exact, MPFR_RNDN);
    mpfr_clears(y, term, one, (mpfr_ptr)0);
}

/* A quarter of an encoding: its exponent less two; smaller numbers than 2^-64 do not occur. */
static uint64_t quarter(const struct cf_soft_format *f, uint64_t x)
{
    const uint64_t four = 2ull << (f->digits - 1), exponent = (1ull << f->exponent_bits) - 1;

    return (x >> (f->digits - 1) & exponent) ? x - four : x;
}

/* One lane by integers alone. */
static uint64_t follow(const struct cf_soft_format *f, uint64_t x, const uint64_t table[],
                       int64_t rounds, int fused)
{
    const int stored = f->digits - 1;
    const uint64_t bias = (1ull << (f->exponent_bits - 1)) - 1, one = bias << stored,
                   slope = (bias - 1) << stored | 1ull << (stored - 1);

    for (int64_t r = 0; r < rounds; ++r) {
        const uint64_t c = table[r % CF_UNITS_TABLE];
        uint64_t y, twice;

        y = fused ? cf_soft_fma(f, x, slope, c) : cf_soft_add(f, cf_soft_mul(f, x, slope), c);
        twice = cf_soft_add(f, y, y);
        x = fused ? cf_soft_fma(f, cf_soft_negate(f, twice), y, one)
                  : cf_soft_add(f, one, cf_soft_negate(f, cf_soft_mul(f, twice, y)));
    }
    return x;
}

static double widen(enum cf_dtype dtype, uint64_t encoding)
{
    struct cf_tensor x = {.dtype = dtype, .bits = &encoding};

    return cf_tensor_get(&x, 0); /* little-endian, as every machine that this builds for */
}

static void fast(struct cf_truth truth[], const struct cf_case *c, const struct cf_tensor in[],
                 int o, int threads)
{
    const struct cf_soft_format *f = c->dtype == CF_F64 ? &cf_soft_f64 : &cf_soft_f32;
    const int64_t n = in[0].dim[0], rounds = cf_case_int(c, "rounds", 1),
                  passes = cf_case_int(c, "passes", 1);
    uint64_t table[CF_UNITS_TABLE];

    (void)o;
    (void)threads;
    for (int i = 0; i < CF_UNITS_TABLE; ++i)
        table[i] = quarter(f, cf_tensor_encoding(&in[1], i));
    for (int64_t i = 0; i < n; ++i) {
        const uint64_t x = follow(f, cf_tensor_encoding(&in[0], i), table, rounds,
                                  cf_case_int(c, "fused", 1) != 0);

        truth[i].rounded = widen(c->dtype, x);
        truth[i].lo = 0;
        truth[i].scale = truth[i].rounded < 0 ? -truth[i].rounded : truth[i].rounded;
    }
    for (int64_t p = 1; p < passes; ++p)
        memcpy(truth + p * n, truth, (size_t)n * sizeof truth[0]);
}

const struct cf_op cf_op_chain = {
    .grammar = {.op = "chain", .dims = "n rounds passes", .options = "fused=1"},
    .why = "a chaotic chain of multiplications and additions in n lanes: one right answer",
    .source = "the order is the definition; IEEE 754-2019, section 5.4.1",
    .n_inputs = 2,
    .n_outputs = 1,
    .reduce_dim = {-1, -1},
    .shape = shape,
    .draw = draw,
    .element = element,
    .fast = fast,
    .terms = cf_units_terms};
