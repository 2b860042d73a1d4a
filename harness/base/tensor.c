#include "tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
    int digits, eta_exponent;
} dtypes[CF_N_DTYPES] = {
    [CF_F64] = {"f64", 8, 53, -1074}, [CF_F32] = {"f32", 4, 24, -149},
    [CF_F16] = {"f16", 2, 11, -24},   [CF_BF16] = {"bf16", 2, 8, -133},
    [CF_I64] = {"i64", 8, 0, 0},      [CF_I32] = {"i32", 4, 0, 0},
    [CF_U8] = {"u8", 1, 0, 0},
};

const char *cf_dtype_name(enum cf_dtype dtype)
{
    return dtypes[dtype].name;
}

int cf_dtype_parse(const char *name, enum cf_dtype *dtype)
{
    for (int i = 0; i < CF_N_DTYPES; ++i)
        if (strcmp(name, dtypes[i].name) == 0) {
            *dtype = (enum cf_dtype)i;
            return 0;
        }
    return -1;
}

size_t cf_dtype_size(enum cf_dtype dtype)
{
    return dtypes[dtype].size;
}

int cf_dtype_digits(enum cf_dtype dtype)
{
    return dtypes[dtype].digits;
}

double cf_dtype_u(enum cf_dtype dtype)
{
    return dtypes[dtype].digits ? ldexp(1, -dtypes[dtype].digits) : 0;
}

double cf_dtype_eta(enum cf_dtype dtype)
{
    return dtypes[dtype].digits ? ldexp(1, dtypes[dtype].eta_exponent) : 0;
}

int64_t cf_tensor_count(const struct cf_tensor *tensor)
{
    int64_t count = 1;

    for (int i = 0; i < tensor->rank; ++i)
        count *= tensor->dim[i];
    return count;
}

size_t cf_tensor_bytes(const struct cf_tensor *tensor)
{
    return (size_t)cf_tensor_count(tensor) * cf_dtype_size(tensor->dtype);
}

void cf_tensor_alloc(struct cf_tensor *tensor)
{
    const size_t bytes = (cf_tensor_bytes(tensor) + 64) / 64 * 64;

    tensor->bits = aligned_alloc(64, bytes);
    CF_CHECK(tensor->bits != NULL);
    memset(tensor->bits, 0, bytes);
}

void cf_tensor_free(struct cf_tensor *tensor)
{
    free(tensor->bits);
    tensor->bits = NULL;
}

uint64_t cf_tensor_encoding(const struct cf_tensor *tensor, int64_t i)
{
    const size_t size = cf_dtype_size(tensor->dtype);
    uint64_t bits = 0;

    memcpy(&bits, (const char *)tensor->bits + (size_t)i * size, size);
    return bits;
}

static double half_value(uint64_t bits)
{
    const int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
    const double sign = bits >> 15 ? -1 : 1;

    if (exponent == 31)
        return fraction ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexp(fraction + 1024, exponent - 25) : ldexp(fraction, -24));
}

static double widen_f32(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

double cf_tensor_get(const struct cf_tensor *tensor, int64_t i)
{
    const uint64_t bits = cf_tensor_encoding(tensor, i);

    switch (tensor->dtype) {
    case CF_F64:
        return ((const double *)tensor->bits)[i];
    case CF_F32:
        return ((const float *)tensor->bits)[i];
    case CF_F16:
        return half_value(bits);
    case CF_BF16:
        return widen_f32((uint32_t)bits << 16);
    case CF_I64:
        return (double)(int64_t)bits;
    case CF_I32:
        return (double)(int32_t)bits;
    default:
        return (double)bits;
    }
}

/* Rounds a double once to a 16-bit float with `fraction` fraction bits and smallest exponent e_min.
 */
static uint16_t narrow(double value, int fraction, int e_min, int bias, int e_max)
{
    const unsigned sign = signbit(value) ? 0x8000u : 0;
    const unsigned infinity = (unsigned)(e_max + bias + 1) << fraction;
    int exponent;
    double scaled;

    if (isnan(value))
        return (uint16_t)(sign | infinity | 1u << (fraction - 1));
    value = fabs(value);
    if (value == 0)
        return (uint16_t)sign;
    exponent = isinf(value) ? e_max + 1 : ilogb(value);
    if (exponent > e_max)
        return (uint16_t)(sign | infinity);
    exponent = exponent < e_min ? e_min : exponent;
    scaled = nearbyint(ldexp(value, fraction - exponent)); /* < 2^(fraction+1), exact scaling */
    /* The carry out of the significand walks into the exponent field, up to infinity, as it should.
     */
    return (uint16_t)(sign | (((unsigned)(exponent + bias - 1) << fraction) + (unsigned)scaled));
}

void cf_tensor_set(struct cf_tensor *tensor, int64_t i, double value)
{
    switch (tensor->dtype) {
    case CF_F64:
        ((double *)tensor->bits)[i] = value;
        break;
    case CF_F32:
        ((float *)tensor->bits)[i] = (float)value;
        break;
    case CF_F16:
        ((uint16_t *)tensor->bits)[i] = narrow(value, 10, -14, 15, 15);
        break;
    case CF_BF16:
        ((uint16_t *)tensor->bits)[i] = narrow(value, 7, -126, 127, 127);
        break;
    case CF_I64:
        ((int64_t *)tensor->bits)[i] = (int64_t)value;
        break;
    case CF_I32:
        ((int32_t *)tensor->bits)[i] = (int32_t)value;
        break;
    default:
        ((uint8_t *)tensor->bits)[i] = (uint8_t)value;
    }
}
