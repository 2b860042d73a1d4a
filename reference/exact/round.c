/* From the digits of an accumulator to one rounded number: the only place where anything rounds. */
#include "internal.h"

#include <math.h>

struct format {
    int precision; /* bits of the significand */
    int last;      /* exponent of the least subnormal */
    int overflow;  /* 2^overflow is the first power of two beyond the format */
};

static const struct format formats[] = {
    [CF_EXACT_F64] = {53, -1074, 1024},
    [CF_EXACT_F32] = {24, -149, 128},
    [CF_EXACT_BF16] = {8, -133, 128},
    [CF_EXACT_F16] = {11, -24, 16},
};

/* A magnitude in digits of 32 bits, each in its place; d[high] is not 0 unless the number is. Bit
 * positions count from 2^-CF_ACCUMULATOR_BIAS. */
struct digits {
    uint32_t d[CF_ACCUMULATOR_LIMBS + 2];
    int low, high;
    bool negative;
};

static bool is_zero(const struct digits *z)
{
    return z->high < z->low;
}

static void trim(struct digits *z)
{
    while (z->high >= z->low && z->d[z->high] == 0)
        --z->high;
    while (z->low <= z->high && z->d[z->low] == 0)
        ++z->low;
}

/* 2^(32 (high + 1)) - z, the magnitude of a negative number in two's complement. */
static void negate(struct digits *z)
{
    uint64_t carry = 1;

    for (int i = z->low; i <= z->high; ++i) {
        carry += (uint32_t)~z->d[i];
        z->d[i] = (uint32_t)carry;
        carry >>= 32;
    }
    z->negative = !z->negative;
}

/* plus + sign * minus, carried into digits. */
static void digits_of(struct digits *z, const struct cf_accumulator *acc, int sign)
{
    int64_t carry = 0;
    int i;

    for (i = acc->low; i <= acc->high; ++i) {
        carry += acc->limb[0][i] + sign * acc->limb[1][i];
        z->d[i] = (uint32_t)carry;
        carry >>= 32;
    }
    do { /* at least one digit of sign, or -2^(32 i) would vanish */
        z->d[i++] = (uint32_t)carry;
        carry >>= 32;
    } while (carry != 0 && carry != -1);
    z->low = acc->low;
    z->high = i - 1;
    z->negative = false;
    if (carry < 0)
        negate(z);
    trim(z);
}

static uint32_t digit(const struct digits *z, int i)
{
    return i >= z->low && i <= z->high ? z->d[i] : 0;
}

/* The 64 bits from a position upwards. */
static uint64_t bits_from(const struct digits *z, int position)
{
    const int i = position >> 5, shift = position & 31;
    const uint64_t low = digit(z, i) | (uint64_t)digit(z, i + 1) << 32;

    return shift == 0 ? low : low >> shift | (uint64_t)digit(z, i + 2) << (64 - shift);
}

static bool any_below(const struct digits *z, int position)
{
    const int i = position >> 5;

    if (is_zero(z) || i < z->low)
        return false;
    return i > z->low || (digit(z, i) & (((uint32_t)1 << (position & 31)) - 1)) != 0;
}

static int top_bit(const struct digits *z)
{
    return 32 * z->high + 31 - __builtin_clz(z->d[z->high]);
}

/* A number cut at bit position `cut`: |z| = significand * 2^cut + a rest below 2^cut. */
struct cut {
    uint64_t significand;
    int position;
    bool half, rest; /* the bit below the cut; any bit below that one */
};

static struct cut cut_at(const struct digits *z, int precision, int last)
{
    const int floor_position = last + CF_ACCUMULATOR_BIAS;
    const int natural = top_bit(z) - precision + 1;
    const int position = natural > floor_position ? natural : floor_position;

    return (struct cut){
        .significand = top_bit(z) < position ? 0 : bits_from(z, position),
        .position = position,
        .half = (bits_from(z, position - 1) & 1) != 0,
        .rest = any_below(z, position - 1),
    };
}

static double assemble(uint64_t significand, int position, int overflow, bool negative)
{
    const int exponent = position - CF_ACCUMULATOR_BIAS;
    double x = (double)significand;

    if (significand != 0 && 63 - __builtin_clzll(significand) + exponent >= overflow)
        x = INFINITY;
    else if (exponent >= -1022 && exponent <= 900) /* exact, and faster than ldexp */
        x *= cf_power_of_two(exponent);
    else
        x = ldexp(x, exponent);
    return negative ? -x : x;
}

static bool rounds_up(const struct cut *c)
{
    return c->half && (c->rest || (c->significand & 1) != 0);
}

static double nearest(const struct digits *z, const struct format *f)
{
    struct cut c;

    if (is_zero(z))
        return 0;
    c = cut_at(z, f->precision, f->last);
    return assemble(c.significand + rounds_up(&c), c.position, f->overflow, z->negative);
}

/* The magnitude rounded up to double. */
static double upward(const struct digits *z)
{
    const struct format *f = &formats[CF_EXACT_F64];
    struct cut c;

    if (is_zero(z))
        return 0;
    c = cut_at(z, f->precision, f->last);
    return assemble(c.significand + (c.half || c.rest), c.position, f->overflow, false);
}

/* Keeps the bits of z below a position; with `up`, what is missing to the next multiple, negated.
 */
static void keep_rest(struct digits *z, int position, bool up)
{
    const int top = position >> 5;
    const uint32_t mask = ((uint32_t)1 << (position & 31)) - 1;

    for (int i = z->high + 1; i <= top; ++i) /* digits above high hold nothing yet */
        z->d[i] = 0;
    if (z->high >= top || up)
        z->high = top;
    if (z->high < z->low)
        return;
    if (z->high == top)
        z->d[top] &= mask;
    if (up) {
        negate(z);
        z->d[top] &= mask;
    }
    trim(z);
}

/* Rounds z and leaves in lo what rounding took away. */
static double split(struct digits *z, const struct format *f, double *lo)
{
    double rounded;
    struct cut c;

    *lo = 0;
    if (is_zero(z))
        return 0;
    c = cut_at(z, f->precision, f->last);
    rounded = assemble(c.significand + rounds_up(&c), c.position, f->overflow, z->negative);
    if ((c.half || c.rest) && !isinf(rounded)) {
        keep_rest(z, c.position, rounds_up(&c));
        *lo = nearest(z, &formats[CF_EXACT_F64]);
    }
    return rounded;
}

static bool is_special(const struct cf_accumulator *acc)
{
    return (acc->seen & (CF_SEEN_NAN | CF_SEEN_PLUS_INF | CF_SEEN_MINUS_INF)) != 0;
}

static struct cf_truth special(const struct cf_accumulator *acc)
{
    const uint32_t both = CF_SEEN_PLUS_INF | CF_SEEN_MINUS_INF;
    struct cf_truth t = {.rounded = INFINITY, .scale = INFINITY};

    if ((acc->seen & CF_SEEN_NAN) != 0)
        t.rounded = t.scale = NAN;
    else if ((acc->seen & both) == both)
        t.rounded = NAN;
    else if ((acc->seen & CF_SEEN_MINUS_INF) != 0)
        t.rounded = -INFINITY;
    return t;
}

/* The magnitudes of special terms: infinities no longer cancel. */
static struct cf_truth special_scale(const struct cf_accumulator *acc)
{
    const double x = (acc->seen & CF_SEEN_NAN) != 0 ? NAN : INFINITY;

    return (struct cf_truth){.rounded = x, .scale = x};
}

static bool only_minus_zeros(const struct cf_accumulator *acc)
{
    return (acc->seen & CF_SEEN_MINUS_ZERO) != 0 && (acc->seen & CF_SEEN_OTHER) == 0;
}

struct cf_truth cf_accumulator_round(const struct cf_accumulator *acc, enum cf_exact_format format)
{
    struct cf_truth t;
    struct digits z;

    if (is_special(acc))
        return special(acc);
    digits_of(&z, acc, 1);
    t.scale = upward(&z);
    digits_of(&z, acc, -1);
    t.rounded = split(&z, &formats[format], &t.lo);
    if (only_minus_zeros(acc))
        t.rounded = -0.0;
    return t;
}

struct cf_truth cf_accumulator_round_scale(const struct cf_accumulator *acc,
                                           enum cf_exact_format format)
{
    struct cf_truth t;
    struct digits z;

    if (is_special(acc))
        return special_scale(acc);
    digits_of(&z, acc, 1);
    t.scale = upward(&z);
    t.rounded = split(&z, &formats[format], &t.lo);
    return t;
}

/* floor(sqrt(v)) for v >= 2^126: the root in double is off by 2^12 at most, a step of Newton leaves
 * less than 1, and the loops make sure. */
static uint64_t integer_root(cf_uint128 v)
{
    const double start = sqrt((double)v);
    cf_uint128 root = start < 0x1p64 ? (uint64_t)start : UINT64_MAX;

    root = (root + v / root) / 2;
    root = root < UINT64_MAX ? root : UINT64_MAX;
    while (root * root > v)
        --root;
    while (root < UINT64_MAX && (root + 1) * (root + 1) <= v)
        ++root;
    return (uint64_t)root;
}

/* The 64 leading bits of the root, and below them one digit that says whether anything is left. A
 * root of 64 bits with that digit rounds like the root itself to any format of at most 62 bits. */
static void root_of(struct digits *z)
{
    const int even = (top_bit(z) - 126) & ~1; /* 2^126 <= v < 2^128 */
    const cf_uint128 v = (cf_uint128)bits_from(z, even + 64) << 64 | bits_from(z, even);
    const uint64_t root = integer_root(v);
    const bool inexact = (cf_uint128)root * root != v || any_below(z, even);
    const int position = CF_ACCUMULATOR_BIAS + (even - CF_ACCUMULATOR_BIAS) / 2;
    const int i = position >> 5;
    const cf_uint128 wide = (cf_uint128)root << (position & 31);

    z->d[i - 1] = inexact;
    z->d[i] = (uint32_t)wide;
    z->d[i + 1] = (uint32_t)(wide >> 32);
    z->d[i + 2] = (uint32_t)(wide >> 64);
    z->low = i - 1;
    z->high = i + 2;
    trim(z);
}

/* sqrt(v) - s = (v - s^2) / (s + sqrt(v)), where v - s^2 is exact before its one rounding, and
 * `root` is sqrt(v) as a double. The significand of the difference and its exponent are kept apart,
 * since v may lie far outside the range of a double. */
static double root_rest(const struct cf_accumulator *acc, double s, double root)
{
    struct cf_accumulator copy = *acc;
    struct digits z;
    struct cut c;
    double rest;
    int shift;

    cf_accumulator_add_product(&copy, -s, s);
    digits_of(&z, &copy, -1);
    if (is_zero(&z))
        return 0;
    c = cut_at(&z, 53, -CF_ACCUMULATOR_BIAS);
    rest = (double)(c.significand + rounds_up(&c)) * (z.negative ? -1 : 1);
    s = frexp(s, &shift);
    return ldexp(rest / (s + ldexp(root, -shift)), c.position - CF_ACCUMULATOR_BIAS - shift);
}

struct cf_truth cf_accumulator_round_sqrt(const struct cf_accumulator *acc,
                                          enum cf_exact_format format)
{
    struct cf_truth t = {0};
    struct digits z;

    if (is_special(acc))
        return special_scale(acc);
    digits_of(&z, acc, -1);
    if (is_zero(&z))
        return t;
    root_of(&z);
    t.scale = upward(&z);
    t.rounded = nearest(&z, &formats[format]);
    if (t.rounded == 0)
        t.lo = nearest(&z, &formats[CF_EXACT_F64]);
    else if (!isinf(t.rounded))
        t.lo = root_rest(acc, t.rounded, nearest(&z, &formats[CF_EXACT_F64]));
    return t;
}

double cf_format_u(enum cf_exact_format format)
{
    return cf_power_of_two(-formats[format].precision);
}

static double round_to(double x, const struct format *f)
{
    int exponent;
    double unit, r;

    if (x == 0 || !isfinite(x))
        return x;
    frexp(x, &exponent);
    exponent -= f->precision;
    unit = ldexp(1, exponent > f->last ? exponent : f->last);
    r = copysign(nearbyint(x / unit) * unit, x);
    return fabs(r) >= ldexp(1, f->overflow) ? copysign(INFINITY, x) : r;
}

double cf_round_double(double x, enum cf_exact_format format)
{
    if (format == CF_EXACT_F32)
        return (double)(float)x;
    return format == CF_EXACT_F64 ? x : round_to(x, &formats[format]);
}
