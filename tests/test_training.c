/* training: every model and optimizer against its true trajectory in MPFR, the reference's gradient
 * against differences of its loss, and the chain of hashes against what was changed. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <math.h>

#include "support_trajectory.h"
#include "training_client.h"

#define FORWARD "plain kernel=forward"

struct truth {
    char line[170];
};

static struct truth truths[] = {
    {"train_logreg f32 steps=4 batch=8 lr=0.05 snapshots=3 fill=digits"},
    {"train_logreg f64 steps=4 batch=4 optimizer=adam lr=0.05 decay=0.01 accumulate=2 snapshots=3 "
     "fill=digits"},
    {"train_mlp f32 steps=4 batch=8 hidden=8 layers=2 optimizer=adam lr=0.003 dropout=30 "
     "snapshots=3 fill=digits"},
    {"train_mlp f64 steps=4 batch=8 hidden=8 clip=0.5 decay=0.01 schedule=cosine augment=1 "
     "snapshots=3 fill=digits"},
    {"train_mlp f64 steps=8 batch=8 hidden=8 schedule=warmup sampling=replace preprocess=centre "
     "snapshots=4 fill=digits"},
    {"train_cnn f64 steps=4 batch=4 hidden=2 optimizer=adamw lr=0.01 decay=0.01 dropout=10 "
     "snapshots=3 fill=digits"},
    {"train_cnn f32 steps=4 batch=4 hidden=3 clip=0.1 snapshots=3 fill=digits"},
    {"train_block f64 steps=4 batch=2 hidden=6 lr=0.01 clip=1 dropout=10 snapshots=3 fill=digits"},
    {"train_block f32 steps=4 batch=2 hidden=6 optimizer=adam lr=0.01 augment=1 snapshots=3 "
     "fill=digits"},
};

ParameterizedTestParameters(training, follows_the_true_trajectory)
{
    return cr_make_param_array(struct truth, truths, CF_COUNT(truths));
}

/* A step of at most 40 operations in a row rounds to less than 64 u of the weights' norm in these
 * small models (measured: 0.3 to 1.2 u); a dropped term of any kind is thousands away. */
ParameterizedTest(struct truth *row, training, follows_the_true_trajectory)
{
    struct cf_error err = {{0}, 0};
    struct trained r;
    double distance[8];
    int64_t n;

    train_in(&r, row->line, FORWARD);
    cr_assert_str_eq(r.message, "", "%s: %s", row->line, r.message);
    n = r.out[CF_OUT_SNAPSHOTS].dim[0];
    cr_assert_eq(cf_trajectory_distances(distance, (enum cf_model)cf_training_model(r.c.op), r.in,
                                         &r.out[CF_OUT_SNAPSHOTS], n, 192, &err),
                 0, "%s", err.text);
    for (int64_t k = 0; k < n; ++k) {
        cr_expect(distance[k] <= 64 * cf_dtype_u(r.c.dtype), "%s: step %d: %a", row->line, 1 << k,
                  distance[k]);
        cr_expect(distance[k] > 0, "%s rounds nothing", row->line);
    }
    trained_free(&r);
}

/* The liars: what the subject is told is not what the truth is told. */
struct liar {
    char claim[40], words[60];
    int input;
};

static struct liar liars[] = {
    {"another rate", "lr=0.101", CF_IN_RATES},
    {"no decay", "decay=0", CF_IN_HYPER},
    {"a tighter clip", "clip=0.01", CF_IN_HYPER},
    {"other masks", "dropout_seed=2", CF_IN_MASKS},
    {"other shifts", "augment_seed=2", CF_IN_SHIFTS},
    {"other rows", "shuffle_seed=2", CF_IN_BATCHES},
    {"no momentum", "momentum=0", CF_IN_HYPER},
};

ParameterizedTestParameters(training, notices)
{
    return cr_make_param_array(struct liar, liars, CF_COUNT(liars));
}

static char *liar_line(const char *words)
{
    return cf_format("train_mlp f64 steps=2 batch=8 hidden=8 dropout=30 augment=1 snapshots=2 "
                     "%s %s %s %s fill=digits",
                     strncmp(words, "lr", 2) == 0 ? "" : "lr=0.1",
                     strncmp(words, "decay", 5) == 0 ? "" : "decay=0.01",
                     strncmp(words, "clip", 4) == 0 ? "" : "clip=1", words);
}

ParameterizedTest(struct liar *row, training, notices)
{
    char *honest = liar_line(""), *lie = liar_line(row->words);
    struct cf_error err = {{0}, 0};
    struct trained truth, told;
    struct cf_tensor swap;
    double distance[2];

    trained_draw(&truth, honest);
    train_in(&told, lie, FORWARD);
    cr_assert_str_eq(told.message, "", "%s", told.message);
    swap = told.in[row->input];
    cr_expect(!same_bits(&swap, &truth.in[row->input]), "%s: the operand is the same", row->claim);
    cr_assert_eq(cf_trajectory_distances(distance, CF_MLP, truth.in, &told.out[CF_OUT_SNAPSHOTS], 2,
                                         192, &err),
                 0, "%s", err.text);
    cr_expect(distance[1] > 1e9 * cf_dtype_u(CF_F64), "%s: %a", row->claim, distance[1]);
    trained_free(&truth);
    trained_free(&told);
    free(honest);
    free(lie);
}

Test(training, too_few_bits_are_refused)
{
    struct cf_error err = {{0}, 0};
    struct trained r;
    double distance[3];

    train_in(&r, truths[1].line, FORWARD);
    cr_assert_eq(
        cf_trajectory_distances(distance, CF_LOGREG, r.in, &r.out[CF_OUT_SNAPSHOTS], 3, 40, &err),
        -1);
    cr_expect(strstr(err.text, "do not carry"), "%s", err.text);
    trained_free(&r);
}

/* Central differences of the reference's loss at 512 bits: error below h^2 times a third
 * derivative, h = 2^-100; so 30 digits must agree where no relu or pool has its corner. */
struct differences {
    const struct cf_tensor *in;
    enum cf_model model;
    int checked;
};

static int check_gradient(void *context, const struct cf_true_step *now)
{
    struct differences *d = context;
    const int64_t stride = now->n_weights / 23 + 1;
    mpfr_t high, low, w, h;

    mpfr_inits2(512, high, low, w, h, (mpfr_ptr)NULL);
    mpfr_set_ui_2exp(h, 1, -100, MPFR_RNDN);
    for (int64_t i = (int64_t)d->in[CF_IN_PLAN].dim[0] % stride; i < now->n_weights; i += stride) {
        mpfr_t *weights = cf_alloc((size_t)now->n_weights * sizeof weights[0]);

        for (int64_t k = 0; k < now->n_weights; ++k) {
            mpfr_init2(weights[k], 512);
            mpfr_set_d(weights[k], cf_tensor_get(&d->in[CF_IN_WEIGHTS], k), MPFR_RNDN);
        }
        mpfr_set(w, weights[i], MPFR_RNDN);
        mpfr_add(weights[i], w, h, MPFR_RNDN);
        cf_trajectory_loss(high, d->model, d->in, 0, weights);
        mpfr_sub(weights[i], w, h, MPFR_RNDN);
        cf_trajectory_loss(low, d->model, d->in, 0, weights);
        mpfr_sub(high, high, low, MPFR_RNDN);
        mpfr_div(high, high, h, MPFR_RNDN);
        mpfr_div_2ui(high, high, 1, MPFR_RNDN);
        mpfr_sub(low, high, now->gradient[i], MPFR_RNDN);
        cr_expect(fabs(mpfr_get_d(low, MPFR_RNDN)) < 1e-40, "weight %ld: slope %a, differs by %a",
                  (long)i, mpfr_get_d(high, MPFR_RNDN), mpfr_get_d(low, MPFR_RNDN));
        d->checked += mpfr_sgn(now->gradient[i]) != 0;
        for (int64_t k = 0; k < now->n_weights; ++k)
            mpfr_clear(weights[k]);
        free(weights);
    }
    mpfr_clears(high, low, w, h, (mpfr_ptr)NULL);
    return 1; /* the first step is enough */
}

static struct truth gradients[] = {
    {"train_logreg f64 steps=1 batch=3 fill=digits"},
    {"train_mlp f64 steps=1 batch=3 hidden=5 layers=2 dropout=30 accumulate=2 fill=digits"},
    {"train_cnn f64 steps=1 batch=2 hidden=2 dropout=20 fill=digits"},
    {"train_block f64 steps=1 batch=2 hidden=4 dropout=10 fill=digits"},
};

ParameterizedTestParameters(training, gradient_is_the_slope)
{
    return cr_make_param_array(struct truth, gradients, CF_COUNT(gradients));
}

ParameterizedTest(struct truth *row, training, gradient_is_the_slope)
{
    struct trained r;
    struct differences d;

    trained_draw(&r, row->line);
    d = (struct differences){r.in, (enum cf_model)cf_training_model(r.c.op), 0};
    cf_trajectory(d.model, r.in, 1, 512, check_gradient, &d);
    cr_expect_gt(d.checked, 5, "%s: only %d slopes are not zero", row->line, d.checked);
    trained_free(&r);
}

/* What a change shows in the first step: the first stage that differs. */
struct chain {
    char claim[50], words[60], configuration[40];
    int first; /* CF_N_STAGES: nothing differs */
};

static struct chain chains[] = {
    {"the same again", "", FORWARD, CF_N_STAGES},
    {"four loader workers", "workers=4", FORWARD, CF_N_STAGES},
    {"other masks", "dropout_seed=2", FORWARD, CF_STAGE_RNG},
    {"other rows", "shuffle_seed=2", FORWARD, CF_STAGE_BATCH},
    {"other pixels", "preprocess=binary", FORWARD, CF_STAGE_BATCH},
    {"other weights", "init_seed=2", FORWARD, CF_STAGE_ACTIVATIONS},
    {"another order of summation", "", "plain kernel=reverse", CF_STAGE_ACTIVATIONS},
    {"another optimizer", "momentum=0.8", FORWARD, CF_N_STAGES}, /* not before step 1 */
    {"decay", "decay=0.01", FORWARD, CF_STAGE_OPTIMIZER},
    {"another rate", "lr=0.2", FORWARD, CF_STAGE_WEIGHTS},
};

ParameterizedTestParameters(training, chain)
{
    return cr_make_param_array(struct chain, chains, CF_COUNT(chains));
}

ParameterizedTest(struct chain *row, training, chain)
{
    char *line =
        cf_format("train_mlp f32 steps=2 batch=16 hidden=16 dropout=30 %s fill=digits", row->words);
    struct trained a, b;
    int first = 0;

    train_in(&a, "train_mlp f32 steps=2 batch=16 hidden=16 dropout=30 fill=digits", FORWARD);
    train_in(&b, line, row->configuration);
    cr_assert_str_eq(a.message, "", "%s", a.message);
    cr_assert_str_eq(b.message, "", "%s", b.message);
    while (first < CF_N_STAGES && trained_hashes(&a, 0)[first] == trained_hashes(&b, 0)[first])
        ++first;
    cr_expect_eq(first, row->first, "%s: first different stage %s", row->claim,
                 first < CF_N_STAGES ? cf_stage_name(first) : "none");
    trained_free(&a);
    trained_free(&b);
    free(line);
}

/* Operands that are none are refused, not followed into the dark. */
Test(training, indices_outside_the_data_are_refused)
{
    struct client c;
    struct trained r;

    trained_draw(&r, "train_logreg f32 steps=1 batch=4 fill=digits");
    ((int32_t *)r.in[CF_IN_BATCHES].bits)[2] = 1797;
    client_start(&c, FORWARD);
    json_decref(client_hello(&c, 10000));
    trained_run(&r, &c);
    cr_expect(strstr(r.message, "not-offered"), "%s", r.message);
    client_stop(&c);
    trained_free(&r);
}

/* The digits are learned: a run of 384 steps is right about nine in ten held-out pictures. */
Test(training, learns)
{
    struct trained r;

    train_in(&r, "train_mlp f32 steps=384 batch=32 hidden=32 optimizer=adam lr=0.003 fill=digits",
             FORWARD);
    cr_assert_str_eq(r.message, "", "%s", r.message);
    cr_expect(cf_tensor_get(&r.out[CF_OUT_METRICS], CF_METRIC_ACCURACY) > 0.9, "%a",
              cf_tensor_get(&r.out[CF_OUT_METRICS], CF_METRIC_ACCURACY));
    trained_free(&r);
}

/* The sources table: what must stay the same, and the stage at which each release shows first. */
#include "sources.h"

struct expected {
    char name[50];
    int first; /* the first stage that differs at all; CF_N_STAGES: none */
};

static struct expected expected[] = {
    {"nothing", CF_N_STAGES},
    {"seed of the initial weights", CF_STAGE_ACTIVATIONS},
    {"seed of shuffling", CF_STAGE_BATCH},
    {"seed of dropout", CF_STAGE_RNG},
    {"seed of augmentation", CF_STAGE_RNG},
    {"seed of sampling (which shuffling does not use)", CF_N_STAGES},
    {"loader workers, streams by purpose", CF_N_STAGES},
    {"loader workers, a seed for each worker", CF_STAGE_RNG},
    {"split: another salt", CF_STAGE_BATCH},
    {"preprocessing: centred pixels", CF_STAGE_BATCH},
    {"precision: f64", CF_STAGE_BATCH},
    {"threads, summed in chunks", CF_STAGE_ACTIVATIONS},
    {"threads, sums shared by rows", CF_N_STAGES},
    {"ranks: 4, in their order", CF_N_STAGES},
    {"ranks: 4, in a ring", CF_STAGE_ACTIVATIONS},
    {"order of summation: reverse", CF_STAGE_ACTIVATIONS},
};

static const struct cf_source_result *find(const struct cf_source sources[],
                                           const struct cf_source_result results[], int n,
                                           const char *name)
{
    for (int i = 0; i < n; ++i)
        if (strcmp(sources[i].name, name) == 0)
            return &results[i];
    cr_assert(0, "there is no source `%s`", name);
    return NULL;
}

Test(training, each_source_shows_where_it_must, .timeout = 100)
{
    struct cf_source sources[CF_SOURCES_MAX];
    struct cf_source_result results[CF_SOURCES_MAX];
    struct cf_error err = {{0}, 0};
    int n = 0, kept = cf_sources_list(sources, NULL);

    for (int i = 0; i < kept; ++i) /* others take seconds (mpirun) or chance (arrival) */
        for (int k = 0; k < CF_COUNT(expected); ++k)
            if (strcmp(sources[i].name, expected[k].name) == 0)
                sources[n++] = sources[i];
    cr_assert_eq(cf_sources_run(results, sources, n, WORKER, &err), 0, "%s", err.text);
    for (int i = 0; i < CF_COUNT(expected); ++i) {
        const struct cf_source_result *r = find(sources, results, n, expected[i].name);
        int first = 0;

        cr_expect(r->ran, "%s: %s", expected[i].name, r->reason);
        while (first < CF_N_STAGES && r->first[first] < 0)
            ++first;
        cr_expect_eq(first, expected[i].first, "%s: first stage %s", expected[i].name,
                     first < CF_N_STAGES ? cf_stage_name(first) : "none");
        cr_expect_eq(r->same_end, first == CF_N_STAGES, "%s", expected[i].name);
    }
}
