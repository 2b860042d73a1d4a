/* batchnorm_bwd: the gradients of batchnorm_fwd: dx [n,c,h,w], dgamma [c] = sum of dy z, dbeta [c]
 * = sum of dy.  x, dy: [n,c,h,w]; gamma: [c]; inputs in the order x, gamma, dy. Terms: n h w. */
#include "support_norm.h"

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    const int64_t n = cf_case_int(c, "n", 0), channels = cf_case_int(c, "c", 0);
    const int64_t h = cf_case_int(c, "h", 0), w = cf_case_int(c, "w", 0);
    const struct cf_tensor image = {.dtype = c->dtype, .rank = 4, .dim = {n, channels, h, w}};
    const struct cf_tensor vector = {.dtype = c->dtype, .rank = 1, .dim = {channels}};

    if (n < 1 || channels < 1 || h < 1 || w < 1)
        return cf_fail(err, "case `%s`: n, c, h and w must be at least 1", c->text);
    if (c->dtype != CF_F32 && c->dtype != CF_F64)
        return cf_fail(err, "case `%s`: %s is defined for f32 and f64", c->text, c->op);
    in[0] = in[2] = out[0] = image;
    in[1] = out[1] = out[2] = vector;
    return 0;
}

/* The channels of x, or the channels alone for the outputs dgamma and dbeta. */
static struct cf_grid grid(const struct cf_tensor in[], int o)
{
    const int64_t *dim = in[0].dim;

    return o == 0 ? (struct cf_grid){.outer = dim[0], .groups = dim[1], .inner = dim[2] * dim[3]}
                  : (struct cf_grid){.outer = 1, .groups = dim[1], .inner = 1};
}

/* dbeta: the sum of dy. */
static void add_beta(mpfr_t exact, mpfr_t scale, const struct cf_tensor *dy, int64_t index)
{
    MPFR_DECL_INIT(term, 53);

    cf_mpfr_take(term, dy, index);
    mpfr_add(exact, exact, term, MPFR_RNDN);
    cf_mpfr_add_abs(scale, term);
}

static void values(mpfr_t exact[], mpfr_t scale[], const struct cf_tensor in[], int o,
                   int64_t group)
{
    const struct cf_grid channels = grid(in, 0);
    struct cf_norm norm;

    if (o == 0) {
        cf_norm_bwd_data(exact, scale, &channels, 1, in, group);
        return;
    }
    mpfr_set_zero(exact[0], 1);
    mpfr_set_zero(scale[0], 1);
    cf_norm_start(&norm, &channels, &in[0], group);
    for (int64_t j = 0; j < norm.m; ++j) {
        const int64_t index = cf_grid_index(&channels, group, j);

        if (o == 1)
            cf_norm_add_gamma(exact[0], scale[0], &norm, &in[2], index, j);
        else
            add_beta(exact[0], scale[0], &in[2], index);
    }
    cf_norm_stop(&norm);
}

CF_GROUPED_FUNCTIONS(grid, values)

static int64_t terms(const struct cf_case *c, int o, int64_t i)
{
    (void)o;
    (void)i;
    return cf_case_int(c, "n", 0) * cf_case_int(c, "h", 0) * cf_case_int(c, "w", 0);
}

const struct cf_op cf_op_batchnorm_bwd = {
    .grammar = {.op = "batchnorm_bwd", .dims = "n c h w", .options = "layout=nchw"},
    .why = "gradients of batch norm",
    .source = CF_NORM_SOURCE,
    .n_inputs = 3,
    .n_outputs = 3,
    .reduce_dim = {0, -1, 0},
    .shape = shape,
    .element = element,
    .fast = fast,
    .terms = terms,
    .extra_roundings = CF_NORM_EXTRA};
