/* soft: IEEE 754 by integers, which the golden pack's answers come from, against MPFR, which knows
 * nothing of it: every pair and triple of awkward encodings, and many random ones. */
#include <criterion/criterion.h>
#include <math.h>
#include <mpfr.h>
#include <stdlib.h>
#include <string.h>

#include "../reference/support_soft.h"
#include "error.h"

struct format {
    const struct cf_soft_format *soft;
    int digits, emin, emax; /* of MPFR, whose significands lie in [1/2, 1) */
};
static const struct format formats[] = {{&cf_soft_f32, 24, -148, 128},
                                        {&cf_soft_f64, 53, -1073, 1024}};

static double widen(const struct format *f, uint64_t x)
{
    double wide;
    float narrow;
    const uint32_t low = (uint32_t)x;

    memcpy(&narrow, &low, sizeof narrow);
    memcpy(&wide, &x, sizeof wide);
    return f->digits == 24 ? narrow : wide;
}

static uint64_t encode(const struct format *f, double x)
{
    const float narrow = (float)x;
    uint64_t wide;
    uint32_t low;

    if (isnan(x))
        return f->digits == 24 ? 0x7fc00000 : 0x7ff8000000000000;
    memcpy(&low, &narrow, sizeof low);
    memcpy(&wide, &x, sizeof wide);
    return f->digits == 24 ? low : wide;
}

enum operation { ADD, MUL, FMA, N_OPERATIONS };

static uint64_t by_mpfr(const struct format *f, enum operation op, uint64_t a, uint64_t b,
                        uint64_t c)
{
    mpfr_t x, y, z;
    double result;
    int ternary;

    mpfr_set_emin(f->emin);
    mpfr_set_emax(f->emax);
    mpfr_inits2(f->digits, x, y, z, (mpfr_ptr)0);
    mpfr_set_d(x, widen(f, a), MPFR_RNDN);
    mpfr_set_d(y, widen(f, b), MPFR_RNDN);
    mpfr_set_d(z, widen(f, c), MPFR_RNDN);
    ternary = op == ADD   ? mpfr_add(x, x, y, MPFR_RNDN)
              : op == MUL ? mpfr_mul(x, x, y, MPFR_RNDN)
                          : mpfr_fma(x, x, y, z, MPFR_RNDN);
    mpfr_subnormalize(x, ternary, MPFR_RNDN);
    result = mpfr_get_d(x, MPFR_RNDN);
    mpfr_clears(x, y, z, (mpfr_ptr)0);
    return encode(f, result);
}

static uint64_t by_soft(const struct format *f, enum operation op, uint64_t a, uint64_t b,
                        uint64_t c)
{
    return op == ADD   ? cf_soft_add(f->soft, a, b)
           : op == MUL ? cf_soft_mul(f->soft, a, b)
                       : cf_soft_fma(f->soft, a, b, c);
}

static int n_bad;

static void compare(const struct format *f, uint64_t a, uint64_t b, uint64_t c)
{
    static const char *const names[N_OPERATIONS] = {"add", "mul", "fma"};

    for (int op = 0; op < N_OPERATIONS; ++op) {
        const uint64_t exact = by_mpfr(f, (enum operation)op, a, b, c),
                       got = by_soft(f, (enum operation)op, a, b, c);

        if (exact != got && n_bad++ < 5)
            cr_expect(0, "%s of %d digits: %#llx %#llx %#llx: got %#llx, exact %#llx", names[op],
                      f->digits, (unsigned long long)a, (unsigned long long)b,
                      (unsigned long long)c, (unsigned long long)got, (unsigned long long)exact);
    }
}

/* Zeros, subnormals, the edges of binades and of the range, infinities, a NaN; of both signs. */
static int awkward(const struct format *f, uint64_t list[])
{
    const int stored = f->digits - 1;
    const uint64_t one = encode(f, 1), hidden = 1ull << stored, largest = encode(f, INFINITY) - 1,
                   sign = f->digits == 24 ? 1ull << 31 : 1ull << 63;
    const uint64_t plus[] = {0,
                             1,
                             2,
                             hidden - 1,
                             hidden,
                             hidden + 1,
                             one - 1,
                             one,
                             one + 1,
                             one + (hidden >> 1),
                             largest - hidden,
                             largest,
                             largest + 1,
                             encode(f, NAN)};
    int n = 0;

    for (int i = 0; i < CF_COUNT(plus); ++i) {
        list[n++] = plus[i];
        list[n++] = plus[i] | sign;
    }
    list[n - 1] = list[n - 2]; /* one NaN is enough */
    return n;
}

Test(soft, agrees_with_mpfr_where_it_is_awkward)
{
    for (int k = 0; k < CF_COUNT(formats); ++k) {
        uint64_t list[64];
        const int n = awkward(&formats[k], list);

        for (int a = 0; a < n; ++a)
            for (int b = 0; b < n; ++b)
                for (int c = 0; c < n; ++c)
                    compare(&formats[k], list[a], list[b], list[c]);
    }
    cr_expect_eq(n_bad, 0);
}

static uint64_t state = 88172645463325252ull;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* Exponents near one another, so that sums cancel and a third operand meets the low half of a
 * product. */
static uint64_t draw_near(const struct format *f, int spread)
{
    const uint64_t one = encode(f, 1), mask = (1ull << (f->digits - 1)) - 1;
    const uint64_t sign = f->digits == 24 ? 1ull << 31 : 1ull << 63;
    const int64_t shift = (int64_t)(draw() % (uint64_t)(2 * spread + 1)) - spread;

    return ((one + ((uint64_t)shift << (f->digits - 1))) & ~mask) | (draw() & mask) |
           (draw() & 1 ? sign : 0);
}

Test(soft, agrees_with_mpfr_on_random_operands)
{
    int n_fused = 0;

    for (int k = 0; k < CF_COUNT(formats); ++k) {
        const struct format *f = &formats[k];
        const uint64_t all = f->digits == 24 ? 0xffffffff : UINT64_MAX;

        for (int i = 0; i < 30000; ++i) {
            const uint64_t a = draw_near(f, 3), b = draw_near(f, 3), c = draw_near(f, 60);

            compare(f, a, b, c);
            compare(f, draw() & all, draw() & all, draw() & all);
            n_fused += cf_soft_fma(f->soft, a, b, c) !=
                       cf_soft_add(f->soft, cf_soft_mul(f->soft, a, b), c);
        }
    }
    cr_expect_eq(n_bad, 0);
    cr_expect(n_fused > 1000, "only %d products were sighted enough to be fused", n_fused);
}
