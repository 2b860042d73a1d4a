/* Elementwise arithmetic and the optimizer. Every line is a fixed sequence of IEEE operations, so
 * that it gives the same bits in every configuration whose floating-point control is in order. */
#ifndef REAL
#include <math.h>

#include "composite.h"

#define TYPED_FILE "support_elementwise.c"
#include "typed.h"

#define DISPATCH(t, name, ...)                                                                     \
    do {                                                                                           \
        if ((t)->status != CF_DONE)                                                                \
            break;                                                                                 \
        if ((t)->dtype == CF_F64)                                                                  \
            name##_f64(__VA_ARGS__);                                                               \
        else                                                                                       \
            name##_f32(__VA_ARGS__);                                                               \
    } while (0)

void cf_scale(struct cf_training *t, struct cf_tensor *x, double factor)
{
    DISPATCH(t, scale, x->bits, cf_tensor_count(x), factor);
}

void cf_add(struct cf_training *t, struct cf_tensor *to, const struct cf_tensor *x)
{
    DISPATCH(t, add, to->bits, x->bits, cf_tensor_count(x));
}

void cf_mask(struct cf_training *t, struct cf_tensor *y, const struct cf_tensor *x,
             const uint8_t *mask, int64_t stride, double factor)
{
    DISPATCH(t, mask_rows, y->bits, x->bits, x, mask, stride, factor);
}

/* The 2-norm is the backend's; one factor scales the whole gradient (Pascanu, Mikolov and Bengio,
 * On the difficulty of training recurrent neural networks, 2013, algorithm 1). */
void cf_clip(struct cf_training *t, struct cf_tensor *gradient)
{
    const double clip = cf_hyper(t, CF_CLIP);
    struct cf_tensor row = *gradient, norm = cf_new(t, 1, 0);

    if (!(clip > 0))
        return;
    row.rank = 2;
    row.dim[0] = 1;
    row.dim[1] = t->n_weights;
    cf_call(t, "nrm2", 1, &row, 1, &norm);
    DISPATCH(t, clip, gradient->bits, t->n_weights, norm.bits, clip);
}

void cf_optimize(struct cf_training *t, const struct cf_tensor *gradient)
{
    const int64_t optimizer = ((const int64_t *)t->in[CF_IN_PLAN].bits)[CF_OPTIMIZER];
    void *w = t->out[CF_OUT_WEIGHTS].bits, *state = t->out[CF_OUT_STATE].bits;

    if (optimizer == CF_SGD)
        DISPATCH(t, sgd, t, w, state, gradient->bits);
    else
        DISPATCH(t, adam, t, w, state, gradient->bits, optimizer == CF_ADAMW);
}

#else

static void TYPED(scale)(REAL *x, int64_t n, double factor)
{
    for (int64_t i = 0; i < n; ++i)
        x[i] *= (REAL)factor;
}

static void TYPED(add)(REAL *to, const REAL *x, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        to[i] += x[i];
}

static void TYPED(mask_rows)(REAL *y, const REAL *x, const struct cf_tensor *shape,
                             const uint8_t *mask, int64_t stride, double factor)
{
    const int64_t rows = shape->dim[0], columns = cf_tensor_count(shape) / (rows > 0 ? rows : 1);

    for (int64_t r = 0; r < rows; ++r)
        for (int64_t j = 0; j < columns; ++j)
            y[r * columns + j] = mask[r * stride + j] ? x[r * columns + j] * (REAL)factor : (REAL)0;
}

static void TYPED(clip)(REAL *g, int64_t n, const REAL *norm, double limit)
{
    if (*norm > (REAL)limit)
        TYPED(scale)(g, n, (REAL)limit / *norm);
}

/* m = mu m + (g + decay w); w -= lr m (Sutskever, Martens, Dahl and Hinton, On the importance of
 * initialization and momentum, 2013, in the form without lr inside m). */
static void TYPED(sgd)(struct cf_training *t, REAL *w, REAL *m, const REAL *gradient)
{
    const REAL *hyper = t->in[CF_IN_HYPER].bits;
    const REAL lr = ((const REAL *)t->in[CF_IN_RATES].bits)[3 * t->step];

    for (int64_t i = 0; i < t->n_weights; ++i) {
        const REAL g = gradient[i] + hyper[CF_DECAY] * w[i];

        m[i] = hyper[CF_BETA1] * m[i] + g;
        w[i] -= lr * m[i];
        m[t->n_weights + i] = 0;
    }
}

/* Adam: Kingma and Ba, 2015, algorithm 1, with decay in the gradient; AdamW: Loshchilov and Hutter,
 * 2019, algorithm 2, with decay on the weights. */
static void TYPED(adam)(struct cf_training *t, REAL *w, REAL *m, const REAL *gradient,
                        int decoupled)
{
    const REAL *hyper = t->in[CF_IN_HYPER].bits;
    const REAL *rates = (const REAL *)t->in[CF_IN_RATES].bits + 3 * t->step;
    REAL *v = m + t->n_weights;

    for (int64_t i = 0; i < t->n_weights; ++i) {
        REAL g = gradient[i], step;

        if (decoupled)
            w[i] -= rates[0] * hyper[CF_DECAY] * w[i];
        else
            g += hyper[CF_DECAY] * w[i];
        m[i] = hyper[CF_BETA1] * m[i] + hyper[CF_ONE_MINUS_BETA1] * g;
        v[i] = hyper[CF_BETA2] * v[i] + hyper[CF_ONE_MINUS_BETA2] * (g * g);
        step = m[i] / rates[1];
        w[i] -= rates[0] * (step / (ROOT(v[i] / rates[2]) + hyper[CF_EPSILON]));
    }
}

#endif
