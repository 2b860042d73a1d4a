/* sin: y[i] = sin(x[i]).  x, y: [n]. See support_elementary.h. */
#include "support_elementary.h"

static void function(mpfr_t y, const mpfr_t x)
{
    mpfr_sin(y, x, MPFR_RNDN);
}

static const struct cf_elementary elementary = {function, 0x1p-20, 0x1p30, 2};

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

const struct cf_op cf_op_sin = {
    .grammar = {.op = "sin", .dims = "n", .options = CF_ELEMENTARY_OPTIONS},
    .why = "the sine, x in radians",
    .source = CF_ELEMENTARY_SOURCE,
    .n_inputs = 1,
    .n_outputs = 1,
    .reduce_dim = {-1},
    .shape = cf_elementary_shape,
    .draw = draw,
    .element = element,
    .terms = cf_elementary_terms,
    .extra_roundings = CF_ELEMENTARY_U};
