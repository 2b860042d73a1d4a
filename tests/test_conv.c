/* conv: the references of convolution against each other (the adjoint identity, exactly), against
 * values worked by hand, and the fast exact path against MPFR, element by element. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../reference/support_conv.h"

#define BITS 4000 /* holds a sum of products of three floats, whatever their exponents */

struct drawn {
    struct cf_case c;
    const struct cf_op *op;
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
};

static void draw(struct drawn *d, const char *line)
{
    struct cf_error err = {{0}, 0};

    cr_assert_eq(cf_case_parse(&d->c, line, cf_op_grammar, &err), 0, "%s", err.text);
    d->op = cf_op_find(d->c.op);
    cr_assert_eq(cf_case_draw(&d->c, d->op, d->in, d->out, &err), 0, "%s", err.text);
}

static void drop(struct drawn *d)
{
    for (int o = 0; o < d->op->n_inputs; ++o)
        cf_tensor_free(&d->in[o]);
    cf_case_free(&d->c);
}

/* sum over i of exact[i] * t[i]. */
static void inner(mpfr_t sum, const struct drawn *d, const struct cf_tensor *t)
{
    const int64_t n = cf_tensor_count(&d->out[0]);
    mpfr_t exact, scale;

    cr_assert_eq(n, cf_tensor_count(t), "%s", d->c.text);
    mpfr_inits2(53, exact, scale, (mpfr_ptr)NULL);
    mpfr_init2(sum, BITS);
    mpfr_set_zero(sum, 1);
    for (int64_t i = 0; i < n; ++i) {
        d->op->element(exact, scale, &d->c, d->in, 0, i);
        mpfr_prec_round(exact, BITS, MPFR_RNDN);
        mpfr_mul_d(exact, exact, cf_tensor_get(t, i), MPFR_RNDN);
        mpfr_add(sum, sum, exact, MPFR_RNDN);
    }
    mpfr_clears(exact, scale, (mpfr_ptr)NULL);
}

struct shape {
    char dims[120];
};

static struct shape shapes[] = {
    {"n=1 c=1 h=1 w=1 k=1 r=1 s=1"},
    {"n=2 c=3 h=5 w=7 k=4 r=3 s=3 pad=1"},
    {"n=1 c=2 h=6 w=6 k=2 r=3 s=2 stride=2"},
    {"n=1 c=2 h=9 w=8 k=3 r=3 s=3 stride=2 pad=1"},
    {"n=2 c=2 h=7 w=7 k=2 r=3 s=3 pad=2 dilation=2"},
    {"n=1 c=4 h=5 w=5 k=6 r=3 s=3 pad=1 groups=2"},
    {"n=1 c=5 h=4 w=6 k=5 r=3 s=3 pad=1 stride=2 groups=5"},
    {"n=1 c=2 h=3 w=3 k=2 r=5 s=5 pad=2"},
    {"n=1 c=3 h=11 w=5 k=2 r=2 s=1 stride=4"},
    {"n=1 c=1 h=7 w=11 k=1 r=3 s=5 pad=1"},
    {"n=2 c=5 h=7 w=11 k=3 r=2 s=3 stride=3 pad=1 dilation=2"},
    {"n=1 c=3 h=1 w=13 k=2 r=1 s=5"},
    {"n=0 c=3 h=5 w=5 k=2 r=3 s=3"},
};

ParameterizedTestParameters(conv, adjoint)
{
    return cr_make_param_array(struct shape, shapes, CF_COUNT(shapes));
}

/* One x, one w and one y for all three; types differ in the exponents that BITS holds. */
static void check_adjoint(const char *dims, const char *type, const char *fill)
{
    static const char *const ops[] = {"conv2d_fwd", "conv2d_bwd_data", "conv2d_bwd_filter"};
    struct drawn d[3];
    mpfr_t sum[3];
    char line[240];

    for (int i = 0; i < 3; ++i) {
        snprintf(line, sizeof line, "%s %s %s fill=%s seed=%d", ops[i], type, dims, fill, i + 1);
        draw(&d[i], line);
    }
    memcpy(d[2].in[0].bits, d[0].in[0].bits, cf_tensor_bytes(&d[0].in[0]));
    memcpy(d[1].in[1].bits, d[0].in[1].bits, cf_tensor_bytes(&d[0].in[1]));
    memcpy(d[2].in[1].bits, d[1].in[0].bits, cf_tensor_bytes(&d[1].in[0]));
    inner(sum[0], &d[0], &d[1].in[0]);
    inner(sum[1], &d[1], &d[0].in[0]);
    inner(sum[2], &d[2], &d[0].in[1]);
    cr_expect(mpfr_equal_p(sum[0], sum[1]), "bwd_data is not the adjoint of fwd: %s %s", type,
              dims);
    cr_expect(mpfr_equal_p(sum[0], sum[2]), "bwd_filter is not the adjoint of fwd: %s %s", type,
              dims);
    cr_expect(mpfr_regular_p(sum[0]) || strstr(dims, "n=0"), "an empty form proves nothing");
    for (int i = 0; i < 3; ++i) {
        mpfr_clear(sum[i]);
        drop(&d[i]);
    }
}

/* <conv(x, w), y> = <x, bwd_data(y, w)> = <w, bwd_filter(x, y)>: one trilinear form, summed in
 * three orders of its terms, with no rounding anywhere. */
ParameterizedTest(struct shape *row, conv, adjoint)
{
    check_adjoint(row->dims, "f32", "wide");
    check_adjoint(row->dims, "f64", "normal");
    check_adjoint(row->dims, "bf16", "normal");
    check_adjoint(row->dims, "f16", "normal");
}

static int same(double a, double b)
{
    return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

/* Element by element: the rounding of MPFR's value, and what is left of it. */
static void compare(const struct drawn *d)
{
    const int64_t n = cf_tensor_count(&d->out[0]);
    const double u = cf_dtype_u(d->out[0].dtype);
    struct cf_truth *truth = cf_alloc((size_t)(n + 1) * sizeof truth[0]);
    mpfr_t exact, scale;

    mpfr_inits2(53, exact, scale, (mpfr_ptr)NULL);
    d->op->fast(truth, &d->c, d->in, 0, 2);
    for (int64_t i = 0; i < n; ++i) {
        d->op->element(exact, scale, &d->c, d->in, 0, i);
        const double rounded = d->out[0].dtype == CF_F64 ? mpfr_get_d(exact, MPFR_RNDN)
                                                         : (double)mpfr_get_flt(exact, MPFR_RNDN);
        const double s = mpfr_get_d(scale, MPFR_RNDU);

        cr_assert(same(truth[i].rounded, rounded), "%s: element %lld: fast %a, MPFR %a", d->c.text,
                  (long long)i, truth[i].rounded, rounded);
        if (!isfinite(rounded))
            continue;
        mpfr_sub_d(exact, exact, rounded, MPFR_RNDN);
        cr_assert(fabs(truth[i].lo - mpfr_get_d(exact, MPFR_RNDN)) <= 0x1p-20 * u * s,
                  "%s: element %lld: lo", d->c.text, (long long)i);
        cr_assert(
            truth[i].scale >= mpfr_get_d(scale, MPFR_RNDD) && truth[i].scale <= s * (1 + 0x1p-30),
            "%s: element %lld: scale %a, MPFR %a", d->c.text, (long long)i, truth[i].scale, s);
    }
    mpfr_clears(exact, scale, (mpfr_ptr)NULL);
    free(truth);
}

ParameterizedTestParameters(conv, fast_is_mpfr)
{
    return cr_make_param_array(struct shape, shapes, CF_COUNT(shapes));
}

ParameterizedTest(struct shape *row, conv, fast_is_mpfr)
{
    static const char *const ops[] = {"conv2d_fwd", "conv2d_bwd_data", "conv2d_bwd_filter"};
    static const char *const fills[] = {"integer", "normal", "cancel20", "wide", "tiny", "special"};
    static const char *const types[] = {"f32", "f64", "bf16", "f16"};
    char line[240];

    for (int i = 0; i < 3 * CF_COUNT(fills) * CF_COUNT(types); ++i) {
        struct drawn d;

        snprintf(line, sizeof line, "%s %s %s fill=%s", ops[i % 3], types[i / 3 / CF_COUNT(fills)],
                 row->dims, fills[i / 3 % CF_COUNT(fills)]);
        draw(&d, line);
        compare(&d);
        drop(&d);
    }
}

/* The closed form of the number of terms against the taps themselves. */
ParameterizedTestParameters(conv, terms_count_taps)
{
    return cr_make_param_array(struct shape, shapes, CF_COUNT(shapes));
}

ParameterizedTest(struct shape *row, conv, terms_count_taps)
{
    static const char *const ops[] = {"conv2d_fwd", "conv2d_bwd_data", "conv2d_bwd_filter"};
    char line[240];

    for (int way = 0; way < 3; ++way) {
        struct cf_conv g;
        struct drawn d;

        snprintf(line, sizeof line, "%s f32 %s fill=integer", ops[way], row->dims);
        draw(&d, line);
        cf_conv_geometry(&g, &d.c, d.in, (enum cf_conv_way)way);
        for (int64_t i = 0; i < cf_tensor_count(&d.out[0]); ++i)
            cr_assert_eq(d.op->terms(&d.c, 0, i),
                         cf_conv_taps(&g, (enum cf_conv_way)way, i, NULL, NULL), "%s: %lld", line,
                         (long long)i);
        drop(&d);
    }
}

/* Padding is no term: an infinite or NaN weight that meets it must not make NaN of the sum. */
Test(conv, padding_times_infinity_is_no_term)
{
    static const char *const ops[] = {"conv2d_fwd", "conv2d_bwd_data", "conv2d_bwd_filter"};
    char line[120];

    for (int i = 0; i < 6; ++i) {
        struct drawn d;

        snprintf(line, sizeof line, "%s f%d n=1 c=2 h=4 w=4 k=2 r=3 s=3 pad=1 fill=normal",
                 ops[i % 3], i < 3 ? 32 : 64);
        draw(&d, line);
        cf_tensor_set(&d.in[1], 3, INFINITY);
        cf_tensor_set(&d.in[1], 4, NAN);
        compare(&d);
        drop(&d);
    }
}

struct worked {
    char claim[60], line[160];
    double x[16], w[9], y[16];
    int64_t terms[16];
    int n_x, n_w, n_y;
};

/* Values worked by hand. Images and filters count 1, 2, 3 ... unless given. */
static struct worked worked[] = {
    {"a 2x2 filter on a 3x3 image",
     "conv2d_fwd f32 n=1 c=1 h=3 w=3 k=1 r=2 s=2",
     {1, 2, 3, 4, 5, 6, 7, 8, 9},
     {1, 2, 3, 4},
     {37, 47, 67, 77},
     {4, 4, 4, 4},
     9,
     4,
     4},
    {"borders have fewer terms",
     "conv2d_fwd f32 n=1 c=1 h=2 w=2 k=1 r=3 s=3 pad=1 stride=1",
     {1, 2, 3, 4},
     {1, 1, 1, 1, 1, 1, 1, 1, 1},
     {10, 10, 10, 10},
     {4, 4, 4, 4},
     4,
     9,
     4},
    {"stride 2 keeps every second output",
     "conv2d_fwd f32 n=1 c=1 h=4 w=4 k=1 r=1 s=1 stride=2",
     {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
     {10},
     {10, 30, 90, 110},
     {1, 1, 1, 1},
     16,
     1,
     4},
    {"dilation 2 skips every second pixel",
     "conv2d_fwd f32 n=1 c=1 h=3 w=3 k=1 r=2 s=2 dilation=2",
     {1, 2, 3, 4, 5, 6, 7, 8, 9},
     {1, 10, 100, 1000},
     {9731},
     {4},
     9,
     4,
     1},
    {"a group sees its own channels only",
     "conv2d_fwd f32 n=1 c=2 h=1 w=2 k=2 r=1 s=1 groups=2",
     {1, 2, 3, 4},
     {10, 100},
     {10, 20, 300, 400},
     {1, 1, 1, 1},
     4,
     2,
     4},
    {"backward data spreads dy over the window",
     "conv2d_bwd_data f32 n=1 c=1 h=3 w=3 k=1 r=2 s=2",
     {1, 10, 100, 1000},
     {1, 2, 3, 4},
     {1, 12, 20, 103, 1234, 2040, 300, 3400, 4000},
     {1, 2, 1, 2, 4, 2, 1, 2, 1},
     4,
     4,
     9},
    {"backward data of a stride leaves holes",
     "conv2d_bwd_data f32 n=1 c=1 h=3 w=3 k=1 r=1 s=1 stride=2",
     {1, 2, 3, 4},
     {10},
     {10, 0, 20, 0, 0, 0, 30, 0, 40},
     {1, 0, 1, 0, 0, 0, 1, 0, 1},
     4,
     1,
     9},
    {"backward filter correlates image and dy",
     "conv2d_bwd_filter f32 n=1 c=1 h=3 w=3 k=1 r=2 s=2",
     {1, 2, 3, 4, 5, 6, 7, 8, 9},
     {1, 10, 100, 1000},
     {5421, 6532, 8754, 9865},
     {4, 4, 4, 4},
     9,
     4,
     4},
};

ParameterizedTestParameters(conv, worked_by_hand)
{
    return cr_make_param_array(struct worked, worked, CF_COUNT(worked));
}

ParameterizedTest(struct worked *row, conv, worked_by_hand)
{
    struct drawn d;
    mpfr_t exact, scale;

    draw(&d, row->line);
    cr_assert_eq(cf_tensor_count(&d.in[0]), row->n_x, "%s", row->claim);
    cr_assert_eq(cf_tensor_count(&d.in[1]), row->n_w, "%s", row->claim);
    cr_assert_eq(cf_tensor_count(&d.out[0]), row->n_y, "%s", row->claim);
    for (int i = 0; i < row->n_x; ++i)
        cf_tensor_set(&d.in[0], i, row->x[i]);
    for (int i = 0; i < row->n_w; ++i)
        cf_tensor_set(&d.in[1], i, row->w[i]);
    mpfr_inits2(53, exact, scale, (mpfr_ptr)NULL);
    for (int i = 0; i < row->n_y; ++i) {
        d.op->element(exact, scale, &d.c, d.in, 0, i);
        cr_expect_eq(mpfr_cmp_d(exact, row->y[i]), 0, "%s: element %d is %a, not %a", row->claim, i,
                     mpfr_get_d(exact, MPFR_RNDN), row->y[i]);
        cr_expect_eq(d.op->terms(&d.c, 0, i), row->terms[i], "%s: terms of %d", row->claim, i);
    }
    mpfr_clears(exact, scale, (mpfr_ptr)NULL);
    drop(&d);
}

struct refused {
    char line[120], word[24];
};

static struct refused refused[] = {
    {"conv2d_fwd f32 n=1 c=3 h=5 w=5 k=4 r=3 s=3 groups=2", "groups"},
    {"conv2d_fwd f32 n=1 c=1 h=2 w=2 k=1 r=3 s=3", "padded image"},
    {"conv2d_fwd f32 n=1 c=0 h=2 w=2 k=1 r=1 s=1", "at least 1"},
    {"conv2d_fwd f32 n=1 c=1 h=2 w=2 k=1 r=1 s=1 stride=0", "at least 1"},
    {"conv2d_fwd f32 n=1 c=2 h=2 w=2 k=2 r=1 s=1 groups=2 col=1", "groups > 1"},
    {"conv2d_bwd_filter f32 n=1 c=2 h=2 w=2 k=2 r=1 s=1 groups=2 row=1", "groups > 1"},
    {"maxpool_fwd f32 n=1 c=1 h=4 w=4 r=2 s=2 pad=2", "padding alone"},
};

ParameterizedTestParameters(conv, refuses)
{
    return cr_make_param_array(struct refused, refused, CF_COUNT(refused));
}

ParameterizedTest(struct refused *row, conv, refuses)
{
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    struct cf_error err = {{0}, 0};
    struct cf_case c;

    cr_assert_eq(cf_case_parse(&c, row->line, cf_op_grammar, &err), 0, "%s", err.text);
    cr_expect_neq(cf_case_draw(&c, cf_op_find(c.op), in, out, &err), 0, "%s", row->line);
    cr_expect(strstr(err.text, row->word) != NULL, "%s: %s", row->line, err.text);
    cf_case_free(&c);
}

/* A variant computes the elements of its base again: same operands, same values. */
Test(conv, variants_are_the_same_elements)
{
    static const char *const lines[] = {
        "conv2d_fwd f32 n=3 c=2 h=5 w=4 k=4 r=3 s=3 pad=1 fill=normal row=2",
        "conv2d_fwd f32 n=3 c=2 h=5 w=4 k=4 r=3 s=3 pad=1 fill=normal rowperm=1",
        "conv2d_fwd f32 n=3 c=2 h=5 w=4 k=4 r=3 s=3 pad=1 fill=normal colperm=2",
        "conv2d_bwd_data f32 n=3 c=4 h=5 w=4 k=2 r=3 s=3 pad=1 fill=normal col=3",
        "conv2d_bwd_filter f32 n=2 c=4 h=5 w=4 k=3 r=3 s=3 pad=1 fill=normal row=1",
        "conv2d_bwd_filter f32 n=2 c=4 h=5 w=4 k=3 r=3 s=3 pad=1 fill=normal colperm=1"};

    for (int l = 0; l < CF_COUNT(lines); ++l) {
        struct drawn d, base;
        mpfr_t a, b, scale;

        draw(&d, lines[l]);
        char *text = cf_case_base(&d.c);
        draw(&base, text);
        mpfr_inits2(53, a, b, scale, (mpfr_ptr)NULL);
        for (int64_t i = 0; i < cf_tensor_count(&d.out[0]); ++i) {
            const int64_t at = cf_case_base_index(&d.c, d.op, 0, i);

            d.op->element(a, scale, &d.c, d.in, 0, i);
            d.op->element(b, scale, &base.c, base.in, 0, at);
            cr_expect(mpfr_equal_p(a, b), "%s: element %lld", lines[l], (long long)i);
            cr_expect_eq(d.op->terms(&d.c, 0, i), d.op->terms(&base.c, 0, at), "%s", lines[l]);
        }
        mpfr_clears(a, b, scale, (mpfr_ptr)NULL);
        free(text);
        drop(&d);
        drop(&base);
    }
}
