/* train_cnn: two convolutions 3x3 with relu, a 2x2 max pool after the first; training.h. */
#include "composite.h"

struct stage {
    struct cf_weight w, b;
    struct cf_tensor x, linear; /* what came in; conv(x) + b */
};

static struct cf_tensor new_image(struct cf_training *t, int64_t n, int64_t c, int64_t side)
{
    return cf_reshape(cf_new(t, n, c * side * side), n, c, side, side);
}

/* A matrix of the weights is the filter [k,c,3,3]. */
static struct cf_tensor as_filter(struct cf_tensor w)
{
    return cf_reshape(w, w.dim[0], w.dim[1] / 9, 3, 3);
}

static struct cf_tensor convolve(struct cf_training *t, struct stage *s, struct cf_weights *w,
                                 struct cf_tensor x)
{
    struct cf_tensor y = new_image(t, x.dim[0], t->hidden, x.dim[2]), in[2];

    s->x = x;
    s->w = cf_take_weight(w, t->hidden, 9 * x.dim[1]);
    s->b = cf_take_weight(w, t->hidden, 0);
    in[0] = x;
    in[1] = as_filter(s->w.value);
    cf_call(t, "conv2d_fwd", 2, in, 1, &y);
    s->linear = cf_bias(t, y, &s->b);
    return cf_relu(t, s->linear);
}

/* d is the gradient after relu; dx when asked for. */
static struct cf_tensor convolve_back(struct cf_training *t, struct stage *s, struct cf_tensor d,
                                      int wants_dx)
{
    const struct cf_tensor dy = cf_relu_back(t, s->linear, d);
    struct cf_tensor filter = as_filter(s->w.gradient), dx = dy;
    const struct cf_tensor in[2] = {s->x, dy}, back[2] = {dy, as_filter(s->w.value)};

    cf_bias_back(t, dy, &s->b);
    cf_call(t, "conv2d_bwd_filter", 2, in, 1, &filter);
    if (wants_dx) {
        dx = cf_like(t, &s->x);
        cf_call(t, "conv2d_bwd_data", 2, back, 1, &dx);
    }
    return dx;
}

static struct cf_tensor flatten(struct cf_tensor x)
{
    struct cf_tensor y = {.dtype = x.dtype,
                          .rank = 2,
                          .dim = {x.dim[0], x.dim[1] * x.dim[2] * x.dim[3]},
                          .bits = x.bits};

    return y;
}

static void pass(struct cf_training *t, struct cf_batch *b, struct cf_tensor *gradient)
{
    struct cf_weights weights = {t, gradient, 0};
    const struct cf_tensor picture = cf_reshape(b->x, b->rows, 1, 8, 8);
    struct cf_tensor pooled = new_image(t, b->rows, t->hidden, 4), in[2], d;
    struct stage first, second;

    in[0] = convolve(t, &first, &weights, picture);
    cf_call(t, "maxpool_fwd", 1, in, 1, &pooled);
    d = flatten(convolve(t, &second, &weights, pooled));
    d = cf_head(t, b, cf_dropout(t, b, d, 0), &weights);
    if (!gradient)
        return;
    d = cf_dropout(t, b, d, 0);
    in[1] = convolve_back(t, &second, cf_reshape(d, b->rows, t->hidden, 4, 4), 1);
    d = cf_like(t, &in[0]);
    cf_call(t, "maxpool_bwd", 2, in, 1, &d);
    convolve_back(t, &first, d, 0);
}

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[])
{
    (void)library; /* the primitives find it */
    (void)attributes;
    return cf_composite_train(pass, in, out);
}

extern const struct cf_kernel cf_kernels_composite_train_cnn[];
const struct cf_kernel cf_kernels_composite_train_cnn[] = {
    {.op = "train_cnn", .name = "step", .backend = NULL, .run = run}, {.op = NULL}};
