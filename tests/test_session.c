/* session: every way in which a process can fail to answer has its fate, within its time, and
 * nothing is left behind. The liars are tests/fakes/adapter.sh. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "session.h"
#include "store_support.h"

#define ASKS_MAX 3

TestSuite(session, .init = make_folder, .fini = remove_folder, .timeout = 60);

/* One session: what it is asked, what came of it. */
struct driver {
    struct cf_config config;
    struct cf_ask ask;
    struct cf_tensor output;
    char out[320];
    int n_asks, n_told, n_closed;
    struct cf_reply told[ASKS_MAX + 1]; /* hello first; outputs are not kept */
    double value, seconds;
    int nap_ms; /* between an answer and the next request */
    uv_loop_t *loop;
    uv_timer_t nap;
    struct cf_session *asleep;
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void awake(uv_timer_t *timer)
{
    struct driver *d = timer->data;

    uv_close((uv_handle_t *)timer, NULL);
    cf_session_ask(d->asleep, &d->ask);
}

static void told(void *context, struct cf_session *s, struct cf_reply *reply)
{
    struct driver *d = context;

    cr_assert_leq(d->n_told, d->n_asks);
    d->told[d->n_told] = *reply;
    d->told[d->n_told].effective = reply->effective ? cf_strdup(reply->effective) : NULL;
    if (reply->outputs && reply->n_bytes == sizeof d->value)
        memcpy(&d->value, reply->outputs, sizeof d->value);
    ++d->n_told;
    if (!cf_session_ready(s))
        return;
    if (d->n_told == 2 && d->nap_ms) {
        d->asleep = s;
        d->nap.data = d;
        uv_timer_init(d->loop, &d->nap);
        uv_timer_start(&d->nap, awake, (uint64_t)d->nap_ms, 0);
    } else if (d->n_told <= d->n_asks)
        cf_session_ask(s, &d->ask);
    else
        cf_session_leave(s);
}

static void closed(void *context, struct cf_session *s)
{
    (void)s;
    ++((struct driver *)context)->n_closed;
}

static const struct cf_session_events events = {told, told, closed};

static void drive(struct driver *d, const char *line, int n_asks, int timeout_ms)
{
    const struct cf_session_options options = {.worker = CF_BINARY_DIR "/conform-worker",
                                               .start_timeout_ms = timeout_ms,
                                               .request_timeout_ms = timeout_ms,
                                               .grace_ms = 200};
    const double start = now();
    uv_loop_t loop;

    signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(cf_config_parse(&d->config, line, NULL), 0);
    snprintf(d->out, sizeof d->out, "%s/out", folder);
    d->output = (struct cf_tensor){.dtype = CF_F64, .rank = 1, .dim = {1}};
    d->ask = (struct cf_ask){.params = "\"case\":\"x\",\"in\":\"none\"",
                             .outputs = &d->output,
                             .n_outputs = 1,
                             .out = d->out};
    d->n_asks = n_asks;
    uv_loop_init(&loop);
    d->loop = &loop;
    cf_session_start(&loop, &d->config, &options, &events, d);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&loop), 0, "no handle is left");
    cr_assert_eq(d->n_closed, 1);
    cr_assert_eq(access(d->out, F_OK), -1, "the output file was taken away");
    d->seconds = now() - start;
}

static void drive_fake(struct driver *d, const char *lie, int n_asks, int timeout_ms)
{
    char *line =
        cf_format("fake command=sh%%20" CF_SOURCE_DIR "/tests/fakes/adapter.sh%%20%s", lie);

    drive(d, line, n_asks, timeout_ms);
    free(line);
}

static void drop(struct driver *d)
{
    for (int i = 0; i < d->n_told; ++i)
        free(d->told[i].effective);
    cf_config_free(&d->config);
    *d = (struct driver){.n_told = 0};
}

Test(session, an_honest_adapter_answers_and_leaves)
{
    struct driver d = {.n_told = 0};

    drive_fake(&d, "honest", 3, 10000);
    cr_assert_eq(d.n_told, 4);
    for (int i = 0; i < 4; ++i)
        cr_expect_eq(d.told[i].fate, CF_RAN, "%s", d.told[i].reason);
    cr_expect_str_eq(d.told[0].effective, "{\"name\":\"fake\",\"threads\":1,\"version\":\"1.2\"}");
    cr_expect_eq(d.told[1].wall_ns, 7);
    cr_expect_eq(d.value, 1.5);
    cr_expect_str_eq(d.told[1].reason, "");
    cr_expect_lt(d.seconds, 4);
    drop(&d);
}

struct fate {
    const char *lie;
    enum cf_fate fate;
    const char *says;
};

static void expect_fate(const struct fate *row, int at_hello, double within)
{
    struct driver d = {.n_told = 0};
    const struct cf_reply *last;

    drive_fake(&d, row->lie, 1, 700);
    cr_assert_eq(d.n_told, at_hello ? 1 : 2, "%s: %d", row->lie, d.n_told);
    last = &d.told[d.n_told - 1];
    cr_expect_eq(last->fate, row->fate, "%s became %s: %s", row->lie, cf_fate_name(last->fate),
                 last->reason);
    cr_expect(strstr(last->reason, row->says), "%s: %s", row->lie, last->reason);
    cr_expect_lt(d.seconds, within, "%s took %a s", row->lie, d.seconds);
    drop(&d);
}

Test(session, each_lie_in_a_request_has_its_fate)
{
    static const struct fate rows[] = {
        {"crash", CF_CRASHED, "died of signal 11 (SIGSEGV) while running"},
        {"exit", CF_CRASHED,
         "exited with code 3 without an answer while running; its last words: no more paper"},
        {"hang", CF_TIMED_OUT, "did not answer within 0.7 s"},
        {"deaf", CF_TIMED_OUT, "did not answer within 0.7 s"},
        {"half", CF_TIMED_OUT, "did not answer"},
        {"closes", CF_PROTOCOL, "closed its replies"},
        {"more", CF_PROTOCOL, "more bytes after the end"},
        {"nan", CF_PROTOCOL, "no JSON object"},
        {"list", CF_PROTOCOL, "no JSON object"},
        {"both", CF_PROTOCOL, "either a result or an error"},
        {"code", CF_PROTOCOL, "`tired`"},
        {"minus", CF_PROTOCOL, "no count of nanoseconds"},
        {"child_dies", CF_CRASHED, "signal 9 (SIGKILL)"},
        {"link", CF_PROTOCOL, "no regular file"},
        {"extra", CF_PROTOCOL, "2 tensors instead of 1"},
        {"type", CF_PROTOCOL, "y0 is not of the type and shape"},
        {"offset", CF_PROTOCOL, "data_offsets"},
        {"big", CF_PROTOCOL, "larger than its tensors"},
        {"flood", CF_RAN, ""},
        {"changes", CF_RAN, "the call changed mxcsr, cwd; mxcsr is now 0x9fc0"},
        {"chooses", CF_RAN, ""},
        {"chooses_none", CF_PROTOCOL, "chosen in the reply is no text"},
        {"chooses_much", CF_PROTOCOL, "chosen in the reply is no text"},
        {"seconds", CF_RAN, ""}};

    for (int i = 0; i < CF_COUNT(rows); ++i)
        expect_fate(&rows[i], 0, 3);
}

/* In a call and while it opens: number and name of each signal that a library dies of. */
Test(session, each_signal_is_told_by_its_name)
{
    static const struct {
        const char *name;
        int number;
    } rows[] = {{"BUS", SIGBUS},   {"ILL", SIGILL},   {"FPE", SIGFPE},
                {"ABRT", SIGABRT}, {"KILL", SIGKILL}, {"XFSZ", SIGXFSZ}};

    for (int i = 0; i < 2 * CF_COUNT(rows); ++i) {
        const int at_hello = i % 2;
        char *lie = cf_format("%sdies_%s", at_hello ? "hello_" : "", rows[i / 2].name),
             *says = cf_format("died of signal %d (SIG%s) while %s", rows[i / 2].number,
                               rows[i / 2].name, at_hello ? "loading" : "running");
        const struct fate row = {lie, at_hello ? CF_NOT_OPENED : CF_CRASHED, says};

        expect_fate(&row, at_hello, 3);
        free(lie);
        free(says);
    }
}

Test(session, each_lie_at_hello_has_its_fate)
{
    static const struct fate rows[] = {
        {"hello_crash", CF_NOT_OPENED, "died of signal 11 (SIGSEGV) while loading"},
        {"hello_exit", CF_NOT_OPENED, "exited with code 3"},
        {"hello_hang", CF_TIMED_OUT, "did not open within 0.7 s"},
        {"hello_deaf", CF_TIMED_OUT, "did not open within 0.7 s"},
        {"hello_more", CF_PROTOCOL, "more bytes after the end"},
        {"hello_list", CF_PROTOCOL, "no JSON object"},
        {"hello_half", CF_TIMED_OUT, "did not open"},
        {"version", CF_PROTOCOL, "version 1 of the protocol"}};

    for (int i = 0; i < CF_COUNT(rows); ++i)
        expect_fate(&rows[i], 1, 3);
}

Test(session, a_process_that_cannot_be_started_is_not_opened)
{
    static const struct fate rows[] = {
        {"fake command=no-such-program-anywhere", CF_NOT_OPENED, "No such file"},
        {"fake command=%20", CF_NOT_OPENED, "names no program"},
        {"plain kernel=forward sysroot=no-such-folder", CF_NOT_OPENED, "holds no ld"},
        {"nonsense", CF_NOT_OPENED, "no backend `nonsense`"}};

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        struct driver d = {.n_told = 0};

        drive(&d, rows[i].lie, 1, 5000);
        cr_assert_eq(d.n_told, 1);
        cr_expect_eq(d.told[0].fate, rows[i].fate, "%s", cf_fate_name(d.told[0].fate));
        cr_expect(strstr(d.told[0].reason, rows[i].says), "%s", d.told[0].reason);
        drop(&d);
    }
}

Test(session, what_was_asked_for_is_compared_with_what_is_in_effect)
{
    static const struct fate rows[] = {{"threads=8", CF_STATE_MISMATCH, "asked threads=8, got 2"},
                                       {"threads=2", CF_RAN, ""},
                                       {"coretype=Zen", CF_RAN, ""}};

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        struct driver d = {.n_told = 0};
        char *line =
            cf_format("fake %s command=sh%%20" CF_SOURCE_DIR "/tests/fakes/adapter.sh%%20threads",
                      rows[i].lie);

        drive(&d, line, 1, 5000);
        cr_expect_eq(d.told[0].fate, rows[i].fate, "%s: %s", rows[i].lie, d.told[0].reason);
        cr_expect_eq(d.n_told, rows[i].fate == CF_RAN ? 2 : 1);
        cr_expect(strstr(d.told[0].reason, rows[i].says), "%s", d.told[0].reason);
        cr_expect_str_eq(d.told[0].effective,
                         "{\"Threads\":2,\"name\":\"fake\",\"version\":\"7.1\"}");
        free(line);
        drop(&d);
    }
}

Test(session, one_that_dies_between_requests_loses_the_next_one)
{
    struct driver d = {.n_told = 0};

    drive_fake(&d, "idle", 2, 5000);
    cr_expect_eq(d.told[1].fate, CF_RAN);
    if (d.n_told == 3) /* it was asked before its end was seen */
        cr_expect_eq(d.told[2].fate, CF_CRASHED);
    drop(&d);
}

Test(session, words_between_requests_are_held_against_the_next)
{
    struct driver d = {.n_told = 0, .nap_ms = 300};

    drive_fake(&d, "late", 2, 5000);
    cr_assert_eq(d.n_told, 3);
    cr_expect_eq(d.told[1].fate, CF_RAN);
    cr_expect_eq(d.told[2].fate, CF_PROTOCOL, "%s", d.told[2].reason);
    drop(&d);
}

/* Dead, or a zombie that nobody has collected. */
static int is_gone(int pid)
{
    char name[64], state = 'X';
    FILE *file;

    snprintf(name, sizeof name, "/proc/%d/stat", pid);
    file = fopen(name, "r");
    if (file && fscanf(file, "%*d %*s %c", &state) != 1)
        state = 'X';
    if (file)
        fclose(file);
    return state == 'X' || state == 'Z';
}

Test(session, a_process_that_it_leaves_behind_dies_with_it)
{
    static const char *const lies[] = {"child", "child_dies"};

    for (int i = 0; i < CF_COUNT(lies); ++i) {
        struct driver d = {.n_told = 0};
        char name[340];
        int pid = 0;
        FILE *file;

        drive_fake(&d, lies[i], 1, 5000);
        snprintf(name, sizeof name, "%s.pid", d.out);
        file = fopen(name, "r");
        cr_assert(file && fscanf(file, "%d", &pid) == 1 && pid > 1);
        fclose(file);
        for (int k = 0; k < 100 && !is_gone(pid); ++k)
            nanosleep(&(struct timespec){0, 10000000}, NULL);
        cr_expect(is_gone(pid), "%s: process %d lives on", lies[i], pid);
        cr_expect_lt(d.seconds, 4);
        drop(&d);
    }
}

struct liar {
    char adapter[20];
    enum cf_fate fate;
};

Test(session, the_liars_of_the_protocol_come_to_their_fates)
{
    static const struct liar rows[] = {{"garbage", CF_PROTOCOL},
                                       {"half", CF_PROTOCOL},
                                       {"huge", CF_PROTOCOL},
                                       {"wrong_id", CF_PROTOCOL},
                                       {"words", CF_PROTOCOL},
                                       {"no_file", CF_PROTOCOL},
                                       {"exits", CF_CRASHED},
                                       {"sleeps", CF_TIMED_OUT},
                                       {"not_offered", CF_NOT_OFFERED},
                                       {"broke", CF_BROKE},
                                       {"out_of_memory", CF_OUT_OF_MEMORY}};

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        struct driver d = {.n_told = 0};
        char *line = cf_format("liar command=" CF_BINARY_DIR "/liars/adapter_%s", rows[i].adapter);

        /* words and wrong_shape read their input */
        if (strcmp(rows[i].adapter, "words") != 0 && strcmp(rows[i].adapter, "wrong_id") != 0 &&
            strcmp(rows[i].adapter, "no_file") != 0) {
            drive(&d, line, 1, 700);
            cr_assert_eq(d.n_told, 2, "%s", rows[i].adapter);
            cr_expect_eq(d.told[1].fate, rows[i].fate, "%s: %s", rows[i].adapter, d.told[1].reason);
        }
        free(line);
        drop(&d);
    }
}
