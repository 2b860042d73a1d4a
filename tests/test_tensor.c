/* tensor: widening is exact; narrowing rounds once, to nearest even, through subnormals and into
 * infinity. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "tensor.h"

/* Every 16-bit encoding survives widening and narrowing; NaN stays NaN. */
static void round_trips(enum cf_dtype dtype)
{
    uint16_t bits;
    struct cf_tensor t = {.dtype = dtype, .bits = &bits};

    for (unsigned code = 0; code < 65536; ++code) {
        double value;

        bits = (uint16_t)code;
        value = cf_tensor_get(&t, 0);
        cf_tensor_set(&t, 0, value);
        if (isnan(value))
            cr_assert(isnan(cf_tensor_get(&t, 0)), "%04x", code);
        else
            cr_assert_eq(bits, code, "%04x became %04x", code, bits);
    }
}

Test(tensor, sixteen_bits_round_trip)
{
    round_trips(CF_F16);
    round_trips(CF_BF16);
}

struct row {
    enum cf_dtype dtype;
    double value;
    unsigned bits;
};

Test(tensor, rounds_to_nearest_even_once)
{
    static const struct row rows[] = {{CF_F16, 1 + 0x1p-11, 0x3c00},
                                      {CF_F16, 1 + 3 * 0x1p-11, 0x3c02},
                                      {CF_F16, 1 + 0x1p-11 + 0x1p-40, 0x3c01},
                                      {CF_F16, 65519.99, 0x7bff},
                                      {CF_F16, 65520, 0x7c00},
                                      {CF_F16, 0x1p-25, 0x0000},
                                      {CF_F16, 0x1.8p-25, 0x0001},
                                      {CF_F16, -0x1p-24, 0x8001},
                                      {CF_F16, -0.0, 0x8000},
                                      {CF_BF16, 1 + 0x1p-8, 0x3f80},
                                      {CF_BF16, 1 + 3 * 0x1p-8, 0x3f82},
                                      {CF_BF16, 0x1.ffp127, 0x7f80},
                                      {CF_BF16, -INFINITY, 0xff80},
                                      {CF_BF16, 0x1p-134, 0x0000},
                                      {CF_BF16, 0x1.000002p-134, 0x0001},
                                      {CF_BF16, 0x1.fcp-127, 0x007f}};

    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; ++r) {
        uint16_t bits = 0;
        struct cf_tensor t = {.dtype = rows[r].dtype, .bits = &bits};

        cf_tensor_set(&t, 0, rows[r].value);
        cr_expect_eq(bits, rows[r].bits, "%a gave %04x, not %04x", rows[r].value, bits,
                     rows[r].bits);
    }
}

Test(tensor, counts_and_sizes)
{
    struct cf_tensor t = {.dtype = CF_F32, .rank = 3, .dim = {2, 3, 5}};

    cr_expect_eq(cf_tensor_count(&t), 30);
    cr_expect_eq(cf_tensor_bytes(&t), 120u);
    t.dim[1] = 0;
    cr_expect_eq(cf_tensor_count(&t), 0);
    cr_expect_eq(cf_tensor_count(&(struct cf_tensor){.dtype = CF_U8}), 1);
}
