#include "request.h"

#include <stdio.h>
#include <string.h>

static const char *word(const json_t *params, const char *key)
{
    return json_string_value(json_object_get(params, key));
}

/* Attributes may be strings or integers in JSON; the kernel sees words. */
static json_t *take_attributes(struct cf_request *request, json_t *attrs)
{
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach_safe(attrs, next, key, value)
    {
        if (json_is_integer(value))
            json_object_set_new(attrs, key,
                                json_sprintf("%lld", (long long)json_integer_value(value)));
        if (!json_string_value(json_object_get(attrs, key)) ||
            request->attributes.n == CF_PAIRS_MAX)
            return cf_worker_error("protocol", "attrs: `%s` is no word, or one too many", key);
        request->attributes.pair[request->attributes.n++] =
            (struct cf_pair){key, json_string_value(json_object_get(attrs, key))};
    }
    return NULL;
}

static json_t *take_output(struct cf_request *request, const json_t *json)
{
    struct cf_named_tensor *out = &request->out[request->n_out++];
    const char *name = word(json, "name"), *dtype = word(json, "dtype");
    const json_t *shape = json_object_get(json, "shape");
    uint64_t n_bytes;

    if (!name || strlen(name) >= sizeof out->name || !dtype ||
        cf_dtype_parse(dtype, &out->tensor.dtype) != 0 || !json_is_array(shape) ||
        json_array_size(shape) > CF_RANK_MAX)
        return cf_worker_error("protocol", "an output needs name, dtype and shape");
    memcpy(out->name, name, strlen(name) + 1);
    out->tensor.rank = (int)json_array_size(shape);
    n_bytes = cf_dtype_size(out->tensor.dtype);
    for (int i = 0; i < out->tensor.rank; ++i) {
        const int64_t dim = json_integer_value(json_array_get(shape, (size_t)i));

        if (dim < 0 || __builtin_mul_overflow(n_bytes, (uint64_t)dim, &n_bytes) ||
            n_bytes > INT64_MAX)
            return cf_worker_error("protocol", "the shape of output %s is none", name);
        out->tensor.dim[i] = dim;
    }
    return NULL;
}

static const struct cf_kernel *find_composite(const char *op, const char *name)
{
    char start[32];

    if (!name)
        return NULL;
    snprintf(start, sizeof start, "%.*s", (int)strcspn(name, ":"), name);
    return cf_kernel_find(NULL, op, start);
}

static json_t *take_kernel(const struct cf_worker *worker, struct cf_request *request,
                           const char *name)
{
    if (!name || !*name)
        name = cf_config_get(&worker->config, "kernel");
    request->kernel = cf_kernel_find(worker->backend, request->op, name);
    if (!request->kernel) /* a composite: of the name up to a colon, or the plain one */
        request->kernel = find_composite(request->op, name);
    if (!request->kernel)
        request->kernel = cf_kernel_find(NULL, request->op, "step");
    if (!request->kernel)
        return cf_worker_error("not-offered", "the backend %s has no kernel %s for %s",
                               worker->backend->name, name ? name : "(any)", request->op);
    return NULL;
}

json_t *cf_request_take(struct cf_request *request, const struct cf_worker *worker,
                        const json_t *params)
{
    const json_t *outputs = json_object_get(params, "outputs");
    const json_int_t align = json_is_integer(json_object_get(params, "align"))
                                 ? json_integer_value(json_object_get(params, "align"))
                                 : cf_config_int(&worker->config, "align", 0);
    json_t *error;

    *request = (struct cf_request){0};
    request->op = word(params, "op");
    request->in_path = word(params, "in");
    request->out_path = word(params, "out");
    request->align = (size_t)align;
    if (!request->op || !request->in_path || !request->out_path || align < 0 || align > 4096 ||
        !json_is_array(outputs) || json_array_size(outputs) > CF_WORKER_OPERANDS)
        return cf_worker_error("protocol", "run needs op, in, out, outputs; 0 <= align <= 4096");
    error = take_attributes(request, json_object_get(params, "attrs"));
    for (size_t i = 0; !error && i < json_array_size(outputs); ++i)
        error = take_output(request, json_array_get(outputs, i));
    return error ? error : take_kernel(worker, request, word(params, "kernel"));
}
