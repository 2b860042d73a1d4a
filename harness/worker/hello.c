#include "worker.h"

#include "trust.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

json_t *cf_worker_error(const char *code, const char *format, ...)
{
    char message[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    /* A library's own words may be no UTF-8; then only their length is worth telling. */
    return json_pack("{s:{s:s,s:o}}", "error", "code", code, "message",
                     json_string(message)
                         ? json_string(message)
                         : json_sprintf("%zu bytes that are no UTF-8", strlen(message)));
}

json_t *cf_worker_state(struct cf_worker *worker)
{
    const struct cf_state before = worker->state;
    json_t *changed;

    cf_state_read(&worker->state);
    changed = cf_state_changed(&before, &worker->state);
    if (before.cwd_inode != worker->state.cwd_inode ||
        before.cwd_device != worker->state.cwd_device)
        if (fchdir(worker->cwd_fd) == 0) {
            worker->state.cwd_inode = before.cwd_inode;
            worker->state.cwd_device = before.cwd_device;
        }
    umask(before.umask); /* or nobody could read our outputs */
    worker->state.umask = before.umask;
    return json_pack("{s:o,s:o}", "mxcsr", json_sprintf("0x%04x", worker->state.control), "changed",
                     changed);
}

static void emit(void *effective, const char *key, const char *value)
{
    json_t *text = json_string(value);

    json_object_set_new(effective, key, text ? text : json_string("(no UTF-8)"));
}

static void emit_control(json_t *effective, const char *key, const struct cf_state *state)
{
    json_object_set_new(effective, key, json_sprintf("0x%04x", state->control));
}

/* "conv2d_fwd=81 ...": the ops whose kernel in this configuration is fast, with their growth. */
static void emit_fast(const struct cf_worker *worker, json_t *effective)
{
    json_t *ops = cf_registry_kernels(worker->backend), *names;
    const char *kernel_name = cf_config_get(&worker->config, "kernel"), *op;
    char *text = cf_strdup("");

    json_object_foreach(ops, op, names)
    {
        const struct cf_kernel *kernel = cf_kernel_find(worker->backend, op, kernel_name);
        char *longer;

        if (!kernel || kernel->class != CF_FAST)
            continue;
        longer = cf_format("%s%s%s=%.17g", text, *text ? " " : "", op, kernel->growth);
        free(text);
        text = longer;
    }
    if (*text)
        emit(effective, "fast", text);
    free(text);
    json_decref(ops);
}

/* Where a training step gets its primitives: "gemm=blas/cblas relu_fwd=plain/direct". A backend
 * that lacks one is helped out by plain, and this says so. */
static void emit_composite(json_t *effective)
{
    char *text = cf_strdup("");

    for (int i = 0; cf_primitive_name(i); ++i) {
        const struct cf_kernel *kernel = cf_composite_resolve(cf_primitive_name(i));
        char *longer;

        if (!kernel) /* the models do without */
            continue;
        longer = cf_format("%s%s%s=%s/%s", text, *text ? " " : "", cf_primitive_name(i),
                           kernel->backend->name, kernel->name);
        free(text);
        text = longer;
    }
    emit(effective, "composite", text);
    free(text);
}

/* What is in effect: the backend's words and the process's. */
static json_t *read_back(struct cf_worker *worker, const struct cf_state *before)
{
    json_t *effective = json_object(), *state = cf_worker_state(worker);

    if (worker->backend->state)
        worker->backend->state(worker->library, emit, effective);
    emit_fast(worker, effective);
    emit_composite(effective);
    emit_control(effective, "mxcsr_before_load", before);
    emit_control(effective, "mxcsr_after_load", &worker->state);
    json_object_set_new(effective, "rounding", json_string(cf_state_rounding(&worker->state)));
    json_object_set_new(effective, "x87_control", json_sprintf("0x%04x", worker->state.x87));
    json_object_set(effective, "changed_by_load", json_object_get(state, "changed"));
    json_decref(state);
    return effective;
}

/* What is in effect for a key: the backend's word, or "none" for a switch that it does not know.
 * NULL: nothing to compare. */
static const char *in_effect(const json_t *effective, const char *key)
{
    static const char *const switches[] = {"coretype", "isa"};
    const char *got = json_string_value(json_object_get(effective, key));

    for (int i = 0; !got && i < CF_COUNT(switches); ++i)
        if (strcmp(key, switches[i]) == 0)
            return "none";
    return got ? got : strcmp(key, "device") == 0 ? "cpu" : NULL;
}

/* The first key whose effective value is not the one asked for, or NULL. */
static const char *find_mismatch(const struct cf_worker *worker, const json_t *effective)
{
    for (int i = 1; i < worker->config.keys.n; ++i) {
        const struct cf_pair *asked = &worker->config.keys.pair[i];
        const char *got = in_effect(effective, asked->key);

        if (got && strcasecmp(got, asked->value) != 0) /* OpenBLAS takes core types in any case */
            return asked->key;
    }
    return NULL;
}

static json_t *answer(struct cf_worker *worker, json_t *effective)
{
    const char *key = find_mismatch(worker, effective);
    json_t *reply;

    worker->agreed = key == NULL;
    if (worker->agreed)
        return json_pack("{s:{s:i,s:s,s:s,s:o,s:o}}", "result", "protocol", CF_WORKER_PROTOCOL,
                         "name", worker->backend->name, "version", CF_VERSION, "kernels",
                         cf_registry_kernels(worker->backend), "effective", effective);
    reply = cf_worker_error("state-mismatch", "%s=%s was asked for and %s is in effect", key,
                            cf_config_get(&worker->config, key), in_effect(effective, key));
    json_object_set_new(json_object_get(reply, "error"), "effective", effective);
    return reply;
}

/* May the library that the configuration names be loaded? */
static int is_trusted(const struct cf_config *config, struct cf_error *err)
{
    const char *path = cf_config_get(config, "lib"), *flags = cf_config_get(config, "flags");

    if (!path || (flags && strstr(flags, "unsafe-paths")))
        return 1;
    return cf_trust_path(path, err) == 0;
}

json_t *cf_worker_hello(struct cf_worker *worker)
{
    const char *kernel = cf_config_get(&worker->config, "kernel");
    struct cf_error err = {.text = "", .exit_code = 2};
    struct cf_state before;

    worker->backend = cf_backend_find(worker->config.backend);
    if (!worker->backend)
        return cf_worker_error("not-opened", "there is no backend `%s` in this worker",
                               worker->config.backend);
    if (worker->limits.exit_code != 0)
        return cf_worker_error("state-mismatch", "%s", worker->limits.text);
    if (!is_trusted(&worker->config, &err))
        return cf_worker_error("not-opened", "%s", err.text);
    cf_state_read(&worker->state);
    before = worker->state;
    if (!worker->library)
        worker->library = worker->backend->open(&worker->config.keys, &err);
    cf_registry_open(worker->backend, worker->library, kernel);
    if (!worker->library)
        return cf_worker_error(err.exit_code == 3 ? "state-mismatch" : "not-opened", "%s",
                               err.text);
    if (kernel && !cf_registry_knows(worker->backend, kernel))
        return cf_worker_error("not-opened",
                               "the backend %s has no kernel `%s`; `conform list backends` names "
                               "its kernels",
                               worker->backend->name, kernel);
    return answer(worker, read_back(worker, &before));
}
