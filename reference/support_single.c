#include "support_single.h"

#include <math.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

#define U       0x1p-53
#define BINADE0 126 /* the exponent field of 1/2 */

static const double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;

static uint64_t bits_of(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Horner's rule in z; a[n] is the first factor. */
static inline double horner(double z, const double a[], int n)
{
    double p = a[n];

    for (int i = n - 1; i >= 0; --i)
        p = p * z + a[i];
    return p;
}

/* exp(x) for abs(x) <= 200. The anchor rounds to a whole number, left in the low bits. */
static inline double exponential(double x)
{
    static const double a[] = {1,
                               1,
                               1. / 2,
                               1. / 6,
                               1. / 24,
                               1. / 120,
                               1. / 720,
                               1. / 5040,
                               1. / 40320,
                               1. / 362880,
                               1. / 3628800,
                               1. / 39916800,
                               1. / 479001600,
                               1. / 6227020800};
    const double anchored = x * 0x1.71547652b82fep+0 + 0x1.8p52;
    const double k = anchored - 0x1.8p52, r = x - k * ln2_high - k * ln2_low;

    return horner(r, a, 13) * double_of((bits_of(anchored) + 1023) << 52);
}

/* All of one exponent field: 255 means NaN or infinity. */
static int field_of(const float x[], int64_t n)
{
    uint32_t bits = 0;

    if (n > 0)
        memcpy(&bits, &x[0], sizeof bits);
    return (int)(bits >> 23 & 0xff);
}

double cf_single_exp(double y[], const float x[], int64_t n)
{
    const int field = field_of(x, n);

    for (int64_t i = 0; i < n && field == 255; ++i)
        y[i] = isnan(x[i]) ? (double)NAN : x[i] > 0 ? (double)INFINITY : 0;
    for (int64_t i = 0; i < n && field < 255; ++i) {
        const double low = x[i] < 200 ? x[i] : 200, cut = low > -200 ? low : -200;

        y[i] = exponential(cut);
    }
    return 64 * U;
}

/* log(x) for a positive normal double. */
static inline double logarithm(double x)
{
    static const double a[] = {1,       1. / 3,  1. / 5,  1. / 7,  1. / 9,  1. / 11,
                               1. / 13, 1. / 15, 1. / 17, 1. / 19, 1. / 21, 1. / 23};
    const uint64_t root_half = bits_of(0x1.6a09e667f3bcdp-1), bits = bits_of(x);
    const uint64_t biased = (bits - root_half + ((uint64_t)1024 << 52)) >> 52; /* k + 1024 */
    const double k = double_of(bits_of(0x1p52) | biased) - (0x1p52 + 1024);
    const double f = double_of(bits - ((biased - 1024) << 52)) - 1, s = f / (f + 2);

    return k * ln2_high + (2 * s * horner(s * s, a, 11) + k * ln2_low);
}

double cf_single_log(double y[], const float x[], int64_t n)
{
    const int field = field_of(x, n), plain = n > 0 && field < 255 && x[0] > 0;

    for (int64_t i = 0; i < n && plain; ++i)
        y[i] = logarithm(x[i]);
    for (int64_t i = 0; i < n && !plain; ++i)
        if (x[i] == 0)
            y[i] = -INFINITY;
        else if (x[i] > 0)
            y[i] = field == 255 ? (double)x[i] : logarithm(x[i]);
        else
            y[i] = (double)NAN;
    return 32 * U;
}

/* sin and cos of r and a number of quarter turns. */
static inline double wave(double r, unsigned quarters)
{
    static const double s[] = {
        -1. / 6,        1. / 120,         -1. / 5040,           1. / 362880,
        -1. / 39916800, 1. / 6227020800., -1. / 1307674368000., 1. / 355687428096000.};
    static const double c[] = {
        1. / 24,        -1. / 720,          1. / 40320,          -1. / 3628800,
        1. / 479001600, -1. / 87178291200., 1. / 20922789888000.};
    const double z = r * r;
    const double sine = r * (1 + z * horner(z, s, 7)), cosine = 1 - z / 2 + z * z * horner(z, c, 6);
    const double y = quarters & 1 ? cosine : sine;

    return quarters & 2 ? -y : y;
}

/* 128 bits of 1 / (2 pi), whose first bit is worth 2^-1, from bit `from` (0 is the first) on; bits
 * before the first are zeros. */
static wide bits_of_turn(int from)
{
    static const uint64_t turn[] = {0,
                                    0x28be60db9391054a,
                                    0x7f09d5f47d4d3770,
                                    0x36d8a5664f10e410,
                                    0x7f9458eaf7aef158,
                                    0x6dc91b8e909374b8};
    const int at = from + 64, word = at / 64, shift = at % 64;
    const wide high = (wide)turn[word] << 64 | turn[word + 1];

    return shift ? high << shift | turn[word + 2] >> (64 - shift) : high;
}

/* y = sin(x + quarters pi / 2) of one binade from 1/2 on. */
static double large(double y[], const float x[], int64_t n, unsigned quarters)
{
    const wide turn = bits_of_turn(field_of(x, n) - 150);
    uint64_t least = UINT64_MAX;

    for (int64_t i = 0; i < n; ++i) {
        uint32_t word;
        wide whole, rest;
        unsigned q;
        double r;

        memcpy(&word, &x[i], sizeof word);
        whole = ((word & 0x7fffff) | 0x800000) * turn;
        q = (unsigned)((whole + ((wide)1 << 125)) >> 126);
        rest = whole - ((wide)q << 126);
        r = rest >> 127 ? -1 : 1;
        rest = rest >> 127 ? -rest : rest;
        least = least < (uint64_t)(rest >> 64) ? least : (uint64_t)(rest >> 64);
        r *= ((double)(uint64_t)(rest >> 64) * 0x1p-64 + (double)(uint64_t)rest * 0x1p-128) *
             0x1.921fb54442d18p+2;
        /* sin(-a + q) = -sin(a - q): odd for the sine, even for the cosine. */
        y[i] = word >> 31 ? wave(-r, quarters - q) : wave(r, quarters + q);
    }
    return 16 * U + 0x1p-40 / ((double)least + 0x1p-40);
}

static double waves(double y[], const float x[], int64_t n, unsigned quarters)
{
    const int field = field_of(x, n);

    if (field >= BINADE0 && field < 255)
        return large(y, x, n, quarters);
    for (int64_t i = 0; i < n; ++i)
        y[i] = field == 255 ? (double)NAN : wave(x[i], quarters);
    return 16 * U;
}

double cf_single_sin(double y[], const float x[], int64_t n)
{
    return waves(y, x, n, 0);
}

double cf_single_cos(double y[], const float x[], int64_t n)
{
    return waves(y, x, n, 1);
}

/* x (1 + z/6 + ...) / (1 + z/2 + ...). */
static inline double small_tanh(double x)
{
    static const double s[] = {1. / 6,        1. / 120,         1. / 5040,          1. / 362880,
                               1. / 39916800, 1. / 6227020800., 1. / 1307674368000.};
    static const double c[] = {1. / 2,       1. / 24,        1. / 720,         1. / 40320,
                               1. / 3628800, 1. / 479001600, 1. / 87178291200.};
    const double z = x * x;

    return x * (1 + z * horner(z, s, 6)) / (1 + z * horner(z, c, 6));
}

double cf_single_tanh(double y[], const float x[], int64_t n)
{
    const int field = field_of(x, n);

    for (int64_t i = 0; i < n && field < BINADE0; ++i)
        y[i] = small_tanh(x[i]);
    for (int64_t i = 0; i < n && field >= BINADE0; ++i) {
        const double a = fabs((double)x[i]), cut = a < 40 ? a : 40;

        y[i] = copysign(1 - 2 / (exponential(2 * cut) + 1), x[i]);
    }
    for (int64_t i = 0; i < n && field == 255; ++i)
        y[i] = isnan(x[i]) ? (double)NAN : y[i];
    return 80 * U;
}

/* 2 / sqrt(pi) x (1 - z/3 + z^2/(2! 5) - ...). */
static inline double small_erf(double x)
{
    static const double a[] = {
        -1. / 3,          1. / 10,           -1. / 42,           1. / 216,      -1. / 1320,
        1. / 9360,        -1. / 75600,       1. / 685440,        -1. / 6894720, 1. / 76204800.,
        -1. / 918086400., 1. / 11975040000., -1. / 168129561600.};
    const double z = x * x;

    return 0x1.20dd750429b6dp+0 * (x * (1 + z * horner(z, a, 12)));
}

#define GROUP 64 /* arguments whose series run side by side */

/* Terms until those of the binade (its largest argument 2^(field - 126)) have died away. */
static int count_terms(int field)
{
    static const int terms[] = {26, 40, 78, 200};

    return terms[field - BINADE0];
}

/* GROUP arguments; returns the largest of last term / sum. */
static double erf_series(double y[GROUP], const float x[GROUP], int terms)
{
    double z[GROUP], term[GROUP], last = 0;

    for (int j = 0; j < GROUP; ++j) {
        z[j] = 2 * ((double)x[j] * (double)x[j]);
        y[j] = term[j] = x[j];
    }
    for (int k = 1; k < terms; ++k)
        for (int j = 0; j < GROUP; ++j) {
            term[j] = term[j] * (z[j] * (1. / (2 * k + 1)));
            y[j] += term[j];
        }
    for (int j = 0; j < GROUP; ++j) {
        const double part = term[j] / y[j];

        last = part > last ? part : last;
        y[j] *= 0x1.20dd750429b6dp+0 * exponential(-z[j] / 2);
    }
    return last;
}

/* The tail is below a geometric series of the ratio 2 z / (2 terms + 1), at most 0.32 here. */
static double large_erf(double y[], const float x[], int64_t n, int field)
{
    const int terms = count_terms(field);
    double last = 0;

    for (int64_t i = 0; i < n; i += GROUP) {
        const int64_t m = n - i < GROUP ? n - i : GROUP;
        float in[GROUP];
        double out[GROUP], part;

        for (int j = 0; j < GROUP; ++j)
            in[j] = x[i + (j < m ? j : 0)];
        part = erf_series(out, in, terms);
        last = part > last ? part : last;
        memcpy(y + i, out, (size_t)m * sizeof out[0]);
    }
    return (3 * terms + 70) * U + last;
}

double cf_single_erf(double y[], const float x[], int64_t n)
{
    const int field = field_of(x, n);

    if (field >= BINADE0 && field < BINADE0 + 4)
        return large_erf(y, x, n, field);
    for (int64_t i = 0; i < n && field < BINADE0; ++i)
        y[i] = small_erf(x[i]);
    for (int64_t i = 0; i < n && field >= BINADE0; ++i)
        y[i] = isnan(x[i]) ? (double)NAN : copysign(1, x[i]);
    return 16 * U;
}
