#include "commands.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "environment.h"
#include "flips.h"
#include "fleet.h"
#include "inject.h"
#include "qualify.h"
#include "qualify_gpu.h"
#include "sensors.h"
#include "task.h"
#include "terminal.h"
#include "units.h"

static volatile int stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

struct sink {
    struct cf_store *store;
    struct cf_error *err;
    const char *prefix;
    int result;
};

static void put(void *context, const char *key, const char *value)
{
    struct sink *sink = context;
    char *full = cf_format("%s%s", sink->prefix, key);

    if (sink->result == 0)
        sink->result = cf_store_put_meta(sink->store, full, value, sink->err);
    free(full);
}

static void put_now(struct sink *sink, const char *key)
{
    const time_t now = time(NULL);
    struct tm utc;
    char stamp[32];

    gmtime_r(&now, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
    put(sink, key, stamp);
}

static int begin(const struct cf_options *options, struct cf_store *store,
                 const struct cf_qualify_gpus *gpus, struct cf_error *err)
{
    struct sink plain = {store, err, "", 0}, env = {store, err, "env.", 0},
                before = {store, err, "env.before.", 0};

    put(&plain, "tool", "conform " CF_VERSION);
    put(&plain, "command", "conform qualify");
    put(&plain, "level", "numerical");
    put_now(&plain, "started");
    cf_environment_collect(put, &env);
    cf_sensors_read(put, &before);
    cf_qualify_gpus_read(gpus, 0, NULL, put, &before);
    if (plain.result || env.result || before.result)
        return -1;
    return cf_fleet_describe(store, options->node, options->per_node, NULL, err);
}

static int end(struct cf_store *store, const struct cf_qualification *found,
               const struct cf_qualify_options *how, struct cf_error *err)
{
    struct sink plain = {store, err, "", 0}, after = {store, err, "env.after.", 0};

    put_now(&plain, "finished");
    cf_sensors_read(put, &after);
    if (how->gpus)
        cf_qualify_gpus_read(how->gpus, 1, how->worker, put, &after);
    if (plain.result || after.result)
        return -1;
    return cf_units_put(store, found->unit, found->n_units, found->coverage, err);
}

/* For each request of a unit. */
static int timeout_of(const struct cf_options *options)
{
    return options->timeout_s > 0 ? (int)(options->timeout_s * 1000) : 60000;
}

static int measure(const struct cf_options *options, double budget_s, const char *worker,
                   struct cf_qualify_gpus *gpus, struct cf_store *store, struct cf_error *err)
{
    struct cf_progress progress;
    struct cf_qualify_options how = {.worker = worker,
                                     .gpus = gpus->n ? gpus : NULL,
                                     .cpuset = options->cpuset,
                                     .timeout_ms = timeout_of(options),
                                     .budget_s = budget_s,
                                     .stopped = &stopped,
                                     .progress = cf_progress_show,
                                     .context = &progress};
    struct cf_qualification found = {0};
    struct cf_golden pack;
    int result = cf_golden_builtin(&pack, err);

    if (result == 0) {
        cf_progress_start(&progress, options);
        result = cf_qualify(&found, &pack, &how, err);
        cf_progress_clear(&progress);
        cf_golden_free(&pack);
    }
    if (result == 0)
        result = end(store, &found, &how, err);
    cf_qualification_free(&found);
    return result;
}

/* What the words ask for, before anything is begun. */
static int check(const struct cf_options *options, double *budget_s, struct cf_error *err)
{
    if (options->rest.n > 0)
        return cf_fail(err, "qualify takes no `%s`", options->rest.word[0]);
    if (!options->sensitivity && options->cases.n + options->configurations.n > 0)
        return cf_fail(err, "--case and --configuration choose where --sensitivity flips bits; "
                            "the units of a qualification have cases of their own");
    if (options->cpuset && !*options->cpuset && !options->gpu)
        return cf_fail(err, "--cpuset= leaves no CPU; write a set such as 0-3,8, or --gpu too");
    return cf_qualify_budget(options->budget ? options->budget : "medium", budget_s, err);
}

/* From the first sensor to the last. */
static int qualify(const struct cf_options *options, double budget_s, const char *worker,
                   struct cf_qualify_gpus *gpus, struct cf_store *store, struct cf_error *err)
{
    if (begin(options, store, gpus, err) != 0)
        return -1;
    return measure(options, budget_s, worker, gpus, store, err);
}

/* *n_lost: how many kernels did not answer a case before any bit was flipped. */
static int flip_bits(const struct cf_options *options, struct cf_store *store, int64_t *n_lost,
                     struct cf_error *err)
{
    struct cf_progress progress;
    struct cf_inject_options how = {.worker = cf_task_worker(err),
                                    .cases = options->cases.word,
                                    .n_cases = options->cases.n,
                                    .configurations = options->configurations.word,
                                    .n_configurations = options->configurations.n,
                                    .stopped = &stopped,
                                    .progress = cf_progress_show,
                                    .context = &progress};
    struct cf_injection found = {0};
    int result = -1;

    if (how.worker) {
        cf_progress_start(&progress, options);
        result = cf_inject(&found, &how, err);
        cf_progress_clear(&progress);
    }
    if (result == 0 && found.n == 0)
        result = cf_fail_with(err, 3,
                              "no kernel answered any of the cases, so no bit was flipped; "
                              "`conform replay CASE CONFIGURATION` says why");
    if (result == 0)
        result = cf_flips_put(store, found.flip, found.n, err);
    *n_lost = found.n_not_measured;
    cf_injection_free(&found);
    free((char *)how.worker);
    return result;
}

/* All that is stored, and the reports of it. */
static int qualify_into(struct cf_options *options, double budget_s, const char *worker,
                        struct cf_qualify_gpus *gpus, struct cf_error *err)
{
    const int64_t start_ns = cf_terminal_clock();
    char *path = options->store ? cf_strdup(options->store) : cf_task_new_path(err);
    struct cf_store *store = path ? cf_store_open(path, CF_STORE_CREATE, err) : NULL;
    int64_t n_lost = 0;
    int result = store ? qualify(options, budget_s, worker, gpus, store, err) : -1;

    if (result == 0 && options->sensitivity)
        result = flip_bits(options, store, &n_lost, err);
    if (result == 0)
        result = cf_task_finish(options, store, path, start_ns, err);
    if (n_lost > 0)
        fprintf(stderr,
                "conform: %lld kernels did not answer a case, and no bit of it was flipped\n",
                (long long)n_lost);
    if (n_lost > 0 && result == 0)
        result = 3;
    if (store)
        cf_store_close(store);
    free(path);
    return result;
}

int cf_command_qualify(struct cf_options *options, struct cf_error *err)
{
    const struct sigaction action = {.sa_handler = stop};
    struct cf_qualify_gpus gpus = {0};
    double budget_s;
    char *worker;
    int result;

    if (check(options, &budget_s, err) != 0)
        return -1;
    worker = cf_task_worker(err);
    result = worker ? 0 : -1;
    if (result == 0 && options->gpu)
        result = cf_qualify_gpus_find(&gpus, options->gpu, worker, timeout_of(options), err);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (result == 0)
        result = qualify_into(options, budget_s, worker, &gpus, err);
    cf_qualify_gpus_free(&gpus);
    free(worker);
    return result;
}
