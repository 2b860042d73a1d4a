/* layernorm_fwd: y[n,c] = gamma[c] (x - mean[n]) / sqrt(variance[n] + epsilon) + beta[c], with the
 * statistics of each row.  x, y: [n,c]; gamma, beta: [c]. Terms: c; see support_norm.h. */
#include "support_norm.h"

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    const int64_t n = cf_case_int(c, "n", 0), width = cf_case_int(c, "c", 0);
    const struct cf_tensor rows = {.dtype = c->dtype, .rank = 2, .dim = {n, width}};
    const struct cf_tensor vector = {.dtype = c->dtype, .rank = 1, .dim = {width}};

    if (width < 1)
        return cf_fail(err, "case `%s`: c must be at least 1", c->text);
    if (c->dtype != CF_F32 && c->dtype != CF_F64)
        return cf_fail(err, "case `%s`: %s is defined for f32 and f64", c->text, c->op);
    in[0] = out[0] = rows;
    in[1] = in[2] = vector;
    return 0;
}

static struct cf_grid grid(const struct cf_tensor in[], int o)
{
    (void)o;
    return (struct cf_grid){.outer = 1, .groups = in[0].dim[0], .inner = in[0].dim[1]};
}

static void values(mpfr_t exact[], mpfr_t scale[], const struct cf_tensor in[], int o,
                   int64_t group)
{
    const struct cf_grid rows = grid(in, o);

    cf_norm_fwd(exact, scale, &rows, 0, in, group);
}

CF_GROUPED_FUNCTIONS(grid, values)

static int64_t terms(const struct cf_case *c, int o, int64_t i)
{
    (void)o;
    (void)i;
    return cf_case_int(c, "c", 0);
}

const struct cf_op cf_op_layernorm_fwd = {
    .grammar = {.op = "layernorm_fwd", .dims = "n c", .options = ""},
    .why = "layer norm of each row",
    .source = CF_NORM_SOURCE,
    .n_inputs = 3,
    .n_outputs = 1,
    .axis = {{.key = "row", .in_mask = 1, .in_dim = {0}, .out_dim = 0}},
    .reduce_dim = {1, -1, -1},
    .shape = shape,
    .element = element,
    .fast = fast,
    .terms = terms,
    .extra_roundings = CF_NORM_EXTRA};
