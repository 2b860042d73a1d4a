/* train_mlp: layers of x -> dropout(relu(x W + b)), then logits; training.h. */
#include "composite.h"

#define LAYERS_MAX 8

struct layer {
    struct cf_weight w, b;
    struct cf_tensor x, linear; /* what came in; x W + b */
};

static struct cf_tensor forward(struct cf_training *t, struct cf_batch *b, struct cf_weights *w,
                                struct layer layer[])
{
    struct cf_tensor x = b->x;

    for (int l = 0; l < t->layers; ++l) {
        layer[l].x = x;
        layer[l].w = cf_take_weight(w, x.dim[1], t->hidden);
        layer[l].b = cf_take_weight(w, t->hidden, 0);
        layer[l].linear = cf_linear(t, x, &layer[l].w, &layer[l].b);
        x = cf_dropout(t, b, cf_relu(t, layer[l].linear), l * t->hidden);
    }
    return x;
}

void cf_mlp_pass(struct cf_training *t, struct cf_batch *b, struct cf_tensor *gradient)
{
    struct cf_weights weights = {t, gradient, 0};
    struct layer layer[LAYERS_MAX];
    struct cf_tensor d;

    if (t->layers < 1 || t->layers > LAYERS_MAX) {
        t->status = CF_UNSUPPORTED;
        return;
    }
    d = cf_head(t, b, forward(t, b, &weights, layer), &weights);
    for (int l = (int)t->layers - 1; gradient && l >= 0; --l) {
        d = cf_relu_back(t, layer[l].linear, cf_dropout(t, b, d, l * t->hidden));
        d = cf_linear_back(t, layer[l].x, &layer[l].w, &layer[l].b, d, l > 0);
    }
}

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[])
{
    (void)library; /* the primitives find it */
    (void)attributes;
    return cf_composite_train(cf_mlp_pass, in, out);
}

extern const struct cf_kernel cf_kernels_composite_train_mlp[];
const struct cf_kernel cf_kernels_composite_train_mlp[] = {
    {.op = "train_mlp", .name = "step", .backend = NULL, .run = run}, {.op = NULL}};
