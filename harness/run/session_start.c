/* The start of a session's process. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "launch.h"
#include "session_internal.h"

static void init_handle(struct cf_session *s, void *handle)
{
    ((uv_handle_t *)handle)->data = s;
    ++s->n_handles;
}

/* The child's ends of its descriptors: stdin, log, replies; ours are in the pipes. Ordinary pipes,
 * so that a script may open /dev/fd/3. */
static int open_pipes(struct cf_session *s, int child[3])
{
    uv_pipe_t *const ours[3] = {&s->requests, &s->log, &s->replies};

    child[0] = child[1] = child[2] = -1;
    for (int i = 0; i < 3; ++i) {
        const int reads = i == 0; /* what the child does */
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) != 0)
            return -errno;
        child[i] = ends[!reads];
        if (uv_pipe_open(ours[i], ends[reads]) != 0)
            return UV_EMFILE;
    }
    return 0;
}

static int spawn(struct cf_session *s, const struct cf_launch *launch)
{
    uv_stdio_container_t stdio[4];
    int child[3], result = open_pipes(s, child);
    const int order[4] = {0, 1, 1, 2};
    const uv_process_options_t options = {.file = launch->argv[0],
                                          .args = (char **)(uintptr_t)launch->argv,
                                          .env = launch->environment,
                                          .exit_cb = cf_session_on_exit,
                                          .flags = UV_PROCESS_DETACHED,
                                          .stdio_count = 4,
                                          .stdio = stdio};

    for (int i = 0; i < 4; ++i) {
        stdio[i].flags = UV_INHERIT_FD;
        stdio[i].data.fd = child[order[i]];
    }
    if (result == 0) {
        init_handle(s, &s->process);
        s->has_process = 1;
        result = uv_spawn(s->loop, &s->process, &options);
    }
    for (int i = 0; i < 3; ++i)
        if (child[i] >= 0)
            close(child[i]);
    return result;
}

/* Without a process: told from the loop, as everything is. */
static void doom_at_start(struct cf_session *s, const char *why)
{
    cf_reply_set(&s->doom, CF_NOT_OPENED, "%s", why);
    s->exited = 1;
    cf_session_start_timer(s, 0);
}

/* The limit is of a process, and grows with what it has used: only one that has left the group, and
 * that nobody waits for, comes near. The worker needs none: it makes no processes. */
void cf_session_limit_cpu(const struct cf_session *s, int ms)
{
    struct timespec used;
    struct rlimit limit;
    clockid_t clock;
    cpu_set_t set;

    if (!cf_config_get(s->config, "command") || clock_getcpuclockid(s->pid, &clock) != 0 ||
        clock_gettime(clock, &used) != 0 || sched_getaffinity(0, sizeof set, &set) != 0 ||
        prlimit(s->pid, RLIMIT_CPU, NULL, &limit) != 0)
        return;
    limit.rlim_cur = (rlim_t)used.tv_sec + 2 + (rlim_t)CPU_COUNT(&set) * (rlim_t)ms / 1000;
    limit.rlim_cur = limit.rlim_cur < limit.rlim_max ? limit.rlim_cur : limit.rlim_max;
    prlimit(s->pid, RLIMIT_CPU, &limit, NULL);
}

/* An adapter may want to know the configuration; the worker has it as its argument. */
static char *make_hello(const struct cf_config *config)
{
    json_t *text = json_string(config->text);
    json_t *hello = json_pack("{s:i,s:s,s:{s:i,s:o}}", "id", 0, "method", "hello", "params",
                              "protocol", 1, "configuration", text ? text : json_null());
    char *line = json_dumps(hello, JSON_COMPACT | JSON_ENSURE_ASCII), *whole;

    CF_CHECK(line != NULL);
    whole = cf_format("%s\n", line);
    free(line);
    json_decref(hello);
    return whole;
}

static void greet(struct cf_session *s)
{
    cf_session_start_timer(s, s->options.start_timeout_ms);
    cf_session_limit_cpu(s, s->options.start_timeout_ms);
    uv_read_start((uv_stream_t *)&s->replies, cf_session_give_block, cf_session_on_reply);
    uv_read_start((uv_stream_t *)&s->log, cf_session_give_block, cf_session_on_log);
    cf_session_send(s, make_hello(s->config));
}

static void init_pipes(struct cf_session *s)
{
    uv_pipe_t *const pipes[] = {&s->requests, &s->replies, &s->log};

    uv_timer_init(s->loop, &s->timer);
    init_handle(s, &s->timer);
    for (int i = 0; i < CF_COUNT(pipes); ++i) {
        uv_pipe_init(s->loop, pipes[i], 0);
        init_handle(s, pipes[i]);
    }
}

static void launch_process(struct cf_session *s, const struct cf_launch *launch)
{
    const int result = spawn(s, launch);
    char *why;

    if (result == 0) {
        s->pid = s->process.pid;
        greet(s);
        return;
    }
    why = cf_format("%s cannot be started: %s", launch->argv[0], uv_strerror(result));
    doom_at_start(s, why);
    free(why);
}

struct cf_session *cf_session_start(uv_loop_t *loop, const struct cf_config *config,
                                    const struct cf_session_options *options,
                                    const struct cf_session_events *events, void *context)
{
    struct cf_session *s = cf_alloc_zero(sizeof *s);
    struct cf_launch launch;
    struct cf_error err;

    s->config = config;
    s->options = *options;
    s->events = events;
    s->context = context;
    s->loop = loop;
    s->oom_kills = cf_cgroup_oom_kills();
    init_pipes(s);
    if (cf_launch_make(&launch, config, options->worker, options->memory_mb, &err) != 0) {
        doom_at_start(s, err.text);
        return s;
    }
    launch_process(s, &launch);
    cf_launch_free(&launch);
    return s;
}
