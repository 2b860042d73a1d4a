/* The accumulator: adding and merging. Rounding is in round.c. */
#include "internal.h"

enum { SIGNIFICAND_BITS = 52, EXPONENT_MASK = 0x7ff };

struct parts {
    uint64_t significand;
    int exponent; /* |x| = significand * 2^exponent */
    int negative;
};

static struct parts parts_of(uint64_t bits)
{
    const int field = (int)(bits >> SIGNIFICAND_BITS) & EXPONENT_MASK;
    const uint64_t fraction = bits & (((uint64_t)1 << SIGNIFICAND_BITS) - 1);

    return (struct parts){
        .significand = fraction | (uint64_t)(field != 0) << SIGNIFICAND_BITS,
        .exponent = (field != 0 ? field : 1) - 1075,
        .negative = (int)(bits >> 63),
    };
}

static bool is_finite(uint64_t bits)
{
    return (bits >> SIGNIFICAND_BITS & EXPONENT_MASK) != EXPONENT_MASK;
}

static uint32_t kind_of(double x)
{
    if (x != x)
        return CF_SEEN_NAN;
    return x > 0 ? CF_SEEN_PLUS_INF : CF_SEEN_MINUS_INF;
}

void cf_accumulator_clear(struct cf_accumulator *acc)
{
    memset(acc, 0, sizeof *acc);
    acc->low = CF_ACCUMULATOR_LIMBS;
    acc->high = -1;
}

static void carry_side(int64_t *limb, int low, int high)
{
    for (int i = low; i < high; ++i) {
        limb[i + 1] += limb[i] >> 32;
        limb[i] &= 0xffffffff;
    }
}

/* The digit above the touched range takes the last carry and keeps its sign, so that nothing
 * ripples. */
void cf_accumulator_carry(struct cf_accumulator *acc)
{
    if (acc->high >= acc->low) {
        acc->high += acc->high < CF_ACCUMULATOR_LIMBS - 1;
        carry_side(acc->limb[0], acc->low, acc->high);
        carry_side(acc->limb[1], acc->low, acc->high);
    }
    acc->n_pending = 1;
}

void cf_accumulator_add(struct cf_accumulator *acc, double x)
{
    const uint64_t bits = cf_bits_of_double(x);
    const struct parts p = parts_of(bits);

    if (!is_finite(bits)) {
        acc->seen |= kind_of(x) | CF_SEEN_OTHER;
        return;
    }
    acc->seen |= bits == (uint64_t)1 << 63 ? CF_SEEN_MINUS_ZERO : CF_SEEN_OTHER;
    cf_accumulator_add_integer(acc, p.negative, (int64_t)p.significand, p.exponent);
}

/* The product of two significands has 106 bits; its two halves of 53 are added one after the other.
 */
void cf_accumulator_add_product(struct cf_accumulator *acc, double x, double y)
{
    const uint64_t x_bits = cf_bits_of_double(x), y_bits = cf_bits_of_double(y);
    const struct parts p = parts_of(x_bits), q = parts_of(y_bits);
    const cf_uint128 product = (cf_uint128)p.significand * q.significand;
    const int side = p.negative ^ q.negative, exponent = p.exponent + q.exponent;

    if (!is_finite(x_bits) || !is_finite(y_bits)) {
        acc->seen |= kind_of(x * y) | CF_SEEN_OTHER;
        return;
    }
    acc->seen |= product == 0 && side ? CF_SEEN_MINUS_ZERO : CF_SEEN_OTHER;
    cf_accumulator_add_integer(acc, side, (int64_t)((uint64_t)product & 0x1fffffffffffff),
                               exponent);
    cf_accumulator_add_integer(acc, side, (int64_t)(product >> 53), exponent + 53);
}

static void merge_side(int64_t *into, const int64_t *from, int low, int high)
{
    for (int i = low; i <= high; ++i)
        into[i] += from[i];
}

void cf_accumulator_merge(struct cf_accumulator *into, const struct cf_accumulator *from)
{
    merge_side(into->limb[0], from->limb[0], from->low, from->high);
    merge_side(into->limb[1], from->limb[1], from->low, from->high);
    into->seen |= from->seen;
    into->n_pending += from->n_pending;
    cf_accumulator_touch(into, from->low, from->high);
}
