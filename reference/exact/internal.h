/* What the files of the exact reference share: the raw digits of the accumulator, the table of
 * kernels of one instruction set, and a parallel loop. Not for use outside this folder, its tests
 * and its bench. */
#ifndef CF_EXACT_INTERNAL_H
#define CF_EXACT_INTERNAL_H

#include "exact.h"

#include <stddef.h>
#include <string.h>

__extension__ typedef __int128 cf_int128;
__extension__ typedef unsigned __int128 cf_uint128;

enum {
    CF_SEEN_NAN = 1,
    CF_SEEN_PLUS_INF = 2,
    CF_SEEN_MINUS_INF = 4,
    CF_SEEN_MINUS_ZERO = 8,
    CF_SEEN_OTHER = 16 /* any term that is not -0: it makes an exact zero +0 */
};

/* An addition moves each digit by less than 2^32, so that after so many of them a digit is still
 * below 2^62 and plus + minus fits in 64 bits. */
#define CF_MAX_PENDING ((int64_t)1 << 29)

/* Carries the digits of both sides, which leaves the number as it was and n_pending = 1. */
void cf_accumulator_carry(struct cf_accumulator *acc);

static inline void cf_accumulator_touch(struct cf_accumulator *acc, int low, int high)
{
    acc->low = low < acc->low ? low : acc->low;
    acc->high = high > acc->high ? high : acc->high;
    if (++acc->n_pending >= CF_MAX_PENDING)
        cf_accumulator_carry(acc);
}

/* Adds v * 2^exponent to one side; exponent >= -CF_ACCUMULATOR_BIAS. v may be negative. */
static inline void cf_accumulator_add_integer(struct cf_accumulator *acc, int side, int64_t v,
                                              int exponent)
{
    const unsigned position = (unsigned)(exponent + CF_ACCUMULATOR_BIAS), shift = position & 31;
    const uint64_t wide = (uint64_t)v << shift;
    int64_t *digit = &acc->limb[side][position >> 5];

    digit[0] += (uint32_t)wide;
    digit[1] += (int64_t)(wide >> 32);
    digit[2] += v >> 1 >> (63 - shift); /* what the shift pushed out, with the sign */
    cf_accumulator_touch(acc, (int)(position >> 5), (int)(position >> 5) + 2);
}

/* The same for 0 <= v < 2^96. */
static inline void cf_accumulator_add_wide(struct cf_accumulator *acc, int side, cf_uint128 v,
                                           int exponent)
{
    const unsigned position = (unsigned)(exponent + CF_ACCUMULATOR_BIAS);
    const cf_uint128 wide = v << (position & 31);
    int64_t *digit = &acc->limb[side][position >> 5];

    digit[0] += (uint32_t)wide;
    digit[1] += (uint32_t)(wide >> 32);
    digit[2] += (uint32_t)(wide >> 64);
    digit[3] += (uint32_t)(wide >> 96);
    cf_accumulator_touch(acc, (int)(position >> 5), (int)(position >> 5) + 3);
}

static inline uint64_t cf_bits_of_double(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double cf_double_of_bits(uint64_t bits)
{
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2^e for -1074 <= e <= 1023. */
static inline double cf_power_of_two(int e)
{
    return cf_double_of_bits(e >= -1022 ? (uint64_t)(e + 1023) << 52 : (uint64_t)1 << (e + 1074));
}

/* Rounds a double to a format: used where the bound has already shown that all doubles between two
 * ends round alike, never on a value that was itself rounded. Returns the widened result. */
double cf_round_double(double x, enum cf_exact_format format);
/* The unit roundoff 2^-p of a format of p bits. */
double cf_format_u(enum cf_exact_format format);

#endif
