/* Witnesses: the element at which two outputs differ most, with its errors. */
#include "judgement.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "training.h"

struct cf_pending {
    struct cf_finding *finding;
    int case_index, base;
    const struct cf_ledger_record *a, *b;
    int number; /* of the request: keeps the order defined */
};

void cf_witness_print_value(char text[48], double value)
{
    if (isnan(value))
        snprintf(text, 48, "nan");
    else if (isinf(value))
        snprintf(text, 48, value > 0 ? "inf" : "-inf");
    else
        snprintf(text, 48, "%a", value);
}

void cf_witness_print(char text[48], const struct cf_tensor *tensor, int64_t i)
{
    const double value = cf_tensor_get(tensor, i);
    const int digits = 2 * (int)cf_dtype_size(tensor->dtype);

    if (cf_dtype_digits(tensor->dtype) == 0)
        snprintf(text, 48, "0x%0*" PRIx64, digits, cf_tensor_encoding(tensor, i));
    else if (isnan(value))
        snprintf(text, 48, "nan:%0*" PRIx64, digits, cf_tensor_encoding(tensor, i));
    else
        cf_witness_print_value(text, value);
}

/* All outputs of a case, their bits read from the store. */
struct outputs {
    int n;
    struct cf_tensor tensor[CF_OPERANDS_MAX];
    void *bits;
};

static int shape_of(const struct cf_ledger_case *one, struct outputs *outputs, struct cf_error *err)
{
    struct cf_tensor in[CF_OPERANDS_MAX];

    *outputs = (struct outputs){.n = one->op->n_outputs};
    if (!one->is_variant)
        return one->op->shape(&one->c, in, outputs->tensor, err);
    if (cf_case_draw(&one->c, one->op, in, outputs->tensor, err) != 0)
        return -1;
    for (int o = 0; o < one->op->n_inputs; ++o)
        cf_tensor_free(&in[o]);
    return 0;
}

/* Outputs whose size is not that of their shapes were refused when they were measured. */
static int take(struct cf_judgement *j, struct outputs *outputs, int case_index,
                const struct cf_ledger_record *record, struct cf_error *err)
{
    const struct cf_ledger_case *one = &j->ledger.cases[case_index];
    uint64_t n_bytes, at = 0;

    if (shape_of(one, outputs, err) != 0)
        return -1;
    outputs->bits = cf_store_get_outputs(j->store, &one->output[record->output], &n_bytes, err);
    if (!outputs->bits)
        return -1;
    for (int o = 0; o < outputs->n; ++o) {
        outputs->tensor[o].bits = (char *)outputs->bits + at;
        at += cf_tensor_bytes(&outputs->tensor[o]);
    }
    CF_CHECK(at == n_bytes);
    return 0;
}

int64_t *cf_witness_map(const struct cf_ledger_case *variant, int64_t *n)
{
    struct outputs outputs;
    int64_t *map, at = 0;

    CF_CHECK(shape_of(variant, &outputs, NULL) == 0);
    *n = 0;
    for (int o = 0; o < outputs.n; ++o)
        *n += cf_tensor_count(&outputs.tensor[o]);
    map = cf_alloc((size_t)(*n + 1) * sizeof map[0]);
    for (int o = 0; o < outputs.n; ++o)
        for (int64_t i = 0; i < cf_tensor_count(&outputs.tensor[o]); ++i)
            map[at++] = cf_case_base_index(&variant->c, variant->op, o, i);
    return map;
}

/* Two records, and which element of b is that of a. */
struct pair {
    struct outputs a, b;
    const int64_t *map; /* of the flat index over all outputs; NULL: the same index */
};

static int open_pair(struct cf_judgement *j, struct pair *pair, int case_index,
                     const struct cf_ledger_record *a, int base, const struct cf_ledger_record *b,
                     const int64_t *map, struct cf_error *err)
{
    *pair = (struct pair){.map = map};
    if (take(j, &pair->a, case_index, a, err) != 0)
        return -1;
    if (take(j, &pair->b, base, b, err) != 0) {
        free(pair->a.bits);
        return -1;
    }
    return 0;
}

static void close_pair(struct pair *pair)
{
    free(pair->a.bits);
    free(pair->b.bits);
}

/* Calls `each` for every element whose encodings differ; returns how many there are. */
static int64_t differences(const struct pair *pair,
                           void (*each)(void *, int o, int64_t i, int64_t base_i), void *context)
{
    int64_t n = 0, at = 0;

    for (int o = 0; o < pair->a.n; ++o) {
        const int64_t count = cf_tensor_count(&pair->a.tensor[o]);

        for (int64_t i = 0; i < count; ++i, ++at) {
            const int64_t k = pair->map ? pair->map[at] : i;

            if (cf_tensor_encoding(&pair->a.tensor[o], i) ==
                cf_tensor_encoding(&pair->b.tensor[o], k))
                continue;
            ++n;
            if (each)
                each(context, o, i, k);
        }
    }
    return n;
}

int64_t cf_witness_count(struct cf_judgement *j, int case_index, const struct cf_ledger_record *a,
                         int base, const struct cf_ledger_record *b, const int64_t *map,
                         struct cf_error *err)
{
    struct pair pair;
    int64_t n;

    if (open_pair(j, &pair, case_index, a, base, b, map, err) != 0)
        return -1;
    n = differences(&pair, NULL, NULL);
    close_pair(&pair);
    return n;
}

void cf_witness_ask(struct cf_judgement *j, struct cf_finding *finding, int case_index,
                    const struct cf_ledger_record *a, int base, const struct cf_ledger_record *b)
{
    if (j->n_pending == j->room_pending) {
        j->room_pending = 2 * j->room_pending + 64;
        j->pending = cf_realloc(j->pending, (size_t)j->room_pending * sizeof j->pending[0]);
    }
    j->pending[j->n_pending] = (struct cf_pending){.finding = finding,
                                                   .case_index = case_index,
                                                   .base = base,
                                                   .a = a,
                                                   .b = b,
                                                   .number = j->n_pending};
    ++j->n_pending;
}

/* The search for the largest difference in units of u * scale; a NaN is larger than all numbers. */
struct search {
    const struct cf_reference *reference;
    const struct pair *pair;
    double largest;
    int64_t i, base_i;
    int o, found;
};

static void look(void *context, int o, int64_t i, int64_t base_i)
{
    struct search *search = context;
    const double a = cf_tensor_get(&search->pair->a.tensor[o], i);
    const double b = cf_tensor_get(&search->pair->b.tensor[o], base_i);
    double difference = fabs(a - b) / search->reference->truth[o][i].scale;

    difference = isnan(difference) ? INFINITY : difference;
    if (search->found && !(difference > search->largest))
        return;
    *search = (struct search){search->reference, search->pair, difference, i, base_i, o, 1};
}

static void put_witness(struct cf_witness *witness, const struct cf_ledger_record *record,
                        const struct outputs *outputs, int o, int64_t i,
                        const struct cf_truth *truth)
{
    const struct cf_tensor *tensor = &outputs->tensor[o];

    *witness = (struct cf_witness){
        .configuration = record->configuration,
        .process = record->process,
        .repetition = record->repetition,
        .element = i,
        .output = o,
        .error = fabs(cf_accuracy_error(truth, cf_tensor_get(tensor, i), tensor->dtype))};
    cf_witness_print(witness->got, tensor, i);
}

/* A training run differs first where its chain of hashes does, [steps, stages]; the search keeps
 * the first of equals. */
static void tell_stage(struct cf_judgement *j, struct cf_finding *finding,
                       const struct cf_tensor *chain, int o, int64_t i)
{
    if (o != CF_OUT_HASHES || chain->rank != 2 || chain->dim[1] != CF_N_STAGES)
        return;
    finding->reason =
        cf_arena_format(&j->arena, "%s; first at step %" PRId64 " in the stage %s", finding->reason,
                        i / CF_N_STAGES + 1, cf_stage_name((int)(i % CF_N_STAGES)));
}

static int answer(struct cf_judgement *j, const struct cf_pending *pending,
                  const struct cf_reference *reference, struct cf_error *err)
{
    struct cf_finding *finding = pending->finding;
    struct search search = {.reference = reference};
    const struct cf_truth *truth;
    struct pair pair;
    int64_t n, *map = NULL;

    if (pending->base != pending->case_index)
        map = cf_witness_map(&j->ledger.cases[pending->case_index], &n);
    if (open_pair(j, &pair, pending->case_index, pending->a, pending->base, pending->b, map, err) !=
        0) {
        free(map);
        return -1;
    }
    search.pair = &pair;
    differences(&pair, look, &search);
    free(map);
    CF_CHECK(search.found);
    truth = &reference->truth[search.o][search.i];
    put_witness(&finding->a, pending->a, &pair.a, search.o, search.i, truth);
    put_witness(&finding->b, pending->b, &pair.b, search.o, search.base_i, truth);
    if (j->ledger.cases[pending->case_index].op->element)
        cf_witness_print_value(finding->exact, truth->rounded);
    else
        tell_stage(j, finding, &pair.a.tensor[search.o], search.o, search.i);
    close_pair(&pair);
    return 0;
}

static int by_case(const void *a, const void *b)
{
    const struct cf_pending *x = a, *y = b;

    return x->case_index != y->case_index ? x->case_index - y->case_index : x->number - y->number;
}

int cf_witness_all(struct cf_judgement *j, struct cf_error *err)
{
    int result = 0;

    if (j->n_pending > 0)
        qsort(j->pending, (size_t)j->n_pending, sizeof j->pending[0], by_case);
    for (int i = 0; i < j->n_pending && result == 0;) {
        const int at = j->pending[i].case_index;
        const struct cf_ledger_case *one = &j->ledger.cases[at];
        struct cf_reference reference;

        if (cf_reference_open(&reference, &one->c, one->op, &one->inputs, 1, 1, err) != 0)
            return -1;
        for (; i < j->n_pending && j->pending[i].case_index == at && result == 0; ++i)
            result = answer(j, &j->pending[i], &reference, err);
        cf_reference_close(&reference);
    }
    free(j->pending);
    j->pending = NULL;
    return result;
}
