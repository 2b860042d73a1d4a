/* batchnorm_fwd: y[n,c,h,w] = gamma[c] (x - mean[c]) / sqrt(variance[c] + epsilon) + beta[c], with
 * the statistics of this batch.  x, y: [n,c,h,w]; gamma, beta: [c]. Terms: n h w; see
 * support_norm.h. */
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
    in[0] = out[0] = image;
    in[1] = in[2] = vector;
    return 0;
}

static struct cf_grid grid(const struct cf_tensor in[], int o)
{
    const int64_t *dim = in[0].dim;

    (void)o;
    return (struct cf_grid){.outer = dim[0], .groups = dim[1], .inner = dim[2] * dim[3]};
}

static void values(mpfr_t exact[], mpfr_t scale[], const struct cf_tensor in[], int o,
                   int64_t group)
{
    const struct cf_grid channels = grid(in, o);

    cf_norm_fwd(exact, scale, &channels, 1, in, group);
}

CF_GROUPED_FUNCTIONS(grid, values)

static int64_t terms(const struct cf_case *c, int o, int64_t i)
{
    (void)o;
    (void)i;
    return cf_case_int(c, "n", 0) * cf_case_int(c, "h", 0) * cf_case_int(c, "w", 0);
}

const struct cf_op cf_op_batchnorm_fwd = {
    .grammar = {.op = "batchnorm_fwd", .dims = "n c h w", .options = "layout=nchw"},
    .why = "batch norm with the statistics of the batch",
    .source = CF_NORM_SOURCE,
    .n_inputs = 3,
    .n_outputs = 1,
    .axis = {{.key = "col", .in_mask = 7, .in_dim = {1, 0, 0}, .out_dim = 1}},
    .reduce_dim = {0, -1, -1},
    .shape = shape,
    .element = element,
    .fast = fast,
    .terms = terms,
    .extra_roundings = CF_NORM_EXTRA};
