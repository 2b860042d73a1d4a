#include "support_soft.h"

__extension__ typedef unsigned __int128 wide;

const struct cf_soft_format cf_soft_f32 = {24, 8}, cf_soft_f64 = {53, 11};

#define TOP 125 /* the bit at which significands are aligned: two are left for carries */

/* value = (-1)^sign * significand * 2^exponent; special: 0 finite, 1 infinite, 2 NaN. */
struct number {
    int sign, exponent, special;
    wide significand;
};

static struct number unpack(const struct cf_soft_format *f, uint64_t bits)
{
    const int stored = f->digits - 1, bias = (1 << (f->exponent_bits - 1)) - 1,
              most = (1 << f->exponent_bits) - 1;
    const uint64_t fraction = bits & ((1ull << stored) - 1);
    const int e = (int)(bits >> stored) & most;
    struct number x = {(int)(bits >> (stored + f->exponent_bits)) & 1, (e ? e : 1) - bias - stored,
                       e == most ? 1 + (fraction != 0) : 0,
                       e ? fraction | 1ull << stored : fraction};

    return x;
}

static int length(wide x)
{
    const uint64_t high = (uint64_t)(x >> 64), low = (uint64_t)x;

    return high ? 128 - __builtin_clzll(high) : low ? 64 - __builtin_clzll(low) : 0;
}

/* Shifts right; what falls out leaves a 1 in the last place. */
static wide shift_jam(wide x, int by)
{
    if (by <= 0)
        return x;
    if (by >= 128)
        return x != 0;
    return x >> by | ((x << (128 - by)) != 0);
}

static void normalize(struct number *x)
{
    const int by = TOP + 1 - length(x->significand);

    if (x->significand == 0)
        return;
    x->significand = by >= 0 ? x->significand << by : shift_jam(x->significand, -by);
    x->exponent -= by;
}

static uint64_t special(const struct cf_soft_format *f, int sign, int is_nan)
{
    const int stored = f->digits - 1;
    const uint64_t infinity = ((1ull << f->exponent_bits) - 1) << stored;

    if (is_nan)
        return infinity | 1ull << (stored - 1);
    return infinity | (uint64_t)sign << (stored + f->exponent_bits);
}

static uint64_t pack(const struct cf_soft_format *f, struct number x)
{
    const int stored = f->digits - 1, bias = (1 << (f->exponent_bits - 1)) - 1;
    const uint64_t sign = (uint64_t)x.sign << (stored + f->exponent_bits);
    int cut, e;
    wide kept, rest, half;

    if (x.significand == 0)
        return sign;
    normalize(&x);
    e = x.exponent + TOP + bias; /* of a number 1.ddd * 2^(e - bias) */
    cut = TOP + 1 - f->digits + (e < 1 ? 1 - e : 0);
    if (cut > TOP + 2)
        cut = TOP + 2; /* far below half of the smallest subnormal */
    kept = x.significand >> cut;
    rest = x.significand & (((wide)1 << cut) - 1);
    half = (wide)1 << (cut - 1);
    kept += rest > half || (rest == half && (kept & 1));
    if (e < 1)
        return sign | (uint64_t)kept; /* a carry makes it the smallest normal number */
    if (kept >> f->digits) {
        kept >>= 1;
        ++e;
    }
    if (e >= (1 << f->exponent_bits) - 1)
        return special(f, x.sign, 0);
    return sign | (uint64_t)e << stored | ((uint64_t)kept & ((1ull << stored) - 1));
}

static struct number sum(struct number a, struct number b)
{
    if (a.significand == 0 || b.significand == 0) {
        struct number x = a.significand ? a : b;

        if (a.significand == 0 && b.significand == 0)
            x.sign = a.sign & b.sign;
        return x;
    }
    normalize(&a);
    normalize(&b);
    if (a.exponent < b.exponent || (a.exponent == b.exponent && a.significand < b.significand)) {
        const struct number x = a;

        a = b;
        b = x;
    }
    b.significand = shift_jam(b.significand, a.exponent - b.exponent);
    if (a.sign == b.sign)
        a.significand += b.significand;
    else
        a.significand -= b.significand;
    if (a.significand == 0)
        a.sign = 0;
    return a;
}

uint64_t cf_soft_fma(const struct cf_soft_format *f, uint64_t a, uint64_t b, uint64_t c)
{
    const struct number x = unpack(f, a), y = unpack(f, b), z = unpack(f, c);
    const int sign = x.sign ^ y.sign, infinite = x.special == 1 || y.special == 1;
    struct number product = {sign, x.exponent + y.exponent, 0, 0};

    if (x.special == 2 || y.special == 2 || z.special == 2)
        return special(f, 0, 1);
    if (infinite && ((x.special == 0 && x.significand == 0) ||
                     (y.special == 0 && y.significand == 0) || (z.special == 1 && z.sign != sign)))
        return special(f, 0, 1);
    if (infinite || z.special == 1)
        return special(f, infinite ? sign : z.sign, 0);
    product.significand = x.significand * y.significand;
    return pack(f, sum(product, z));
}

uint64_t cf_soft_negate(const struct cf_soft_format *f, uint64_t a)
{
    return a ^ 1ull << (f->digits - 1 + f->exponent_bits);
}

/* The zero that is added has the sign of the product, so that it changes nothing. */
uint64_t cf_soft_mul(const struct cf_soft_format *f, uint64_t a, uint64_t b)
{
    return cf_soft_fma(f, a, b, (a ^ b) & 1ull << (f->digits - 1 + f->exponent_bits));
}

uint64_t cf_soft_add(const struct cf_soft_format *f, uint64_t a, uint64_t b)
{
    const uint64_t one = ((1ull << (f->exponent_bits - 1)) - 1) << (f->digits - 1);

    return cf_soft_fma(f, a, one, b);
}
