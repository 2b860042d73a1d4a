/* conv2d_fwd: y[n,k,p,q] = sum over the taps c, r, s in range of x * w.
 * x: [n,c,h,w]; w: [k,c/groups,r,s]; y: [n,k,p,q], p = (h + 2 pad - dilation (r - 1) - 1) / stride
 * + 1. The bound counts the taps in range: an element at a border has fewer terms. */
#include "support_conv.h"

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    static const char *const channels[] = {"col", "colperm", NULL};
    struct cf_conv g;

    if (cf_conv_read(&g, c, err) != 0 || cf_conv_check_channels(&g, c, channels, err) != 0)
        return -1;
    cf_conv_shape_x(&g, c->dtype, &in[0]);
    cf_conv_shape_w(&g, c->dtype, &in[1]);
    cf_conv_shape_y(&g, cf_conv_output_type(c->dtype), &out[0]);
    return 0;
}

CF_CONV_FUNCTIONS(CF_CONV_FWD)

const struct cf_op cf_op_conv2d_fwd = {
    .grammar = {.op = "conv2d_fwd", .dims = CF_CONV_DIMS, .options = CF_CONV_OPTIONS},
    .why = "convolution (cross-correlation) of images",
    .source = "Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1",
    .n_inputs = 2,
    .n_outputs = 1,
    .axis = {{.key = "row", .in_mask = 1, .in_dim = {0}, .out_dim = 0},
             {.key = "col", .in_mask = 2, .in_dim = {0, 0}, .out_dim = 1}},
    .reduce_dim = {1, 1},
    .shape = shape,
    .element = element,
    .fast = fast,
    .terms = terms,
    .places = places,
    .integer_exact = 1};
