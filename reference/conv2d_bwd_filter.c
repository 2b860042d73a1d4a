/* conv2d_bwd_filter: dw = the adjoint of conv2d_fwd in w, applied to dy.
 * x: [n,c,h,w]; dy: [n,k,p,q]; dw: [k,c/groups,r,s]. dw[k,c,r,s] = sum over n, p, q of x dy.
 * The images are summed over, so that the axes are the output channel (row) and the input channel
 * (col). */
#include "support_conv.h"

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    static const char *const channels[] = {"row", "rowperm", "col", "colperm", NULL};
    struct cf_conv g;

    if (cf_conv_read(&g, c, err) != 0 || cf_conv_check_channels(&g, c, channels, err) != 0)
        return -1;
    cf_conv_shape_x(&g, c->dtype, &in[0]);
    cf_conv_shape_y(&g, c->dtype, &in[1]);
    cf_conv_shape_w(&g, cf_conv_output_type(c->dtype), &out[0]);
    return 0;
}

CF_CONV_FUNCTIONS(CF_CONV_BWD_FILTER)

const struct cf_op cf_op_conv2d_bwd_filter = {
    .grammar = {.op = "conv2d_bwd_filter", .dims = CF_CONV_DIMS, .options = CF_CONV_OPTIONS},
    .why = "gradient of a convolution in its filter",
    .source = "Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1",
    .n_inputs = 2,
    .n_outputs = 1,
    .axis = {{.key = "row", .in_mask = 2, .in_dim = {0, 1}, .out_dim = 0},
             {.key = "col", .in_mask = 1, .in_dim = {1}, .out_dim = 1}},
    .reduce_dim = {0, 0},
    .shape = shape,
    .element = element,
    .fast = fast,
    .terms = terms,
    .places = places,
    .integer_exact = 1};
