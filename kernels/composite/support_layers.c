/* What the models are made of: memory of a pass, linear layers, the loss. */
#include <stdlib.h>
#include <string.h>

#include "composite.h"

static void *take_memory(struct cf_training *t, size_t n_bytes)
{
    void *bits = t->status == CF_DONE ? calloc(1, n_bytes + 64) : NULL;

    if (t->n_memory == t->capacity && bits) {
        const int capacity = 2 * t->capacity + 64;
        void **longer = realloc(t->memory, (size_t)capacity * sizeof longer[0]);

        if (longer) {
            t->memory = longer;
            t->capacity = capacity;
        }
    }
    if (bits && t->n_memory < t->capacity)
        return t->memory[t->n_memory++] = bits;
    free(bits);
    if (t->status == CF_DONE)
        t->status = CF_NO_MEMORY;
    return NULL;
}

struct cf_tensor cf_new(struct cf_training *t, int64_t rows, int64_t columns)
{
    struct cf_tensor x = {.dtype = t->dtype, .rank = columns > 0 ? 2 : 1, .dim = {rows, columns}};

    x.bits = take_memory(t, cf_tensor_bytes(&x));
    return x;
}

struct cf_tensor cf_like(struct cf_training *t, const struct cf_tensor *x)
{
    struct cf_tensor y = *x;

    y.bits = take_memory(t, cf_tensor_bytes(x));
    return y;
}

struct cf_tensor cf_reshape(struct cf_tensor x, int64_t a, int64_t b, int64_t c, int64_t d)
{
    struct cf_tensor y = {.dtype = x.dtype, .rank = 4, .dim = {a, b, c, d}, .bits = x.bits};

    CF_CHECK(cf_tensor_count(&x) == cf_tensor_count(&y));
    return y;
}

void cf_release(struct cf_training *t)
{
    while (t->n_memory > 0)
        free(t->memory[--t->n_memory]);
}

static struct cf_tensor slice(const struct cf_tensor *all, int64_t at, int64_t rows,
                              int64_t columns)
{
    struct cf_tensor x = {.dtype = all->dtype, .rank = columns > 0 ? 2 : 1, .dim = {rows, columns}};

    x.bits = (char *)all->bits + (size_t)at * cf_dtype_size(all->dtype);
    return x;
}

struct cf_weight cf_take_weight(struct cf_weights *w, int64_t rows, int64_t columns)
{
    struct cf_weight weight = {.value =
                                   slice(&w->training->out[CF_OUT_WEIGHTS], w->at, rows, columns)};

    if (w->gradient)
        weight.gradient = slice(w->gradient, w->at, rows, columns);
    w->at += rows * (columns > 0 ? columns : 1);
    return weight;
}

/* By the width of an element: a call of memcpy for each would take longer than the product. */
#define TRANSPOSE(type)                                                                            \
    for (int64_t i = 0; i < x.dim[0]; ++i)                                                         \
        for (int64_t j = 0; j < x.dim[1]; ++j)                                                     \
    ((type *)y.bits)[j * x.dim[0] + i] = ((const type *)x.bits)[i * x.dim[1] + j]

struct cf_tensor cf_transpose(struct cf_training *t, struct cf_tensor x)
{
    struct cf_tensor y = cf_new(t, x.dim[1], x.dim[0]);

    if (t->status != CF_DONE)
        return y;
    if (x.dtype == CF_F64)
        TRANSPOSE(double);
    else
        TRANSPOSE(float);
    return y;
}

struct cf_tensor cf_multiply(struct cf_training *t, struct cf_tensor a, struct cf_tensor b)
{
    const struct cf_tensor in[2] = {a, b};
    struct cf_tensor c = cf_new(t, a.dim[0], b.dim[1]);

    cf_call(t, "gemm", 2, in, 1, &c);
    return c;
}

/* Matrices and pictures alike: the channel is dim 1. */
static struct cf_tensor as_image(struct cf_tensor x)
{
    return x.rank == 4 ? x : cf_reshape(x, x.dim[0], x.dim[1], 1, 1);
}

struct cf_tensor cf_bias(struct cf_training *t, struct cf_tensor x, const struct cf_weight *b)
{
    const struct cf_tensor in[2] = {as_image(x), b->value};
    struct cf_tensor y = cf_like(t, &x), out = as_image(y);

    cf_call(t, "bias_fwd", 2, in, 1, &out);
    return y;
}

void cf_bias_back(struct cf_training *t, struct cf_tensor dy, struct cf_weight *b)
{
    const struct cf_tensor in = as_image(dy);

    cf_call(t, "bias_bwd", 1, &in, 1, &b->gradient);
}

struct cf_tensor cf_linear(struct cf_training *t, struct cf_tensor x, const struct cf_weight *w,
                           const struct cf_weight *b)
{
    const struct cf_tensor y = cf_multiply(t, x, w->value);

    return b ? cf_bias(t, y, b) : y;
}

struct cf_tensor cf_linear_back(struct cf_training *t, struct cf_tensor x, struct cf_weight *w,
                                struct cf_weight *b, struct cf_tensor dy, int wants_dx)
{
    const struct cf_tensor in[2] = {cf_transpose(t, x), dy};

    cf_call(t, "gemm", 2, in, 1, &w->gradient);
    if (b)
        cf_bias_back(t, dy, b);
    return wants_dx ? cf_multiply(t, dy, cf_transpose(t, w->value)) : dy;
}

struct cf_tensor cf_relu(struct cf_training *t, struct cf_tensor x)
{
    const struct cf_tensor in = as_image(x);
    struct cf_tensor y = cf_like(t, &x), out = as_image(y);

    cf_call(t, "relu_fwd", 1, &in, 1, &out);
    return y;
}

struct cf_tensor cf_relu_back(struct cf_training *t, struct cf_tensor x, struct cf_tensor dy)
{
    const struct cf_tensor in[2] = {as_image(x), as_image(dy)};
    struct cf_tensor dx = cf_like(t, &x), out = as_image(dx);

    cf_call(t, "relu_bwd", 2, in, 1, &out);
    return dx;
}

/* Inverted dropout (Srivastava et al., Dropout, 2014, section 10): kept units are scaled up. The
 * same function carries gradients back. */
struct cf_tensor cf_dropout(struct cf_training *t, const struct cf_batch *b, struct cf_tensor x,
                            int64_t first)
{
    struct cf_tensor y;

    if (!b->masks)
        return x;
    y = cf_like(t, &x);
    cf_mask(t, &y, &x, b->masks + first, t->mask_width, cf_hyper(t, CF_KEEP_SCALE));
    return y;
}

struct cf_tensor cf_head(struct cf_training *t, struct cf_batch *b, struct cf_tensor x,
                         struct cf_weights *weights)
{
    struct cf_weight w = cf_take_weight(weights, x.dim[1], CF_CLASSES);
    struct cf_weight bias = cf_take_weight(weights, CF_CLASSES, 0);
    struct cf_tensor in[2], d;

    b->logits = cf_linear(t, x, &w, &bias);
    b->loss = cf_new(t, b->rows, 0);
    in[0] = b->logits;
    in[1] = b->target;
    cf_call(t, "crossentropy_fwd", 2, in, 1, &b->loss);
    if (!weights->gradient)
        return x;
    t->phase = CF_BACKWARD;
    d = cf_like(t, &b->logits);
    cf_call(t, "crossentropy_bwd", 2, in, 1, &d);
    return cf_linear_back(t, x, &w, &bias, d, weights->at > x.dim[1] * CF_CLASSES + CF_CLASSES);
}
