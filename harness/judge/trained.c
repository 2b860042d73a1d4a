#include "trained.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

char *cf_trained_cell_text(const struct cf_case *c)
{
    static const char *const left_out[] = {"seed", "twin", "perturb", "snapshots"};
    char *text = cf_strdup("");

    for (int i = 0; i < c->keys.n; ++i) {
        const struct cf_pair *pair = &c->keys.pair[i];
        int drop = 0;
        char *longer;

        for (int k = 0; pair->key && k < CF_COUNT(left_out); ++k)
            drop |= strcmp(pair->key, left_out[k]) == 0;
        if (drop)
            continue;
        longer = cf_format("%s%s%s%s%s", text, *text ? " " : "", pair->key ? pair->key : "",
                           pair->key ? "=" : "", pair->value);
        free(text);
        text = longer;
    }
    return text;
}

static int cell_of(struct cf_trained *trained, const struct cf_ledger_case *one)
{
    char *text = cf_trained_cell_text(&one->c);
    int i = 0;

    while (i < trained->n_cells &&
           (trained->cell[i].group != one->group || strcmp(trained->cell[i].text, text) != 0))
        ++i;
    if (i < trained->n_cells) {
        free(text);
        return i;
    }
    trained->cell = cf_realloc(trained->cell, (size_t)(i + 1) * sizeof trained->cell[0]);
    trained->cell[i] = (struct cf_trained_cell){.text = text, .group = one->group};
    return trained->n_cells++;
}

static int64_t whole(const struct cf_case *c, const char *key)
{
    int64_t value;

    CF_CHECK(cf_pairs_int(&c->keys, key, 0, &value, NULL) == 0);
    return value;
}

static int by_place(const void *a, const void *b)
{
    const struct cf_trained_run *x = a, *y = b;
    const int64_t order[] = {x->cell - y->cell, x->seed - y->seed,
                             x->configuration - y->configuration, x->twin - y->twin,
                             x->perturb - y->perturb};

    for (int i = 0; i < CF_COUNT(order); ++i)
        if (order[i] != 0)
            return order[i] < 0 ? -1 : 1;
    return x->case_index - y->case_index; /* the same run with and without snapshots */
}

static void list_runs(struct cf_trained *trained, const struct cf_ledger *ledger)
{
    const size_t room = (size_t)ledger->n_cases * (size_t)ledger->n_configurations + 1;

    trained->run = cf_alloc(room * sizeof trained->run[0]);
    for (int i = 0; i < ledger->n_cases; ++i) {
        const struct cf_ledger_case *one = &ledger->cases[i];

        if (cf_training_model(one->c.op) < 0)
            continue;
        for (int k = 0; k < ledger->n_configurations; ++k)
            trained->run[trained->n++] =
                (struct cf_trained_run){.cell = cell_of(trained, one),
                                        .configuration = k,
                                        .case_index = i,
                                        .seed = (int64_t)one->c.seed,
                                        .twin = whole(&one->c, "twin"),
                                        .perturb = whole(&one->c, "perturb"),
                                        .loss = NAN,
                                        .accuracy = NAN,
                                        .worst = NAN};
    }
    if (trained->n > 0)
        qsort(trained->run, (size_t)trained->n, sizeof trained->run[0], by_place);
}

int cf_trained_outputs(struct cf_trained_outputs *outputs, const struct cf_ledger *ledger,
                       struct cf_store *store, struct cf_trained_run *run, struct cf_error *err)
{
    const struct cf_ledger_case *one = &ledger->cases[run->case_index];
    struct cf_tensor in[CF_OPERANDS_MAX];
    uint64_t n_bytes, at = 0;
    int64_t n;
    const struct cf_ledger_record *records =
        cf_ledger_records(ledger, run->case_index, run->configuration, &n);

    outputs->bits = NULL;
    if (n == 0 || records[0].fate != CF_RAN) {
        run->is_failure = n > 0 && (records[0].fate == CF_CRASHED || records[0].fate == CF_BROKE ||
                                    records[0].fate == CF_TIMED_OUT);
        return 0;
    }
    if (one->op->shape(&one->c, in, outputs->out, err) != 0)
        return -1;
    outputs->bits = cf_store_get_outputs(store, &one->output[records[0].output], &n_bytes, err);
    if (!outputs->bits)
        return -1;
    for (int o = 0; o < one->op->n_outputs; ++o) {
        outputs->out[o].bits = (char *)outputs->bits + at;
        at += cf_tensor_bytes(&outputs->out[o]);
    }
    CF_CHECK(at == n_bytes);
    return 0;
}

static void take_metrics(struct cf_trained_run *run, const struct cf_trained_outputs *outputs)
{
    const struct cf_tensor *metrics = &outputs->out[CF_OUT_METRICS];
    const struct cf_tensor *hashes = &outputs->out[CF_OUT_HASHES];
    const int64_t steps = hashes->dim[0];

    run->ran = 1;
    run->loss = cf_tensor_get(metrics, CF_METRIC_LOSS);
    run->accuracy = cf_tensor_get(metrics, CF_METRIC_ACCURACY);
    run->worst = INFINITY;
    for (int c = 0; c < CF_CLASSES; ++c)
        run->worst = fmin(run->worst, cf_tensor_get(metrics, CF_METRIC_RECALL + c));
    run->link = ((const uint64_t *)hashes->bits)[steps * CF_N_STAGES - 1];
    if (!isfinite(run->loss) || !isfinite(run->accuracy)) {
        run->is_failure = 1;
        run->loss = run->accuracy = run->worst = NAN;
    }
}

static double distance(const struct cf_tensor *a, const struct cf_tensor *b, int64_t row)
{
    const int64_t n = a->dim[a->rank - 1];
    double square = 0, norm = 0;

    for (int64_t i = row * n; i < (row + 1) * n; ++i) {
        const double x = cf_tensor_get(a, i), y = cf_tensor_get(b, i);

        square += (x - y) * (x - y);
        norm += y * y;
    }
    return sqrt(square / norm);
}

static void take_curve(struct cf_trained_run *run, struct cf_trained_cell *cell,
                       const struct cf_trained_outputs *outputs,
                       const struct cf_trained_outputs *base)
{
    const struct cf_tensor *mine = &outputs->out[CF_OUT_SNAPSHOTS];
    const struct cf_tensor *theirs = &base->out[CF_OUT_SNAPSHOTS];
    const int64_t steps = outputs->out[CF_OUT_HASHES].dim[0];

    for (int64_t k = 0; k < mine->dim[0] && k < theirs->dim[0] && (int64_t)1 << k < steps; ++k) {
        cell->step[run->n_curve] = (double)((int64_t)1 << k);
        run->curve[run->n_curve++] = distance(mine, theirs, k);
    }
    if (run->n_curve > 0) {
        cell->step[run->n_curve] = (double)steps;
        run->curve[run->n_curve++] =
            distance(&outputs->out[CF_OUT_WEIGHTS], &base->out[CF_OUT_WEIGHTS], 0);
    }
    cell->n_curve = run->n_curve > cell->n_curve ? run->n_curve : cell->n_curve;
}

/* Were masks, shifts and batches those of the baseline's run, as both say? */
static int same_data(const struct cf_trained_outputs *a, const struct cf_trained_outputs *b)
{
    const int64_t *x = a->out[CF_OUT_HASHES].bits, *y = b->out[CF_OUT_HASHES].bits;

    for (int64_t s = 0; s < a->out[CF_OUT_HASHES].dim[0]; ++s)
        for (int stage = 0; stage < CF_STAGE_ACTIVATIONS; ++stage)
            if (x[s * CF_N_STAGES + stage] != y[s * CF_N_STAGES + stage])
                return 0;
    return 1;
}

/* The runs first .. end - 1 are of one cell and seed. */
static int read_seed(struct cf_trained *trained, const struct cf_ledger *ledger,
                     struct cf_store *store, int first, int end, struct cf_error *err)
{
    struct cf_trained_outputs base = {.bits = NULL}, outputs;
    int result = 0;

    for (int i = first; i < end && !base.bits && result == 0; ++i)
        if (trained->run[i].configuration == ledger->baseline && trained->run[i].twin == 0 &&
            trained->run[i].perturb == 0)
            result = cf_trained_outputs(&base, ledger, store, &trained->run[i], err);
    for (int i = first; i < end && result == 0; ++i) {
        struct cf_trained_run *run = &trained->run[i];

        result = cf_trained_outputs(&outputs, ledger, store, run, err);
        if (result != 0 || !outputs.bits)
            continue;
        take_metrics(run, &outputs);
        run->same_data = !base.bits || same_data(&outputs, &base);
        if (base.bits)
            take_curve(run, &trained->cell[run->cell], &outputs, &base);
        free(outputs.bits);
    }
    free(base.bits);
    return result;
}

static void count_seeds(struct cf_trained *trained)
{
    for (int i = 0; i < trained->n; ++i) {
        const struct cf_trained_run *run = &trained->run[i];
        struct cf_trained_cell *cell = &trained->cell[run->cell];

        if (run->twin == 0 && run->perturb == 0 && run->seed == cell->n_seeds + 1)
            ++cell->n_seeds;
    }
}

int cf_trained_read(struct cf_trained *trained, const struct cf_ledger *ledger,
                    struct cf_store *store, struct cf_error *err)
{
    *trained = (struct cf_trained){.n = 0};
    list_runs(trained, ledger);
    for (int first = 0, end; first < trained->n; first = end) {
        const struct cf_trained_run *run = &trained->run[first];

        for (end = first; end < trained->n && trained->run[end].cell == run->cell &&
                          trained->run[end].seed == run->seed;)
            ++end;
        if (read_seed(trained, ledger, store, first, end, err) != 0) {
            cf_trained_free(trained);
            return -1;
        }
    }
    count_seeds(trained);
    return 0;
}

void cf_trained_free(struct cf_trained *trained)
{
    for (int i = 0; i < trained->n_cells; ++i)
        free(trained->cell[i].text);
    free(trained->cell);
    free(trained->run);
    *trained = (struct cf_trained){.n = 0};
}

const struct cf_trained_run *cf_trained_find(const struct cf_trained *trained, int cell,
                                             int64_t seed, int configuration, int64_t twin,
                                             int64_t perturb)
{
    const struct cf_trained_run key = {.cell = cell,
                                       .seed = seed,
                                       .configuration = configuration,
                                       .twin = twin,
                                       .perturb = perturb,
                                       .case_index = -1};
    int low = 0, high = trained->n;

    while (low < high) {
        const int middle = (low + high) / 2;

        if (by_place(&trained->run[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == trained->n)
        return NULL;
    return trained->run[low].cell == cell && trained->run[low].seed == seed &&
                   trained->run[low].configuration == configuration &&
                   trained->run[low].twin == twin && trained->run[low].perturb == perturb
               ? &trained->run[low]
               : NULL;
}
