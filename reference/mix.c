/* mix: as unsigned numbers modulo 2^32, `rounds` times: x ^= x << 13; x ^= x >> 17; x ^= x << 5;
 * x = x * 2654435769 + t[round mod 256]. x: [n], t: [256], out: [passes, n], all rows equal. */
#include <string.h>

#include "reference.h"
#include "support_units.h"

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    if (c->dtype != CF_I32)
        return cf_fail(err, "`%s`: mix is of i32", c->text);
    return cf_units_shape(c, in, out, err);
}

static int draw(const struct cf_case *c, struct cf_tensor in[], struct cf_error *err)
{
    (void)err; /* shape has checked everything */
    return cf_units_draw(c, in, 2);
}

/* With 64-bit arithmetic cut down to 32 bits, unlike any kernel. */
static uint32_t follow(uint32_t start, const struct cf_tensor *table, int64_t rounds)
{
    const uint64_t mask = 0xffffffffu;
    uint64_t x = start;

    for (int64_t r = 0; r < rounds; ++r) {
        x = (x ^ x << 13) & mask;
        x ^= x >> 17;
        x = (x ^ x << 5) & mask;
        x = (x * 2654435769u + cf_tensor_encoding(table, r % CF_UNITS_TABLE)) & mask;
    }
    return (uint32_t)x;
}

static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    const uint32_t x = follow((uint32_t)cf_tensor_encoding(&in[0], i % in[0].dim[0]), &in[1],
                              cf_case_int(c, "rounds", 1));

    (void)o;
    mpfr_set_prec(exact, 64);
    mpfr_set_prec(scale, 64);
    mpfr_set_si(exact, (int32_t)x, MPFR_RNDN);
    mpfr_abs(scale, exact, MPFR_RNDN);
}

static void fast(struct cf_truth truth[], const struct cf_case *c, const struct cf_tensor in[],
                 int o, int threads)
{
    const int64_t n = in[0].dim[0], passes = cf_case_int(c, "passes", 1);

    (void)o;
    (void)threads;
    for (int64_t i = 0; i < n; ++i) {
        const double x = (int32_t)follow((uint32_t)cf_tensor_encoding(&in[0], i), &in[1],
                                         cf_case_int(c, "rounds", 1));

        truth[i] = (struct cf_truth){x, 0, x < 0 ? -x : x};
    }
    for (int64_t p = 1; p < passes; ++p)
        memcpy(truth + p * n, truth, (size_t)n * sizeof truth[0]);
}

const struct cf_op cf_op_mix = {
    .grammar = {.op = "mix", .dims = "n rounds passes", .options = ""},
    .why = "shifts, exclusive ors and multiplications of 32-bit integers: one right answer",
    .source = "Marsaglia, Xorshift RNGs, 2003; the order is the definition",
    .n_inputs = 2,
    .n_outputs = 1,
    .reduce_dim = {-1, -1},
    .shape = shape,
    .draw = draw,
    .element = element,
    .fast = fast,
    .terms = cf_units_terms};
