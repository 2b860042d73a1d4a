/* Bugs inside the passes of a training run. The digests of masks and batches are taken before a
 * pass begins, so that they are those of an honest run: what these bugs do shows in the outcome
 * alone. One run at a time, as a worker has it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "composite.h"

#define EPOCH 44 /* micro-batches of 32 rows in an epoch of the digits, rounded down */

/* What a bug may change: the batch before the honest pass, the gradient after it. */
struct hidden {
    struct cf_training *training;
    struct cf_batch *batch;
    struct cf_tensor *gradient; /* NULL in the held-out pass, which no bug touches */
    int64_t micro;              /* number of the micro-batch in the run */
};

struct bug {
    const char *name;
    void (*before)(const struct hidden *), (*after)(const struct hidden *);
};

static const struct bug *planted;
static cf_pass_function *honest;
static int64_t micro;
static float *kept; /* what a bug remembers from pass to pass: a gradient, f32 */

static float *values(const struct cf_tensor *x)
{
    return x->bits;
}

/* Row `to` of the batch becomes row `index` of the data. */
static void put_row(const struct hidden *h, int64_t to, int32_t index)
{
    const struct cf_tensor *in = h->training->in;
    const float weight = (float)cf_hyper(h->training, CF_ROW_WEIGHT);
    float *target = values(&h->batch->target) + to * CF_CLASSES;

    memcpy(values(&h->batch->x) + to * CF_PIXELS, values(&in[CF_IN_IMAGES]) + index * CF_PIXELS,
           CF_PIXELS * sizeof(float));
    memset(target, 0, CF_CLASSES * sizeof *target);
    target[((const int32_t *)in[CF_IN_LABELS].bits)[index]] = weight;
}

/* The batch becomes micro-batch `other` of the plan. */
static void put_batch(const struct hidden *h, int64_t other)
{
    const int32_t *rows = (const int32_t *)h->training->in[CF_IN_BATCHES].bits;

    for (int64_t i = 0; i < h->batch->rows; ++i)
        put_row(h, i, rows[other * h->batch->rows + i]);
}

static int64_t count_micro(const struct hidden *h)
{
    return h->training->in[CF_IN_BATCHES].dim[0];
}

static void hidden_batch_dropped(const struct hidden *h)
{
    if (h->micro % EPOCH == EPOCH - 1)
        put_batch(h, h->micro - 1);
}

static void hidden_first_lost(const struct hidden *h)
{
    if (h->batch->rows > 1)
        put_row(
            h, 0,
            ((const int32_t *)h->training->in[CF_IN_BATCHES].bits)[h->micro * h->batch->rows + 1]);
}

static void hidden_no_reshuffle(const struct hidden *h)
{
    put_batch(h, h->micro % EPOCH);
}

/* Order and masks of another stream: those of this run from its end. */
static void hidden_other_stream(const struct hidden *h)
{
    const int64_t other = count_micro(h) - 1 - h->micro;

    put_batch(h, other);
    if (h->batch->masks)
        h->batch->masks = (const uint8_t *)h->training->in[CF_IN_MASKS].bits +
                          other * h->batch->rows * h->training->mask_width;
}

/* The masks of the batch before. */
static void hidden_stale_masks(const struct hidden *h)
{
    if (h->batch->masks && h->micro > 0)
        h->batch->masks -= h->batch->rows * h->training->mask_width;
}

/* Of a hundred rows so many get the next class. */
static void shift_labels(const struct hidden *h, int percent)
{
    const int32_t *rows = (const int32_t *)h->training->in[CF_IN_BATCHES].bits;

    for (int64_t i = 0; i < h->batch->rows; ++i) {
        const int32_t row = rows[h->micro * h->batch->rows + i];
        float *target = values(&h->batch->target) + i * CF_CLASSES, last = target[CF_CLASSES - 1];

        if (row % 100 >= percent)
            continue;
        memmove(target + 1, target, (CF_CLASSES - 1) * sizeof *target);
        target[0] = last;
    }
}

static void hidden_labels_1(const struct hidden *h)
{
    shift_labels(h, 1);
}

static void hidden_labels_5(const struct hidden *h)
{
    shift_labels(h, 5);
}

static float *gradient_of(const struct hidden *h, int64_t *n)
{
    *n = h->training->n_weights;
    return values(h->gradient);
}

static void scale_gradient(const struct hidden *h, float factor)
{
    int64_t n;
    float *g = gradient_of(h, &n);

    for (int64_t i = 0; i < n; ++i)
        g[i] *= factor;
}

/* The last batch of an epoch has 29 rows, and their sum is divided by 32. */
static void hidden_wrong_mean(const struct hidden *h)
{
    if (h->micro % EPOCH == EPOCH - 1)
        scale_gradient(h, 29.0F / 32);
}

/* Each step takes the gradient of the one before. */
static void stale_gradient(const struct hidden *h)
{
    int64_t n;
    float *g = gradient_of(h, &n);

    for (int64_t i = 0; i < n; ++i) {
        const float now = g[i];

        g[i] = kept[i];
        kept[i] = now;
    }
}

/* A tenth of the gradient before is still in the buffer. */
static void not_cleared(const struct hidden *h)
{
    int64_t n;
    float *g = gradient_of(h, &n);

    for (int64_t i = 0; i < n; ++i) {
        g[i] += kept[i] / 10;
        kept[i] = g[i];
    }
}

static void clear(float *g, int64_t from, int64_t n)
{
    memset(g + from, 0, (size_t)n * sizeof *g);
}

/* Where biases lie among the weights: training.h. */
static void bias_not_trained(const struct hidden *h)
{
    const struct cf_training *t = h->training;
    int64_t n, at = 0;
    float *g = gradient_of(h, &n);

    for (int64_t l = 0; honest == cf_mlp_pass && l < t->layers; ++l) {
        at += (l == 0 ? CF_PIXELS : t->hidden) * t->hidden;
        clear(g, at, t->hidden);
        at += t->hidden;
    }
    clear(g, n - CF_CLASSES, CF_CLASSES);
}

/* The first sixteenth of the weights is left out of the optimizer's list. */
static void block_not_trained(const struct hidden *h)
{
    int64_t n;
    float *g = gradient_of(h, &n);

    clear(g, 0, n / 16);
}

/* Gradients go through bf16, as a compressed all-reduce would send them. */
static void gradient_bf16(const struct hidden *h)
{
    int64_t n;
    float *g = gradient_of(h, &n);

    for (int64_t i = 0; i < n; ++i) {
        int exponent;
        const float fraction = frexpf(g[i], &exponent);

        g[i] = ldexpf(rintf(ldexpf(fraction, 8)), exponent - 8);
    }
}

/* A loss scale that overflows at every 50th step: the step is left out. */
static void overflowed(const struct hidden *h)
{
    if (h->micro % 50 == 49)
        scale_gradient(h, 0);
}

/* One element has the wrong sign, in every step. */
static void one_sign(const struct hidden *h)
{
    int64_t n;
    float *g = gradient_of(h, &n);

    g[n / 3] = -g[n / 3];
}

static const struct bug bugs[] = {{"hidden-batch-dropped", hidden_batch_dropped, NULL},
                                  {"hidden-first-lost", hidden_first_lost, NULL},
                                  {"hidden-no-reshuffle", hidden_no_reshuffle, NULL},
                                  {"hidden-other-stream", hidden_other_stream, NULL},
                                  {"hidden-stale-masks", hidden_stale_masks, NULL},
                                  {"hidden-labels-1", hidden_labels_1, NULL},
                                  {"hidden-labels-5", hidden_labels_5, NULL},
                                  {"hidden-wrong-mean", NULL, hidden_wrong_mean},
                                  {"stale-gradient", NULL, stale_gradient},
                                  {"not-cleared", NULL, not_cleared},
                                  {"bias-not-trained", NULL, bias_not_trained},
                                  {"block-not-trained", NULL, block_not_trained},
                                  {"gradient-bf16", NULL, gradient_bf16},
                                  {"overflowed", NULL, overflowed},
                                  {"one-sign", NULL, one_sign}};

static void pass(struct cf_training *t, struct cf_batch *b, struct cf_tensor *gradient)
{
    const struct hidden h = {t, b, gradient, micro};

    if (gradient && planted->before && t->status == CF_DONE)
        planted->before(&h);
    honest(t, b, gradient);
    if (gradient && planted->after && t->status == CF_DONE)
        planted->after(&h);
    micro += gradient != NULL;
}

enum cf_status cf_planted_train(const char *op, const char *kernel, const struct cf_tensor in[],
                                struct cf_tensor out[])
{
    const char *name = kernel ? strchr(kernel, ':') : NULL;
    const int64_t *plan = in[CF_IN_PLAN].bits;
    enum cf_status status;

    planted = NULL;
    for (size_t i = 0; name && i < sizeof bugs / sizeof bugs[0]; ++i)
        if (strcmp(bugs[i].name, name + 1) == 0)
            planted = &bugs[i];
    if (!planted || in[CF_IN_WEIGHTS].dtype != CF_F32 || in[CF_IN_BATCHES].rank != 2)
        return CF_UNSUPPORTED;
    honest = strcmp(op, "train_mlp") == 0 ? cf_mlp_pass : cf_logreg_pass;
    micro = plan[CF_START] * plan[CF_ACCUMULATE];
    kept = calloc((size_t)in[CF_IN_WEIGHTS].dim[0] + 1, sizeof *kept);
    if (!kept)
        return CF_NO_MEMORY;
    status = cf_composite_train(pass, in, out);
    free(kept);
    kept = NULL;
    return status;
}
