#include "support_elementary.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define CANDIDATES 64

int cf_elementary_shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                        struct cf_error *err)
{
    static const char *const ranges[] = {"usual", "hard", "whole"};
    const char *range = cf_case_word(c, "range", "usual");
    int known = 0;

    for (int i = 0; i < CF_COUNT(ranges); ++i)
        known |= strcmp(range, ranges[i]) == 0;
    if (!known)
        return cf_fail(err, "case `%s`: range is usual, hard or whole", c->text);
    if (c->dtype != CF_F32 && c->dtype != CF_F64)
        return cf_fail(err, "case `%s`: %s is defined for f32 and f64", c->text, c->op);
    if (cf_case_int(c, "first", 0) < 0 || cf_case_int(c, "step", 1) < 1)
        return cf_fail(err, "case `%s`: first and step are positive", c->text);
    in[0] = out[0] =
        (struct cf_tensor){.dtype = c->dtype, .rank = 1, .dim = {cf_case_int(c, "n", 0)}};
    return 0;
}

/* Integer arithmetic, exact scaling, one rounding to the type. */
static double usual(const struct cf_elementary *f, const struct cf_case *c, uint64_t i)
{
    const struct cf_stream stream = {.seed = c->seed, .stream = 17};
    uint64_t word[2];
    double x;

    cf_stream_block(&stream, i, word);
    x = (double)(word[0] >> 12) * 0x1p-52; /* 0 <= x < 1 */
    if (f->spread) {
        const int low = ilogb(f->low), high = ilogb(f->high);

        x = ldexp(1 + x, low + (int)((word[1] >> 1) % (uint64_t)(high - low)));
        return f->spread > 1 && word[1] & 1 ? -x : x;
    }
    return f->low + x * (f->high - f->low);
}

/* Distance of f(x) from the nearest middle between two numbers, in ulp: 0 is hardest, 0.5 easiest.
 */
static double distance(const struct cf_elementary *f, const struct cf_tensor *x, int64_t i)
{
    const int digits = cf_dtype_digits(x->dtype);
    mpfr_t argument, y, below;
    double d = 1;

    mpfr_inits2(CF_ELEMENTARY_BITS, argument, y, below, (mpfr_ptr)NULL);
    mpfr_set_d(argument, cf_tensor_get(x, i), MPFR_RNDN);
    f->function(y, argument);
    if (mpfr_regular_p(y)) {
        mpfr_mul_2si(y, y, digits - mpfr_get_exp(y), MPFR_RNDN);
        mpfr_floor(below, y);
        mpfr_sub(y, y, below, MPFR_RNDN);
        d = fabs(mpfr_get_d(y, MPFR_RNDN) - 0.5);
    }
    mpfr_clears(argument, y, below, (mpfr_ptr)NULL);
    return d;
}

static void draw_hard(const struct cf_elementary *f, const struct cf_case *c, struct cf_tensor *x,
                      int64_t i)
{
    double best = 2, value = 0;

    for (uint64_t k = 0; k < CANDIDATES; ++k) {
        double d;

        cf_tensor_set(x, i, usual(f, c, (uint64_t)i * CANDIDATES + k));
        d = distance(f, x, i);
        if (d < best) {
            best = d;
            value = cf_tensor_get(x, i);
        }
    }
    cf_tensor_set(x, i, value);
}

int cf_elementary_draw(const struct cf_elementary *f, const struct cf_case *c,
                       struct cf_tensor in[], struct cf_error *err)
{
    const char *range = cf_case_word(c, "range", "usual");
    const uint64_t first = (uint64_t)cf_case_int(c, "first", 0);
    const uint64_t step = (uint64_t)cf_case_int(c, "step", 1);
    const int64_t n = cf_tensor_count(&in[0]);

    (void)err; /* shape has checked everything */
    cf_tensor_alloc(&in[0]);
    for (int64_t i = 0; i < n; ++i) {
        const uint64_t bits = first + (uint64_t)i * step;

        if (strcmp(range, "whole") == 0 && c->dtype == CF_F32)
            ((uint32_t *)in[0].bits)[i] = (uint32_t)bits;
        else if (strcmp(range, "whole") == 0)
            ((uint64_t *)in[0].bits)[i] = bits;
        else if (strcmp(range, "hard") == 0)
            draw_hard(f, c, &in[0], i);
        else
            cf_tensor_set(&in[0], i, usual(f, c, (uint64_t)i));
    }
    return 0;
}

/* Below the smallest normal number rounding errs by a fixed amount: u times that number. */
void cf_elementary_floor(mpfr_t scale, enum cf_dtype dtype)
{
    const double least = dtype == CF_F32 ? FLT_MIN : DBL_MIN;

    if (mpfr_regular_p(scale) && mpfr_cmp_d(scale, least) < 0)
        mpfr_set_d(scale, least, MPFR_RNDN);
}

void cf_elementary_element(const struct cf_elementary *f, mpfr_t exact, mpfr_t scale,
                           const struct cf_tensor in[], int64_t i)
{
    mpfr_t x;

    mpfr_init2(x, CF_ELEMENTARY_BITS);
    mpfr_set_prec(exact, CF_ELEMENTARY_BITS);
    mpfr_set_prec(scale, CF_ELEMENTARY_BITS);
    mpfr_set_d(x, cf_tensor_get(&in[0], i), MPFR_RNDN);
    f->function(exact, x);
    mpfr_abs(scale, exact, MPFR_RNDN);
    cf_elementary_floor(scale, in[0].dtype);
    mpfr_clear(x);
}

/* Two, so that one smallest subnormal is allowed for results there. */
int64_t cf_elementary_terms(const struct cf_case *c, int o, int64_t i)
{
    (void)c;
    (void)o;
    (void)i;
    return 2;
}
