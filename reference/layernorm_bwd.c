/* layernorm_bwd: the gradients of layernorm_fwd: dx [n,c], dgamma [c] = sum over n of dy z, dbeta
 * [c] = sum over n of dy.  x, dy: [n,c]; gamma: [c]; inputs in the order x, gamma, dy. Terms: c for
 * dx; n + c for dgamma, whose z err like sums of c terms; n for dbeta. */
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
    in[0] = in[2] = out[0] = rows;
    in[1] = out[1] = out[2] = vector;
    return 0;
}

/* The rows of x; or, for dgamma and dbeta, one group of all columns. */
static struct cf_grid grid(const struct cf_tensor in[], int o)
{
    return (struct cf_grid){.outer = 1, .groups = o == 0 ? in[0].dim[0] : 1, .inner = in[0].dim[1]};
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
    const struct cf_grid rows = grid(in, 0);
    struct cf_norm norm;

    if (o == 0) {
        cf_norm_bwd_data(exact, scale, &rows, 0, in, group);
        return;
    }
    for (int64_t j = 0; j < rows.inner; ++j) {
        mpfr_set_zero(exact[j], 1);
        mpfr_set_zero(scale[j], 1);
    }
    for (int64_t row = 0; row < rows.groups; ++row) {
        cf_norm_start(&norm, &rows, &in[0], row);
        for (int64_t j = 0; j < norm.m; ++j)
            if (o == 1)
                cf_norm_add_gamma(exact[j], scale[j], &norm, &in[2], row * norm.m + j, j);
            else
                add_beta(exact[j], scale[j], &in[2], row * norm.m + j);
        cf_norm_stop(&norm);
    }
}

CF_GROUPED_FUNCTIONS(grid, values)

static int64_t terms(const struct cf_case *c, int o, int64_t i)
{
    const int64_t n = cf_case_int(c, "n", 0), width = cf_case_int(c, "c", 0);

    (void)i;
    return o == 0 ? width : o == 1 ? n + width : n;
}

const struct cf_op cf_op_layernorm_bwd = {
    .grammar = {.op = "layernorm_bwd", .dims = "n c", .options = ""},
    .why = "gradients of layer norm",
    .source = CF_NORM_SOURCE,
    .n_inputs = 3,
    .n_outputs = 3,
    .reduce_dim = {1, -1, 0},
    .shape = shape,
    .element = element,
    .fast = fast,
    .terms = terms,
    .extra_roundings = CF_NORM_EXTRA};
