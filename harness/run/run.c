/* The run as a whole: blocks, transactions, the end. */
#include "run_internal.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "files.h"

#define TICK_MS 100
#define ROOM    (64u << 20) /* for outputs, beside the inputs */

char *cf_run_recorded(const struct cf_run *run, int configuration, int case_index, int process,
                      int repetition)
{
    const struct cf_planned_case *planned = &run->plan->cases[case_index];
    const int64_t at =
        ((int64_t)configuration * planned->processes + process) * planned->repetitions + repetition;

    return &run->recorded[run->first[case_index] + at];
}

void cf_run_fail(struct cf_run *run)
{
    run->failed = 1;
    for (int i = 0; i < run->n_jobs; ++i)
        if (run->jobs[i].session)
            cf_session_kill(run->jobs[i].session);
}

void cf_run_record(struct cf_run *run, int configuration, int case_index, int process,
                   int repetition, const struct cf_reply *reply)
{
    char *byte = cf_run_recorded(run, configuration, case_index, process, repetition);
    struct cf_record record = {.configuration = configuration + 1,
                               .case_id = case_index + 1,
                               .process = process,
                               .repetition = repetition,
                               .fate = reply->fate,
                               .wall_ns = reply->wall_ns};

    CF_CHECK(!*byte);
    memcpy(record.reason, reply->reason, sizeof record.reason);
    memcpy(record.chosen, reply->chosen, sizeof record.chosen);
    if (reply->fate == CF_RAN)
        cf_digest_of(&record.digest, reply->outputs, reply->n_bytes);
    if (run->failed)
        return;
    if (cf_store_put_record(run->store, &record, reply->outputs, reply->n_bytes, run->err) != 0) {
        cf_run_fail(run);
        return;
    }
    *byte = 1;
    run->dirty = 1;
    ++run->done;
}

static void commit(struct cf_run *run)
{
    if (run->failed || !run->dirty)
        return;
    run->dirty = 0;
    if (cf_store_commit(run->store, run->err) != 0 || cf_store_begin(run->store, run->err) != 0)
        cf_run_fail(run);
}

static void show(const struct cf_run *run)
{
    if (run->options->progress)
        run->options->progress(run->options->context, run->done, run->total, run->what);
}

static int is_interrupted(const struct cf_run *run)
{
    return run->options->interrupted && *run->options->interrupted;
}

/* A worker that is still loading has nothing in flight that would be lost. */
static void on_tick(uv_timer_t *timer)
{
    struct cf_run *run = timer->data;

    commit(run);
    show(run);
    if (run->stopped || !is_interrupted(run))
        return;
    run->stopped = 1;
    for (int i = 0; i < run->n_jobs; ++i)
        if (run->jobs[i].session && !cf_session_is_open(run->jobs[i].session))
            cf_session_kill(run->jobs[i].session);
}

static void on_library(void *context, int64_t configuration, const struct cf_mapped *mapped)
{
    struct cf_run *run = context;

    run->dirty = 1;
    if (!run->failed && cf_store_put_library(run->store, configuration, mapped, run->err) != 0)
        cf_run_fail(run);
}

struct marking {
    struct cf_run *run;
    int strange; /* a record that is not of the plan */
};

static int mark(void *context, const struct cf_record *record)
{
    struct marking *marking = context;
    struct cf_run *run = marking->run;
    const int64_t i = record->case_id - 1, configuration = record->configuration - 1;

    if (i >= run->plan->n_cases || configuration >= run->plan->n_configurations ||
        record->process >= run->plan->cases[i].processes ||
        record->repetition >= run->plan->cases[i].repetitions ||
        !cf_extensions_ask(&run->plan->extensions, (int)i, (int)configuration)) {
        marking->strange = 1;
        return 1;
    }
    *cf_run_recorded(run, (int)configuration, (int)i, record->process, record->repetition) = 1;
    ++run->done;
    return 0;
}

/* A byte for each request that a plan could hold; those that nobody asks for are done. */
static void make_stock(struct cf_run *run)
{
    const struct cf_plan *plan = run->plan;

    run->total = cf_plan_count(plan);
    run->first = cf_alloc_zero((size_t)(plan->n_cases + 1) * sizeof run->first[0]);
    for (int i = 0; i < plan->n_cases; ++i)
        run->first[i + 1] = run->first[i] + (int64_t)plan->n_configurations *
                                                plan->cases[i].processes *
                                                plan->cases[i].repetitions;
    run->recorded = cf_alloc_zero((size_t)run->first[plan->n_cases] + 1);
    for (int i = 0; i < plan->n_cases; ++i)
        for (int k = 0; k < plan->n_configurations; ++k)
            if (!cf_extensions_ask(&plan->extensions, i, k))
                memset(cf_run_recorded(run, k, i, 0, 0), 1,
                       (size_t)plan->cases[i].processes * (size_t)plan->cases[i].repetitions);
}

/* What a resumed store holds already. */
static int take_stock(struct cf_run *run)
{
    struct marking marking = {run, 0};

    make_stock(run);
    if (cf_store_each_record(run->store, mark, &marking) == 0)
        return 0;
    if (marking.strange)
        return cf_fail_with(run->err, 3,
                            "the store holds records that its plan does not ask for; it is "
                            "damaged: restore a copy");
    cf_store_problem(run->store, run->err);
    return -1;
}

static int is_missing(const struct cf_run *run, int i)
{
    return memchr(run->recorded + run->first[i], 0, (size_t)(run->first[i + 1] - run->first[i])) !=
           NULL;
}

static int put_inputs(struct cf_run *run)
{
    for (int i = 0; i < run->block.n; ++i)
        if (cf_store_put_inputs(run->store, run->block.cases[i].index + 1,
                                &run->block.cases[i].inputs, run->err) != 0)
            return -1;
    run->dirty = 1;
    return 0;
}

static int run_block(struct cf_run *run, int first, int end)
{
    char *want = cf_alloc_zero((size_t)run->plan->n_cases);
    int any = 0, result = 0;

    for (int i = first; i < end; ++i)
        any |= want[i] = (char)is_missing(run, i);
    if (any)
        result = cf_block_draw(&run->block, run->plan, first, end, want, &run->place, run->n_slots,
                               run->err);
    if (any && result == 0) {
        result = put_inputs(run);
        if (result == 0) {
            cf_run_make_jobs(run);
            cf_run_jobs(run);
            cf_run_free_jobs(run);
        }
        cf_workplace_empty(&run->place);
        cf_block_free(&run->block);
    }
    free(want);
    return result != 0 || run->failed ? -1 : 0;
}

static int run_blocks(struct cf_run *run)
{
    int end, result = 0;

    for (int first = 0; first < run->plan->n_cases && result == 0 && !run->stopped; first = end) {
        end = cf_block_end(run->plan, first);
        snprintf(run->what, sizeof run->what, "drawing the inputs of %d cases", end - first);
        show(run);
        result = run_block(run, first, end);
        run->stopped |= is_interrupted(run);
    }
    return result;
}

/* The largest block's inputs and some outputs. */
static uint64_t room_needed(const struct cf_plan *plan)
{
    uint64_t most = 0;
    int end;

    for (int first = 0; first < plan->n_cases; first = end) {
        uint64_t n_bytes = 0;

        end = cf_block_end(plan, first);
        for (int i = first; i < end; ++i)
            n_bytes += cf_case_bytes(&plan->cases[i].c) + 4096;
        most = n_bytes > most ? n_bytes : most;
    }
    return most + ROOM;
}

/* A worker of another build could compute something else under the same name. */
static int check_worker(struct cf_run *run)
{
    char sha256[65], *stored;
    int result = 0;

    if (access(run->options->worker, X_OK) != 0 ||
        cf_path_sha256(run->options->worker, sha256) != 0)
        return cf_fail_with(run->err, 3,
                            "the worker %s is missing or cannot be executed; build or install "
                            "conform again",
                            run->options->worker);
    stored = cf_store_get_meta(run->store, "env.tool.worker_sha256");
    if (!stored)
        result = cf_store_put_meta(run->store, "env.tool.worker_sha256", sha256, run->err);
    else if (strcmp(stored, sha256) != 0)
        result = cf_fail(run->err, "the store was begun with another conform-worker; go on with "
                                   "that build, or start a new store");
    free(stored);
    return result;
}

static int finish(struct cf_run *run)
{
    char finished[32];
    const time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(finished, sizeof finished, "%Y-%m-%dT%H:%M:%SZ", &utc);
    CF_CHECK(run->stopped || run->done == run->total);
    if (cf_store_put_meta(run->store, "finished", finished, run->err) != 0 ||
        cf_store_put_meta(run->store, "complete", run->done == run->total ? "yes" : "no",
                          run->err) != 0)
        return -1;
    return cf_store_commit(run->store, run->err);
}

static void open_loop(struct cf_run *run)
{
    uv_loop_init(&run->loop);
    uv_timer_init(&run->loop, &run->tick);
    run->tick.data = run;
    uv_timer_start(&run->tick, on_tick, TICK_MS, TICK_MS);
    uv_unref((uv_handle_t *)&run->tick);
    run->librarian = cf_librarian_start(&run->loop, on_library, run);
}

static void close_loop(struct cf_run *run)
{
    uv_close((uv_handle_t *)&run->tick, NULL);
    uv_run(&run->loop, UV_RUN_DEFAULT);
    CF_CHECK(uv_loop_close(&run->loop) == 0);
    cf_librarian_free(run->librarian);
}

static void free_run(struct cf_run *run)
{
    for (int i = 0; run->subjects && i < run->plan->n_configurations; ++i) {
        free(run->subjects[i].own_path);
        free(run->subjects[i].own_version);
    }
    free(run->subjects);
    free(run->recorded);
    free(run->first);
}

/* Everything between an open transaction and its end. */
static int work(struct cf_run *run)
{
    int result;

    if (cf_store_begin(run->store, run->err) != 0)
        return -1;
    open_loop(run);
    result = run_blocks(run);
    snprintf(run->what, sizeof run->what, "%s", run->stopped ? "interrupted" : "done");
    close_loop(run);
    if (result == 0 && !run->failed)
        result = finish(run);
    if (result != 0 || run->failed) {
        struct cf_error ignored;

        if (cf_store_commit(run->store, &ignored) != 0)
            cf_store_rollback(run->store);
        return -1;
    }
    show(run);
    return run->done == run->total ? 0 : 130;
}

int cf_run(const struct cf_plan *plan, struct cf_store *store, const struct cf_run_options *options,
           struct cf_error *err)
{
    struct cf_error unread;
    const int cpus = cf_environment_cpus();
    struct cf_run run = {
        .plan = plan,
        .store = store,
        .options = options,
        .err = err ? err : &unread,
        .n_slots = options->jobs > 0 ? options->jobs : cpus,
        .session = {.worker = options->worker,
                    .memory_mb = options->memory_mb,
                    .start_timeout_ms =
                        options->start_timeout_ms > 0 ? options->start_timeout_ms : 60000,
                    .request_timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : 30000,
                    .grace_ms = 2000}};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    int result = -1;

    run.n_free = run.n_slots;
    run.subjects = cf_alloc_zero((size_t)(plan->n_configurations + 1) * sizeof run.subjects[0]);
    sigaction(SIGPIPE, &ignore, &before); /* a worker may die while it is written to */
    if (check_worker(&run) == 0 && take_stock(&run) == 0 &&
        cf_workplace_make(&run.place, room_needed(plan), run.err) == 0) {
        result = work(&run);
        cf_workplace_remove(&run.place);
    }
    sigaction(SIGPIPE, &before, NULL);
    free_run(&run);
    return result;
}
