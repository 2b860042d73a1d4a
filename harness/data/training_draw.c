/* The operands of a training case: what each holds is said by training.h. */
#include <math.h>
#include <mpfr.h>
#include <stdlib.h>
#include <string.h>

#include "training_case.h"

#define PRECISION 256 /* of the numbers that are rounded once to the case's type */

struct data {
    struct cf_digits digits;
    struct cf_split split;
};

static void load(struct data *data, const struct cf_training_case *t)
{
    if (strcmp(t->fill, "drawn") == 0)
        cf_digits_draw(&data->digits, t->rows, t->seed);
    else
        cf_digits_load(&data->digits);
    cf_split_make(&data->split, &data->digits, t->train_percent, t->salt);
}

static void drop(struct data *data)
{
    cf_split_free(&data->split);
    cf_digits_free(&data->digits);
}

static struct cf_tensor matrix(enum cf_dtype dtype, int64_t rows, int64_t columns)
{
    return (struct cf_tensor){.dtype = dtype, .rank = 2, .dim = {rows, columns}};
}

static struct cf_tensor vector(enum cf_dtype dtype, int64_t n)
{
    return (struct cf_tensor){.dtype = dtype, .rank = 1, .dim = {n}};
}

static void shape_inputs(const struct cf_training_case *t, const struct data *data,
                         struct cf_tensor in[])
{
    const struct cf_loader *l = &t->loader;

    in[CF_IN_IMAGES] = matrix(t->dtype, data->digits.n, CF_PIXELS);
    in[CF_IN_LABELS] = vector(CF_I32, data->digits.n);
    in[CF_IN_BATCHES] = matrix(CF_I32, l->micro_batches, l->batch);
    in[CF_IN_MASKS] = (struct cf_tensor){
        .dtype = CF_U8, .rank = 3, .dim = {l->micro_batches, l->batch, l->mask_width}};
    in[CF_IN_SHIFTS] = matrix(CF_I32, l->micro_batches, l->augment ? l->batch : 0);
    in[CF_IN_RATES] = matrix(t->dtype, t->steps, 3);
    in[CF_IN_HYPER] = vector(t->dtype, CF_N_HYPER);
    in[CF_IN_WEIGHTS] = vector(t->dtype, t->n_weights);
    in[CF_IN_STATE] = matrix(t->dtype, 2, t->n_weights);
    in[CF_IN_HELD_OUT] = vector(CF_I32, data->split.n_held);
    in[CF_IN_PLAN] = vector(CF_I64, CF_N_PLAN);
}

static void shape_outputs(const struct cf_training_case *t, struct cf_tensor out[])
{
    out[CF_OUT_HASHES] = matrix(CF_I64, t->steps, CF_N_STAGES);
    out[CF_OUT_LOSS] = vector(t->dtype, t->steps);
    out[CF_OUT_METRICS] = vector(t->dtype, CF_N_METRICS);
    out[CF_OUT_WEIGHTS] = vector(t->dtype, t->n_weights);
    out[CF_OUT_STATE] = matrix(t->dtype, 2, t->n_weights);
    out[CF_OUT_SNAPSHOTS] = matrix(t->dtype, t->snapshots, t->n_weights);
    out[CF_OUT_CALLS] = matrix(CF_I64, t->detail >= 0 ? CF_CALLS_MAX : 0, CF_CALL_NUMBERS);
    out[CF_OUT_CAPTURED] = vector(t->dtype, t->capture >= 0 ? CF_CAPTURE_MAX : 0);
}

int cf_training_shape(enum cf_model model, const struct cf_case *c, struct cf_tensor in[],
                      struct cf_tensor out[], struct cf_error *err)
{
    struct cf_training_case t;
    struct data data;

    if (cf_training_read(&t, model, c, err) != 0)
        return -1;
    load(&data, &t);
    shape_inputs(&t, &data, in);
    shape_outputs(&t, out);
    drop(&data);
    return 0;
}

/* v / 16, v / 16 - 1/2, or v >= 8: exact in every type. */
static void draw_images(const struct cf_training_case *t, const struct data *data,
                        struct cf_tensor *images)
{
    const int64_t count = data->digits.n * CF_PIXELS;

    for (int64_t i = 0; i < count; ++i) {
        const double v = data->digits.pixels[i];

        if (strcmp(t->preprocess, "binary") == 0)
            cf_tensor_set(images, i, v >= 8);
        else
            cf_tensor_set(images, i, v / 16 - (strcmp(t->preprocess, "centre") == 0 ? 0.5 : 0));
    }
}

static void set(struct cf_tensor *to, int64_t i, mpfr_t value)
{
    if (to->dtype == CF_F64)
        ((double *)to->bits)[i] = mpfr_get_d(value, MPFR_RNDN);
    else
        ((float *)to->bits)[i] = mpfr_get_flt(value, MPFR_RNDN);
}

/* What the schedule multiplies the rate with at step s: cosine (1 + cos(pi s / steps)) / 2
 * (Loshchilov and Hutter, SGDR, 2017, equation 5 with one cycle); step: halved at each quarter;
 * warmup: (s + 1) / w up to w = steps / 4. */
static void schedule_factor(mpfr_t factor, const struct cf_training_case *t, int64_t s)
{
    const int64_t quarter = t->steps / 4 > 0 ? t->steps / 4 : 1;

    mpfr_set_ui(factor, 1, MPFR_RNDN);
    if (strcmp(t->schedule, "cosine") == 0) {
        mpfr_const_pi(factor, MPFR_RNDN);
        mpfr_mul_si(factor, factor, s, MPFR_RNDN);
        mpfr_div_si(factor, factor, t->steps, MPFR_RNDN);
        mpfr_cos(factor, factor, MPFR_RNDN);
        mpfr_add_ui(factor, factor, 1, MPFR_RNDN);
        mpfr_div_ui(factor, factor, 2, MPFR_RNDN);
    } else if (strcmp(t->schedule, "step") == 0) {
        mpfr_div_2si(factor, factor, s / quarter, MPFR_RNDN);
    } else if (strcmp(t->schedule, "warmup") == 0 && s < quarter) {
        mpfr_set_si(factor, s + 1, MPFR_RNDN);
        mpfr_div_si(factor, factor, quarter, MPFR_RNDN);
    }
}

/* to[i] = 1 - base^power. */
static void set_one_minus(struct cf_tensor *to, int64_t i, const char *base, int64_t power)
{
    mpfr_t x;

    mpfr_init2(x, PRECISION);
    mpfr_set_str(x, base, 10, MPFR_RNDN);
    mpfr_pow_si(x, x, power, MPFR_RNDN);
    mpfr_ui_sub(x, 1, x, MPFR_RNDN);
    set(to, i, x);
    mpfr_clear(x);
}

static void draw_rates(const struct cf_training_case *t, struct cf_tensor *rates)
{
    mpfr_t rate, factor;

    mpfr_inits2(PRECISION, rate, factor, (mpfr_ptr)NULL);
    for (int64_t s = 0; s < t->steps; ++s) {
        mpfr_set_str(rate, t->lr, 10, MPFR_RNDN);
        schedule_factor(factor, t, s);
        mpfr_mul(rate, rate, factor, MPFR_RNDN);
        set(rates, 3 * s, rate);
        set_one_minus(rates, 3 * s + 1, t->momentum, s + 1);
        set_one_minus(rates, 3 * s + 2, t->beta2, s + 1);
    }
    mpfr_clears(rate, factor, (mpfr_ptr)NULL);
}

static void set_decimal(struct cf_tensor *to, int64_t i, const char *word)
{
    mpfr_t x;

    mpfr_init2(x, PRECISION);
    mpfr_set_str(x, word, 10, MPFR_RNDN);
    set(to, i, x);
    mpfr_clear(x);
}

/* to[i] = sqrt(p / q), or p / q. */
static void set_ratio(struct cf_tensor *to, int64_t i, int64_t p, int64_t q, int root)
{
    mpfr_t x;

    mpfr_init2(x, PRECISION);
    mpfr_set_si(x, p, MPFR_RNDN);
    mpfr_div_si(x, x, q, MPFR_RNDN);
    if (root)
        mpfr_sqrt(x, x, MPFR_RNDN);
    set(to, i, x);
    mpfr_clear(x);
}

static void draw_hyper(const struct cf_training_case *t, int64_t n_held, struct cf_tensor *hyper)
{
    set_decimal(hyper, CF_BETA1, t->momentum);
    set_one_minus(hyper, CF_ONE_MINUS_BETA1, t->momentum, 1);
    set_decimal(hyper, CF_BETA2, t->beta2);
    set_one_minus(hyper, CF_ONE_MINUS_BETA2, t->beta2, 1);
    set_decimal(hyper, CF_EPSILON, t->epsilon);
    set_decimal(hyper, CF_DECAY, t->decay);
    set_decimal(hyper, CF_CLIP, t->clip);
    set_ratio(hyper, CF_KEEP_SCALE, 100, 100 - t->loader.dropout, 0);
    set_ratio(hyper, CF_ROW_WEIGHT, 1, t->batch * t->accumulate, 0);
    set_ratio(hyper, CF_QUERY_SCALE, 1, t->hidden, 1);
    set_ratio(hyper, CF_TOKEN_WEIGHT, 1, CF_TOKENS, 0);
    set_ratio(hyper, CF_HELD_WEIGHT, 1, n_held > 0 ? n_held : 1, 0);
}

static void draw_plan(const struct cf_training_case *t, int64_t *plan)
{
    plan[CF_OPTIMIZER] = t->optimizer;
    plan[CF_HIDDEN] = t->hidden;
    plan[CF_LAYERS] = t->layers;
    plan[CF_ACCUMULATE] = t->accumulate;
    plan[CF_DETAIL] = t->detail;
    plan[CF_CAPTURE] = t->capture;
    plan[CF_SNAPSHOTS] = t->snapshots;
}

/* The weights in the making: uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio,
 * Understanding the difficulty of training deep feedforward neural networks, 2010, equation 16), or
 * one constant. Weight i takes word i of the stream. */
struct weights {
    struct cf_tensor *to;
    struct cf_stream stream;
    int64_t at;
};

static void glorot(struct weights *w, int64_t count, int64_t fan_in, int64_t fan_out)
{
    const double reach = sqrt(6.0 / (double)(fan_in + fan_out));

    for (int64_t i = 0; i < count; ++i, ++w->at)
        cf_tensor_set(w->to, w->at, reach * cf_seeds_centred(&w->stream, (uint64_t)w->at));
}

static void constant(struct weights *w, int64_t count, double value)
{
    for (int64_t i = 0; i < count; ++i, ++w->at)
        cf_tensor_set(w->to, w->at, value);
}

static void linear(struct weights *w, int64_t inputs, int64_t outputs)
{
    glorot(w, inputs * outputs, inputs, outputs);
    constant(w, outputs, 0);
}

static void draw_block(struct weights *w, int64_t h)
{
    glorot(w, (CF_VOCABULARY + CF_TOKENS) * h, h, h);
    constant(w, h, 1);
    constant(w, h, 0);
    glorot(w, 4 * h * h, h, h);
    constant(w, h, 1);
    constant(w, h, 0);
    linear(w, h, 2 * h);
    linear(w, 2 * h, h);
    linear(w, h, CF_CLASSES);
}

/* The neighbour above or below, or the value itself, a third each. */
static double neighbour(const struct cf_tensor *to, double value, uint64_t choice)
{
    const double goal = choice == 0 ? -INFINITY : INFINITY;

    if (choice == 2)
        return value;
    return to->dtype == CF_F64 ? nextafter(value, goal)
                               : (double)nextafterf((float)value, (float)goal);
}

/* Weights that are 0 stay: a subnormal beside them would be no rounding error of theirs. */
static void move_weights(const struct cf_training_case *t, struct cf_tensor *to)
{
    const struct cf_stream stream = {t->loader.seeds.seed[CF_INITIALISATION],
                                     (uint32_t)(0x7e000000 + t->twin)};

    for (int64_t i = 0; i < t->n_weights; ++i) {
        const double value = cf_tensor_get(to, i);

        if (value == 0)
            continue;
        if (t->perturb > 0)
            cf_tensor_set(
                to, i,
                value * (1 + ldexp(cf_seeds_centred(&stream, (uint64_t)i), -(int)t->perturb)));
        else
            cf_tensor_set(to, i, neighbour(to, value, cf_stream_word(&stream, (uint64_t)i) % 3));
    }
}

static void draw_weights(const struct cf_training_case *t, struct cf_tensor *to)
{
    struct weights w = {to, cf_seeds_stream(&t->loader.seeds, CF_INITIALISATION, 0), 0};
    const int64_t h = t->hidden;

    switch (t->model) {
    case CF_LOGREG:
        linear(&w, CF_PIXELS, CF_CLASSES);
        break;
    case CF_MLP:
        for (int64_t l = 0; l < t->layers; ++l)
            linear(&w, l == 0 ? CF_PIXELS : h, h);
        linear(&w, h, CF_CLASSES);
        break;
    case CF_CNN:
        glorot(&w, 9 * h, 9, 9 * h);
        constant(&w, h, 0);
        glorot(&w, 9 * h * h, 9 * h, 9 * h);
        constant(&w, h, 0);
        linear(&w, 16 * h, CF_CLASSES);
        break;
    default:
        draw_block(&w, h);
    }
    CF_CHECK(w.at == t->n_weights);
    if (t->twin > 0 || t->perturb > 0)
        move_weights(t, to);
}

static void fill(const struct cf_training_case *t, const struct data *data, struct cf_tensor in[])
{
    draw_images(t, data, &in[CF_IN_IMAGES]);
    for (int64_t i = 0; i < data->digits.n; ++i)
        ((int32_t *)in[CF_IN_LABELS].bits)[i] = data->digits.label[i];
    cf_loader_fill(&t->loader, &data->split, in[CF_IN_BATCHES].bits, in[CF_IN_MASKS].bits,
                   in[CF_IN_SHIFTS].bits);
    draw_rates(t, &in[CF_IN_RATES]);
    draw_hyper(t, data->split.n_held, &in[CF_IN_HYPER]);
    draw_weights(t, &in[CF_IN_WEIGHTS]);
    memcpy(in[CF_IN_HELD_OUT].bits, data->split.held,
           (size_t)data->split.n_held * sizeof data->split.held[0]);
    draw_plan(t, in[CF_IN_PLAN].bits);
}

int cf_training_draw(enum cf_model model, const struct cf_case *c, struct cf_tensor in[],
                     struct cf_error *err)
{
    struct cf_training_case t;
    struct data data;

    if (cf_training_read(&t, model, c, err) != 0)
        return -1;
    load(&data, &t);
    shape_inputs(&t, &data, in);
    for (int o = 0; o < CF_N_TRAINING_INPUTS; ++o)
        cf_tensor_alloc(&in[o]);
    fill(&t, &data, in);
    drop(&data);
    return 0;
}

int cf_training_statistics(enum cf_model model, const struct cf_case *c,
                           struct cf_data_statistics *train, struct cf_data_statistics *held,
                           struct cf_error *err)
{
    struct cf_training_case t;
    struct cf_tensor images;
    struct data data;

    if (cf_training_read(&t, model, c, err) != 0)
        return -1;
    load(&data, &t);
    images = matrix(t.dtype, data.digits.n, CF_PIXELS);
    cf_tensor_alloc(&images);
    draw_images(&t, &data, &images);
    cf_data_statistics_of(train, &data.digits, &images, data.split.train, data.split.n_train);
    cf_data_statistics_of(held, &data.digits, &images, data.split.held, data.split.n_held);
    cf_tensor_free(&images);
    drop(&data);
    return 0;
}
