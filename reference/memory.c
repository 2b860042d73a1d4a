/* memory: w[i] = x[i mod 64] * (2 i + 1) modulo 2^64 for i < n; `rounds` times v[i] = rotate(w[n -
 * 1
 * - i], 7) ^ i, and v becomes w; s = sum over i = l modulo 64 of w[i] * (2 i + 1) modulo
 * 2^64, out[l] = (s ^ s >> 53) modulo 2^53.
 * x, out: [64]. Here every word is followed through the rounds by itself: no array is moved. */
#include <stdint.h>

#include "reference.h"
#include "support_units.h"

#define LANES 64

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    const int64_t n = cf_case_int(c, "n", LANES);

    if (c->dtype != CF_I64 || n < LANES || n % LANES || cf_case_int(c, "rounds", 1) < 1)
        return cf_fail(err, "`%s`: memory is of i64, and n is a multiple of 64", c->text);
    in[0] = out[0] = (struct cf_tensor){.dtype = CF_I64, .rank = 1, .dim = {LANES}};
    return 0;
}

static int draw(const struct cf_case *c, struct cf_tensor in[], struct cf_error *err)
{
    (void)err; /* shape has checked everything */
    return cf_units_draw(c, in, 1);
}

/* Where the word that ends at `place` came from, and what became of it on its way. */
static uint64_t follow(const struct cf_tensor *x, int64_t n, int64_t rounds, int64_t place)
{
    const int64_t mirror = n - 1 - place, start = rounds % 2 ? mirror : place;
    uint64_t word = cf_tensor_encoding(x, start % LANES) * (2 * (uint64_t)start + 1);

    for (int64_t r = 1; r <= rounds; ++r) {
        const int64_t now = (rounds - r) % 2 ? mirror : place;

        word = (word << 7 | word >> 57) ^ (uint64_t)now;
    }
    return word;
}

static uint64_t total(const struct cf_case *c, const struct cf_tensor *x, int64_t lane)
{
    const int64_t n = cf_case_int(c, "n", LANES), rounds = cf_case_int(c, "rounds", 1);
    uint64_t sum = 0;

    for (int64_t i = lane; i < n; i += LANES)
        sum += follow(x, n, rounds, i) * (2 * (uint64_t)i + 1);
    return (sum ^ sum >> 53) & (((uint64_t)1 << 53) - 1);
}

static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    (void)o;
    mpfr_set_prec(exact, 64);
    mpfr_set_prec(scale, 64);
    mpfr_set_sj(exact, (int64_t)total(c, &in[0], i), MPFR_RNDN);
    mpfr_abs(scale, exact, MPFR_RNDN);
}

const struct cf_op cf_op_memory = {.grammar = {.op = "memory", .dims = "n rounds", .options = ""},
                                   .why =
                                       "words that go to and fro through memory: one right answer",
                                   .source = "the order is the definition",
                                   .n_inputs = 1,
                                   .n_outputs = 1,
                                   .reduce_dim = {-1},
                                   .shape = shape,
                                   .draw = draw,
                                   .element = element,
                                   .terms = cf_units_terms};
