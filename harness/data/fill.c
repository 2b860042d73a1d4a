#include "reference.h"

#include <math.h>
#include <string.h>

#include "philox.h"

/* Streams of a fill: operand in the low digit, so that operands are independent. */
static struct cf_stream stream_of(const struct cf_fill_place *place, uint32_t fill)
{
    return (struct cf_stream){.seed = place->seed, .stream = 16 * fill + (uint32_t)place->operand};
}

static int64_t at_most(int64_t value, int64_t limit)
{
    return value < limit ? value : limit;
}

/* Largest b such that n products b * b (or n terms b, for one operand) stay within the significand;
 * at most 2^8, so that the integers survive bf16, f16 and TF32 inputs too. */
static int64_t integer_limit(const struct cf_fill_place *place)
{
    const double room = ldexp(1, place->digits) / (double)(place->n_terms > 0 ? place->n_terms : 1);
    const int64_t limit = (int64_t)(place->n_inputs > 1 ? sqrt(room) : room);

    return limit < 1 ? 1 : at_most(limit, 256);
}

static double integer(const struct cf_fill_place *place, uint64_t i)
{
    const struct cf_stream stream = stream_of(place, 1);
    const uint64_t word = cf_stream_word(&stream, i);
    const int64_t magnitude = 1 + (int64_t)((word >> 1) % (uint64_t)integer_limit(place));

    return (double)(word & 1 ? magnitude : -magnitude);
}

/* Non-zero integers up to 4: whatever a fast algorithm (Winograd, FFT) magnifies stays far below
 * one half, so that its outputs must round to the exact sums. */
static double small(const struct cf_fill_place *place, uint64_t i)
{
    const struct cf_stream stream = stream_of(place, 9);
    const uint64_t word = cf_stream_word(&stream, i);
    const int64_t limit = integer_limit(place);
    const int64_t magnitude = 1 + (int64_t)((word >> 1) % (uint64_t)(limit < 4 ? limit : 4));

    return (double)(word & 1 ? magnitude : -magnitude);
}

/* Where libraries unroll, block and finish: the seed picks one of these, counted from the front or
 * the back. */
static int64_t spike_position(const struct cf_fill_place *place)
{
    static const int64_t edges[] = {0,  1,  3,   4,   7,   8,   15,  16,  31,   32,   63,   64,
                                    95, 96, 127, 128, 255, 256, 383, 384, 1023, 1024, 4095, 4096};
    const uint64_t pick = (place->seed + (uint64_t)place->line) % (2 * CF_COUNT(edges));
    const int64_t edge = edges[pick / 2] % place->n;

    return pick % 2 ? place->n - 1 - edge : edge;
}

/* 2^10 on ones; the other operand counts 1..8, so that a term paired with a neighbour shows. */
static double spike(const struct cf_fill_place *place, uint64_t i)
{
    (void)i;
    if (place->operand > 0)
        return (double)(1 + place->j * 5 % 8);
    return place->j == spike_position(place) ? 1024 : 1;
}

/* Centred sum of three uniform integers, times two: mean 0, standard deviation exactly 1, full
 * significands. */
static double normal(const struct cf_fill_place *place, uint64_t i)
{
    const struct cf_stream stream = stream_of(place, 3);
    uint64_t a[2], b[2];
    int64_t sum = -((int64_t)3 << 60);

    cf_stream_block(&stream, 2 * i, a);
    cf_stream_block(&stream, 2 * i + 1, b);
    sum += (int64_t)(a[0] >> 3) + (int64_t)(a[1] >> 3) + (int64_t)(b[0] >> 3);
    return (double)sum * 0x1p-60; /* 62 bits, rounded once to the significand */
}

/* An odd 64-bit integer over 2^64, rounded once: in (0, 1], every significand bit in use. */
static double uniform_of(const struct cf_stream *stream, uint64_t i)
{
    return (double)(cf_stream_word(stream, i) | 1) * 0x1p-64;
}

static double uniform(const struct cf_fill_place *place, uint64_t i)
{
    const struct cf_stream stream = stream_of(place, 4);

    return uniform_of(&stream, i);
}

/* Rounds toward zero to the type's digits, so that the perturbed partner below is exact. */
static double chop(double value, int digits)
{
    int exponent;
    const double fraction = frexp(value, &exponent);

    return ldexp(trunc(ldexp(fraction, digits)), exponent - digits);
}

/* Terms come in pairs j and j + n/2 whose sum is 2^(1-c) of either: condition sum|terms| / |sum| =
 * 2^c (GenDot style; Ogita, Rump and Oishi, Accurate sum and dot product, 2005, section 6). Which
 * of the two is negative is drawn, so that partial sums wander in every order and none is favoured;
 * what is left of a pair is always positive. The last operand carries the signs. A line of odd
 * length ends in one term that is as small as what is left of a pair. */
static double cancel(const struct cf_fill_place *place, int c)
{
    const struct cf_stream stream = stream_of(place, 5);
    const struct cf_stream signs = {place->seed, 16 * 6};
    const int64_t half = place->n / 2, first = place->j % (half > 0 ? half : 1);
    const int digits = cf_dtype_digits(place->dtype);
    const double sign = cf_stream_word(&signs, (uint64_t)first) & 1 ? -1 : 1;
    const double value = chop(
        ldexp(2 + uniform_of(&stream, (uint64_t)(place->line * place->n + first)), -2), digits);

    if (place->operand < place->n_inputs - 1)
        return value;
    if (place->j == 2 * half)
        return ldexp(value, 1 - c);
    if (place->j < half)
        return sign * value;
    return -sign * value + chop(ldexp(value, 1 - c), digits - c + 1);
}

static double cancel10(const struct cf_fill_place *place, uint64_t i)
{
    (void)i;
    return cancel(place, 10);
}

static double cancel20(const struct cf_fill_place *place, uint64_t i)
{
    (void)i;
    return cancel(place, 20);
}

/* Sign, significand in [1, 2) and exponent in low .. high, all uniform. */
static double spread(const struct cf_stream *stream, uint64_t i, int low, int high)
{
    uint64_t word[2];
    int exponent;
    double significand;

    cf_stream_block(stream, i, word);
    exponent = low + (int)((word[0] >> 1) % (uint64_t)(high - low + 1));
    significand = 1 + (double)(word[1] >> 12) * 0x1p-52;
    return ldexp(word[0] & 1 ? -significand : significand, exponent);
}

static double wide(const struct cf_fill_place *place, uint64_t i)
{
    const struct cf_stream stream = stream_of(place, 7);

    return spread(&stream, i, -20, 20);
}

/* Terms (products, for two operands) in the middle of the type's subnormal range, 2^eta .. 2^(eta +
 * digits - 1). */
static double tiny(const struct cf_fill_place *place, uint64_t i)
{
    const struct cf_stream stream = stream_of(place, 8);
    const int digits = cf_dtype_digits(place->dtype), eta = ilogb(cf_dtype_eta(place->dtype));
    const int middle = eta + digits / 2, reach = digits / 3;
    const int factors = place->n_inputs > 1 ? 2 : 1;

    return spread(&stream, i, (middle - reach) / factors, (middle + reach) / factors);
}

/* Every line of the first operand is one of: a NaN, an infinity of either sign, both infinities,
 * all -0, some -0; the other operands are ordinary and have no zero (what 0 * Inf gives is left to
 * a fill of its own). */
static double special(const struct cf_fill_place *place, uint64_t i)
{
    const uint64_t kind = ((uint64_t)place->line + place->seed) % 6;
    const int64_t at = (int64_t)(place->seed % (uint64_t)place->n);

    if (place->operand > 0)
        return uniform(place, i);
    if (kind == 4 || (kind == 5 && place->j % 2 == 0))
        return -0.0;
    if (kind == 3 && place->j == (at + 1) % place->n && place->n > 1)
        return -INFINITY;
    if (kind < 4 && place->j == at)
        return kind == 0 ? NAN : kind == 2 ? -INFINITY : INFINITY;
    return normal(place, i);
}

const struct cf_fill cf_fills[] = {
    {"integer", "integers whose every partial sum is exact: a dropped, repeated or misplaced term",
     integer},
    {"small", "integers up to 4: a fast algorithm must round to the exact sum", small},
    {"spike", "one large term on ones, at block edges: a term lost at a boundary", spike},
    {"normal", "zero mean, full significands: every order of operations shows", normal},
    {"uniform", "terms of one sign: accumulated bias", uniform},
    {"cancel10", "condition 2^10: reduced precision of inputs or accumulator", cancel10},
    {"cancel20", "condition 2^20: the same, harder", cancel20},
    {"wide", "exponents from -20 to 20: absorption, flawed scaling", wide},
    {"tiny", "terms in the subnormal range: flushing to zero", tiny},
    {"special", "NaN, infinities, -0: classes of results", special},
    {NULL, NULL, NULL}};

const struct cf_fill *cf_fill_find(const char *name)
{
    for (const struct cf_fill *fill = cf_fills; fill->name; ++fill)
        if (strcmp(fill->name, name) == 0)
            return fill;
    return NULL;
}
