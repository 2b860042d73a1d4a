/* What a checkpoint holds, and how a case goes on from it; checkpoint_file.c reads and writes. */
#include "checkpoint.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *cost;
} components[CF_N_COMPONENTS] = {
    {"weights", "training starts over from the initial weights"},
    {"state.m", "the momentum starts over at 0: the first steps are too short"},
    {"state.v", "Adam's second moment starts over at 0: the first steps are far too long"},
    {"step", "Adam's bias correction starts over: steps are scaled as if they were the first"},
    {"rate", "the learning-rate schedule starts over"},
    {"rng.shuffle", "the epoch starts over: its first rows are seen twice, its last ones never"},
    {"rng.dropout", "the first masks are drawn again: other units are trained"},
    {"rng.augment", "the first shifts are drawn again: other pictures are seen"},
    {"rng.sampling", "the first rows are drawn again, when rows are sampled with replacement"},
    {"rng.init", "nothing after the first step; it proves which run this was"},
    {"link", "the hash chain breaks: the run cannot be proved to be one run"},
};

const char *cf_component_name(int component)
{
    return components[component].name;
}

const char *cf_component_cost(int component)
{
    return components[component].cost;
}

void cf_checkpoint_free(struct cf_checkpoint *checkpoint)
{
    free(checkpoint->case_text);
    free(checkpoint->configuration);
    free(checkpoint->train);
    free(checkpoint->held);
    cf_tensor_free(&checkpoint->weights);
    cf_tensor_free(&checkpoint->state);
    *checkpoint = (struct cf_checkpoint){0};
}

static void copy(struct cf_tensor *to, const struct cf_tensor *from)
{
    *to = *from;
    cf_tensor_alloc(to);
    memcpy(to->bits, from->bits, cf_tensor_bytes(from));
}

/* Counters of the next number: rows drawn so far, times numbers a row; shuffling counts within its
 * epoch; initialisation was used up before the first step. */
static void place_streams(struct cf_checkpoint *k, const struct cf_training_case *t,
                          int64_t n_train)
{
    const int64_t rows = k->step * t->accumulate * t->batch;

    for (int p = 0; p < CF_N_PURPOSES; ++p)
        k->place[p] = (struct cf_stream_place){.seed = t->loader.seeds.seed[p]};
    k->epoch = t->loader.replace ? 0 : rows / n_train;
    k->position = t->loader.replace ? rows : rows % n_train;
    k->place[CF_INITIALISATION].counter = (uint64_t)t->n_weights;
    k->place[CF_SHUFFLING].epoch = t->loader.replace ? 0 : k->epoch;
    k->place[CF_SHUFFLING].counter = t->loader.replace ? 0 : (uint64_t)k->position;
    k->place[CF_SAMPLING].counter = t->loader.replace ? (uint64_t)rows : 0;
    k->place[CF_DROPOUT].counter = (uint64_t)(rows * t->loader.mask_width);
    k->place[CF_AUGMENTATION].counter = t->loader.augment ? (uint64_t)rows : 0;
}

/* All but what a run alone knows. `in` are the case's operands, or NULL: they are drawn for it. */
static int describe(struct cf_checkpoint *k, const struct cf_case *c, int64_t step,
                    const struct cf_tensor *rates, struct cf_error *err)
{
    const int model = cf_training_model(c->op);
    struct cf_data_statistics train, held;
    struct cf_training_case t;

    *k = (struct cf_checkpoint){.step = step};
    if (model < 0)
        return cf_fail(err, "case `%s` is no training case", c->text);
    if (cf_training_read(&t, (enum cf_model)model, c, err) != 0 ||
        cf_training_statistics((enum cf_model)model, c, &train, &held, err) != 0)
        return -1;
    if (step < 0 || step > t.steps)
        return cf_fail(err, "a checkpoint after step %lld does not belong to `%s`", (long long)step,
                       c->text);
    place_streams(k, &t, train.n);
    k->rate = step < t.steps ? cf_tensor_get(rates, 3 * step) : 0;
    k->case_text = cf_strdup(c->text);
    k->train = cf_data_statistics_print(&train);
    k->held = cf_data_statistics_print(&held);
    return 0;
}

static void free_all(struct cf_tensor in[])
{
    for (int o = 0; o < CF_N_TRAINING_INPUTS; ++o)
        cf_tensor_free(&in[o]);
}

int cf_checkpoint_make(struct cf_checkpoint *checkpoint, const struct cf_case *c,
                       const char *configuration, int64_t step, uint64_t link,
                       const struct cf_tensor *weights, const struct cf_tensor *state,
                       struct cf_error *err)
{
    const int model = cf_training_model(c->op);
    struct cf_tensor in[CF_N_TRAINING_INPUTS];
    int result;

    if (model < 0)
        return cf_fail(err, "case `%s` is no training case", c->text);
    if (cf_training_draw((enum cf_model)model, c, in, err) != 0)
        return -1;
    result = describe(checkpoint, c, step, &in[CF_IN_RATES], err);
    free_all(in);
    if (result != 0)
        return -1;
    checkpoint->configuration = cf_strdup(configuration);
    checkpoint->link = link;
    copy(&checkpoint->weights, weights);
    copy(&checkpoint->state, state);
    return 0;
}

/* The sentence about the first thing in which a checkpoint is not what its case says, or NULL. */
static char *differ(const struct cf_checkpoint *found, const struct cf_checkpoint *expected)
{
    struct cf_data_statistics a, b;
    char *sentence;

    if (strcmp(found->case_text, expected->case_text) != 0)
        return cf_format("it is one of the case `%s`", found->case_text);
    if (cf_data_statistics_parse(&a, found->train, NULL) != 0 ||
        cf_data_statistics_parse(&b, expected->train, NULL) != 0)
        return cf_format("its statistics of the data cannot be read");
    sentence = cf_data_statistics_compare("training", &a, &b);
    if (sentence || strcmp(found->held, expected->held) != 0)
        return sentence ? sentence : cf_format("the held-out split was changed");
    for (int p = 0; p < CF_N_PURPOSES; ++p)
        if (found->place[p].seed != expected->place[p].seed ||
            found->place[p].counter != expected->place[p].counter ||
            found->place[p].epoch != expected->place[p].epoch)
            return cf_format("its stream rng.%s stands at number %llu of epoch %lld; after %lld "
                             "steps it is at number %llu of epoch %lld",
                             cf_purpose_name(p), (unsigned long long)found->place[p].counter,
                             (long long)found->place[p].epoch, (long long)found->step,
                             (unsigned long long)expected->place[p].counter,
                             (long long)expected->place[p].epoch);
    if (found->epoch != expected->epoch || found->position != expected->position)
        return cf_format("its epoch and position do not belong to step %lld",
                         (long long)found->step);
    if (!(found->rate == expected->rate))
        return cf_format("its schedule is at the rate %a; step %lld has the rate %a", found->rate,
                         (long long)found->step, expected->rate);
    return NULL;
}

int cf_checkpoint_resume(const struct cf_checkpoint *checkpoint, const struct cf_case *c,
                         const char *configuration, struct cf_tensor in[], int *same_configuration,
                         struct cf_error *err)
{
    struct cf_checkpoint expected;
    int64_t *plan = in[CF_IN_PLAN].bits;
    char *sentence;

    if (describe(&expected, c, checkpoint->step, &in[CF_IN_RATES], err) != 0)
        return -1;
    sentence = differ(checkpoint, &expected);
    cf_checkpoint_free(&expected);
    if (!sentence &&
        (cf_tensor_bytes(&checkpoint->weights) != cf_tensor_bytes(&in[CF_IN_WEIGHTS]) ||
         cf_tensor_bytes(&checkpoint->state) != cf_tensor_bytes(&in[CF_IN_STATE])))
        sentence = cf_format("its weights have another shape");
    if (sentence) {
        cf_fail(err, "the checkpoint cannot be resumed as `%s`: %s", c->text, sentence);
        free(sentence);
        return -1;
    }
    memcpy(in[CF_IN_WEIGHTS].bits, checkpoint->weights.bits, cf_tensor_bytes(&in[CF_IN_WEIGHTS]));
    memcpy(in[CF_IN_STATE].bits, checkpoint->state.bits, cf_tensor_bytes(&in[CF_IN_STATE]));
    plan[CF_START] = checkpoint->step;
    plan[CF_LINK] = (int64_t)checkpoint->link;
    *same_configuration = strcmp(checkpoint->configuration, configuration) == 0;
    return 0;
}

/* Rows `start` .. of a tensor become rows 0 ..: what is drawn again from the beginning. */
static void start_over(struct cf_tensor *t, const struct cf_tensor *initial, int64_t start)
{
    const int64_t rows = t->dim[0];
    const size_t row_bytes = rows > 0 ? cf_tensor_bytes(t) / (size_t)rows : 0;

    memcpy((char *)t->bits + (size_t)start * row_bytes, initial->bits,
           (size_t)(rows - start) * row_bytes);
}

static void start_rates_over(struct cf_tensor *rates, const struct cf_tensor *initial,
                             int64_t start, int first, int last)
{
    for (int64_t s = start; s < rates->dim[0]; ++s)
        for (int column = first; column <= last; ++column)
            cf_tensor_set(rates, 3 * s + column, cf_tensor_get(initial, 3 * (s - start) + column));
}

void cf_checkpoint_forget(enum cf_component component, const struct cf_tensor initial[],
                          struct cf_tensor in[])
{
    int64_t *plan = in[CF_IN_PLAN].bits;
    const int64_t start = plan[CF_START], micro = start * plan[CF_ACCUMULATE];
    const size_t half = cf_tensor_bytes(&in[CF_IN_WEIGHTS]);
    char *state = in[CF_IN_STATE].bits;

    switch (component) {
    case CF_PART_WEIGHTS:
        memcpy(in[CF_IN_WEIGHTS].bits, initial[CF_IN_WEIGHTS].bits, half);
        break;
    case CF_PART_MOMENTUM:
        memset(state, 0, half);
        break;
    case CF_PART_VARIANCE:
        memset(state + half, 0, half);
        break;
    case CF_PART_STEP:
        start_rates_over(&in[CF_IN_RATES], &initial[CF_IN_RATES], start, 1, 2);
        break;
    case CF_PART_SCHEDULE:
        start_rates_over(&in[CF_IN_RATES], &initial[CF_IN_RATES], start, 0, 0);
        break;
    case CF_PART_SHUFFLING:
    case CF_PART_SAMPLING: /* the case uses one of the two */
        start_over(&in[CF_IN_BATCHES], &initial[CF_IN_BATCHES], micro);
        break;
    case CF_PART_DROPOUT:
        start_over(&in[CF_IN_MASKS], &initial[CF_IN_MASKS], micro);
        break;
    case CF_PART_AUGMENTATION:
        start_over(&in[CF_IN_SHIFTS], &initial[CF_IN_SHIFTS], micro);
        break;
    case CF_PART_LINK:
        plan[CF_LINK] = 0;
        break;
    default: /* initialisation is over */
        break;
    }
}
