#include "tensorcore.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

struct format {
    const char *name;
    int fraction, e_min, e_max; /* fraction bits; exponents of the normal numbers */
};

static const struct format formats[CF_TC_N_TYPES] = {
    [CF_TC_F16] = {"f16", 10, -14, 15},     [CF_TC_BF16] = {"bf16", 7, -126, 127},
    [CF_TC_TF32] = {"tf32", 10, -126, 127}, [CF_TC_E4M3] = {"e4m3", 3, -6, 8},
    [CF_TC_E5M2] = {"e5m2", 2, -14, 15},    [CF_TC_F32] = {"f32", 23, -126, 127},
    [CF_TC_F64] = {"f64", 52, -1022, 1023}};

const char *cf_tc_type_name(enum cf_tc_type type)
{
    return formats[type].name;
}

int cf_tc_type_parse(const char *name, enum cf_tc_type *type)
{
    for (int i = 0; i < CF_TC_N_TYPES; ++i)
        if (strcmp(name, formats[i].name) == 0) {
            *type = (enum cf_tc_type)i;
            return 0;
        }
    return -1;
}

int cf_tc_e_min(enum cf_tc_type type)
{
    return formats[type].e_min;
}

int cf_tc_e_tiny(enum cf_tc_type type)
{
    return formats[type].e_min - formats[type].fraction;
}

int cf_tc_e_max(enum cf_tc_type type)
{
    return formats[type].e_max;
}

#define HALF 10 /* fraction bits of f16 */

#define FASI    "Fasi et al., PeerJ CS 7:e330, 2021, section 5"
#define KHATTAK "Khattak and Mikaitis, arXiv 2512.07004, 2025, table of models"
#define DMMA    "FP64 tensor cores: IEEE fma along k; MMA-Sim, arXiv 2511.10909, 2025"

#define SIM "MMA-Sim, arXiv 2511.10909, 2025: the same alignment, rounded to f16"

#define CUT(block_, fraction_, kept_, floor_)                                                      \
    {                                                                                              \
        .block = block_, .fraction = fraction_, .kept = kept_, .floor = floor_                     \
    }
#define TO_F16(block_, fraction_, floor_)                                                          \
    {                                                                                              \
        .block = block_, .fraction = fraction_, .even = 1, .kept = HALF, .floor = floor_           \
    }
#define CHAIN                                                                                      \
    {                                                                                              \
        .block = 1, .chain = 1, .fraction = 40, .even = 1, .kept = 23, .floor = CF_TC_NO_FLOOR     \
    }

const struct cf_tensorcore cf_tensorcores[] = {
    {"v100", CF_TC_F16, CUT(4, 23, 23, CF_TC_NO_FLOOR), FASI},
    {"v100", CF_TC_F16, TO_F16(4, 23, CF_TC_NO_FLOOR), SIM},
    {"a100", CF_TC_F16, CUT(8, 24, 23, -132), FASI},
    {"a100", CF_TC_BF16, CUT(8, 24, 23, -132), FASI},
    {"a100", CF_TC_TF32, CUT(4, 24, 23, -132), FASI},
    {"a100", CF_TC_F64, CHAIN, DMMA},
    {"a100", CF_TC_F16, TO_F16(8, 24, -132), SIM},
    {"h100", CF_TC_F16, CUT(16, 25, 23, -133), KHATTAK},
    {"h100", CF_TC_BF16, CUT(16, 25, 23, -133), KHATTAK},
    {"h100", CF_TC_TF32, CUT(8, 25, 23, -133), KHATTAK},
    {"h100", CF_TC_E4M3, CUT(32, 13, 13, -133), KHATTAK},
    {"h100", CF_TC_E5M2, CUT(32, 13, 13, -133), KHATTAK},
    {"h100", CF_TC_F64, CHAIN, DMMA},
    {"h100", CF_TC_F16, TO_F16(16, 25, -133), SIM},
    {"h200", CF_TC_F16, CUT(16, 25, 23, -133), KHATTAK},
    {"h200", CF_TC_BF16, CUT(16, 25, 23, -133), KHATTAK},
    {"h200", CF_TC_TF32, CUT(8, 25, 23, -133), KHATTAK},
    {"h200", CF_TC_E4M3, CUT(32, 13, 13, -133), KHATTAK},
    {"h200", CF_TC_E5M2, CUT(32, 13, 13, -133), KHATTAK},
    {"h200", CF_TC_F64, CHAIN, DMMA},
    {"h200", CF_TC_F16, TO_F16(16, 25, -133), SIM},
    {"b200", CF_TC_F16, CUT(16, 25, 23, -133), KHATTAK},
    {"b200", CF_TC_BF16, CUT(16, 25, 23, -133), KHATTAK},
    {"b200", CF_TC_TF32, CUT(8, 25, 23, -133), KHATTAK},
    {"b200", CF_TC_E4M3, CUT(32, 25, 23, -133), KHATTAK},
    {"b200", CF_TC_E5M2, CUT(32, 25, 23, -133), KHATTAK},
    {"b200", CF_TC_F16, TO_F16(16, 25, -133), SIM},
    {"ieee", CF_TC_F16, CHAIN, "IEEE 754-2019, section 5.4.1"},
    {"ieee", CF_TC_BF16, CHAIN, "IEEE 754-2019, section 5.4.1"},
    {"ieee", CF_TC_TF32, CHAIN, "IEEE 754-2019, section 5.4.1"},
    {"ieee", CF_TC_E4M3, CHAIN, "IEEE 754-2019, section 5.4.1"},
    {"ieee", CF_TC_E5M2, CHAIN, "IEEE 754-2019, section 5.4.1"},
    {"ieee", CF_TC_F32, CHAIN, "IEEE 754-2019, section 5.4.1"},
    {"ieee", CF_TC_F64, CHAIN, "IEEE 754-2019, section 5.4.1"},
    {.device = NULL}};

static const struct cf_tensorcore *find(const char *device, enum cf_tc_type type, int half)
{
    for (const struct cf_tensorcore *core = cf_tensorcores; core->device; ++core)
        if (core->type == type && strcmp(core->device, device) == 0 &&
            (core->parameters.kept == HALF) == half)
            return core;
    return NULL;
}

const struct cf_tensorcore *cf_tensorcore_find(const char *device, enum cf_tc_type type)
{
    return find(device, type, 0);
}

const struct cf_tensorcore *cf_tensorcore_find_half(const char *device)
{
    return find(device, CF_TC_F16, 1);
}

int cf_tensorcore_knows(const char *device)
{
    for (const struct cf_tensorcore *core = cf_tensorcores; core->device; ++core)
        if (strcmp(core->device, device) == 0)
            return 1;
    return 0;
}

/* magnitude / 2^shift: cut, or rounded to nearest even. */
static int64_t shift_down(int64_t magnitude, int shift, int nearest)
{
    const int64_t cut = shift < 63 ? magnitude >> shift : 0;
    int64_t rest, half;

    if (!nearest || shift >= 63)
        return cut;
    rest = magnitude - (cut << shift);
    half = (int64_t)1 << (shift - 1);
    return cut + (rest > half || (rest == half && (cut & 1)));
}

static struct cf_tc_operand special(uint32_t bits)
{
    return (struct cf_tc_operand){bits >> 31 ? -1 : 1,
                                  bits & 0x7FFFFF ? CF_TC_NAN : CF_TC_INFINITE};
}

/* What is beyond the largest number of a type. */
static struct cf_tc_operand beyond(enum cf_tc_type type, int sign)
{
    if (type == CF_TC_E4M3) /* 448 = 14 * 2^5: the all-ones encoding is NaN */
        return (struct cf_tc_operand){sign * 14, 8};
    return (struct cf_tc_operand){sign, CF_TC_INFINITE};
}

struct cf_tc_operand cf_tc_take(float x, enum cf_tc_type type, int flush)
{
    const struct format *f = &formats[type];
    uint32_t bits;
    int sign, exponent, shift;
    int64_t magnitude;

    memcpy(&bits, &x, sizeof bits);
    sign = bits >> 31 ? -1 : 1;
    exponent = (int)(bits >> 23 & 255) - 127;
    if (exponent == 128 && type == CF_TC_E4M3 && !(bits & 0x7FFFFF))
        return beyond(type, sign);
    if (exponent == 128)
        return special(bits);
    magnitude = (int64_t)(bits & 0x7FFFFF) | (exponent > -127 ? 0x800000 : 0);
    exponent = exponent > -127 ? exponent : -126;
    shift = 23 - f->fraction + (exponent < f->e_min ? f->e_min - exponent : 0);
    exponent = exponent < f->e_min ? f->e_min : exponent;
    if (shift > 0)
        magnitude = shift_down(magnitude, shift, type != CF_TC_TF32);
    if (magnitude >> (f->fraction + 1)) {
        magnitude >>= 1;
        ++exponent;
    }
    if (exponent > f->e_max || (type == CF_TC_E4M3 && exponent == 8 && magnitude == 15))
        return beyond(type, sign);
    if (flush && !(magnitude >> f->fraction))
        magnitude = 0;
    return (struct cf_tc_operand){(int32_t)(sign * magnitude), exponent};
}

/* sum * 2^unit as a float with `kept` fraction bits: below the smallest normal the grid is that of
 * the result's smallest exponent. */
static float to_float(const struct cf_tc_parameters *p, int64_t sum, int unit)
{
    int64_t magnitude = sum < 0 ? -sum : sum;
    const float sign = sum < 0 ? -1 : 1;
    const int e_min = formats[p->kept == HALF ? CF_TC_F16 : CF_TC_F32].e_min;
    int exponent = unit - 1, lowest;

    for (int64_t m = magnitude; m; m >>= 1)
        ++exponent;
    if (magnitude == 0)
        return 0;
    lowest = (exponent < e_min ? e_min : exponent) - p->kept;
    if (lowest > unit) {
        magnitude = shift_down(magnitude, lowest - unit, p->even);
        unit = lowest;
    }
    if (p->kept == HALF && ldexp((double)magnitude, unit) > 65504)
        return sign * INFINITY;
    /* Exact: at most kept + 1 bits above the grid of floats, or an overflow to infinity. */
    return exponent < e_min && p->flush_out ? 0 : sign * (float)ldexp((double)magnitude, unit);
}

#define BLOCK_MAX 64

/* The terms of one block: products and, last, c. */
struct terms {
    int64_t significand[BLOCK_MAX + 1];
    int exponent[BLOCK_MAX + 1], unit[BLOCK_MAX + 1],
        n;        /* value = significand * 2^unit; aligned by `exponent` */
    int infinite; /* 1, -1: only infinities of that sign; 0 none; 2 NaN */
};

static void see_infinity(struct terms *t, int sign)
{
    t->infinite = t->infinite == 0 || t->infinite == sign ? sign : 2;
}

static void add_product(struct terms *t, struct cf_tc_operand a, struct cf_tc_operand b,
                        int fraction)
{
    const int sign = (a.significand < 0) != (b.significand < 0) ? -1 : 1;

    if (a.exponent == CF_TC_NAN || b.exponent == CF_TC_NAN) {
        t->infinite = 2;
    } else if (a.exponent == CF_TC_INFINITE || b.exponent == CF_TC_INFINITE) {
        if (a.significand == 0 || b.significand == 0)
            t->infinite = 2;
        else
            see_infinity(t, sign);
    } else if (a.significand != 0 && b.significand != 0) {
        t->significand[t->n] = (int64_t)a.significand * b.significand;
        t->exponent[t->n] = a.exponent + b.exponent;
        t->unit[t->n] = a.exponent + b.exponent - 2 * fraction;
        ++t->n;
    }
}

static void add_c(struct terms *t, float c, const struct cf_tc_parameters *p)
{
    const enum cf_tc_type type = p->kept == HALF ? CF_TC_F16 : CF_TC_F32;
    const struct cf_tc_operand whole = cf_tc_take(c, type, p->flush_in);

    if (whole.exponent == CF_TC_NAN) {
        t->infinite = 2;
    } else if (whole.exponent == CF_TC_INFINITE) {
        see_infinity(t, whole.significand);
    } else if (whole.significand != 0) {
        t->significand[t->n] = whole.significand;
        t->exponent[t->n] = whole.exponent;
        t->unit[t->n] = whole.exponent - formats[type].fraction;
        ++t->n;
    }
}

static float not_finite(int infinite)
{
    const uint32_t nan = 0x7FFFFFFF;
    float value;

    memcpy(&value, &nan, sizeof value);
    return infinite == 2 ? value : (float)infinite * INFINITY;
}

static float add_terms(const struct cf_tc_parameters *p, const struct terms *t)
{
    int largest = p->floor, unit;
    int64_t sum = 0;

    if (t->infinite)
        return not_finite(t->infinite);
    for (int i = 0; i < t->n; ++i)
        largest = t->exponent[i] > largest ? t->exponent[i] : largest;
    unit = largest - p->fraction;
    for (int i = 0; i < t->n; ++i) {
        const int64_t s = t->significand[i], magnitude = s < 0 ? -s : s;
        const int shift = unit - t->unit[i];
        const int64_t cut =
            shift <= 0 ? magnitude << -shift : shift_down(magnitude, shift, p->nearest);

        sum += s < 0 ? -cut : cut;
    }
    return to_float(p, sum, unit);
}

static double value_of(struct cf_tc_operand x, int fraction)
{
    if (x.exponent == CF_TC_NAN)
        return NAN;
    if (x.exponent == CF_TC_INFINITE)
        return x.significand * INFINITY;
    return ldexp(x.significand, x.exponent - fraction);
}

static float chain(const struct cf_tc_parameters *p, int fraction, float c,
                   const struct cf_tc_operand a[], const struct cf_tc_operand b[], int64_t n)
{
    for (int64_t i = 0; i < n; ++i) {
        const int64_t l = p->descending ? n - 1 - i : i;

        c = fmaf((float)value_of(a[l], fraction), (float)value_of(b[l], fraction), c);
    }
    return c;
}

float cf_tc_dot(const struct cf_tc_parameters *p, enum cf_tc_type type, float c,
                const struct cf_tc_operand a[], const struct cf_tc_operand b[], int64_t n)
{
    const int fraction = formats[type].fraction;
    const int64_t n_blocks = (n + p->block - 1) / p->block;

    if (p->chain)
        return chain(p, fraction, c, a, b, n);
    for (int64_t i = 0; i < n_blocks; ++i) {
        const int64_t first = (p->descending ? n_blocks - 1 - i : i) * p->block;
        struct terms t = {.n = 0};

        for (int64_t l = first; l < first + p->block && l < n; ++l)
            add_product(&t, a[l], b[l], fraction);
        add_c(&t, c, p);
        c = add_terms(p, &t);
    }
    return c;
}

double cf_tc_dot_f64(const struct cf_tc_parameters *p, double c, const double a[], const double b[],
                     int64_t n)
{
    for (int64_t i = 0; i < n; ++i) {
        const int64_t l = p->descending ? n - 1 - i : i;

        c = fma(a[l], b[l], c);
    }
    return c;
}
