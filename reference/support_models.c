/* The models as formulas; layouts and operands: training.h. Weights are numbers 0 .. P-1 of the
 * tape, in order. */
#include <stdlib.h>

#include "support_group.h"
#include "support_tape.h"
#include "support_trajectory.h"

struct run {
    struct cf_tape *tape;
    const struct cf_tensor *in;
    int64_t micro, batch, hidden, layers, at; /* at: the next weight */
};

static double hyper(const struct run *r, enum cf_hyper which)
{
    return cf_tensor_get(&r->in[CF_IN_HYPER], which);
}

static int64_t row_of(const struct run *r, int64_t i)
{
    return ((const int32_t *)r->in[CF_IN_BATCHES].bits)[r->micro * r->batch + i];
}

/* Pixel (y, x) of row i of the batch, after the shift. */
static double pixel(const struct run *r, int64_t i, int64_t y, int64_t x)
{
    if (r->in[CF_IN_SHIFTS].dim[1] > 0) {
        const int32_t shift = ((const int32_t *)r->in[CF_IN_SHIFTS].bits)[r->micro * r->batch + i];

        y -= shift / 3 - 1;
        x -= shift % 3 - 1;
    }
    if (y < 0 || y > 7 || x < 0 || x > 7)
        return 0;
    return cf_tensor_get(&r->in[CF_IN_IMAGES], row_of(r, i) * CF_PIXELS + 8 * y + x);
}

static struct cf_grid_of weights(struct run *r, int64_t rows, int64_t columns)
{
    const struct cf_grid_of w = {r->at, rows, columns};

    r->at += rows * columns;
    return w;
}

static struct cf_grid_of linear(struct run *r, struct cf_grid_of x, int64_t outputs)
{
    const struct cf_grid_of w = weights(r, x.columns, outputs), b = weights(r, 1, outputs);

    return cf_tape_plus(r->tape, cf_tape_product(r->tape, x, w, 0), b);
}

/* Units `first` .. of each row's masks; unit j of row i of x. */
static struct cf_grid_of dropout(struct run *r, struct cf_grid_of x, int64_t first)
{
    const int64_t width = r->in[CF_IN_MASKS].dim[2], count = x.rows * x.columns;
    const int64_t per_row = count / r->batch;
    const uint8_t *masks = (const uint8_t *)r->in[CF_IN_MASKS].bits + r->micro * r->batch * width;
    int64_t scale, zero, at;

    if (width == 0)
        return x;
    scale = cf_tape_leaf(r->tape, hyper(r, CF_KEEP_SCALE));
    zero = cf_tape_leaf(r->tape, 0);
    at = r->tape->n;
    for (int64_t e = 0; e < count; ++e)
        cf_tape_multiply(r->tape, x.at + e,
                         masks[e / per_row * width + first + e % per_row] ? scale : zero);
    return (struct cf_grid_of){at, x.rows, x.columns};
}

static struct cf_grid_of pictures(struct run *r)
{
    const struct cf_grid_of x = {r->tape->n, r->batch, CF_PIXELS};

    for (int64_t e = 0; e < r->batch * CF_PIXELS; ++e)
        cf_tape_leaf(r->tape, pixel(r, e / CF_PIXELS, e % CF_PIXELS / 8, e % 8));
    return x;
}

/* sum over rows of weight * (log of the sum of exp(logit) - logit of the class). */
static int64_t head(struct run *r, struct cf_grid_of x)
{
    const struct cf_grid_of z = linear(r, x, CF_CLASSES);
    const int64_t weight = cf_tape_leaf(r->tape, hyper(r, CF_ROW_WEIGHT));
    int64_t *terms = cf_alloc((size_t)r->batch * sizeof terms[0]), at;

    for (int64_t i = 0; i < r->batch; ++i) {
        const int32_t label = ((const int32_t *)r->in[CF_IN_LABELS].bits)[row_of(r, i)];
        const int64_t e = r->tape->n;

        for (int64_t j = 0; j < CF_CLASSES; ++j)
            cf_tape_exp(r->tape, z.at + i * CF_CLASSES + j);
        at = cf_tape_log(r->tape, cf_tape_sum(r->tape, e, 1, CF_CLASSES));
        at = cf_tape_subtract(r->tape, at, z.at + i * CF_CLASSES + label);
        terms[i] = cf_tape_multiply(r->tape, at, weight);
    }
    at = r->tape->n;
    for (int64_t i = 0; i < r->batch; ++i)
        cf_tape_copy(r->tape, terms[i]);
    free(terms);
    return cf_tape_sum(r->tape, at, 1, r->batch);
}

static int64_t mlp(struct run *r)
{
    struct cf_grid_of x = pictures(r);

    for (int64_t l = 0; l < r->layers; ++l)
        x = dropout(r, cf_tape_relus(r->tape, linear(r, x, r->hidden)), l * r->hidden);
    return head(r, x);
}

/* 3x3, padding 1. x: rows are images of `channels` planes of side * side. */
static struct cf_grid_of convolve(struct run *r, struct cf_grid_of x, int64_t channels,
                                  int64_t side)
{
    const struct cf_grid_of w = weights(r, r->hidden, 9 * channels), b = weights(r, 1, r->hidden);
    const int64_t zero = cf_tape_leaf(r->tape, 0), plane = side * side;
    const int64_t patches = r->tape->n;
    int64_t sums;

    for (int64_t i = 0; i < x.rows * plane; ++i)
        for (int64_t t = 0; t < 9 * channels; ++t) {
            const int64_t y = i % plane / side + t % 9 / 3 - 1, z = i % side + t % 3 - 1;
            const int inside = y >= 0 && y < side && z >= 0 && z < side;

            cf_tape_copy(r->tape, inside
                                      ? x.at + i / plane * x.columns + t / 9 * plane + y * side + z
                                      : zero);
        }
    sums = r->tape->n;
    for (int64_t i = 0; i < x.rows; ++i)
        for (int64_t k = 0; k < r->hidden; ++k)
            for (int64_t p = 0; p < plane; ++p)
                cf_tape_dot(r->tape, patches + (i * plane + p) * 9 * channels, 1,
                            w.at + k * 9 * channels, 1, 9 * channels);
    const struct cf_grid_of y = {r->tape->n, x.rows, r->hidden * plane};
    for (int64_t e = 0; e < y.rows * y.columns; ++e)
        cf_tape_add(r->tape, sums + e, b.at + e / plane % r->hidden);
    return y;
}

/* 2x2 windows of planes 8x8; of equal pixels the first. */
static struct cf_grid_of pool(struct run *r, struct cf_grid_of x)
{
    const struct cf_grid_of y = {r->tape->n, x.rows, x.columns / 4};

    for (int64_t e = 0; e < y.rows * y.columns; ++e) {
        const int64_t corner = x.at + e / 16 * 64 + e % 16 / 4 * 16 + e % 4 * 2;
        static const int64_t away[] = {1, 8, 9};
        int64_t best = corner;

        for (int k = 0; k < 3; ++k)
            if (mpfr_cmp(r->tape->value[corner + away[k]], r->tape->value[best]) > 0)
                best = corner + away[k];
        cf_tape_copy(r->tape, best);
    }
    return y;
}

static int64_t cnn(struct run *r)
{
    struct cf_grid_of x = cf_tape_relus(r->tape, convolve(r, pictures(r), 1, 8));

    x = cf_tape_relus(r->tape, convolve(r, pool(r, x), r->hidden, 4));
    return head(r, dropout(r, x, 0));
}

/* gamma (x - mean) / sqrt(variance + epsilon) + beta, row by row (Ba, Kiros and Hinton, 2016). */
static struct cf_grid_of normalize(struct run *r, struct cf_grid_of x)
{
    const struct cf_grid_of gamma = weights(r, 1, x.columns), beta = weights(r, 1, x.columns);
    const int64_t n = cf_tape_leaf(r->tape, (double)x.columns);
    const int64_t epsilon = cf_tape_leaf(r->tape, CF_NORM_EPSILON);
    int64_t *scaled = cf_alloc((size_t)(x.rows * x.columns) * sizeof scaled[0]);

    for (int64_t i = 0; i < x.rows; ++i) {
        const int64_t first = x.at + i * x.columns;
        const int64_t mean = cf_tape_divide(r->tape, cf_tape_sum(r->tape, first, 1, x.columns), n);
        const int64_t away = r->tape->n;
        int64_t sigma;

        for (int64_t j = 0; j < x.columns; ++j)
            cf_tape_subtract(r->tape, first + j, mean);
        sigma = cf_tape_divide(r->tape, cf_tape_dot(r->tape, away, 1, away, 1, x.columns), n);
        sigma = cf_tape_sqrt(r->tape, cf_tape_add(r->tape, sigma, epsilon));
        for (int64_t j = 0; j < x.columns; ++j)
            scaled[i * x.columns + j] =
                cf_tape_multiply(r->tape, gamma.at + j, cf_tape_divide(r->tape, away + j, sigma));
    }
    const struct cf_grid_of y = {r->tape->n, x.rows, x.columns};
    for (int64_t e = 0; e < x.rows * x.columns; ++e)
        cf_tape_add(r->tape, scaled[e], beta.at + e % x.columns);
    free(scaled);
    return y;
}

/* E[token] + P. */
static struct cf_grid_of embed(struct run *r)
{
    const struct cf_grid_of words = weights(r, CF_VOCABULARY, r->hidden);
    const struct cf_grid_of places = weights(r, CF_TOKENS, r->hidden);
    const struct cf_grid_of x = {r->tape->n, r->batch * CF_TOKENS, r->hidden};

    for (int64_t i = 0; i < x.rows; ++i) {
        const int64_t row = i / CF_TOKENS, p = i % CF_TOKENS, y = p / 4 * 2, z = p % 4 * 2;
        const double sum = pixel(r, row, y, z) + pixel(r, row, y, z + 1) + pixel(r, row, y + 1, z) +
                           pixel(r, row, y + 1, z + 1);

        for (int64_t j = 0; j < r->hidden; ++j)
            cf_tape_add(r->tape, words.at + (int64_t)(16 * sum) * r->hidden + j,
                        places.at + p * r->hidden + j);
    }
    return x;
}

static struct cf_grid_of picture_of(struct cf_grid_of x, int64_t i)
{
    return (struct cf_grid_of){x.at + i * CF_TOKENS * x.columns, CF_TOKENS, x.columns};
}

/* Rows copied one after another. */
static struct cf_grid_of gather(struct run *r, const struct cf_grid_of part[], int64_t n)
{
    const struct cf_grid_of y = {r->tape->n, n * part[0].rows, part[0].columns};

    for (int64_t i = 0; i < n; ++i)
        for (int64_t e = 0; e < part[i].rows * part[i].columns; ++e)
            cf_tape_copy(r->tape, part[i].at + e);
    return y;
}

static struct cf_grid_of attend(struct run *r, struct cf_grid_of h)
{
    const struct cf_grid_of q = cf_tape_product(r->tape, h, weights(r, r->hidden, r->hidden), 0);
    const struct cf_grid_of k = cf_tape_product(r->tape, h, weights(r, r->hidden, r->hidden), 0);
    const struct cf_grid_of v = cf_tape_product(r->tape, h, weights(r, r->hidden, r->hidden), 0);
    const int64_t scale = cf_tape_leaf(r->tape, hyper(r, CF_QUERY_SCALE));
    struct cf_grid_of *mixed = cf_alloc((size_t)r->batch * sizeof mixed[0]), y;

    for (int64_t i = 0; i < r->batch; ++i) {
        const struct cf_grid_of s = cf_tape_product(r->tape, picture_of(q, i), picture_of(k, i), 1);
        const struct cf_grid_of scaled = {r->tape->n, CF_TOKENS, CF_TOKENS};

        for (int64_t e = 0; e < CF_TOKENS * CF_TOKENS; ++e)
            cf_tape_multiply(r->tape, s.at + e, scale);
        mixed[i] = cf_tape_product(r->tape, cf_tape_softmax(r->tape, scaled), picture_of(v, i), 0);
    }
    y = gather(r, mixed, r->batch);
    free(mixed);
    return cf_tape_product(r->tape, y, weights(r, r->hidden, r->hidden), 0);
}

static int64_t block(struct run *r)
{
    const struct cf_grid_of x = embed(r);
    const struct cf_grid_of h = normalize(r, x);
    const struct cf_grid_of y = cf_tape_plus(r->tape, attend(r, h), x);
    const struct cf_grid_of z = normalize(r, y);
    const struct cf_grid_of u = cf_tape_relus(r->tape, linear(r, z, 2 * r->hidden));
    const struct cf_grid_of o = cf_tape_plus(r->tape, linear(r, dropout(r, u, 0), r->hidden), y);
    const int64_t weight = cf_tape_leaf(r->tape, hyper(r, CF_TOKEN_WEIGHT));
    const int64_t sums = r->tape->n, count = r->batch * r->hidden;

    for (int64_t e = 0; e < count; ++e)
        cf_tape_sum(r->tape, picture_of(o, e / r->hidden).at + e % r->hidden, r->hidden, CF_TOKENS);
    const struct cf_grid_of pooled = {r->tape->n, r->batch, r->hidden};
    for (int64_t e = 0; e < count; ++e)
        cf_tape_multiply(r->tape, sums + e, weight);
    return head(r, pooled);
}

int64_t cf_model_loss(struct cf_tape *tape, enum cf_model model, const struct cf_tensor in[],
                      int64_t micro)
{
    const int64_t *plan = in[CF_IN_PLAN].bits;
    struct run r = {tape, in, micro, in[CF_IN_BATCHES].dim[1], plan[CF_HIDDEN], plan[CF_LAYERS], 0};

    switch (model) {
    case CF_LOGREG:
        return head(&r, pictures(&r));
    case CF_MLP:
        return mlp(&r);
    case CF_CNN:
        return cnn(&r);
    default:
        return block(&r);
    }
}
