#include "support_trajectory.h"

#include <math.h>
#include <stdlib.h>

#include "support_tape.h"

/* The run in the making: what cf_true_step shows, and a tape. */
struct truth {
    struct cf_true_step now;
    enum cf_model model;
    const struct cf_tensor *in;
    struct cf_tape tape;
    mpfr_t loss, t, s;
};

static mpfr_t *numbers(int64_t n, mpfr_prec_t precision)
{
    mpfr_t *x = cf_alloc((size_t)(n + 1) * sizeof x[0]);

    for (int64_t i = 0; i < n; ++i) {
        mpfr_init2(x[i], precision);
        mpfr_set_zero(x[i], 1);
    }
    return x;
}

static void drop(mpfr_t *x, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        mpfr_clear(x[i]);
    free(x);
}

static void start(struct truth *r, enum cf_model model, const struct cf_tensor in[],
                  mpfr_prec_t precision)
{
    const int64_t n = in[CF_IN_WEIGHTS].dim[0];

    *r = (struct truth){.model = model, .in = in};
    r->now.n_weights = n;
    r->now.weights = numbers(n, precision);
    r->now.gradient = numbers(n, precision);
    r->now.m = numbers(n, precision);
    r->now.v = numbers(n, precision);
    for (int64_t i = 0; i < n; ++i) {
        mpfr_set_d(r->now.weights[i], cf_tensor_get(&in[CF_IN_WEIGHTS], i), MPFR_RNDN);
        mpfr_set_d(r->now.m[i], cf_tensor_get(&in[CF_IN_STATE], i), MPFR_RNDN);
        mpfr_set_d(r->now.v[i], cf_tensor_get(&in[CF_IN_STATE], n + i), MPFR_RNDN);
    }
    mpfr_inits2(precision, r->loss, r->t, r->s, (mpfr_ptr)NULL);
    r->now.loss = r->loss;
    cf_tape_start(&r->tape, precision);
}

static void stop(struct truth *r)
{
    const int64_t n = r->now.n_weights;

    drop(r->now.weights, n);
    drop(r->now.gradient, n);
    drop(r->now.m, n);
    drop(r->now.v, n);
    mpfr_clears(r->loss, r->t, r->s, (mpfr_ptr)NULL);
    cf_tape_stop(&r->tape);
}

static double hyper(const struct truth *r, enum cf_hyper which)
{
    return cf_tensor_get(&r->in[CF_IN_HYPER], which);
}

/* Loss and, if wanted, gradient of one step: sums over its micro-batches. */
static void evaluate(struct truth *r, int64_t step, mpfr_t weights[], int wants_gradient)
{
    const int64_t accumulate = ((const int64_t *)r->in[CF_IN_PLAN].bits)[CF_ACCUMULATE];
    const int64_t n = r->now.n_weights;

    mpfr_set_zero(r->loss, 1);
    for (int64_t i = 0; i < n; ++i)
        mpfr_set_zero(r->now.gradient[i], 1);
    for (int64_t a = 0; a < accumulate; ++a) {
        int64_t loss;

        cf_tape_reset(&r->tape);
        for (int64_t i = 0; i < n; ++i)
            cf_tape_leaf_mpfr(&r->tape, weights[i]);
        loss = cf_model_loss(&r->tape, r->model, r->in, step * accumulate + a);
        mpfr_add(r->loss, r->loss, r->tape.value[loss], MPFR_RNDN);
        if (!wants_gradient)
            continue;
        cf_tape_differentiate(&r->tape, loss);
        for (int64_t i = 0; i < n; ++i)
            mpfr_add(r->now.gradient[i], r->now.gradient[i], r->tape.slope[i], MPFR_RNDN);
    }
}

/* s = the factor that clipping puts before the gradient. */
static void clip_factor(struct truth *r)
{
    const double clip = hyper(r, CF_CLIP);

    mpfr_set_zero(r->s, 1);
    for (int64_t i = 0; i < r->now.n_weights; ++i)
        mpfr_fma(r->s, r->now.gradient[i], r->now.gradient[i], r->s, MPFR_RNDN);
    mpfr_sqrt(r->s, r->s, MPFR_RNDN);
    if (clip > 0 && mpfr_cmp_d(r->s, clip) > 0)
        mpfr_d_div(r->s, clip, r->s, MPFR_RNDN);
    else
        mpfr_set_ui(r->s, 1, MPFR_RNDN);
}

/* x = beta x + (1 - beta) y, the second factor as its own operand. */
static void blend(mpfr_t x, double beta, double rest, mpfr_t y, mpfr_t work)
{
    mpfr_mul_d(work, y, rest, MPFR_RNDN);
    mpfr_mul_d(x, x, beta, MPFR_RNDN);
    mpfr_add(x, x, work, MPFR_RNDN);
}

/* t holds the gradient of weight i on entry. */
static void adam(struct truth *r, int64_t i, const double rate[3], mpfr_t square)
{
    mpfr_t *now = r->now.weights;

    mpfr_sqr(square, r->t, MPFR_RNDN);
    blend(r->now.v[i], hyper(r, CF_BETA2), hyper(r, CF_ONE_MINUS_BETA2), square, square);
    blend(r->now.m[i], hyper(r, CF_BETA1), hyper(r, CF_ONE_MINUS_BETA1), r->t, r->t);
    mpfr_div_d(square, r->now.v[i], rate[2], MPFR_RNDN);
    mpfr_sqrt(square, square, MPFR_RNDN);
    mpfr_add_d(square, square, hyper(r, CF_EPSILON), MPFR_RNDN);
    mpfr_div_d(r->t, r->now.m[i], rate[1], MPFR_RNDN);
    mpfr_div(r->t, r->t, square, MPFR_RNDN);
    mpfr_mul_d(r->t, r->t, rate[0], MPFR_RNDN);
    mpfr_sub(now[i], now[i], r->t, MPFR_RNDN);
}

static void optimize(struct truth *r, int64_t step)
{
    const int64_t optimizer = ((const int64_t *)r->in[CF_IN_PLAN].bits)[CF_OPTIMIZER];
    double rate[3];
    mpfr_t work;

    for (int k = 0; k < 3; ++k)
        rate[k] = cf_tensor_get(&r->in[CF_IN_RATES], 3 * step + k);
    mpfr_init2(work, mpfr_get_prec(r->t));
    clip_factor(r);
    for (int64_t i = 0; i < r->now.n_weights; ++i) {
        mpfr_ptr w = r->now.weights[i];

        mpfr_mul_d(work, w, hyper(r, CF_DECAY), MPFR_RNDN);
        mpfr_mul(r->t, r->now.gradient[i], r->s, MPFR_RNDN);
        if (optimizer == CF_ADAMW) {
            mpfr_mul_d(work, work, rate[0], MPFR_RNDN);
            mpfr_sub(w, w, work, MPFR_RNDN);
        } else {
            mpfr_add(r->t, r->t, work, MPFR_RNDN);
        }
        if (optimizer != CF_SGD) {
            adam(r, i, rate, work);
            continue;
        }
        blend(r->now.m[i], hyper(r, CF_BETA1), 1, r->t, work);
        mpfr_mul_d(work, r->now.m[i], rate[0], MPFR_RNDN);
        mpfr_sub(w, w, work, MPFR_RNDN);
    }
    mpfr_clear(work);
}

void cf_trajectory(enum cf_model model, const struct cf_tensor in[], int64_t n_steps,
                   mpfr_prec_t precision, int (*each)(void *context, const struct cf_true_step *),
                   void *context)
{
    struct truth r;

    start(&r, model, in, precision);
    for (r.now.step = 0; r.now.step < n_steps; ++r.now.step) {
        evaluate(&r, r.now.step, r.now.weights, 1);
        optimize(&r, r.now.step);
        if (each(context, &r.now) != 0)
            break;
    }
    stop(&r);
}

void cf_trajectory_loss(mpfr_t loss, enum cf_model model, const struct cf_tensor in[], int64_t step,
                        mpfr_t weights[])
{
    struct truth r;

    start(&r, model, in, mpfr_get_prec(loss));
    evaluate(&r, step, weights, 0);
    mpfr_set(loss, r.loss, MPFR_RNDN);
    stop(&r);
}

/* Weights of one precision after some steps: [n][P]. */
struct kept {
    mpfr_t *weights;
    const int64_t *steps; /* [n], rising */
    int64_t n, n_asked, n_weights;
};

static int keep(void *context, const struct cf_true_step *now)
{
    struct kept *kept = context;

    if (kept->n == kept->n_asked || now->step + 1 != kept->steps[kept->n])
        return 0;
    for (int64_t i = 0; i < now->n_weights; ++i)
        mpfr_set(kept->weights[kept->n * now->n_weights + i], now->weights[i], MPFR_RNDN);
    ++kept->n;
    return 0;
}

static void take(struct kept *kept, enum cf_model model, const struct cf_tensor in[],
                 const int64_t steps[], int64_t n, mpfr_prec_t precision)
{
    *kept = (struct kept){.steps = steps, .n_asked = n, .n_weights = in[CF_IN_WEIGHTS].dim[0]};
    kept->weights = numbers(n * kept->n_weights, precision);
    cf_trajectory(model, in, steps[n - 1], precision, keep, kept);
    CF_CHECK(kept->n == n);
}

static int refuse(mpfr_prec_t precision, int64_t step, double doubt, struct cf_error *err)
{
    return cf_fail_with(err, 3,
                        "%ld bits do not carry the true trajectory to step %lld: it moves "
                        "by %.1e when they are doubled",
                        (long)precision, (long long)step, doubt);
}

/* norm(x - y) / norm(y) of snapshot k; x from a tensor when `run` is not NULL. */
static double relative(const struct kept *x, const struct cf_tensor *run, const struct kept *y,
                       int64_t k)
{
    const mpfr_prec_t precision = mpfr_get_prec(y->weights[0]);
    mpfr_t away, size, t;
    double result;

    mpfr_inits2(precision, away, size, t, (mpfr_ptr)NULL);
    mpfr_set_zero(away, 1);
    mpfr_set_zero(size, 1);
    for (int64_t i = k * y->n_weights; i < (k + 1) * y->n_weights; ++i) {
        if (run)
            mpfr_sub_d(t, y->weights[i], cf_tensor_get(run, i), MPFR_RNDN);
        else
            mpfr_sub(t, y->weights[i], x->weights[i], MPFR_RNDN);
        mpfr_fma(away, t, t, away, MPFR_RNDN);
        mpfr_fma(size, y->weights[i], y->weights[i], size, MPFR_RNDN);
    }
    mpfr_div(away, away, size, MPFR_RNDN);
    mpfr_sqrt(away, away, MPFR_RNDN);
    result = mpfr_get_d(away, MPFR_RNDN);
    mpfr_clears(away, size, t, (mpfr_ptr)NULL);
    return result;
}

int cf_trajectory_distances(double distance[], enum cf_model model, const struct cf_tensor in[],
                            const struct cf_tensor *snapshots, int64_t n, mpfr_prec_t precision,
                            struct cf_error *err)
{
    int64_t *steps = cf_alloc((size_t)(n + 1) * sizeof steps[0]);
    struct kept once, twice;
    int result = 0;

    CF_CHECK(n >= 1 && n <= snapshots->dim[0]);
    for (int64_t k = 0; k < n; ++k)
        steps[k] = (int64_t)1 << k;
    take(&once, model, in, steps, n, precision);
    take(&twice, model, in, steps, n, 2 * precision);
    for (int64_t k = 0; k < n && result == 0; ++k) {
        const double doubt = relative(&once, NULL, &twice, k);

        distance[k] = relative(NULL, snapshots, &twice, k);
        if (!(doubt <= ldexp(distance[k], -40)) && !(distance[k] == 0 && doubt < ldexp(1, -60)))
            result = refuse(precision, steps[k], doubt, err);
    }
    drop(once.weights, n * once.n_weights);
    drop(twice.weights, n * twice.n_weights);
    free(steps);
    return result;
}

/* hi + lo = weight, to about 2^-106. */
static void split(struct cf_truth weights[], const struct kept *kept)
{
    mpfr_t rest;

    mpfr_init2(rest, mpfr_get_prec(kept->weights[0]));
    for (int64_t i = 0; i < kept->n * kept->n_weights; ++i) {
        weights[i].rounded = mpfr_get_d(kept->weights[i], MPFR_RNDN);
        mpfr_sub_d(rest, kept->weights[i], weights[i].rounded, MPFR_RNDN);
        weights[i].lo = mpfr_get_d(rest, MPFR_RNDN);
        weights[i].scale = fabs(weights[i].rounded);
    }
    mpfr_clear(rest);
}

int cf_trajectory_weights(struct cf_truth weights[], enum cf_model model,
                          const struct cf_tensor in[], const int64_t steps[], int64_t n,
                          mpfr_prec_t precision, struct cf_error *err)
{
    struct kept once, twice;
    int result = 0;

    take(&once, model, in, steps, n, precision);
    take(&twice, model, in, steps, n, 2 * precision);
    for (int64_t k = 0; k < n && result == 0; ++k) {
        const double doubt = relative(&once, NULL, &twice, k);

        if (!(doubt <= ldexp(1, -80)))
            result = refuse(precision, steps[k], doubt, err);
    }
    if (result == 0)
        split(weights, &twice);
    drop(once.weights, n * once.n_weights);
    drop(twice.weights, n * twice.n_weights);
    return result;
}
