/* The model of tensor cores: what it answers to the published probes, where it must differ from
 * IEEE arithmetic, and that its parameters are found again from its answers alone. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "infer.h"

static uint32_t bits_of(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* c + a sum of n products, each given as its value; factors are as a probe makes them. */
static uint32_t answer(const char *device, enum cf_tc_type type, float c, const double product[],
                       int n)
{
    const struct cf_tensorcore *core = cf_tensorcore_find(device, type);
    struct cf_tc_operand a[64], b[64];

    cr_assert(core != NULL, "%s has no %s", device, cf_tc_type_name(type));
    for (int i = 0; i < n; ++i) {
        int exponent;
        const double significand = 2 * frexp(product[i], &exponent);
        const int half = product[i] == 0 ? 0 : (exponent - 1) / 2;

        a[i] = cf_tc_take((float)ldexp(significand, product[i] == 0 ? 0 : exponent - 1 - half),
                          type, 0);
        b[i] = cf_tc_take((float)ldexp(1, half), type, 0);
    }
    return bits_of(cf_tc_dot(&core->parameters, type, c, a, b, n));
}

/* Fasi et al. 2021 for V100 and A100; Khattak and Mikaitis 2025 for H100 and H200: f16 operands,
 * f32 accumulation, 16 products. */
static const char *const devices[] = {"v100", "a100", "h100", "h200"};

Test(tensorcore, p1_bits_kept_below_the_largest_exponent)
{
    static const uint32_t expected[4][4] = {{0x34000000, 0, 0, 0},
                                            {0x34000000, 0x33800000, 0, 0},
                                            {0x34000000, 0x33800000, 0x33000000, 0},
                                            {0x34000000, 0x33800000, 0x33000000, 0}};

    for (int d = 0; d < 4; ++d)
        for (int j = 0; j < 4; ++j) {
            const double product[16] = {-1, ldexp(1, -23 - j)};

            cr_expect_eq(answer(devices[d], CF_TC_F16, 1, product, 16), expected[d][j], "%s 2^-%d",
                         devices[d], 23 + j);
        }
}

Test(tensorcore, p2_the_sum_is_cut_not_rounded)
{
    for (int d = 0; d < 4; ++d)
        for (int sign = 1; sign >= -1; sign -= 2) {
            const double product[16] = {2 * sign, sign * ldexp(0.75, -22)};

            cr_expect_eq(answer(devices[d], CF_TC_F16, 0, product, 16),
                         sign > 0 ? 0x40000000 : 0xc0000000, "%s", devices[d]);
            cr_expect_eq(answer("ieee", CF_TC_F16, 0, product, 16),
                         sign > 0 ? 0x40000001 : 0xc0000001);
        }
}

Test(tensorcore, p3_small_terms_meet_before_they_are_lost)
{
    static const uint32_t expected[4][2] = {{0x3f800000, 0x3f800000},
                                            {0x3f800008, 0x3f800000},
                                            {0x3f800008, 0x3f800004},
                                            {0x3f800008, 0x3f800004}};

    for (int d = 0; d < 4; ++d)
        for (int s = 0; s < 2; ++s) {
            double product[16];

            for (int i = 0; i < 16; ++i)
                product[i] = ldexp(1, -24 - s);
            cr_expect_eq(answer(devices[d], CF_TC_F16, 1, product, 16), expected[d][s], "%s 2^-%d",
                         devices[d], 24 + s);
        }
}

/* Survivors in units of 2^-14 when product j takes away product 0. */
Test(tensorcore, p4_block_size)
{
    for (int d = 0; d < 4; ++d)
        for (int j = 1; j < 16; ++j) {
            const int survivors = d == 0 ? 12 - j / 4 * 4 : d == 1 ? 8 - j / 8 * 8 : 0;
            double product[16];

            for (int i = 0; i < 16; ++i)
                product[i] = ldexp(1, -14);
            product[0] = ldexp(1, 14);
            product[j] = -ldexp(1, 14);
            cr_expect_eq(answer(devices[d], CF_TC_F16, 0, product, 16),
                         bits_of(ldexpf((float)survivors, -14)), "%s j=%d", devices[d], j);
        }
}

Test(tensorcore, p5_subnormals_are_kept)
{
    for (int d = 0; d < 4; ++d) {
        const struct cf_tensorcore *core = cf_tensorcore_find(devices[d], CF_TC_F16);
        const struct cf_tc_operand a = cf_tc_take(ldexpf(1, -24), CF_TC_F16, 0),
                                   four = cf_tc_take(4, CF_TC_F16, 0);

        cr_expect_eq(bits_of(cf_tc_dot(&core->parameters, CF_TC_F16, 0, &a, &four, 1)), 0x34800000);
        cr_expect_eq(
            bits_of(cf_tc_dot(&core->parameters, CF_TC_F16, ldexpf(1, -149), NULL, NULL, 0)),
            0x00000001);
    }
}

Test(tensorcore, p6_v100_is_not_monotone)
{
    static const uint32_t expected[4][2] = {{0x3f800001, 0x3f800000},
                                            {0x3f800001, 0x3f800002},
                                            {0x3f800001, 0x3f800002},
                                            {0x3f800001, 0x3f800002}};

    for (int d = 0; d < 4; ++d)
        for (int one = 0; one < 2; ++one) {
            double product[16] = {0};

            for (int i = 0; i < 4; ++i)
                product[i] = ldexp(1, -24);
            cr_expect_eq(answer(devices[d], CF_TC_F16, one ? 1 : 1 - ldexpf(1, -24), product, 16),
                         expected[d][one], "%s %d", devices[d], one);
        }
}

Test(tensorcore, p7_tf32_drops_bits_of_operands)
{
    const float x = 1 + ldexpf(1, -11) + ldexpf(1, -12);
    const struct cf_tc_operand cut = cf_tc_take(x, CF_TC_TF32, 0),
                               rounded = cf_tc_take(x, CF_TC_F16, 0);

    cr_expect_eq(cut.significand, 1 << 10);
    cr_expect_eq(rounded.significand, (1 << 10) + 1, "f16 has as many bits, and rounds");
}

Test(tensorcore, p8_fp8_on_hopper_keeps_13_bits)
{
    for (int d = 2; d < 4; ++d)
        for (int j = 13; j <= 14; ++j) {
            const double product[32] = {1, ldexp(1, -j), -1};
            double ones[32];

            for (int i = 0; i < 31; ++i)
                ones[i] = 1;
            ones[31] = ldexp(1, -10);
            cr_expect_eq(answer(devices[d], CF_TC_E4M3, 0, product, 32), j == 13 ? 0x39000000 : 0);
            cr_expect_eq(answer(devices[d], CF_TC_E5M2, 0, product, 32), j == 13 ? 0x39000000 : 0);
            cr_expect_eq(answer(devices[d], CF_TC_E4M3, 0, ones, 32), 0x41f80000);
        }
}

/* Accumulation in f16: each block's sum is rounded to f16, to nearest, and is the next block's c,
 * which is f16 too. Rows: c, then products of 1; the answer of v100, a100 and h100. */
static const struct {
    float c;
    double product[3];
    float answer[3];
} halves[] = {
    {2, {0x1.8p-10}, {0x1.004p1f, 0x1.004p1f, 0x1.004p1f}},  /* 3/4 of the last bit */
    {2, {0x1p-10}, {2, 2, 2}},                               /* a tie, to even */
    {2, {0x1p-10, 0x1p-23}, {2, 0x1.004p1f, 0x1.004p1f}},    /* and a bit that v100 has cut */
    {0x1.001p0f, {0}, {1, 1, 1}},                            /* c is rounded before */
    {0, {0x1p-24, 0x1p-25}, {0x1p-23f, 0x1p-23f, 0x1p-23f}}, /* subnormal: a tie, to even */
    {65504, {16}, {INFINITY, INFINITY, INFINITY}},           /* half of the last bit */
    {65504, {15.9921875}, {65504, 65504, 65504}},
    {-65504, {-16}, {-INFINITY, -INFINITY, -INFINITY}},
};

Test(tensorcore, accumulation_in_f16)
{
    for (int i = 0; i < CF_COUNT(halves); ++i)
        for (int d = 0; d < 3; ++d) {
            const struct cf_tensorcore *core = cf_tensorcore_find_half(devices[d]);
            struct cf_tc_operand a[3], b[3];
            float got;

            for (int l = 0; l < 3; ++l) {
                const int down = fabs(halves[i].product[l]) < 0x1p-12;

                a[l] =
                    cf_tc_take((float)(halves[i].product[l] * (down ? 0x1p12 : 1)), CF_TC_F16, 0);
                b[l] = cf_tc_take(down ? 0x1p-12f : 1, CF_TC_F16, 0);
            }
            got = cf_tc_dot(&core->parameters, CF_TC_F16, halves[i].c, a, b, 3);
            cr_expect_eq(got, halves[i].answer[d], "%s row %d: %a", devices[d], i, got);
        }
    cr_expect_null(cf_tensorcore_find_half("ieee"));
    cr_expect_eq(cf_tensorcore_find("h100", CF_TC_F16)->parameters.kept, 23);
}

/* The second block starts from the rounded sum of the first. */
Test(tensorcore, blocks_in_f16_are_rounded_one_by_one)
{
    struct cf_tc_operand a[32], b[32];
    const struct cf_tensorcore *core = cf_tensorcore_find_half("h100");

    for (int l = 0; l < 32; ++l) {
        a[l] = cf_tc_take(l % 16 == 0 ? 0x1.4p-11f : 0, CF_TC_F16, 0);
        b[l] = cf_tc_take(1, CF_TC_F16, 0);
    }
    cr_expect_eq(cf_tc_dot(&core->parameters, CF_TC_F16, 1, a, b, 32), 1 + 2 * 0x1p-10f);
    a[16] = a[1] = cf_tc_take(0, CF_TC_F16, 0);
    a[1] = a[0];
    cr_expect_eq(cf_tc_dot(&core->parameters, CF_TC_F16, 1, a, b, 32), 1 + 0x1p-10f);
}

Test(tensorcore, p9_doubles_are_a_chain_of_fma)
{
    const struct cf_probe probe = {CF_TC_F64, 9, 16, 7};
    const struct cf_tensorcore *core = cf_tensorcore_find("h100", CF_TC_F64);
    struct cf_probe_row row;
    int n_backward = 0;

    cr_assert_eq(cf_probe_count(&probe), 16);
    for (int i = 0; i < 16; ++i) {
        double chain, backward;

        cr_assert_eq(cf_probe_make(&probe, i, &row), 0);
        chain = backward = row.c;
        for (int l = 0; l < 16; ++l) {
            chain = fma(row.a[l], row.b[l], chain);
            backward = fma(row.a[15 - l], row.b[15 - l], backward);
        }
        cr_expect_eq(cf_tc_dot_f64(&core->parameters, row.c, row.a, row.b, 16), chain);
        n_backward += chain != backward;
    }
    cr_expect(n_backward > 8, "the operands do not tell the order");
}

/* Blocks ascend: what comes after the block that takes M away survives. */
Test(tensorcore, p10_blocks_follow_each_other)
{
    for (int j = 1; j < 64; ++j) {
        double product[64];

        for (int i = 0; i < 64; ++i)
            product[i] = ldexp(1, -14);
        product[0] = ldexp(1, 14);
        product[j] = -ldexp(1, 14);
        cr_expect_eq(answer("h100", CF_TC_F16, 0, product, 64),
                     bits_of(ldexpf((float)(48 - j / 16 * 16), -14)), "j=%d", j);
    }
}

Test(tensorcore, infinities_and_nans)
{
    const struct {
        float c;
        double a0, b0, a1, b1;
        uint32_t bits;
    } rows[] = {
        {0, INFINITY, 1, 1, 1, 0x7f800000},
        {0, -INFINITY, 1, 1, 1, 0xff800000},
        {0, INFINITY, 1, -INFINITY, 1, 0x7fffffff},
        {0, INFINITY, 0, 1, 1, 0x7fffffff},
        {NAN, 1, 1, 1, 1, 0x7fffffff},
        {INFINITY, 1, 1, 1, 1, 0x7f800000},
        {-INFINITY, INFINITY, 1, 1, 1, 0x7fffffff},
        {0, 65504, 65504, 0, 0, 0x4f7fc004},
    };

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        const struct cf_tensorcore *core = cf_tensorcore_find("h100", CF_TC_F16);
        struct cf_tc_operand a[2], b[2];

        a[0] = cf_tc_take((float)rows[i].a0, CF_TC_F16, 0);
        a[1] = cf_tc_take((float)rows[i].a1, CF_TC_F16, 0);
        b[0] = cf_tc_take((float)rows[i].b0, CF_TC_F16, 0);
        b[1] = cf_tc_take((float)rows[i].b1, CF_TC_F16, 0);
        cr_expect_eq(bits_of(cf_tc_dot(&core->parameters, CF_TC_F16, rows[i].c, a, b, 2)),
                     rows[i].bits, "row %d", i);
    }
}

/* Every f16 and every e4m3 and e5m2 number goes in unchanged; what lies between is rounded to the
 * nearer one. */
Test(tensorcore, operands_are_exact_where_they_fit)
{
    static const struct {
        enum cf_tc_type type;
        int exponent_bits, fraction;
    } formats[] = {{CF_TC_F16, 5, 10}, {CF_TC_E4M3, 4, 3}, {CF_TC_E5M2, 5, 2}};

    for (int f = 0; f < 3; ++f) {
        const int bias = (1 << (formats[f].exponent_bits - 1)) - 1, fraction = formats[f].fraction;
        const int n = ((1 << formats[f].exponent_bits) - 1) << fraction;
        double last = 0;

        for (int i = 1; i < n; ++i) {
            const int e = i >> fraction, m = i & ((1 << fraction) - 1);
            const double value =
                e ? ldexp(m + (1 << fraction), e - bias - fraction) : ldexp(m, 1 - bias - fraction);
            const struct cf_tc_operand x = cf_tc_take((float)value, formats[f].type, 0),
                                       above = cf_tc_take((float)(last + 0.75 * (value - last)),
                                                          formats[f].type, 0),
                                       flushed = cf_tc_take((float)value, formats[f].type, 1);

            cr_expect_eq(ldexp(x.significand, x.exponent - fraction), value);
            cr_expect_eq(ldexp(above.significand, above.exponent - fraction), value);
            cr_expect_eq(flushed.significand == 0, e == 0);
            last = value;
        }
    }
    cr_expect_eq(cf_tc_take(65520, CF_TC_F16, 0).exponent, CF_TC_INFINITE);
    cr_expect_eq(cf_tc_take(1e9f, CF_TC_E4M3, 0).significand, 14, "448, the largest");
    cr_expect_eq(cf_tc_take(1e9f, CF_TC_E5M2, 0).exponent, CF_TC_INFINITE);
}

/* ---- inference ---- */

/* The answers of a device to all probes of a type; `spoil` may change them. */
struct asked {
    struct cf_answers answers[CF_PROBES];
    uint64_t *bits[CF_PROBES];
    int n;
};

static void ask(struct asked *x, enum cf_tc_type type, const struct cf_tc_parameters *p)
{
    x->n = 0;
    for (int number = 1; number <= CF_PROBES; ++number) {
        const struct cf_probe probe = {type, number, cf_probe_k(number, type), 1};
        const int64_t n = cf_probe_count(&probe);

        if (n == 0)
            continue;
        x->bits[x->n] = cf_alloc((unsigned long)n * sizeof(uint64_t));
        for (int64_t i = 0; i < n; ++i)
            x->bits[x->n][i] = cf_predict(p, &probe, i);
        x->answers[x->n] = (struct cf_answers){probe, n, x->bits[x->n]};
        ++x->n;
    }
}

static void forget(struct asked *x)
{
    for (int i = 0; i < x->n; ++i)
        free(x->bits[i]);
}

Test(tensorcore, parameters_are_found_from_answers_alone)
{
    for (const struct cf_tensorcore *core = cf_tensorcores; core->device; ++core) {
        struct cf_inference found;
        struct asked asked;

        if (core->type == CF_TC_F64 || core->type == CF_TC_F32 ||
            strcmp(core->device, "h200") == 0) /* adds as h100 does */
            continue;
        ask(&asked, core->type, &core->parameters);
        cf_infer(&found, asked.answers, asked.n);
        cr_expect_eq(found.n_explain, 1, "%s %s: %d combinations explain", core->device,
                     cf_tc_type_name(core->type), found.n_explain);
        cr_expect(cf_tc_same(&found.least, &core->parameters), "%s %s: block %d F %d", core->device,
                  cf_tc_type_name(core->type), found.least.block, found.least.fraction);
        forget(&asked);
    }
}

/* Devices that nobody has built: each differs in one feature from a known one, and is found. */
Test(tensorcore, every_parameter_is_seen_by_some_probe)
{
    static const struct cf_tc_parameters unknown[] = {
        {.block = 16, .fraction = 25, .kept = 23, .floor = CF_TC_NO_FLOOR, .nearest = 1},
        {.block = 16, .fraction = 25, .kept = 23, .floor = CF_TC_NO_FLOOR, .even = 1},
        {.block = 16, .fraction = 25, .kept = 13, .floor = CF_TC_NO_FLOOR},
        {.block = 16, .fraction = 25, .kept = 23, .floor = CF_TC_NO_FLOOR, .flush_in = 1},
        {.block = 16, .fraction = 25, .kept = 23, .floor = CF_TC_NO_FLOOR, .flush_out = 1},
        {.block = 16, .fraction = 25, .kept = 23, .floor = CF_TC_NO_FLOOR, .descending = 1},
        {.block = 2, .fraction = 27, .kept = 23, .floor = CF_TC_NO_FLOOR},
        {.block = 1, .chain = 1, .even = 1, .kept = 23, .descending = 1}};

    for (int i = 0; i < CF_COUNT(unknown); ++i) {
        struct cf_inference found;
        struct asked asked;

        ask(&asked, CF_TC_BF16, &unknown[i]);
        cf_infer(&found, asked.answers, asked.n);
        cr_expect_eq(found.n_explain, 1, "device %d: %d explain; open: %d %d %d %d %d %d %d %d", i,
                     found.n_explain, found.open_block, found.open_fraction, found.open_nearest,
                     found.open_even, found.open_kept, found.open_flush_in, found.open_flush_out,
                     found.open_descending);
        cr_expect(cf_tc_same(&found.least, &unknown[i]), "device %d", i);
        forget(&asked);
    }
}

/* A device that adds like none: one answer of one probe has another last bit. */
Test(tensorcore, a_liar_is_told_with_where_it_lies)
{
    const struct cf_tensorcore *core = cf_tensorcore_find("h100", CF_TC_F16);
    struct cf_inference found;
    struct asked asked;

    ask(&asked, CF_TC_F16, &core->parameters);
    asked.bits[3][4] ^= 1;
    cf_infer(&found, asked.answers, asked.n);
    cr_expect_eq(found.n_explain, 0);
    cr_expect_eq(found.n_missed, 1);
    cr_expect_eq(found.number, 4);
    cr_expect_eq(found.row, 4);
    cr_expect_eq(found.got ^ found.expected, 1);
    cr_expect(cf_tc_same(&found.closest, &core->parameters));
    forget(&asked);
}

/* Too few probes leave parameters open, and that is said. */
Test(tensorcore, what_was_not_asked_is_open)
{
    const struct cf_tensorcore *core = cf_tensorcore_find("h100", CF_TC_F16);
    struct cf_inference found;
    struct asked asked;

    ask(&asked, CF_TC_F16, &core->parameters);
    cf_infer(&found, asked.answers, 1);
    cr_expect(found.n_explain > 1);
    cr_expect(found.open_block && found.open_descending && !found.open_fraction);
    forget(&asked);
}
