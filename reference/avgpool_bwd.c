/* avgpool_bwd: dx[n,c,h,w] = sum of dy[n,c,p,q] / divisor over the windows that hold h, w: the
 * adjoint of avgpool_fwd.  dy: [n,c,p,q]; dx: [n,c,h,w]. Terms: the windows that hold the pixel. */
#include "support_pool.h"

#include <stdlib.h>
#include <string.h>

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    struct cf_conv g;

    if (cf_pool_shape(&g, c, err) != 0)
        return -1;
    cf_conv_shape_y(&g, c->dtype, &in[0]);
    cf_conv_shape_x(&g, c->dtype, &out[0]);
    return 0;
}

/* Pixels that a window's sum is divided by. */
static int64_t divisor(const struct cf_conv *g, const struct cf_case *c, int64_t window,
                       int64_t *pixels)
{
    const int64_t n = cf_pool_pixels(g, window, pixels);

    return strcmp(cf_case_word(c, "divisor", "taps"), "window") == 0 ? g->r * g->s : n;
}

static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    const mpfr_prec_t precision = cf_exact_precision(c->dtype, 0);
    struct cf_conv g;
    mpfr_t term;

    (void)o;
    cf_pool_geometry(&g, c, in);
    int64_t *windows = cf_alloc((size_t)(2 * g.r * g.s) * sizeof windows[0]);
    const int64_t n = cf_pool_windows(&g, i, windows);
    mpfr_init2(term, precision);
    cf_exact_zero(exact, precision);
    cf_exact_zero(scale, precision);
    for (int64_t t = 0; t < n; ++t) {
        const int64_t by = divisor(&g, c, windows[t], windows + g.r * g.s);

        mpfr_set_d(term, cf_tensor_get(&in[0], windows[t]), MPFR_RNDN);
        mpfr_div_ui(term, term, (unsigned long)by, MPFR_RNDN);
        mpfr_add(exact, exact, term, MPFR_RNDN);
        mpfr_abs(term, term, MPFR_RNDN);
        mpfr_add(scale, scale, term, MPFR_RNDN);
    }
    cf_exact_finish(exact, n);
    mpfr_clear(term);
    free(windows);
}

const struct cf_op cf_op_avgpool_bwd = {
    .grammar = {.op = "avgpool_bwd",
                .dims = CF_POOL_DIMS,
                .options = "stride=1 pad=0 dilation=1 layout=nchw divisor=taps"},
    .why = "gradient of average pooling in its image",
    .source = "Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1",
    .n_inputs = 1,
    .n_outputs = 1,
    .axis = {{.key = "row", .in_mask = 1, .in_dim = {0}, .out_dim = 0},
             {.key = "col", .in_mask = 1, .in_dim = {1}, .out_dim = 1}},
    .reduce_dim = {-1},
    .shape = shape,
    .element = element,
    .terms = cf_pool_windows_terms,
    .extra_roundings = 2};
