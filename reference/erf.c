/* erf: y[i] = erf(x[i]).  x, y: [n]. See support_elementary.h. */
#include "support_elementary.h"

static void function(mpfr_t y, const mpfr_t x)
{
    mpfr_erf(y, x, MPFR_RNDN);
}

static const struct cf_elementary elementary = {function, -4, 4, 0};

static int draw(const struct cf_case *c, struct cf_tensor in[], struct cf_error *err)
{
    return cf_elementary_draw(&elementary, c, in, err);
}

static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    (void)c;
    (void)o;
    cf_elementary_element(&elementary, exact, scale, in, i);
}

const struct cf_op cf_op_erf = {
    .grammar = {.op = "erf", .dims = "n", .options = CF_ELEMENTARY_OPTIONS},
    .why = "the error function, 2 / sqrt(pi) times the integral of exp(-t t) from 0 to x",
    .source = CF_ELEMENTARY_SOURCE,
    .n_inputs = 1,
    .n_outputs = 1,
    .reduce_dim = {-1},
    .shape = cf_elementary_shape,
    .draw = draw,
    .element = element,
    .terms = cf_elementary_terms,
    .extra_roundings = CF_ELEMENTARY_U};
