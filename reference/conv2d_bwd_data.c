/* conv2d_bwd_data: dx = the adjoint of conv2d_fwd in x, applied to dy.
 * dy: [n,k,p,q]; w: [k,c/groups,r,s]; dx: [n,c,h,w]. dx[n,c,h,w] = sum over k, r, s of dy w.
 * Only taps r, s that some output p, q has on row h and column w are terms: there may be none. */
#include "support_conv.h"

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    static const char *const channels[] = {"col", "colperm", NULL};
    struct cf_conv g;

    if (cf_conv_read(&g, c, err) != 0 || cf_conv_check_channels(&g, c, channels, err) != 0)
        return -1;
    cf_conv_shape_y(&g, c->dtype, &in[0]);
    cf_conv_shape_w(&g, c->dtype, &in[1]);
    cf_conv_shape_x(&g, cf_conv_output_type(c->dtype), &out[0]);
    return 0;
}

CF_CONV_FUNCTIONS(CF_CONV_BWD_DATA)

const struct cf_op cf_op_conv2d_bwd_data = {
    .grammar = {.op = "conv2d_bwd_data", .dims = CF_CONV_DIMS, .options = CF_CONV_OPTIONS},
    .why = "gradient of a convolution in its image",
    .source = "Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1",
    .n_inputs = 2,
    .n_outputs = 1,
    .axis = {{.key = "row", .in_mask = 1, .in_dim = {0}, .out_dim = 0},
             {.key = "col", .in_mask = 2, .in_dim = {0, 1}, .out_dim = 1}},
    .reduce_dim = {1, 0},
    .shape = shape,
    .element = element,
    .fast = fast,
    .terms = terms,
    .places = places,
    .integer_exact = 1};
