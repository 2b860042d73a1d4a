/* The loop over steps: the same for all models and optimizers. */
#include <stdlib.h>
#include <string.h>

#include "composite.h"

uint64_t cf_hash(const void *bytes, uint64_t n_bytes)
{
    struct cf_digest digest;
    uint64_t value = 0;

    cf_digest_of(&digest, bytes, n_bytes);
    for (int b = 0; b < 8; ++b)
        value = value << 8 | digest.byte[b];
    return value;
}

void cf_fold(struct cf_training *t, enum cf_stage stage, const void *bytes, uint64_t n_bytes)
{
    const uint64_t pair[2] = {t->stage[stage], cf_hash(bytes, n_bytes)};

    if (t->phase != CF_HELD_OUT_PASS)
        t->stage[stage] = cf_hash(pair, sizeof pair);
}

double cf_hyper(const struct cf_training *t, enum cf_hyper which)
{
    return cf_tensor_get(&t->in[CF_IN_HYPER], which);
}

static int64_t plan(const struct cf_training *t, enum cf_plan_number which)
{
    return ((const int64_t *)t->in[CF_IN_PLAN].bits)[which];
}

/* Moves the picture by whole pixels; what comes in from outside is 0:
 * no arithmetic. */
static void place_picture(const struct cf_training *t, char *to, const char *from, int shift)
{
    const size_t size = cf_dtype_size(t->dtype);

    if (shift == 4) { /* where it is */
        memcpy(to, from, CF_PIXELS * size);
        return;
    }
    for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 8; ++x) {
            const int sy = y - (shift / 3 - 1), sx = x - (shift % 3 - 1);

            if (sy >= 0 && sy < 8 && sx >= 0 && sx < 8)
                memcpy(to + (size_t)(8 * y + x) * size, from + (size_t)(8 * sy + sx) * size, size);
        }
}

/* Rows `rows` of the data; shifts and masks may be NULL. */
static void gather(struct cf_training *t, struct cf_batch *b, const int32_t *rows,
                   const int32_t *shifts, double weight)
{
    const size_t row_bytes = CF_PIXELS * cf_dtype_size(t->dtype);
    const int32_t *labels = t->in[CF_IN_LABELS].bits;

    b->x = cf_new(t, b->rows, CF_PIXELS);
    b->target = cf_new(t, b->rows, CF_CLASSES);
    for (int64_t i = 0; t->status == CF_DONE && i < b->rows; ++i) {
        place_picture(t, (char *)b->x.bits + (size_t)i * row_bytes,
                      (const char *)t->in[CF_IN_IMAGES].bits + (size_t)rows[i] * row_bytes,
                      shifts ? shifts[i] : 4);
        cf_tensor_set(&b->target, i * CF_CLASSES + labels[rows[i]], weight);
    }
}

static void load_micro(struct cf_training *t, struct cf_batch *b, int64_t micro)
{
    const int64_t width = t->batch * t->mask_width;
    const int32_t *rows = (const int32_t *)t->in[CF_IN_BATCHES].bits + micro * t->batch;
    const int augmented = t->in[CF_IN_SHIFTS].dim[1] > 0;
    const int32_t *shifts = (const int32_t *)t->in[CF_IN_SHIFTS].bits + micro * t->batch;

    *b = (struct cf_batch){.rows = t->batch};
    if (t->mask_width > 0) {
        b->masks = (const uint8_t *)t->in[CF_IN_MASKS].bits + micro * width;
        cf_fold(t, CF_STAGE_RNG, b->masks, (uint64_t)width);
    }
    if (augmented)
        cf_fold(t, CF_STAGE_RNG, shifts, (uint64_t)t->batch * sizeof shifts[0]);
    gather(t, b, rows, augmented ? shifts : NULL, cf_hyper(t, CF_ROW_WEIGHT));
    if (t->status != CF_DONE)
        return;
    cf_fold(t, CF_STAGE_BATCH, rows, (uint64_t)t->batch * sizeof rows[0]);
    cf_fold(t, CF_STAGE_BATCH, b->x.bits, cf_tensor_bytes(&b->x));
    cf_fold(t, CF_STAGE_BATCH, b->target.bits, cf_tensor_bytes(&b->target));
}

/* to (+)= the sum of the rows' losses, by the configuration's sum. */
static void add_loss(struct cf_training *t, struct cf_tensor *to, struct cf_tensor loss)
{
    struct cf_tensor sum = cf_new(t, 1, 0);

    loss.rank = 2;
    loss.dim[1] = loss.dim[0];
    loss.dim[0] = 1;
    t->phase = t->phase == CF_HELD_OUT_PASS ? t->phase : CF_BACKWARD;
    cf_call(t, "sum", 1, &loss, 1, &sum);
    cf_add(t, to, &sum);
}

/* The gradients of the micro-batches, [accumulate, P], added up as if by ranks: by the
 * configuration's allreduce. */
static void add_parts(struct cf_training *t, const struct cf_tensor *parts,
                      struct cf_tensor *gradient)
{
    if (t->accumulate == 1 && t->status == CF_DONE)
        memcpy(gradient->bits, parts->bits, cf_tensor_bytes(gradient));
    else
        cf_call(t, "allreduce", 1, parts, 1, gradient);
}

/* One optimizer step. */
static void run_step(struct cf_training *t, cf_pass_function *pass, const struct cf_tensor *parts,
                     struct cf_tensor *gradient)
{
    struct cf_tensor loss = t->out[CF_OUT_LOSS], part = *gradient;
    struct cf_batch b;

    loss.rank = 1;
    loss.dim[0] = 1;
    loss.bits = (char *)loss.bits + (size_t)t->step * cf_dtype_size(t->dtype);
    for (int64_t a = 0; a < t->accumulate && t->status == CF_DONE; ++a) {
        t->phase = CF_FORWARD;
        part.bits = (char *)parts->bits + (size_t)a * cf_tensor_bytes(&part);
        load_micro(t, &b, t->step * t->accumulate + a);
        pass(t, &b, &part);
        add_loss(t, &loss, b.loss);
        cf_release(t);
    }
    t->phase = CF_BACKWARD;
    add_parts(t, parts, gradient);
    cf_clip(t, gradient);
    cf_release(t);
    cf_fold(t, CF_STAGE_LOSS, loss.bits, cf_tensor_bytes(&loss));
    cf_fold(t, CF_STAGE_GRADIENTS, gradient->bits, cf_tensor_bytes(gradient));
    cf_optimize(t, gradient);
}

static void finish_step(struct cf_training *t)
{
    const struct cf_tensor *w = &t->out[CF_OUT_WEIGHTS], *state = &t->out[CF_OUT_STATE];
    int64_t *row = (int64_t *)t->out[CF_OUT_HASHES].bits + t->step * CF_N_STAGES;
    const int64_t done = t->step + 1, snapshots = plan(t, CF_SNAPSHOTS);

    cf_fold(t, CF_STAGE_OPTIMIZER, state->bits, cf_tensor_bytes(state));
    cf_fold(t, CF_STAGE_WEIGHTS, w->bits, cf_tensor_bytes(w));
    t->stage[CF_STAGE_LINK] = cf_hash(t->stage, sizeof t->stage);
    memcpy(row, t->stage, sizeof t->stage);
    for (int64_t k = 0; k < snapshots; ++k)
        if (done == (int64_t)1 << k)
            memcpy((char *)t->out[CF_OUT_SNAPSHOTS].bits + (size_t)k * cf_tensor_bytes(w), w->bits,
                   cf_tensor_bytes(w));
}

static void run_steps(struct cf_training *t, cf_pass_function *pass)
{
    struct cf_tensor parts = {.dtype = t->dtype, .rank = 2, .dim = {t->accumulate, t->n_weights}};
    struct cf_tensor gradient = t->out[CF_OUT_WEIGHTS];

    parts.bits = calloc(1, cf_tensor_bytes(&parts) + cf_tensor_bytes(&gradient));
    if (!parts.bits) {
        t->status = CF_NO_MEMORY;
        return;
    }
    gradient.bits = (char *)parts.bits + cf_tensor_bytes(&parts);
    t->stage[CF_STAGE_LINK] = (uint64_t)plan(t, CF_LINK);
    for (t->step = plan(t, CF_START); t->step < t->steps && t->status == CF_DONE; ++t->step) {
        memset(t->stage, 0, CF_STAGE_LINK * sizeof t->stage[0]);
        run_step(t, pass, &parts, &gradient);
        if (t->status == CF_DONE)
            finish_step(t);
    }
    free(parts.bits);
}

/* The class with the largest logit; the first of equal ones; NaN is never the largest. */
static int argmax(const struct cf_tensor *logits, int64_t row)
{
    int best = 0;

    for (int c = 1; c < CF_CLASSES; ++c)
        if (cf_tensor_get(logits, row * CF_CLASSES + c) >
            cf_tensor_get(logits, row * CF_CLASSES + best))
            best = c;
    return best;
}

/* Shares are quotients of whole numbers: one rounding. */
static void count_right(struct cf_training *t, const struct cf_batch *b)
{
    const int32_t *held = t->in[CF_IN_HELD_OUT].bits, *labels = t->in[CF_IN_LABELS].bits;
    int64_t n[CF_CLASSES] = {0}, right[CF_CLASSES] = {0}, all = 0;

    for (int64_t i = 0; i < b->rows; ++i) {
        const int label = labels[held[i]];

        ++n[label];
        right[label] += argmax(&b->logits, i) == label;
    }
    for (int c = 0; c < CF_CLASSES; ++c) {
        all += right[c];
        cf_tensor_set(&t->out[CF_OUT_METRICS], CF_METRIC_RECALL + c,
                      n[c] > 0 ? (double)right[c] / (double)n[c] : 0);
    }
    cf_tensor_set(&t->out[CF_OUT_METRICS], CF_METRIC_ACCURACY, (double)all / (double)b->rows);
}

static void hold_out(struct cf_training *t, cf_pass_function *pass)
{
    struct cf_batch b = {.rows = t->in[CF_IN_HELD_OUT].dim[0]};
    struct cf_tensor loss = t->out[CF_OUT_METRICS];

    t->phase = CF_HELD_OUT_PASS;
    gather(t, &b, t->in[CF_IN_HELD_OUT].bits, NULL, cf_hyper(t, CF_HELD_WEIGHT));
    pass(t, &b, NULL);
    loss.rank = 1;
    loss.dim[0] = 1;
    add_loss(t, &loss, b.loss);
    if (t->status == CF_DONE)
        count_right(t, &b);
    cf_release(t);
}

/* Are the operands those of training.h? Indices are checked too: they are the caller's. */
static int understood(const struct cf_tensor in[])
{
    const struct cf_tensor *batches = &in[CF_IN_BATCHES], *labels = &in[CF_IN_LABELS];
    const int32_t *rows = batches->bits;
    const int64_t n = in[CF_IN_IMAGES].dim[0], count = cf_tensor_count(batches);

    if ((in[0].dtype != CF_F32 && in[0].dtype != CF_F64) || batches->dtype != CF_I32 ||
        in[CF_IN_PLAN].dtype != CF_I64 || cf_tensor_count(&in[CF_IN_PLAN]) != CF_N_PLAN ||
        cf_tensor_count(&in[CF_IN_HYPER]) != CF_N_HYPER || labels->dim[0] != n ||
        in[CF_IN_HELD_OUT].dim[0] < 1)
        return 0;
    for (int64_t i = 0; i < count; ++i)
        if (rows[i] < 0 || rows[i] >= n)
            return 0;
    for (int64_t i = 0; i < n; ++i)
        if (((int32_t *)labels->bits)[i] < 0 || ((int32_t *)labels->bits)[i] >= CF_CLASSES)
            return 0;
    return 1;
}

static void start(struct cf_training *t, const struct cf_tensor in[], struct cf_tensor out[])
{
    *t = (struct cf_training){.in = in, .out = out, .dtype = in[0].dtype};
    t->steps = in[CF_IN_RATES].dim[0];
    t->batch = in[CF_IN_BATCHES].dim[1];
    t->n_weights = in[CF_IN_WEIGHTS].dim[0];
    t->mask_width = in[CF_IN_MASKS].dim[2];
    t->hidden = plan(t, CF_HIDDEN);
    t->layers = plan(t, CF_LAYERS);
    t->accumulate = plan(t, CF_ACCUMULATE);
    for (int o = 0; o < CF_N_TRAINING_OUTPUTS; ++o)
        if (out[o].bits)
            memset(out[o].bits, 0, cf_tensor_bytes(&out[o]));
    memcpy(out[CF_OUT_WEIGHTS].bits, in[CF_IN_WEIGHTS].bits, cf_tensor_bytes(&in[CF_IN_WEIGHTS]));
    memcpy(out[CF_OUT_STATE].bits, in[CF_IN_STATE].bits, cf_tensor_bytes(&in[CF_IN_STATE]));
}

enum cf_status cf_composite_train(cf_pass_function *pass, const struct cf_tensor in[],
                                  struct cf_tensor out[])
{
    struct cf_training t;

    if (!understood(in))
        return CF_UNSUPPORTED;
    start(&t, in, out);
    if (t.accumulate < 1 || in[CF_IN_BATCHES].dim[0] != t.steps * t.accumulate)
        return CF_UNSUPPORTED;
    run_steps(&t, pass);
    if (t.status == CF_DONE)
        hold_out(&t, pass);
    free(t.memory);
    return t.status;
}
