#include "train.h"

#include <string.h>

#include "checkpoint.h"
#include "reference.h"
#include "talk.h"

struct training {
    const struct cf_train_options *options;
    const char *configuration;
    struct cf_case c;
    const struct cf_op *op;
    struct cf_tensor in[CF_OPERANDS_MAX], shape[CF_OPERANDS_MAX];
    struct cf_talk *talk;
    struct cf_train_result *result;
};

/* The operands of steps start .. end - 1 alone: views of whole rows. */
static void view_rows(struct cf_tensor view[], const struct cf_tensor in[], int64_t end)
{
    const int64_t accumulate = ((const int64_t *)in[CF_IN_PLAN].bits)[CF_ACCUMULATE];

    memcpy(view, in, CF_N_TRAINING_INPUTS * sizeof view[0]);
    view[CF_IN_RATES].dim[0] = end;
    view[CF_IN_BATCHES].dim[0] = view[CF_IN_MASKS].dim[0] = view[CF_IN_SHIFTS].dim[0] =
        end * accumulate;
}

/* Rows `from` .. of a part's output into the whole run's. */
static void merge(struct cf_tensor *whole, const struct cf_tensor *part, int64_t from)
{
    const size_t row = cf_tensor_bytes(part) / (size_t)(part->dim[0] > 0 ? part->dim[0] : 1);

    memcpy((char *)whole->bits + (size_t)from * row, (char *)part->bits + (size_t)from * row,
           (size_t)(part->dim[0] - from) * row);
}

/* Weights after steps 1, 2, 4, ... that this part has passed. */
static void merge_snapshots(struct cf_tensor *whole, const struct cf_tensor *part, int64_t from,
                            int64_t end)
{
    const size_t row = whole->dim[0] > 0 ? cf_tensor_bytes(whole) / (size_t)whole->dim[0] : 0;

    for (int64_t k = 0; k < whole->dim[0]; ++k)
        if ((int64_t)1 << k > from && (int64_t)1 << k <= end)
            memcpy((char *)whole->bits + (size_t)k * row, (char *)part->bits + (size_t)k * row,
                   row);
}

static void take_part(struct training *t, struct cf_tensor part[], int64_t from, int64_t end)
{
    struct cf_tensor *whole = t->result->out;
    int64_t *plan = t->in[CF_IN_PLAN].bits;

    merge(&whole[CF_OUT_HASHES], &part[CF_OUT_HASHES], from);
    merge(&whole[CF_OUT_LOSS], &part[CF_OUT_LOSS], from);
    merge_snapshots(&whole[CF_OUT_SNAPSHOTS], &part[CF_OUT_SNAPSHOTS], from, end);
    for (int o = CF_OUT_METRICS; o <= CF_OUT_STATE; ++o)
        memcpy(whole[o].bits, part[o].bits, cf_tensor_bytes(&whole[o]));
    if (plan[CF_DETAIL] >= from && plan[CF_DETAIL] < end)
        for (int o = CF_OUT_CALLS; o <= CF_OUT_CAPTURED; ++o)
            memcpy(whole[o].bits, part[o].bits, cf_tensor_bytes(&whole[o]));
    memcpy(t->in[CF_IN_WEIGHTS].bits, part[CF_OUT_WEIGHTS].bits,
           cf_tensor_bytes(&t->in[CF_IN_WEIGHTS]));
    memcpy(t->in[CF_IN_STATE].bits, part[CF_OUT_STATE].bits, cf_tensor_bytes(&t->in[CF_IN_STATE]));
    plan[CF_START] = end;
    if (end > from)
        plan[CF_LINK] =
            ((int64_t *)part[CF_OUT_HASHES].bits)[(end - 1) * CF_N_STAGES + CF_STAGE_LINK];
    for (int o = 0; o < CF_N_TRAINING_OUTPUTS; ++o)
        cf_tensor_free(&part[o]);
}

static int run_part(struct training *t, int64_t from, int64_t end, struct cf_error *err)
{
    struct cf_tensor in[CF_N_TRAINING_INPUTS], part[CF_N_TRAINING_OUTPUTS];
    struct cf_told told;

    view_rows(in, t->in, end);
    memcpy(part, t->shape, sizeof part);
    part[CF_OUT_HASHES].dim[0] = part[CF_OUT_LOSS].dim[0] = end;
    cf_talk_run(t->talk, t->op->grammar.op, &t->c.keys, in, CF_N_TRAINING_INPUTS, part,
                CF_N_TRAINING_OUTPUTS, &told);
    if (told.fate != CF_RAN)
        return cf_fail_with(err, 3, "`%s` in `%s`: %s: %s", t->c.text, t->configuration,
                            cf_fate_name(told.fate), told.reason);
    take_part(t, part, from, end);
    return 0;
}

static int save(const struct training *t, int64_t step, struct cf_error *err)
{
    struct cf_checkpoint k;
    int result;

    if (!t->options->folder)
        return 0;
    if (cf_checkpoint_make(&k, &t->c, t->configuration, step,
                           (uint64_t)((const int64_t *)t->in[CF_IN_PLAN].bits)[CF_LINK],
                           &t->in[CF_IN_WEIGHTS], &t->in[CF_IN_STATE], err) != 0)
        return -1;
    result = cf_checkpoint_write(&k, t->options->folder, err);
    cf_checkpoint_free(&k);
    return result;
}

static int resume(struct training *t, struct cf_error *err)
{
    struct cf_checkpoint k;
    int found = 0;

    t->result->same_configuration = 1;
    if (t->options->folder)
        found = cf_checkpoint_read(&k, t->options->folder, err);
    if (found == 1) {
        if (cf_checkpoint_resume(&k, &t->c, t->configuration, t->in, &t->result->same_configuration,
                                 err) != 0)
            found = -1;
        t->result->from = k.step;
        cf_checkpoint_free(&k);
    }
    return found < 0 ? -1 : 0;
}

static int run_all(struct training *t, struct cf_error *err)
{
    const int64_t steps = t->in[CF_IN_RATES].dim[0], every = t->options->every;
    int64_t at = t->result->from;

    if (at == steps) /* the checkpoint is the end; only the metrics are taken again */
        return run_part(t, at, at, err);
    while (at < steps) {
        const int64_t end = every > 0 && at + every < steps ? at + every : steps;

        if (run_part(t, at, end, err) != 0 || save(t, end, err) != 0)
            return -1;
        if (t->options->progress)
            t->options->progress(t->options->context, end, steps);
        at = end;
    }
    return 0;
}

static int start(struct training *t, const char *case_line, struct cf_error *err)
{
    if (cf_case_parse(&t->c, case_line, cf_op_grammar, err) != 0)
        return -1;
    t->op = cf_op_find(t->c.op);
    if (cf_training_model(t->c.op) < 0) {
        cf_case_free(&t->c);
        return cf_fail(err, "`%s` is no training case; write train_mlp f32 steps=48 batch=32",
                       case_line);
    }
    if (cf_case_draw(&t->c, t->op, t->in, t->shape, err) != 0) {
        cf_case_free(&t->c);
        return -1;
    }
    for (int o = 0; o < CF_N_TRAINING_OUTPUTS; ++o) {
        t->result->out[o] = t->shape[o];
        cf_tensor_alloc(&t->result->out[o]);
    }
    return 0;
}

int cf_train(const char *case_line, const char *configuration,
             const struct cf_train_options *options, struct cf_train_result *result,
             struct cf_error *err)
{
    struct training t = {.options = options, .configuration = configuration, .result = result};
    const int timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : 60000;
    int failed = -1;

    *result = (struct cf_train_result){.from = 0};
    if (start(&t, case_line, err) != 0)
        return -1;
    t.talk = cf_talk_start(configuration, options->worker, timeout_ms, err);
    if (t.talk) {
        failed = resume(&t, err) != 0 || run_all(&t, err) != 0 ? -1 : 0;
        cf_talk_stop(t.talk);
    }
    for (int o = 0; o < CF_N_TRAINING_INPUTS; ++o)
        cf_tensor_free(&t.in[o]);
    cf_case_free(&t.c);
    if (failed)
        cf_train_result_free(result);
    return failed;
}

void cf_train_result_free(struct cf_train_result *result)
{
    for (int o = 0; o < CF_N_TRAINING_OUTPUTS; ++o)
        cf_tensor_free(&result->out[o]);
}
