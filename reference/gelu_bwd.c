/* gelu_bwd: dx[i] = dy[i] (Phi(x[i]) + x[i] phi(x[i])), Phi the normal distribution, phi its
 * density. x, dy: [n]. The derivative of gelu_fwd, which see. Phi of negative x cancels as 1 + erf;
 * an argument of erf that is rounded moves Phi by abs(x) phi u, one of exp moves phi by x^2 / 2 phi
 * u: the scale is abs(dy) ((1 + abs(erf)) / 2 + abs(x) phi (1 + x^2)). x by range= of
 * support_elementary.h; 1 <= abs(dy) < 2, of either sign. At infinite x the formula says NaN. Where
 * every type rounds to zero, 1 + erf has cancelled and the zero may have either sign: -0 stands for
 * that. */
#include "support_elementary.h"

/* phi = exp(-x^2 / 2) / sqrt(2 pi). */
static void density(mpfr_t phi, const mpfr_t x)
{
    mpfr_t root;

    mpfr_init2(root, CF_ELEMENTARY_BITS);
    mpfr_const_pi(root, MPFR_RNDN);
    mpfr_mul_2ui(root, root, 1, MPFR_RNDN);
    mpfr_sqrt(root, root, MPFR_RNDN);
    mpfr_sqr(phi, x, MPFR_RNDN);
    mpfr_div_2ui(phi, phi, 1, MPFR_RNDN);
    mpfr_neg(phi, phi, MPFR_RNDN);
    mpfr_exp(phi, phi, MPFR_RNDN);
    mpfr_div(phi, phi, root, MPFR_RNDN);
    mpfr_clear(root);
}

/* Phi = erfc(-x / sqrt(2)) / 2. */
static void distribution(mpfr_t y, const mpfr_t x)
{
    mpfr_set_ui(y, 2, MPFR_RNDN);
    mpfr_sqrt(y, y, MPFR_RNDN);
    mpfr_div(y, x, y, MPFR_RNDN);
    mpfr_neg(y, y, MPFR_RNDN);
    mpfr_erfc(y, y, MPFR_RNDN);
    mpfr_div_2ui(y, y, 1, MPFR_RNDN);
}

/* Phi + x phi, and its scale; both of CF_ELEMENTARY_BITS. */
static void slope(mpfr_t y, mpfr_t scale, const mpfr_t x)
{
    mpfr_t part;

    mpfr_init2(part, CF_ELEMENTARY_BITS);
    density(part, x);
    mpfr_mul(part, part, x, MPFR_RNDN);
    distribution(y, x);
    mpfr_set(scale, y, MPFR_RNDN); /* (1 + abs(erf)) / 2 is the larger of Phi and 1 - Phi */
    if (mpfr_cmp_d(scale, 0.5) < 0)
        mpfr_ui_sub(scale, 1, scale, MPFR_RNDN);
    mpfr_add(y, y, part, MPFR_RNDN);
    mpfr_abs(part, part, MPFR_RNDN);
    mpfr_add(scale, scale, part, MPFR_RNDN);
    mpfr_mul(part, part, x, MPFR_RNDN);
    mpfr_mul(part, part, x, MPFR_RNDN);
    mpfr_add(scale, scale, part, MPFR_RNDN);
    mpfr_clear(part);
}

/* For range=hard. */
static void function(mpfr_t y, const mpfr_t x)
{
    mpfr_t scale;

    mpfr_init2(scale, CF_ELEMENTARY_BITS);
    slope(y, scale, x);
    mpfr_clear(scale);
}

static const struct cf_elementary elementary = {function, -10, 10, 0};

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    if (cf_elementary_shape(c, in, out, err) != 0)
        return -1;
    in[1] = in[0];
    return 0;
}

static int draw(const struct cf_case *c, struct cf_tensor in[], struct cf_error *err)
{
    const struct cf_stream stream = {.seed = c->seed, .stream = 18};

    if (cf_elementary_draw(&elementary, c, in, err) != 0)
        return -1;
    cf_tensor_alloc(&in[1]);
    for (int64_t i = 0; i < cf_tensor_count(&in[1]); ++i) {
        uint64_t word[2];
        double dy;

        cf_stream_block(&stream, (uint64_t)i, word);
        dy = 1 + (double)(word[0] >> 42) * 0x1p-22; /* exact in f32 */
        cf_tensor_set(&in[1], i, word[1] & 1 ? -dy : dy);
    }
    return 0;
}

static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    mpfr_t x;

    (void)c;
    (void)o;
    mpfr_init2(x, CF_ELEMENTARY_BITS);
    mpfr_set_prec(exact, CF_ELEMENTARY_BITS);
    mpfr_set_prec(scale, CF_ELEMENTARY_BITS);
    mpfr_set_d(x, cf_tensor_get(&in[0], i), MPFR_RNDN);
    slope(exact, scale, x);
    mpfr_mul_d(exact, exact, cf_tensor_get(&in[1], i), MPFR_RNDN);
    if (mpfr_zero_p(exact) || (mpfr_regular_p(exact) && mpfr_get_exp(exact) < -1100))
        mpfr_set_zero(exact, -1);
    mpfr_mul_d(scale, scale, cf_tensor_get(&in[1], i), MPFR_RNDN);
    mpfr_abs(scale, scale, MPFR_RNDN);
    cf_elementary_floor(scale, in[0].dtype);
    mpfr_clear(x);
}

const struct cf_op cf_op_gelu_bwd = {
    .grammar = {.op = "gelu_bwd", .dims = "n", .options = CF_ELEMENTARY_OPTIONS},
    .why = "the gradient of the Gaussian error linear unit",
    .source = "Hendrycks and Gimpel, Gaussian error linear units, 2016, section 2",
    .n_inputs = 2,
    .n_outputs = 1,
    .reduce_dim = {-1, -1},
    .shape = shape,
    .draw = draw,
    .element = element,
    .terms = cf_elementary_terms,
    .extra_roundings = CF_ELEMENTARY_U + 12};
