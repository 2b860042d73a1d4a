/* The jobs of a block: which worker does what, in which order, and what becomes of it. */
#include "run_internal.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "philox.h"

static const struct cf_config *config_of(const struct cf_job *job)
{
    return &job->run->plan->configurations[job->configuration].config;
}

static int is_adapter(const struct cf_job *job)
{
    return cf_config_get(config_of(job), "command") != NULL;
}

static struct cf_subject *subject_of(const struct cf_job *job)
{
    return &job->run->subjects[job->configuration];
}

static int case_of(const struct cf_job *job, int item)
{
    return job->run->block.cases[job->items[item].block_case].index;
}

/* A library that nobody told how many threads to use takes all CPUs. */
static int width_of(const struct cf_run *run, const struct cf_config *config)
{
    const int opens = cf_config_get(config, "lib") || cf_config_get(config, "command");
    const int64_t threads = cf_config_int(config, "threads", opens ? run->n_slots : 1);

    return threads < run->n_slots ? (int)threads : run->n_slots;
}

/* Repetitions after one another over all cases: the same case twice in a row would hide an answer
 * of yesterday. Later processes go through them in another order, so that what depends on the order
 * shows; the order depends on the process alone, so that a resumed run keeps it. */
static void make_items(struct cf_job *job)
{
    const struct cf_run *run = job->run;
    const struct cf_stream stream = {(uint64_t)job->process, 0x6f726472};
    int n = 0, most = 0;
    int64_t *order;
    struct cf_item *all;

    for (int i = 0; i < run->block.n; ++i)
        most = run->plan->cases[run->block.cases[i].index].repetitions > most
                   ? run->plan->cases[run->block.cases[i].index].repetitions
                   : most;
    all = cf_alloc((size_t)run->block.n * (size_t)most * sizeof *all + 1);
    for (int r = 0; r < most; ++r)
        for (int i = 0; i < run->block.n; ++i) {
            const struct cf_planned_case *planned = &run->plan->cases[run->block.cases[i].index];

            if (job->process < planned->processes && r < planned->repetitions)
                all[n++] = (struct cf_item){i, r};
        }
    order = cf_alloc((size_t)n * sizeof *order + 1);
    for (int i = 0; i < n; ++i)
        order[i] = i;
    if (job->process > 0)
        cf_stream_permutation(&stream, order, n);
    job->items = cf_alloc((size_t)n * sizeof *job->items + 1);
    for (int i = 0; i < n; ++i) {
        const struct cf_item *item = &all[order[i]];

        if (!*cf_run_recorded(run, job->configuration, run->block.cases[item->block_case].index,
                              job->process, item->repetition))
            job->items[job->n_items++] = *item;
    }
    free(order);
    free(all);
}

static void add_job(struct cf_run *run, int configuration, int process)
{
    struct cf_job *job = &run->jobs[run->n_jobs];

    *job =
        (struct cf_job){.run = run,
                        .configuration = configuration,
                        .process = process,
                        .width = width_of(run, &run->plan->configurations[configuration].config)};
    make_items(job);
    if (job->n_items == 0) {
        free(job->items);
        return;
    }
    job->out = cf_format("%s/%d-%d.out", run->place.path, configuration, process);
    ++run->n_jobs;
}

/* Processes outside, so that the first process of each configuration comes early: a configuration
 * that cannot be opened is known before its others are tried. */
void cf_run_make_jobs(struct cf_run *run)
{
    int processes = 0;

    for (int i = 0; i < run->block.n; ++i) {
        const int n = run->plan->cases[run->block.cases[i].index].processes;

        processes = n > processes ? n : processes;
    }
    run->n_jobs = 0;
    run->jobs = cf_alloc_zero(
        (size_t)run->plan->n_configurations * (size_t)processes * sizeof run->jobs[0] + 1);
    for (int p = 0; p < processes; ++p)
        for (int c = 0; c < run->plan->n_configurations; ++c)
            add_job(run, c, p);
}

void cf_run_free_jobs(struct cf_run *run)
{
    for (int i = 0; i < run->n_jobs; ++i) {
        free(run->jobs[i].items);
        free(run->jobs[i].out);
    }
    free(run->jobs);
    run->jobs = NULL;
    run->n_jobs = 0;
}

static void record(struct cf_job *job, const struct cf_reply *reply)
{
    struct cf_run *run = job->run;
    const int i = case_of(job, job->at);

    cf_run_record(run, job->configuration, i, job->process, job->items[job->at].repetition, reply);
    snprintf(run->what, sizeof run->what, "%s: %s",
             run->plan->configurations[job->configuration].label, run->plan->cases[i].c.text);
    ++job->at;
    job->retried = 0;
}

static int *time_outs_of(struct cf_subject *subject, const char *op)
{
    for (int i = 0; i < subject->n_ops; ++i)
        if (strcmp(subject->time_outs[i].op, op) == 0)
            return &subject->time_outs[i].n;
    if (subject->n_ops == CF_COUNT(subject->time_outs))
        return &subject->time_outs[0].n; /* shared: gives up sooner */
    subject->time_outs[subject->n_ops].op = op;
    return &subject->time_outs[subject->n_ops++].n;
}

static int *time_outs_now(const struct cf_job *job)
{
    return time_outs_of(subject_of(job), job->run->plan->cases[case_of(job, job->at)].c.op);
}

static void schedule(struct cf_run *run);

/* Its CPUs are free for the next; the process may still be leaving. */
static void end_job(struct cf_job *job)
{
    if (job->state != CF_JOB_WORKS)
        return;
    job->state = CF_JOB_DONE;
    job->run->n_free += job->width;
    if (job->session)
        cf_session_leave(job->session);
    schedule(job->run);
}

/* Records requests that need no asking; 1 when one is left that does. */
static int skip(struct cf_job *job)
{
    while (job->at < job->n_items && !job->run->failed) {
        struct cf_reply reply = {.wall_ns = -1};

        if (*time_outs_now(job) < CF_TIME_OUTS_MAX)
            return 1;
        cf_reply_set(&reply, CF_TIMED_OUT,
                     "not asked: the %d requests of %s before had all timed out", CF_TIME_OUTS_MAX,
                     job->run->plan->cases[case_of(job, job->at)].c.op);
        record(job, &reply);
    }
    return 0;
}

static void ask(struct cf_job *job)
{
    const struct cf_block_case *bc;

    if (job->run->stopped || job->run->failed || !skip(job)) {
        end_job(job);
        return;
    }
    bc = &job->run->block.cases[job->items[job->at].block_case];
    cf_session_ask(job->session,
                   &(struct cf_ask){bc->params, bc->outputs, bc->n_outputs, job->out});
}

static void take_words(struct cf_subject *subject, const char *effective)
{
    json_t *object = json_loads(effective, 0, NULL);
    const char *path = json_string_value(json_object_get(object, "filepath"));
    const char *version = json_string_value(json_object_get(object, "version"));

    subject->own_path = path ? cf_strdup(path) : NULL;
    subject->own_version = version ? cf_strdup(version) : NULL;
    json_decref(object);
}

static void take_effective(struct cf_job *job, const char *effective)
{
    struct cf_run *run = job->run;
    struct cf_subject *subject = subject_of(job);

    if (!effective || subject->has_effective || run->failed)
        return;
    subject->has_effective = 1;
    take_words(subject, effective);
    run->dirty = 1;
    if (cf_store_put_effective(run->store, job->configuration + 1, effective, run->err) != 0)
        cf_run_fail(run);
}

/* Each of its requests has met the fate of the start. */
static void record_rest(struct cf_job *job, const struct cf_reply *failure)
{
    const struct cf_reply copy = {.fate = failure->fate, .wall_ns = -1};

    while (job->at < job->n_items && !job->run->failed) {
        struct cf_reply reply = copy;

        memcpy(reply.reason, failure->reason, sizeof reply.reason);
        record(job, &reply);
    }
}

static void on_opened(void *context, struct cf_session *session, struct cf_reply *reply)
{
    struct cf_job *job = context;
    struct cf_subject *subject = subject_of(job);

    (void)session;
    take_effective(job, reply->effective);
    if (reply->fate == CF_RAN) {
        subject->n_failed_opens = 0;
        ask(job);
        return;
    }
    ++subject->n_failed_opens;
    subject->failure.fate = reply->fate;
    memcpy(subject->failure.reason, reply->reason, sizeof reply->reason);
    record_rest(job, reply);
    end_job(job);
}

/* After the first case: some libraries are only loaded when they are needed. */
static void look_at_libraries(const struct cf_job *job, const struct cf_session *session)
{
    struct cf_subject *subject = subject_of(job);
    const pid_t pid = cf_session_pid(session);

    if (subject->has_libraries || pid <= 0)
        return;
    subject->has_libraries = 1;
    cf_librarian_look(job->run->librarian, job->configuration + 1, pid, subject->own_path,
                      subject->own_version);
}

/* An adapter that is lost is asked once more: it may have leaked, or been killed from outside. */
static int is_retry(struct cf_job *job, const struct cf_reply *reply)
{
    if (reply->fate != CF_CRASHED || !is_adapter(job) || job->retried)
        return 0;
    job->retried = 1;
    snprintf(job->lost, sizeof job->lost, "%s", reply->reason);
    return 1;
}

static void note_retry(const struct cf_job *job, struct cf_reply *reply)
{
    char *reason = cf_strdup(reply->reason);

    if (job->retried)
        cf_reply_set(reply, reply->fate, "%s%sretried: before, it %s", reason, *reason ? "; " : "",
                     job->lost);
    free(reason);
}

static void on_answered(void *context, struct cf_session *session, struct cf_reply *reply)
{
    struct cf_job *job = context;
    int *time_outs = time_outs_now(job);

    if (!is_retry(job, reply)) {
        note_retry(job, reply);
        *time_outs = reply->fate == CF_TIMED_OUT ? *time_outs + 1 : 0;
        record(job, reply);
    }
    look_at_libraries(job, session);
    if (cf_session_ready(session))
        ask(job);
}

static void start_session(struct cf_job *job);

/* Replaced, when there is something left to do. */
static void on_closed(void *context, struct cf_session *session)
{
    struct cf_job *job = context;

    (void)session;
    job->session = NULL;
    if (job->state != CF_JOB_WORKS)
        return;
    if (job->run->stopped || job->run->failed || !skip(job))
        end_job(job);
    else
        start_session(job);
}

static const struct cf_session_events events = {on_opened, on_answered, on_closed};

static void start_session(struct cf_job *job)
{
    job->session =
        cf_session_start(&job->run->loop, config_of(job), &job->run->session, &events, job);
}

static void start_job(struct cf_job *job)
{
    struct cf_subject *subject = subject_of(job);

    job->state = CF_JOB_WORKS;
    job->run->n_free -= job->width;
    if (subject->n_failed_opens >= CF_OPENS_MAX) {
        record_rest(job, &subject->failure);
        end_job(job);
    } else if (!skip(job)) {
        end_job(job);
    } else {
        start_session(job);
    }
}

/* The first job that fits: a wide one may wait until the narrow ones are done. */
static void schedule(struct cf_run *run)
{
    for (int i = 0; i < run->n_jobs && !run->stopped && !run->failed; ++i)
        if (run->jobs[i].state == CF_JOB_WAITS && run->jobs[i].width <= run->n_free)
            start_job(&run->jobs[i]);
}

void cf_run_jobs(struct cf_run *run)
{
    schedule(run);
    uv_run(&run->loop, UV_RUN_DEFAULT);
    for (int i = 0; i < run->n_jobs; ++i)
        CF_CHECK(run->jobs[i].session == NULL);
    run->n_free = run->n_slots;
}
