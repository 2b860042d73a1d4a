#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "request.h"

static json_t *no_memory(size_t n_bytes)
{
    return cf_worker_error("out-of-memory", "the worker has no memory for an operand of %zu bytes",
                           n_bytes);
}

/* Inputs into guarded buffers of the asked alignment; a fresh copy each time. */
static json_t *place_inputs(struct cf_worker *worker, struct cf_request *request)
{
    struct cf_error err;

    if (cf_safetensors_open(&request->file, request->in_path, &err) != 0)
        return cf_worker_error("protocol", "inputs: %s", err.text);
    for (; request->n_in < request->file.n && request->n_in < CF_WORKER_OPERANDS; ++request->n_in) {
        const int i = request->n_in;
        char name[16];
        const struct cf_tensor *source;
        size_t n_bytes;

        snprintf(name, sizeof name, "x%d", i);
        source = cf_safetensors_get(&request->file, name);
        if (!source)
            return cf_worker_error("protocol", "inputs: there is no tensor %s", name);
        n_bytes = cf_tensor_bytes(source);
        if (cf_buffer_take(&worker->in[i], n_bytes, request->align) != 0)
            return no_memory(n_bytes);
        memcpy(worker->in[i].data, source->bits, n_bytes);
        request->in[i] = *source;
        request->source[i] = source;
        request->in[i].bits = worker->in[i].data;
    }
    return NULL;
}

static json_t *place_outputs(struct cf_worker *worker, struct cf_request *request)
{
    for (int i = 0; i < request->n_out; ++i) {
        struct cf_tensor *out = &request->out[i].tensor;

        if (cf_buffer_take(&worker->out[i], cf_tensor_bytes(out), request->align) != 0)
            return no_memory(cf_tensor_bytes(out));
        out->bits = worker->out[i].data;
        cf_poison(out);
    }
    return NULL;
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static enum cf_status call(struct cf_worker *worker, struct cf_request *request)
{
    struct cf_tensor out[CF_WORKER_OPERANDS];
    enum cf_status status;
    int64_t start;

    for (int i = 0; i < request->n_out; ++i)
        out[i] = request->out[i].tensor;
    cf_registry_forget();
    start = now_ns();
    status = request->kernel->run(worker->library, &request->attributes, request->in, out);
    request->wall_ns = now_ns() - start;
    return status;
}

/* Did it stay within its operands, leave its inputs alone and write every element? */
static json_t *inspect(const struct cf_worker *worker, const struct cf_request *request)
{
    for (int i = 0; i < request->n_in; ++i) {
        const struct cf_tensor *source = request->source[i];
        const char *damage = cf_buffer_damage(&worker->in[i]);

        if (damage)
            return cf_worker_error("broke", "wrote %s of its input x%d", damage, i);
        if (memcmp(source->bits, worker->in[i].data, cf_tensor_bytes(source)) != 0)
            return cf_worker_error("broke", "changed its input x%d", i);
    }
    for (int i = 0; i < request->n_out; ++i) {
        const struct cf_named_tensor *out = &request->out[i];
        const char *damage = cf_buffer_damage(&worker->out[i]);
        const int64_t survivors = cf_poison_survivors(&out->tensor);

        if (damage)
            return cf_worker_error("broke", "wrote %s of its output %s", damage, out->name);
        if (survivors > 0)
            return cf_worker_error("broke", "%lld of %lld elements of %s were never written",
                                   (long long)survivors, (long long)cf_tensor_count(&out->tensor),
                                   out->name);
    }
    return NULL;
}

static json_t *judge_status(const struct cf_request *request, enum cf_status status)
{
    switch (status) {
    case CF_DONE:
        return NULL;
    case CF_UNSUPPORTED:
        return cf_worker_error("not-offered",
                               "kernel %s of %s does not take this type or shape, or is not there",
                               request->kernel->name, request->op);
    case CF_NO_MEMORY:
        return cf_worker_error("out-of-memory", "kernel %s of %s found no memory",
                               request->kernel->name, request->op);
    default:
        return cf_worker_error("broke", "kernel %s of %s says that it failed",
                               request->kernel->name, request->op);
    }
}

static json_t *write_outputs(const struct cf_request *request)
{
    struct cf_error err;

    if (cf_safetensors_write(request->out_path, request->out, request->n_out, &err) != 0)
        return cf_worker_error("broke", "the worker's outputs: %s", err.text);
    return NULL;
}

static json_t *success(const struct cf_request *request, json_t *state)
{
    json_t *names = json_array(), *reply;

    for (int i = 0; i < request->n_out; ++i)
        json_array_append_new(names, json_string(request->out[i].name));
    reply = json_pack("{s:{s:o,s:I,s:O}}", "result", "outputs", names, "wall_ns",
                      (json_int_t)request->wall_ns, "state", state);
    if (*cf_registry_chosen())
        json_object_set_new(json_object_get(reply, "result"), "chosen",
                            json_string(cf_registry_chosen()));
    return reply;
}

/* A library that keeps all memory that the limit leaves would make the next of our own small
 * allocations an abort: then the reserve is for the reply. */
static int memory_is_left(struct cf_worker *worker)
{
    void *volatile probe = malloc(CF_WORKER_RESERVE);

    if (!probe) {
        free(worker->reserve);
        worker->reserve = NULL;
        return 0;
    }
    free(probe);
    return 1;
}

/* The call and what it left behind; an error reply carries the state too. */
static json_t *execute(struct cf_worker *worker, struct cf_request *request)
{
    const enum cf_status status = call(worker, request);
    const int left = memory_is_left(worker);
    json_t *state = cf_worker_state(worker), *reply = judge_status(request, status);

    if (!reply && !left)
        reply = cf_worker_error("out-of-memory", "kernel %s of %s has left no memory",
                                request->kernel->name, request->op);
    if (!reply)
        reply = inspect(worker, request);
    if (!reply)
        reply = write_outputs(request);
    if (reply)
        json_object_set(json_object_get(reply, "error"), "state", state);
    else
        reply = success(request, state);
    json_decref(state);
    return reply;
}

json_t *cf_worker_run(struct cf_worker *worker, const json_t *params)
{
    struct cf_request request = {0};
    json_t *reply;

    if (!worker->agreed)
        return cf_worker_error("protocol", "run before a successful hello");
    if (!worker->reserve && !(worker->reserve = malloc(CF_WORKER_RESERVE)))
        return cf_worker_error("out-of-memory", "an earlier call has left no memory");
    reply = cf_request_take(&request, worker, params);
    if (!reply)
        reply = place_inputs(worker, &request);
    if (!reply)
        reply = place_outputs(worker, &request);
    if (!reply)
        reply = execute(worker, &request);
    cf_safetensors_close(&request.file);
    return reply;
}
