/* gelu_fwd: y[i] = x[i] Phi(x[i]) = x (1 + erf(x / sqrt(2))) / 2.  x, y: [n]. Hendrycks and Gimpel,
 * Gaussian error linear units, 2016, section 2; without its approximations. For negative x the sum
 * cancels, and an argument of erf that is rounded moves it by abs(x) phi(x) u: the scale is
 * abs(x) ((1 + abs(erf)) / 2 + abs(x) phi(x)), phi the normal density. Inputs: range= of
 * support_elementary.h. */
#include "support_elementary.h"

/* e = erf(x / sqrt(2)). */
static void error_function(mpfr_t e, const mpfr_t x)
{
    mpfr_set_ui(e, 2, MPFR_RNDN);
    mpfr_sqrt(e, e, MPFR_RNDN);
    mpfr_div(e, x, e, MPFR_RNDN);
    mpfr_erf(e, e, MPFR_RNDN);
}

static void function(mpfr_t y, const mpfr_t x)
{
    if (mpfr_cmp_si(x, -32) < 0 && !mpfr_inf_p(x)) { /* 1 + erf would cancel to nothing */
        mpfr_set_ui(y, 2, MPFR_RNDN);
        mpfr_sqrt(y, y, MPFR_RNDN);
        mpfr_div(y, x, y, MPFR_RNDN);
        mpfr_neg(y, y, MPFR_RNDN);
        mpfr_erfc(y, y, MPFR_RNDN);
    } else {
        error_function(y, x);
        mpfr_add_ui(y, y, 1, MPFR_RNDN);
    }
    mpfr_div_2ui(y, y, 1, MPFR_RNDN);
    mpfr_mul(y, y, x, MPFR_RNDN);
}

static const struct cf_elementary elementary = {function, -10, 10, 0};

static int draw(const struct cf_case *c, struct cf_tensor in[], struct cf_error *err)
{
    return cf_elementary_draw(&elementary, c, in, err);
}

/* scale = abs(x) ((1 + abs(erf)) / 2 + abs(x) phi(x)). */
static void set_scale(mpfr_t scale, const mpfr_t x)
{
    mpfr_t a;

    mpfr_init2(a, CF_ELEMENTARY_BITS);
    mpfr_sqr(a, x, MPFR_RNDN);
    mpfr_div_2ui(a, a, 1, MPFR_RNDN);
    mpfr_neg(a, a, MPFR_RNDN);
    mpfr_exp(a, a, MPFR_RNDN);
    mpfr_mul_d(a, a, 0x1.9884533d43651p-2, MPFR_RNDU); /* 1 / sqrt(2 pi) */
    mpfr_mul(a, a, x, MPFR_RNDN);
    error_function(scale, x);
    mpfr_abs(scale, scale, MPFR_RNDN);
    mpfr_add_ui(scale, scale, 1, MPFR_RNDN);
    mpfr_div_2ui(scale, scale, 1, MPFR_RNDN);
    mpfr_abs(a, a, MPFR_RNDN);
    mpfr_add(scale, scale, a, MPFR_RNDN);
    mpfr_mul(scale, scale, x, MPFR_RNDN);
    mpfr_abs(scale, scale, MPFR_RNDN);
    mpfr_clear(a);
}

static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    mpfr_t x;

    (void)c;
    (void)o;
    cf_elementary_element(&elementary, exact, scale, in, i);
    if (!mpfr_regular_p(exact))
        return;
    mpfr_init2(x, CF_ELEMENTARY_BITS);
    mpfr_set_d(x, cf_tensor_get(&in[0], i), MPFR_RNDN);
    set_scale(scale, x);
    cf_elementary_floor(scale, in[0].dtype);
    mpfr_clear(x);
}

const struct cf_op cf_op_gelu_fwd = {
    .grammar = {.op = "gelu_fwd", .dims = "n", .options = CF_ELEMENTARY_OPTIONS},
    .why = "the Gaussian error linear unit",
    .source = "Hendrycks and Gimpel, Gaussian error linear units, 2016, section 2",
    .n_inputs = 1,
    .n_outputs = 1,
    .reduce_dim = {-1},
    .shape = cf_elementary_shape,
    .draw = draw,
    .element = element,
    .terms = cf_elementary_terms,
    .extra_roundings = CF_ELEMENTARY_U + 8};
