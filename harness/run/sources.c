#include "sources.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"
#include "train.h"

/* More than two epochs, so that what differs per epoch shows; sums on one thread, chunk by chunk.
 */
const char cf_sources_case[] =
    "train_mlp f32 steps=96 batch=32 hidden=32 optimizer=adam lr=0.003 dropout=30 augment=1 "
    "accumulate=4 fill=digits seed=1";
const char cf_sources_configuration[] = "plain kernel=chunks threads=1";

/* `library` stands in the place of %s. */
static const struct cf_source fixed[] = {
    {"nothing", "", NULL, 1},
    {"seed of the initial weights", "init_seed=2", NULL, 1},
    {"seed of shuffling", "shuffle_seed=2", NULL, 1},
    {"seed of dropout", "dropout_seed=2", NULL, 1},
    {"seed of augmentation", "augment_seed=2", NULL, 1},
    {"seed of sampling (which shuffling does not use)", "sampling_seed=2", NULL, 1},
    {"sampling with replacement instead of shuffling", "sampling=replace", NULL, 1},
    {"loader workers, streams by purpose", "workers=4", NULL, 1},
    {"loader workers, a seed for each worker", "seeding=worker workers=4", NULL, 1},
    {"split: another salt", "salt=1", NULL, 1},
    {"preprocessing: centred pixels", "preprocess=centre", NULL, 1},
    {"learning rate, one part in a million", "lr=0.003000003", NULL, 1},
    {"precision: f64", "f64", NULL, 1},
    {"threads, summed in chunks", "", "plain kernel=chunks threads=2", 1},
    {"threads, summed in order of arrival", "", "plain kernel=arrival threads=4", 6},
    {"threads, sums shared by rows", "", "plain kernel=forward threads=2", 1},
    {"ranks: 4, in their order", "", "plain kernel=rank_order threads=4", 1},
    {"ranks: 4, in a ring", "", "plain kernel=ring threads=4", 1},
    {"ranks: 4, in a tree", "", "plain kernel=tree threads=4", 1},
    {"ranks: 2, in a tree", "", "plain kernel=tree threads=2", 1},
    {"ranks: 4, Open MPI's own choice", "", "mpi threads=4", 1},
    {"ranks: 4, Open MPI's ring", "", "mpi kernel=ring threads=4", 1},
    {"order of summation: forward", "", "plain kernel=forward", 1},
    {"order of summation: reverse", "", "plain kernel=reverse", 1},
    {"order of summation: pairwise", "", "plain kernel=pairwise", 1},
    {"fused multiply-add", "", "plain kernel=fma", 1},
    {"rounding: compensated sums", "", "plain kernel=kahan", 1},
    {NULL, NULL, NULL, 0}};
static const struct cf_source of_library[] = {
    {"library", "", "blas lib=%s threads=1", 1},
    {"library, two threads", "", "blas lib=%s threads=2", 1},
    {"library, isa: Haswell", "", "blas lib=%s threads=1 coretype=Haswell", 1},
    {"library, isa: Prescott", "", "blas lib=%s threads=1 coretype=Prescott", 1},
    {NULL, NULL, NULL, 0}};

int cf_sources_list(struct cf_source sources[CF_SOURCES_MAX], const char *library)
{
    static char *made[CF_COUNT(of_library)];
    int n = 0;

    for (int i = 0; fixed[i].name; ++i)
        sources[n++] = fixed[i];
    for (int i = 0; library && of_library[i].name; ++i) {
        const char *format = of_library[i].configuration, *at = strstr(format, "%s");

        free(made[i]);
        made[i] = cf_format("%.*s%s%s", (int)(at - format), format, library, at + 2);
        sources[n] = of_library[i];
        sources[n++].configuration = made[i];
    }
    CF_CHECK(n <= CF_SOURCES_MAX);
    return n;
}

/* Does `words` say something about the key of this word ("lr=0.1"), or about the type? */
static int is_replaced(const char *word, size_t length, const char *words)
{
    const size_t key = strcspn(word, "=") < length ? strcspn(word, "=") + 1 : length;

    for (const char *at = words; *at; at += strcspn(at, " "), at += strspn(at, " "))
        if (key < length ? strncmp(at, word, key) == 0
                         : strchr("f", word[0]) && at[0] == 'f' && strcspn(at, " ") == length)
            return 1;
    return 0;
}

/* The base case with words replaced and added. A bare type stands in its place. The caller frees.
 */
static char *release(const char *base, const char *words)
{
    char *line = cf_strdup("");

    for (const char *at = base; *at; at += strcspn(at, " "), at += strspn(at, " ")) {
        const size_t length = strcspn(at, " ");
        const int is_type = length == 3 && strncmp(at, "f32", 3) == 0;
        char *longer;

        if (is_replaced(at, length, words) && !is_type)
            continue;
        longer = cf_format("%s%s%.*s", line, *line ? " " : "", (int)length,
                           is_type && strcmp(words, "f64") == 0 ? "f64" : at);
        free(line);
        line = longer;
    }
    if (*words && strcmp(words, "f64") != 0) {
        char *longer = cf_format("%s %s", line, words);

        free(line);
        line = longer;
    }
    return line;
}

static int64_t first_difference(const struct cf_train_result *a, const struct cf_train_result *b,
                                int stage)
{
    const int64_t *x = a->out[CF_OUT_HASHES].bits, *y = b->out[CF_OUT_HASHES].bits;
    const int64_t steps = a->out[CF_OUT_HASHES].dim[0];

    for (int64_t s = 0; s < steps; ++s)
        if (x[s * CF_N_STAGES + stage] != y[s * CF_N_STAGES + stage])
            return s;
    return -1;
}

static double distance(const struct cf_tensor *a, const struct cf_tensor *b)
{
    double away = 0, size = 0;

    if (cf_tensor_count(a) != cf_tensor_count(b))
        return NAN;
    for (int64_t i = 0; i < cf_tensor_count(a); ++i) {
        const double x = cf_tensor_get(a, i), y = cf_tensor_get(b, i);

        away += (x - y) * (x - y);
        size += x * x;
    }
    return sqrt(away / size);
}

/* Of several runs the earliest difference of each stage counts. */
static void compare(struct cf_source_result *result, const struct cf_train_result *base,
                    const struct cf_train_result *run)
{
    const struct cf_tensor *w = &base->out[CF_OUT_WEIGHTS], *x = &run->out[CF_OUT_WEIGHTS];

    result->steps = base->out[CF_OUT_HASHES].dim[0];
    for (int k = 0; k < CF_N_STAGES; ++k) {
        const int64_t first = first_difference(base, run, k);

        if (first >= 0 && (result->first[k] < 0 || first < result->first[k]))
            result->first[k] = first;
    }
    result->same_end &= cf_tensor_bytes(w) == cf_tensor_bytes(x) &&
                        memcmp(w->bits, x->bits, cf_tensor_bytes(w)) == 0;
    result->distance = fmax(result->distance, distance(w, x));
    result->loss = cf_tensor_get(&run->out[CF_OUT_METRICS], CF_METRIC_LOSS);
    result->accuracy = cf_tensor_get(&run->out[CF_OUT_METRICS], CF_METRIC_ACCURACY);
}

static void run_one(struct cf_source_result *result, const struct cf_source *source,
                    const struct cf_train_result *base, const struct cf_train_options *options)
{
    const char *configuration =
        source->configuration ? source->configuration : cf_sources_configuration;
    char *line = release(cf_sources_case, source->words);

    *result = (struct cf_source_result){.ran = 1, .same_end = 1};
    for (int k = 0; k < CF_N_STAGES; ++k)
        result->first[k] = -1;
    for (int i = 0; i < source->repeats && result->ran; ++i) {
        struct cf_train_result run;
        struct cf_error err;

        if (cf_train(line, configuration, options, &run, &err) == 0) {
            compare(result, base, &run);
            cf_train_result_free(&run);
        } else {
            result->ran = 0;
            snprintf(result->reason, sizeof result->reason, "%.290s", err.text);
        }
    }
    free(line);
}

int cf_sources_run(struct cf_source_result results[], const struct cf_source sources[], int n,
                   const char *worker, struct cf_error *err)
{
    const struct cf_train_options options = {.worker = worker};
    struct cf_train_result base;

    if (cf_train(cf_sources_case, cf_sources_configuration, &options, &base, err) != 0)
        return -1;
    for (int i = 0; i < n; ++i)
        run_one(&results[i], &sources[i], &base, &options);
    cf_train_result_free(&base);
    return 0;
}

static void print_one(FILE *out, const struct cf_source *source,
                      const struct cf_source_result *result)
{
    fprintf(out, "%-48s", source->name);
    if (!result->ran) {
        fprintf(out, " not run: %s\n", result->reason);
        return;
    }
    for (int k = 0; k < CF_STAGE_LINK; ++k)
        if (result->first[k] < 0)
            fprintf(out, " %11s", "same");
        else
            fprintf(out, " %11" PRId64, result->first[k]);
    if (result->same_end)
        fprintf(out, " %9s", "same");
    else
        fprintf(out, " %9.1e", result->distance);
    fprintf(out, " %8.4f %8.4f\n", result->loss, result->accuracy);
}

void cf_sources_print(FILE *out, const struct cf_source sources[],
                      const struct cf_source_result results[], int n)
{
    fprintf(out, "case           %s\nconfiguration  %s\n\n", cf_sources_case,
            cf_sources_configuration);
    fprintf(out, "%-48s", "released: first step that differs");
    for (int k = 0; k < CF_STAGE_LINK; ++k)
        fprintf(out, " %11s", cf_stage_name(k));
    fprintf(out, " %9s %8s %8s\n", "weights", "loss", "accuracy");
    for (int i = 0; i < n; ++i)
        print_one(out, &sources[i], &results[i]);
    fprintf(out, "\nweights: at the end, the distance from the base's in units of their norm; loss "
                 "and accuracy on the held-out rows.\n");
}
