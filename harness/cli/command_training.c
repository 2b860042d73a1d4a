/* train, sources, divergence: training cases one at a time. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "listing.h"
#include "reference.h"
#include "record.h"
#include "task.h"
#include "versions.h"
#include "training_json.h"

static void show_progress(void *context, int64_t step, int64_t steps)
{
    (void)context;
    fprintf(stderr, "\rstep %" PRId64 " of %" PRId64 "%s", step, steps, step == steps ? "\n" : "");
}

static void print_training(const struct cf_train_result *result)
{
    const struct cf_tensor *hashes = &result->out[CF_OUT_HASHES];
    const struct cf_tensor *metrics = &result->out[CF_OUT_METRICS];
    const int64_t steps = hashes->dim[0];
    struct cf_digest digest;
    char hex[33];

    cf_digest_of(&digest, result->out[CF_OUT_WEIGHTS].bits,
                 cf_tensor_bytes(&result->out[CF_OUT_WEIGHTS]));
    cf_digest_print(hex, &digest);
    if (result->from > 0)
        printf("resumed after step %" PRId64 "%s\n", result->from,
               result->same_configuration ? "" : ", which another configuration had computed");
    printf("weights %s\n", hex);
    if (result->from < steps)
        printf("link    %016" PRIx64 " after step %" PRId64 "\n",
               ((const uint64_t *)hashes->bits)[steps * CF_N_STAGES - 1], steps);
    printf("loss    %.6g (%a) on the held-out rows\naccuracy %.4f\n",
           cf_tensor_get(metrics, CF_METRIC_LOSS), cf_tensor_get(metrics, CF_METRIC_LOSS),
           cf_tensor_get(metrics, CF_METRIC_ACCURACY));
}

/* How many of distance[] were found, -1 and a sentence. The case is drawn again: the run has
 * consumed its operands. */
static int64_t find_truth(double distance[20], const char *line,
                          const struct cf_train_result *result, struct cf_error *err)
{
    const struct cf_tensor *snapshots = &result->out[CF_OUT_SNAPSHOTS];
    const int64_t n = snapshots->dim[0], steps = result->out[CF_OUT_HASHES].dim[0];
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    struct cf_case c;
    int64_t kept = 0;
    int failed;

    while (kept < n && kept < 20 && (int64_t)1 << kept <= steps)
        ++kept;
    if (kept == 0 || result->from > 0)
        return cf_fail(err, "--truth needs a run from its first step whose case says snapshots=3");
    if (cf_case_parse(&c, line, cf_op_grammar, err) != 0)
        return -1;
    failed = cf_case_draw(&c, cf_op_find(c.op), in, out, err);
    if (!failed) {
        failed = cf_trajectory_distances(distance, (enum cf_model)cf_training_model(c.op), in,
                                         snapshots, kept, 256, err);
        for (int o = 0; o < CF_N_TRAINING_INPUTS; ++o)
            cf_tensor_free(&in[o]);
    }
    cf_case_free(&c);
    return failed ? -1 : kept;
}

static void print_truth(const double distance[], int64_t n, enum cf_dtype dtype)
{
    for (int64_t k = 0; k < n; ++k)
        printf("after step %-6lld %.3g from the true weights, %.3g u\n", 1LL << k, distance[k],
               distance[k] / cf_dtype_u(dtype));
}

/* Where --json says, or NULL. */
static const char *json_path(const struct cf_options *options)
{
    return options->document[cf_report_index("json")];
}

/* Both words are the command line's: the case and the configuration. */
static int show_training(const struct cf_options *options, const struct cf_train_result *result,
                         struct cf_error *err)
{
    const char *line = options->rest.word[0];
    double distance[20];
    const int64_t n = options->truth ? find_truth(distance, line, result, err) : 0;

    if (json_path(options) && n >= 0)
        return cf_listing_put_json(json_path(options),
                                   cf_train_json(line, options->rest.word[1], result, distance, n),
                                   err);
    print_training(result);
    if (n > 0)
        print_truth(distance, n, result->out[CF_OUT_WEIGHTS].dtype);
    return n < 0 ? -1 : 0;
}

int cf_command_train(struct cf_options *options, struct cf_error *err)
{
    struct cf_train_options how = {.folder = options->checkpoints, .every = options->every};
    struct cf_train_result result;
    char *worker;
    int failed;

    if (options->rest.n != 2)
        return cf_fail(err, "write `conform train CASE CONFIGURATION`, for example `conform train "
                            "\"train_mlp f32 steps=48 batch=32 fill=digits\" plain`");
    if (options->every > 0 && !options->checkpoints)
        return cf_fail(err, "--every needs --checkpoints=FOLDER");
    worker = cf_task_worker(err);
    if (!worker)
        return -1;
    how.worker = worker;
    how.timeout_ms = options->timeout_s > 0 ? (int)(1000 * options->timeout_s) : 0;
    if (options->checkpoints && !options->quiet && !options->no_progress)
        how.progress = show_progress;
    failed = cf_train(options->rest.word[0], options->rest.word[1], &how, &result, err);
    free(worker);
    if (failed)
        return -1;
    failed = show_training(options, &result, err);
    cf_train_result_free(&result);
    return failed;
}

int cf_command_sources(struct cf_options *options, struct cf_error *err)
{
    struct cf_source_result results[CF_SOURCES_MAX];
    struct cf_source sources[CF_SOURCES_MAX];
    char *worker, *library = NULL;
    int n, failed;

    if (options->rest.n > 1)
        return cf_fail(err, "write `conform sources [LIBRARY]`, the path of one CBLAS");
    if (options->rest.n == 1 && !(library = cf_versions_library(options->rest.word[0], err)))
        return -1;
    worker = cf_task_worker(err);
    if (!worker) {
        free(library);
        return -1;
    }
    n = cf_sources_list(sources, library);
    failed = cf_sources_run(results, sources, n, worker, err);
    free(worker);
    free(library);
    if (failed)
        return -1;
    if (json_path(options))
        return cf_listing_put_json(json_path(options), cf_sources_json(sources, results, n), err);
    cf_sources_print(stdout, sources, results, n);
    return 0;
}

int cf_command_divergence(struct cf_options *options, struct cf_error *err)
{
    struct cf_divergence found;
    char *worker;
    int failed;

    if (options->rest.n != 3)
        return cf_fail(err, "write `conform divergence CASE CONFIGURATION CONFIGURATION`");
    worker = cf_task_worker(err);
    if (!worker)
        return -1;
    failed = cf_divergence_find(&found, options->rest.word[0], options->rest.word[1],
                                options->rest.word[2], worker, err);
    free(worker);
    if (failed)
        return -1;
    if (!json_path(options))
        printf("%s\n%s\n", cf_divergence_name(found.kind), found.sentence);
    else if (cf_listing_put_json(json_path(options),
                                 cf_divergence_json(options->rest.word[0], options->rest.word[1],
                                                    options->rest.word[2], &found),
                                 err) != 0)
        return -1;
    return found.kind == CF_NO_DIVERGENCE ? 0 : 1;
}
