/* train_planted: training runs with one bug each, for `conform selftest`: every rule must have
 * something that it catches (levels.md, section 14). These bugs are a change of the operands before
 * the honest step runs over them; the masks and batches that were really used are what is hashed.
 * Those of support_planted.c act behind the hashes. in, out: training.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "composite.h"

struct planted {
    struct cf_tensor in[CF_N_TRAINING_INPUTS], out[CF_N_TRAINING_OUTPUTS];
    void *owned[CF_N_TRAINING_INPUTS];
    int failed; /* no memory */
    int bit;    /* of the bugs flipped-BIT and nudged-NUMBER */
};

/* Makes an operand the bug's own to change. */
static struct cf_tensor *own(struct planted *p, enum cf_training_input which)
{
    const size_t n_bytes = cf_tensor_bytes(&p->in[which]);

    if (p->owned[which])
        return &p->in[which];
    p->owned[which] = malloc(n_bytes + 64);
    if (!p->owned[which]) {
        p->failed = 1;
        p->owned[which] = NULL;
        return NULL;
    }
    memcpy(p->owned[which], p->in[which].bits, n_bytes);
    p->in[which].bits = p->owned[which];
    return &p->in[which];
}

static void scale_all(struct planted *p, enum cf_training_input which, double factor)
{
    struct cf_tensor *x = own(p, which);

    for (int64_t i = 0; x && i < cf_tensor_count(x); ++i)
        cf_tensor_set(x, i, cf_tensor_get(x, i) * factor);
}

/* Column `column` of the rates: value = value * factor + add at every `period`-th step. */
static void change_rates(struct planted *p, int column, int64_t period, double factor, double add)
{
    struct cf_tensor *rates = own(p, CF_IN_RATES);

    for (int64_t s = period - 1; rates && s < rates->dim[0]; s += period)
        cf_tensor_set(rates, 3 * s + column, cf_tensor_get(rates, 3 * s + column) * factor + add);
}

static void set_hyper(struct planted *p, enum cf_hyper which, double value)
{
    struct cf_tensor *hyper = own(p, CF_IN_HYPER);

    if (hyper)
        cf_tensor_set(hyper, which, value);
}

static void unchanged(struct planted *p)
{
    own(p, CF_IN_WEIGHTS);
}

static void rate_001(struct planted *p)
{
    change_rates(p, 0, 1, 1.001, 0);
}

static void rate_01(struct planted *p)
{
    change_rates(p, 0, 1, 1.01, 0);
}

static void rate_10(struct planted *p)
{
    change_rates(p, 0, 1, 1.1, 0);
}

static void rate_half(struct planted *p)
{
    change_rates(p, 0, 1, 0.5, 0);
}

static void rate_double(struct planted *p)
{
    change_rates(p, 0, 1, 2, 0);
}

/* The schedule ends at nine tenths. */
static void early_stop(struct planted *p)
{
    struct cf_tensor *rates = own(p, CF_IN_RATES);

    for (int64_t s = rates ? rates->dim[0] * 9 / 10 : 0; rates && s < rates->dim[0]; ++s)
        cf_tensor_set(rates, 3 * s, 0);
}

static void lost_100(struct planted *p)
{
    change_rates(p, 0, 100, 0, 0);
}

static void lost_10(struct planted *p)
{
    change_rates(p, 0, 10, 0, 0);
}

/* One update is applied twice. */
static void applied_twice(struct planted *p)
{
    struct cf_tensor *rates = own(p, CF_IN_RATES);

    if (rates && rates->dim[0] > 20)
        cf_tensor_set(rates, 3 * 20, 2 * cf_tensor_get(rates, 3 * 20));
}

static void no_correction(struct planted *p)
{
    change_rates(p, 1, 1, 0, 1);
    change_rates(p, 2, 1, 0, 1);
}

static void momentum_8(struct planted *p)
{
    set_hyper(p, CF_BETA1, 0.8);
    set_hyper(p, CF_ONE_MINUS_BETA1, 0.2);
}

static void no_momentum(struct planted *p)
{
    set_hyper(p, CF_BETA1, 0);
    set_hyper(p, CF_ONE_MINUS_BETA1, 1);
}

static void beta2_99(struct planted *p)
{
    set_hyper(p, CF_BETA2, 0.99);
    set_hyper(p, CF_ONE_MINUS_BETA2, 0.01);
}

static void epsilon_4(struct planted *p)
{
    set_hyper(p, CF_EPSILON, 1e-4);
}

static void no_decay(struct planted *p)
{
    set_hyper(p, CF_DECAY, 0);
}

static void decay_added(struct planted *p)
{
    set_hyper(p, CF_DECAY, 1e-3);
}

static void clipped(struct planted *p)
{
    set_hyper(p, CF_CLIP, 0.1);
}

static void unscaled(struct planted *p)
{
    set_hyper(p, CF_KEEP_SCALE, 1);
}

/* The mean is taken over one row too few. */
static void wrong_mean(struct planted *p)
{
    const double rows = (double)p->in[CF_IN_BATCHES].dim[1];

    set_hyper(p, CF_ROW_WEIGHT,
              cf_tensor_get(&p->in[CF_IN_HYPER], CF_ROW_WEIGHT) * rows / (rows - 1));
}

static void init_105(struct planted *p)
{
    scale_all(p, CF_IN_WEIGHTS, 1.05);
}

/* The initial weights go through a file of a narrower type. */
static void init_bf16(struct planted *p)
{
    struct cf_tensor *w = own(p, CF_IN_WEIGHTS);

    for (int64_t i = 0; w && i < cf_tensor_count(w); ++i) {
        int exponent;
        const double fraction = frexp(cf_tensor_get(w, i), &exponent);

        cf_tensor_set(w, i, ldexp(rint(ldexp(fraction, 8)), exponent - 8));
    }
}

/* The seed does not reach the initialisation. */
static void same_init(struct planted *p)
{
    struct cf_tensor *w = own(p, CF_IN_WEIGHTS);

    for (int64_t i = 0; w && i < cf_tensor_count(w); ++i)
        cf_tensor_set(w, i, 0.1 * sin((double)(7 * i + 1)));
}

/* One row of a hundred has the next class. */
static void wrong_labels(struct planted *p)
{
    struct cf_tensor *labels = own(p, CF_IN_LABELS);
    const struct cf_tensor *held = &p->in[CF_IN_HELD_OUT];
    const int64_t n = labels ? labels->dim[0] : 0;
    char *is_held = calloc((size_t)n + 1, 1);

    for (int64_t i = 0; is_held && i < held->dim[0]; ++i)
        is_held[((const int32_t *)held->bits)[i]] = 1;
    for (int64_t i = 0; is_held && i < n; i += 100)
        for (int64_t k = i; k < n && k < i + 100; ++k)
            if (!is_held[k]) {
                int32_t *label = &((int32_t *)labels->bits)[k];

                *label = (*label + 1) % CF_CLASSES;
                break;
            }
    free(is_held);
}

/* Every epoch has the order of the first 32 batches. */
static void no_reshuffle(struct planted *p)
{
    struct cf_tensor *batches = own(p, CF_IN_BATCHES);
    const int64_t columns = batches ? batches->dim[1] : 0;
    int32_t *rows = batches ? batches->bits : NULL;

    for (int64_t m = 32; rows && m < batches->dim[0]; ++m)
        memcpy(rows + m * columns, rows + m % 32 * columns, (size_t)columns * sizeof rows[0]);
}

/* The last batch of an epoch of 44 is lost: the one before is taken again. */
static void batch_dropped(struct planted *p)
{
    struct cf_tensor *batches = own(p, CF_IN_BATCHES);
    const int64_t columns = batches ? batches->dim[1] : 0;
    int32_t *rows = batches ? batches->bits : NULL;

    for (int64_t m = 43; rows && m < batches->dim[0]; m += 44)
        memcpy(rows + m * columns, rows + (m - 1) * columns, (size_t)columns * sizeof rows[0]);
}

static void first_lost(struct planted *p)
{
    struct cf_tensor *batches = own(p, CF_IN_BATCHES);
    int32_t *rows = batches ? batches->bits : NULL;

    for (int64_t m = 0; rows && batches->dim[1] > 1 && m < batches->dim[0]; ++m)
        rows[m * batches->dim[1]] = rows[m * batches->dim[1] + 1];
}

/* Masks come from another stream. */
static void other_masks(struct planted *p)
{
    struct cf_tensor *masks = own(p, CF_IN_MASKS);
    const int64_t n = masks ? cf_tensor_count(masks) : 0;
    uint8_t *bits = masks ? masks->bits : NULL;

    for (int64_t i = 0; i < n / 2; ++i) {
        const uint8_t kept = bits[i];

        bits[i] = bits[n - 1 - i];
        bits[n - 1 - i] = kept;
    }
}

static enum cf_status run_honest(const char *op, struct planted *p)
{
    const struct cf_kernel *honest = cf_kernel_find(NULL, op, "step");

    return p->failed ? CF_NO_MEMORY : honest->run(NULL, NULL, p->in, p->out);
}

/* A bit of one weight turns over before the first step; of a bias, so that every picture feels it.
 */
static void flipped(struct planted *p)
{
    struct cf_tensor *w = own(p, CF_IN_WEIGHTS);
    const int64_t i = w ? cf_tensor_count(w) / 3 : 0;
    uint32_t bits;

    if (!w || w->dtype != CF_F32)
        return;
    memcpy(&bits, (char *)w->bits + 4 * i, sizeof bits);
    bits ^= UINT32_C(1) << p->bit;
    memcpy((char *)w->bits + 4 * i, &bits, sizeof bits);
}

/* A third of the weights goes one ulp up, a third one down: no bug, a twin that rounding alone
 * makes (levels.md, section 2), by a generator that is not the harness's. */
static void nudged(struct planted *p)
{
    struct cf_tensor *w = own(p, CF_IN_WEIGHTS);
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)(p->bit + 1);

    for (int64_t i = 0; w && w->dtype == CF_F32 && i < w->dim[0]; ++i) {
        float *x = (float *)w->bits + i;

        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        if (*x != 0 && (state >> 33) % 3 != 2)
            *x = nextafterf(*x, (state >> 33) % 3 == 0 ? -INFINITY : INFINITY);
    }
}

/* After the run. */
static void flattered(struct planted *p)
{
    cf_tensor_set(&p->out[CF_OUT_METRICS], CF_METRIC_LOSS,
                  0.9 * cf_tensor_get(&p->out[CF_OUT_METRICS], CF_METRIC_LOSS));
}

static void not_finite(struct planted *p)
{
    cf_tensor_set(&p->out[CF_OUT_METRICS], CF_METRIC_LOSS, NAN);
}

/* Runs whose first weight is positive in a quarter of its range. */
static void sometimes_nan(struct planted *p)
{
    if (fmod(fabs(cf_tensor_get(&p->in[CF_IN_WEIGHTS], 0)) * 1e4, 1) < 0.5)
        not_finite(p);
}

static const struct bug {
    const char *name;
    void (*before)(struct planted *), (*after)(struct planted *);
} bugs[] = {{"unchanged", unchanged, NULL},
            {"rate-by-1.001", rate_001, NULL},
            {"rate-by-1.01", rate_01, NULL},
            {"rate-by-1.1", rate_10, NULL},
            {"rate-by-0.5", rate_half, NULL},
            {"rate-by-2", rate_double, NULL},
            {"early-stop", early_stop, NULL},
            {"lost-1-of-100", lost_100, NULL},
            {"lost-1-of-10", lost_10, NULL},
            {"applied-twice", applied_twice, NULL},
            {"no-bias-correction", no_correction, NULL},
            {"momentum-0.8", momentum_8, NULL},
            {"no-momentum", no_momentum, NULL},
            {"beta2-0.99", beta2_99, NULL},
            {"epsilon-1e-4", epsilon_4, NULL},
            {"no-decay", no_decay, NULL},
            {"decay-added", decay_added, NULL},
            {"clipped", clipped, NULL},
            {"dropout-unscaled", unscaled, NULL},
            {"wrong-mean", wrong_mean, NULL},
            {"init-1.05", init_105, NULL},
            {"init-bf16", init_bf16, NULL},
            {"same-init", same_init, NULL},
            {"wrong-labels", wrong_labels, NULL},
            {"no-reshuffle", no_reshuffle, NULL},
            {"batch-dropped", batch_dropped, NULL},
            {"first-lost", first_lost, NULL},
            {"other-masks", other_masks, NULL},
            {"flipped-*", flipped, NULL},
            {"nudged-*", nudged, NULL},
            {"flattered", unchanged, flattered},
            {"not-finite", unchanged, not_finite},
            {"sometimes-nan", unchanged, sometimes_nan}};

/* The bug of kernel=planted:NAME; "flipped-12" is flipped-* with number 12. */
static const struct bug *find(const char *kernel, struct planted *p)
{
    const char *name = kernel ? strchr(kernel, ':') : NULL;

    name = name ? name + 1 : NULL;
    for (size_t i = 0; name && i < sizeof bugs / sizeof bugs[0]; ++i) {
        const size_t star = strcspn(bugs[i].name, "*");

        if (strncmp(bugs[i].name, name, star) != 0 || (!bugs[i].name[star] && strlen(name) != star))
            continue;
        p->bit = bugs[i].name[star] ? atoi(name + star) : 0;
        return p->bit >= 0 && p->bit < (bugs[i].before == flipped ? 32 : 1000000) ? &bugs[i] : NULL;
    }
    return NULL;
}

static enum cf_status run(const char *op, const struct cf_tensor in[], struct cf_tensor out[])
{
    struct planted p = {.failed = 0};
    const struct bug *bug = find(cf_opened()->kernel, &p);
    enum cf_status status;

    if (!bug)
        return cf_planted_train(op, cf_opened()->kernel, in, out);
    memcpy(p.in, in, sizeof p.in);
    memcpy(p.out, out, sizeof p.out);
    bug->before(&p);
    status = run_honest(op, &p);
    if (status == CF_DONE && bug->after)
        bug->after(&p);
    for (int i = 0; i < CF_N_TRAINING_INPUTS; ++i)
        free(p.owned[i]);
    return status;
}

static enum cf_status run_logreg(struct cf_library *library, const struct cf_pairs *attributes,
                                 const struct cf_tensor in[], struct cf_tensor out[])
{
    (void)library; /* the primitives find it */
    (void)attributes;
    return run("train_logreg", in, out);
}

static enum cf_status run_mlp(struct cf_library *library, const struct cf_pairs *attributes,
                              const struct cf_tensor in[], struct cf_tensor out[])
{
    (void)library;
    (void)attributes;
    return run("train_mlp", in, out);
}

/* kernel=planted:NAME: the worker finds these by what stands before the colon. */
extern const struct cf_kernel cf_kernels_composite_train_planted[];
const struct cf_kernel cf_kernels_composite_train_planted[] = {
    {.op = "train_logreg", .name = "planted", .backend = NULL, .run = run_logreg},
    {.op = "train_mlp", .name = "planted", .backend = NULL, .run = run_mlp},
    {.op = NULL}};
