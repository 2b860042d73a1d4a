#include "session_internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"

#define LEAVE_MS  5000
#define DRAIN_MS  200 /* a stranger may hold a descriptor of a dead worker open */
#define LOG_WORDS 170

static const char *const phases[] = {"while loading", "between requests", "while running",
                                     "while leaving", "at the end"};

pid_t cf_session_pid(const struct cf_session *s)
{
    return s->exited ? 0 : s->pid;
}

int cf_session_is_open(const struct cf_session *s)
{
    return s->is_told;
}

int cf_session_ready(const struct cf_session *s)
{
    return s->phase == IDLE && !s->exited && s->force == NONE && s->doom.fate == CF_RAN;
}

static void on_closed(uv_handle_t *handle)
{
    struct cf_session *s = handle->data;

    if (--s->n_handles > 0)
        return;
    s->events->closed(s->context, s);
    cf_capture_free(&s->capture);
    cf_reply_free(&s->doom);
    free(s->line);
    free(s);
}

static void close_handle(void *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void tell(struct cf_session *s, struct cf_reply *reply)
{
    const int first = !s->is_told;

    s->is_told = 1;
    if (s->is_mute)
        return;
    (first ? s->events->opened : s->events->answered)(s->context, s, reply);
}

/* The process is gone, or beyond our reach: the last word, then all descriptors. */
static void finish(struct cf_session *s)
{
    const int owed = s->phase == LOADING || s->phase == RUNNING;

    if (s->phase == RUNNING)
        unlink(s->ask.out); /* written, perhaps, and never answered */
    s->phase = CLOSING;
    if (owed)
        tell(s, &s->doom);
    close_handle(&s->requests);
    close_handle(&s->replies);
    close_handle(&s->log);
    close_handle(&s->timer);
    if (s->has_process)
        close_handle(&s->process);
}

static void on_timer(uv_timer_t *timer);

void cf_session_start_timer(struct cf_session *s, int ms)
{
    uv_update_time(s->loop);
    uv_timer_start(&s->timer, on_timer, (uint64_t)ms, 0);
}

static void signal_group(const struct cf_session *s, int number)
{
    if (s->pid > 0)
        kill(-s->pid, number);
}

static void press(struct cf_session *s)
{
    s->force = s->force == NONE ? TERMINATED : s->force == TERMINATED ? KILLED : GIVEN_UP;
    if (s->force == GIVEN_UP) {
        finish(s);
        return;
    }
    signal_group(s, s->force == TERMINATED ? SIGTERM : SIGKILL);
    cf_session_start_timer(s, s->force == TERMINATED ? s->options.grace_ms : LEAVE_MS);
}

/* The words of the log after a sentence. */
static void add_log(struct cf_session *s)
{
    char last[LOG_WORDS], *reason;

    cf_capture_last(&s->capture, last, sizeof last);
    if (!*last)
        return;
    reason = cf_strdup(s->doom.reason);
    cf_reply_set(&s->doom, s->doom.fate, "%.200s; its last words: %s", reason, last);
    free(reason);
}

static const char *signal_name(int number)
{
    const char *name = sigabbrev_np(number);

    return name ? name : "unknown";
}

/* What an end that nobody asked for means. */
static void judge_exit(struct cf_session *s)
{
    const enum cf_fate fate = s->phase == LOADING ? CF_NOT_OPENED : CF_CRASHED;

    if (s->exit_signal == SIGKILL && cf_cgroup_oom_kills() > s->oom_kills)
        cf_reply_set(&s->doom, CF_OUT_OF_MEMORY, "killed by the kernel for lack of memory %s",
                     phases[s->phase]);
    else if (s->exit_signal)
        cf_reply_set(&s->doom, fate, "died of signal %d (SIG%s) %s", s->exit_signal,
                     signal_name(s->exit_signal), phases[s->phase]);
    else
        cf_reply_set(&s->doom, fate, "exited with code %d without an answer %s", s->exit_status,
                     phases[s->phase]);
}

/* All that it wrote before its end has been read, or never will be. */
static void drained(struct cf_session *s)
{
    if (s->phase == CLOSING)
        return;
    if (s->doom.fate == CF_RAN && (s->phase == LOADING || s->phase == RUNNING)) {
        if (s->n_line > 0)
            cf_reply_set(&s->doom, CF_PROTOCOL, "ended in the middle of a reply, with %s %d",
                         s->exit_signal ? "signal" : "code",
                         s->exit_signal ? s->exit_signal : s->exit_status);
        else
            judge_exit(s);
    }
    if (s->doom.fate != CF_RAN)
        add_log(s);
    finish(s);
}

static void drain_or_wait(struct cf_session *s)
{
    if (s->exited && !uv_is_active((uv_handle_t *)&s->replies) &&
        !uv_is_active((uv_handle_t *)&s->log))
        drained(s);
}

static void on_timer(uv_timer_t *timer)
{
    struct cf_session *s = timer->data;

    if (s->exited) {
        drained(s);
        return;
    }
    if (s->force == NONE && s->doom.fate == CF_RAN && s->hung_up)
        cf_reply_set(&s->doom, CF_PROTOCOL, "closed its replies without an answer and lived on");
    else if (s->force == NONE && s->doom.fate == CF_RAN && s->phase == LOADING)
        cf_reply_set(&s->doom, CF_TIMED_OUT, "did not open within %g s",
                     s->options.start_timeout_ms / 1000.0);
    else if (s->force == NONE && s->doom.fate == CF_RAN && s->phase == RUNNING)
        cf_reply_set(&s->doom, CF_TIMED_OUT, "did not answer within %g s",
                     s->options.request_timeout_ms / 1000.0);
    press(s);
}

/* The rest of its group is of no use to anybody; it also lets go of the descriptors. */
void cf_session_on_exit(uv_process_t *process, int64_t status, int number)
{
    struct cf_session *s = process->data;

    s->exited = 1;
    s->exit_status = (int)status;
    s->exit_signal = number;
    signal_group(s, SIGKILL);
    if (s->phase == CLOSING)
        return;
    cf_session_start_timer(s, DRAIN_MS);
    drain_or_wait(s);
}

/* It cannot be believed any more: it is told so when it is gone. */
static void condemn(struct cf_session *s, enum cf_fate fate, const char *why)
{
    if (s->doom.fate == CF_RAN)
        cf_reply_set(&s->doom, fate, "%s", why);
    s->n_line = 0;
    if (s->force == NONE && !s->exited)
        press(s);
}

static int comes_back_whole(enum cf_fate fate)
{
    return fate == CF_RAN || fate == CF_NOT_OFFERED || fate == CF_OUT_OF_MEMORY;
}

static void take_line(struct cf_session *s, size_t n)
{
    const int is_hello = s->phase == LOADING;
    struct cf_reply reply;

    if (is_hello)
        cf_reply_hello(&reply, s->line, n, s->id, s->config);
    else
        cf_reply_run(&reply, s->line, n, s->id, s->ask.outputs, s->ask.n_outputs, s->ask.out);
    s->n_line = 0;
    if (reply.fate == CF_PROTOCOL) {
        condemn(s, CF_PROTOCOL, reply.reason);
        cf_reply_free(&reply);
        return;
    }
    uv_timer_stop(&s->timer);
    s->phase = IDLE;
    if (is_hello ? reply.fate != CF_RAN : !comes_back_whole(reply.fate))
        press(s);
    tell(s, &reply);
    cf_reply_free(&reply);
}

static void keep(struct cf_session *s, const char *bytes, size_t n)
{
    if (s->n_line + n > s->room) {
        s->room = 2 * (s->n_line + n);
        s->line = cf_realloc(s->line, s->room);
    }
    memcpy(s->line + s->n_line, bytes, n);
    s->n_line += n;
}

static void take_bytes(struct cf_session *s, const char *bytes, size_t n)
{
    const char *end = memchr(bytes, '\n', n);

    if (s->doom.fate != CF_RAN || s->phase == LEAVING || s->phase == CLOSING)
        return;
    if (s->phase == IDLE) {
        if (s->force == NONE)
            snprintf(s->spoiled, sizeof s->spoiled, "%s",
                     "it said something more after its reply to the request before");
        return;
    }
    if (s->n_line + (size_t)(end ? end - bytes : (ptrdiff_t)n) > CF_REPLY_MAX)
        condemn(s, CF_PROTOCOL, "the reply is longer than 1 MiB");
    else if (end && end + 1 < bytes + n)
        condemn(s, CF_PROTOCOL, "there are more bytes after the end of the reply");
    else {
        keep(s, bytes, n);
        if (end)
            take_line(s, s->n_line - 1);
    }
}

void cf_session_give_block(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
    struct cf_session *s = handle->data;

    (void)wanted;
    *buffer = uv_buf_init(s->block, sizeof s->block);
}

/* A worker that closes its replies and lives on will never answer. */
void cf_session_on_reply(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct cf_session *s = stream->data;

    if (n > 0)
        take_bytes(s, buffer->base, (size_t)n);
    if (n >= 0)
        return;
    uv_read_stop(stream);
    s->hung_up = 1;
    if (!s->exited && s->force == NONE && (s->phase == LOADING || s->phase == RUNNING))
        cf_session_start_timer(s, s->options.grace_ms);
    drain_or_wait(s);
}

void cf_session_on_log(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct cf_session *s = stream->data;

    if (n > 0)
        cf_capture_add(&s->capture, buffer->base, (size_t)n);
    if (n >= 0)
        return;
    uv_read_stop(stream);
    drain_or_wait(s);
}

struct line {
    uv_write_t request;
    char *text;
};

static void on_written(uv_write_t *request, int status)
{
    struct line *line = (struct line *)request;
    struct cf_session *s = request->handle->data;

    (void)status;            /* whoever does not read will not answer either */
    if (s->phase == LEAVING) /* bye is the last line: some leave at the end of input only */
        close_handle(&s->requests);
    free(line->text);
    free(line);
}

void cf_session_send(struct cf_session *s, char *text)
{
    struct line *line = cf_alloc(sizeof *line);
    const uv_buf_t buffer = uv_buf_init(text, (unsigned)strlen(text));

    line->text = text;
    if (uv_write(&line->request, (uv_stream_t *)&s->requests, &buffer, 1, on_written) != 0) {
        free(text);
        free(line);
    }
}

void cf_session_ask(struct cf_session *s, const struct cf_ask *ask)
{
    CF_CHECK(cf_session_ready(s));
    s->ask = *ask;
    s->phase = RUNNING;
    ++s->id;
    cf_session_start_timer(s, s->options.request_timeout_ms);
    cf_session_limit_cpu(s, s->options.request_timeout_ms);
    if (s->spoiled[0]) {
        condemn(s, CF_PROTOCOL, s->spoiled);
        return;
    }
    cf_session_send(s,
                    cf_format("{\"id\":%lld,\"method\":\"run\",\"params\":{%s,\"out\":\"%s\"}}\n",
                              (long long)s->id, ask->params, ask->out));
}

void cf_session_leave(struct cf_session *s)
{
    if (s->phase != IDLE || s->force != NONE)
        return;
    s->phase = LEAVING;
    cf_session_send(s, cf_format("{\"id\":%lld,\"method\":\"bye\"}\n", (long long)++s->id));
    cf_session_start_timer(s, LEAVE_MS);
    drain_or_wait(s);
}

void cf_session_kill(struct cf_session *s)
{
    s->is_mute = 1;
    if (s->phase == CLOSING || s->exited)
        return;
    s->force = KILLED;
    signal_group(s, SIGKILL);
    cf_session_start_timer(s, LEAVE_MS);
}
