/* Spawns conform-worker in a process group of its own and speaks with it, for tests. */
#ifndef CF_WORKER_CLIENT_H
#define CF_WORKER_CLIENT_H

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "safetensors.h"

#define WORKER CF_BINARY_DIR "/conform-worker"
#define LIARS  CF_BINARY_DIR "/liars/"

/* A sanitized worker must die and run out of memory as any other. */
#define SANITIZER_OPTIONS                                                                          \
    "ASAN_OPTIONS=allocator_may_return_null=1:handle_segv=0:handle_abort=0:detect_leaks=0"

struct client {
    pid_t pid;
    int in, out; /* its requests, its replies */
    char directory[64];
    int id;
};

/* A directory of one's own in $TMPDIR. */
static inline void make_directory(char path[64])
{
    const char *base = getenv("TMPDIR");

    snprintf(path, 64, "%s/cf-test-XXXXXX", base && strlen(base) < 40 ? base : P_tmpdir);
    CF_CHECK(mkdtemp(path) != NULL);
}

/* A pipe whose ends close on exec; -1 aborts, for a test without a pipe is none. */
static inline void make_pipe(int ends[2])
{
    CF_CHECK(pipe2(ends, O_CLOEXEC) == 0);
}

/* argv[0] is the program; `environment` NULL: ours. Log output is thrown away. */
static inline void client_spawn(struct client *c, const char *const argv[],
                                const char *const environment[])
{
    static const char *const plain[] = {"CONFORM_FD=3", "LC_ALL=C", SANITIZER_OPTIONS, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t pipe_signal;
    int in[2], out[2];

    make_pipe(in);
    make_pipe(out);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 3);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &pipe_signal);
    signal(SIGPIPE, SIG_IGN); /* a worker that is gone is a missing reply, not our end */
    CF_CHECK(posix_spawn(&c->pid, argv[0], &actions, &attributes, (char *const *)argv,
                         (char *const *)(environment ? environment : plain)) == 0);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    c->in = in[1];
    c->out = out[0];
    c->id = 0;
    make_directory(c->directory);
}

static inline void client_start(struct client *c, const char *configuration)
{
    const char *const argv[] = {WORKER, configuration, NULL};

    client_spawn(c, argv, NULL);
}

static inline void client_path(const struct client *c, const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", c->directory, name);
}

/* Kills the group, removes the directory. Returns the wait status. */
static inline int client_stop(struct client *c)
{
    static const char *const files[] = {"in", "out", "out.tmp"};
    char path[128];
    int status = 0;

    close(c->in);
    close(c->out);
    kill(-c->pid, SIGKILL);
    waitpid(c->pid, &status, 0);
    for (int i = 0; i < CF_COUNT(files); ++i) {
        client_path(c, files[i], path);
        unlink(path);
    }
    rmdir(c->directory);
    return status;
}

/* One line within the time, or NULL: silence, or the end of the worker. The caller frees. */
static inline char *client_line(struct client *c, int timeout_ms)
{
    size_t n = 0, capacity = 1 << 16;
    char *line = cf_alloc(capacity);
    struct pollfd ready = {c->out, POLLIN, 0};

    while (n + 1 < capacity && poll(&ready, 1, timeout_ms) == 1 && read(c->out, line + n, 1) == 1)
        if (line[n++] == '\n') {
            line[n] = '\0';
            return line;
        }
    free(line);
    return NULL;
}

static inline json_t *client_ask(struct client *c, json_t *request, int timeout_ms)
{
    char *text, *line;
    json_t *reply;

    json_object_set_new(request, "id", json_integer(c->id++));
    text = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    dprintf(c->in, "%s\n", text);
    free(text);
    line = client_line(c, timeout_ms);
    reply = line ? json_loads(line, 0, NULL) : NULL;
    free(line);
    return reply;
}

static inline json_t *client_hello(struct client *c, int timeout_ms)
{
    return client_ask(c, json_pack("{s:s,s:{s:i}}", "method", "hello", "params", "protocol", 1),
                      timeout_ms);
}

/* Runs an op on inputs x0.. of an optional kernel; on success *out holds the first output, whose
 * shape and type the caller has set and whose bits it has allocated. Returns the reply. */
static inline json_t *client_run(struct client *c, const char *op, const char *kernel,
                                 const struct cf_tensor in[], int n_in, struct cf_tensor *out,
                                 int align)
{
    struct cf_named_tensor named[CF_SAFETENSORS_MAX];
    struct cf_safetensors file;
    char in_path[128], out_path[128];
    json_t *shape = json_array(), *reply;

    client_path(c, "in", in_path);
    client_path(c, "out", out_path);
    for (int i = 0; i < n_in; ++i) {
        snprintf(named[i].name, sizeof named[i].name, "x%d", i);
        named[i].tensor = in[i];
    }
    CF_CHECK(cf_safetensors_write(in_path, named, n_in, NULL) == 0);
    for (int i = 0; i < out->rank; ++i)
        json_array_append_new(shape, json_integer(out->dim[i]));
    reply = client_ask(c,
                       json_pack("{s:s,s:{s:s,s:s,s:s,s:{},s:s,s:s,s:[{s:s,s:s,s:o}],s:i}}",
                                 "method", "run", "params", "case", "a case", "op", op, "kernel",
                                 kernel ? kernel : "", "attrs", "in", in_path, "out", out_path,
                                 "outputs", "name", "y0", "dtype", cf_dtype_name(out->dtype),
                                 "shape", shape, "align", align),
                       2000);
    if (json_object_get(reply, "result") && cf_safetensors_open(&file, out_path, NULL) == 0) {
        const struct cf_tensor *got = cf_safetensors_get(&file, "y0");

        CF_CHECK(got && cf_tensor_bytes(got) == cf_tensor_bytes(out));
        memcpy(out->bits, got->bits, cf_tensor_bytes(got));
        cf_safetensors_close(&file);
    }
    unlink(out_path);
    return reply;
}

/* The error's code, "" for a result, "no answer". Lives as long as the reply. */
static inline const char *reply_code(const json_t *reply)
{
    const json_t *error = json_object_get(reply, "error");

    if (!reply)
        return "no answer";
    return error                              ? json_string_value(json_object_get(error, "code"))
           : json_object_get(reply, "result") ? ""
                                              : "neither";
}

static inline const char *reply_message(const json_t *reply)
{
    const char *message =
        json_string_value(json_object_get(json_object_get(reply, "error"), "message"));

    return message ? message : "";
}

static inline struct cf_tensor make_tensor(enum cf_dtype dtype, int64_t rows, int64_t columns)
{
    struct cf_tensor t = {.dtype = dtype, .rank = columns < 0 ? 1 : 2, .dim = {rows, columns}};

    cf_tensor_alloc(&t);
    return t;
}

/* dot or gemv of 2 x 8 terms in [1, 9): sums that are exact. out: [2]. */
static inline json_t *client_run_eights(struct client *c, const char *op, const char *kernel,
                                        double out[2], int align)
{
    const int gemv = strcmp(op, "gemv") == 0;
    struct cf_tensor in[2] = {make_tensor(CF_F64, 2, 8),
                              gemv ? make_tensor(CF_F64, 8, -1) : make_tensor(CF_F64, 2, 8)};
    struct cf_tensor y = make_tensor(CF_F64, 2, -1);
    json_t *reply;

    for (int i = 0; i < 16; ++i) {
        ((double *)in[0].bits)[i] = 1 + i / 2.;
        if (i < cf_tensor_count(&in[1]))
            ((double *)in[1].bits)[i] = 1 + i % 8;
    }
    reply = client_run(c, op, kernel, in, 2, &y, align);
    memcpy(out, y.bits, 2 * sizeof *out);
    for (int i = 0; i < 2; ++i)
        cf_tensor_free(&in[i]);
    cf_tensor_free(&y);
    return reply;
}

/* Its exact answers: the sums of (1 + j/2)(1 + j) and of (5 + j/2)(1 + j) over j = 0 .. 7. */
static const double exact[2] = {120, 264};

#endif
