#include "reply.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture.h"
#include "safetensors.h"

void cf_reply_set(struct cf_reply *reply, enum cf_fate fate, const char *format, ...)
{
    char text[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    reply->fate = fate;
    cf_printable(reply->reason, sizeof reply->reason, text, strlen(text));
}

void cf_reply_free(struct cf_reply *reply)
{
    free(reply->effective);
    free(reply->outputs);
    *reply = (struct cf_reply){0};
}

/* The reply as an object with this id, or NULL and the fate protocol. The caller owns it. */
static json_t *parse(struct cf_reply *reply, const char *line, size_t n, int64_t id)
{
    json_error_t error;
    json_t *object = json_loadb(line, n, JSON_REJECT_DUPLICATES, &error);
    const json_t *got = json_object_get(object, "id");

    if (!json_is_object(object))
        cf_reply_set(reply, CF_PROTOCOL, "the reply is no JSON object: %s",
                     object ? "it is another value" : error.text);
    else if (!json_is_integer(got) || json_integer_value(got) != id)
        cf_reply_set(reply, CF_PROTOCOL, "the reply has another id than the request (%lld)%s",
                     (long long)id,
                     json_is_integer(got) && json_integer_value(got) == id - 1
                         ? ": the request before was answered twice"
                         : "");
    else if (!json_is_object(json_object_get(object, "result")) ==
             !json_is_object(json_object_get(object, "error")))
        cf_reply_set(reply, CF_PROTOCOL, "the reply must have either a result or an error");
    else
        return object;
    json_decref(object);
    return NULL;
}

/* Which fates an error may name. */
static int parse_code(const char *code, enum cf_fate *fate, int at_hello)
{
    static const enum cf_fate hello[] = {CF_NOT_OPENED, CF_STATE_MISMATCH, CF_OUT_OF_MEMORY,
                                         CF_PROTOCOL};
    static const enum cf_fate run[] = {CF_NOT_OFFERED, CF_BROKE, CF_OUT_OF_MEMORY, CF_PROTOCOL,
                                       CF_STATE_MISMATCH};
    const enum cf_fate *fates = at_hello ? hello : run;

    for (int i = 0; code && i < (at_hello ? CF_COUNT(hello) : CF_COUNT(run)); ++i)
        if (strcmp(cf_fate_name(fates[i]), code) == 0) {
            *fate = fates[i];
            return 0;
        }
    return -1;
}

static void take_error(struct cf_reply *reply, const json_t *error, int at_hello)
{
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *message = json_string_value(json_object_get(error, "message"));
    enum cf_fate fate;

    if (parse_code(code, &fate, at_hello) != 0)
        cf_reply_set(reply, CF_PROTOCOL, "the reply names an error that is none here: `%s`",
                     code ? code : "");
    else
        cf_reply_set(reply, fate, "%s", message && *message ? message : "it gave no reason");
}

/* The value of a key of the effective state, whatever the case of its name; NULL: not said. */
static const char *effective_value(const json_t *effective, const char *key, char number[32])
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)effective, name, value)
    {
        if (strcasecmp(name, key) != 0)
            continue;
        if (json_is_integer(value))
            snprintf(number, 32, "%lld", (long long)json_integer_value(value));
        return json_is_integer(value) ? number : json_string_value(value);
    }
    return NULL;
}

static void compare(struct cf_reply *reply, const json_t *effective, const struct cf_config *config)
{
    static const char *const how[] = {"kernel", "lib", "command", "sysroot", "flags", "cpus"};
    char number[32];

    for (int i = 1; i < config->keys.n; ++i) {
        const struct cf_pair *asked = &config->keys.pair[i];
        const char *got = effective_value(effective, asked->key, number);
        int is_how = 0;

        for (int k = 0; k < CF_COUNT(how); ++k)
            is_how |= strcmp(asked->key, how[k]) == 0;
        if (is_how || !got || strcasecmp(got, asked->value) == 0)
            continue;
        cf_reply_set(reply, CF_STATE_MISMATCH, "asked %s=%s, got %s", asked->key, asked->value,
                     got);
        return;
    }
}

/* Name and version of who answered belong to the state, unless the state says them itself. */
static void take_effective(struct cf_reply *reply, const json_t *result, json_t *effective)
{
    static const char *const names[] = {"name", "version"};

    for (int i = 0; i < CF_COUNT(names); ++i) {
        json_t *value = json_object_get(result, names[i]);

        if (json_is_string(value) && !json_object_get(effective, names[i]))
            json_object_set(effective, names[i], value);
    }
    reply->effective = json_dumps(effective, JSON_COMPACT | JSON_SORT_KEYS);
}

static void take_hello(struct cf_reply *reply, json_t *result, const struct cf_config *config)
{
    json_t *effective = json_object_get(result, "effective");
    const json_t *protocol = json_object_get(result, "protocol");

    if (!json_is_integer(protocol) || json_integer_value(protocol) != 1) {
        cf_reply_set(reply, CF_PROTOCOL, "it does not speak version 1 of the protocol");
        return;
    }
    if (!json_is_object(effective)) {
        cf_reply_set(reply, CF_PROTOCOL, "the reply to hello does not say what is in effect");
        return;
    }
    compare(reply, effective, config);
    take_effective(reply, result, effective);
}

void cf_reply_hello(struct cf_reply *reply, const char *line, size_t n, int64_t id,
                    const struct cf_config *config)
{
    json_t *object, *error, *effective;

    *reply = (struct cf_reply){.fate = CF_RAN, .wall_ns = -1};
    object = parse(reply, line, n, id);
    if (!object)
        return;
    error = json_object_get(object, "error");
    effective = json_object_get(error, "effective");
    if (error)
        take_error(reply, error, 1);
    if (json_is_object(effective))
        take_effective(reply, error, effective);
    if (!error)
        take_hello(reply, json_object_get(object, "result"), config);
    json_decref(object);
}

/* wall_ns, or wall_s of adapters that count in seconds; -1 when neither is there. */
static int take_wall(struct cf_reply *reply, const json_t *result)
{
    const json_t *ns = json_object_get(result, "wall_ns"), *s = json_object_get(result, "wall_s");

    if (json_is_integer(ns) && json_integer_value(ns) >= 0)
        reply->wall_ns = json_integer_value(ns);
    else if (json_is_number(s) && json_number_value(s) >= 0 && json_number_value(s) < 1e9)
        reply->wall_ns = (int64_t)(json_number_value(s) * 1e9);
    else if (ns || s) {
        cf_reply_set(reply, CF_PROTOCOL, "wall_ns in the reply is no count of nanoseconds");
        return -1;
    }
    return 0;
}

static int take_chosen(struct cf_reply *reply, const json_t *result)
{
    const json_t *chosen = json_object_get(result, "chosen");
    const char *text = json_string_value(chosen);

    if (chosen && (!text || strlen(text) >= sizeof reply->chosen)) {
        cf_reply_set(reply, CF_PROTOCOL, "chosen in the reply is no text below %d bytes",
                     CF_CHOSEN_MAX);
        return -1;
    }
    if (text)
        cf_printable(reply->chosen, sizeof reply->chosen, text, strlen(text));
    return 0;
}

/* Notes what the call changed behind its caller's back. */
static void note_changes(struct cf_reply *reply, const json_t *state)
{
    const json_t *changed = json_object_get(state, "changed");
    const char *mxcsr = json_string_value(json_object_get(state, "mxcsr"));
    char list[200] = "";

    for (size_t i = 0; i < json_array_size(changed); ++i) {
        const char *word = json_string_value(json_array_get(changed, i));
        const size_t used = strlen(list);

        if (word)
            snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", word);
    }
    if (*list)
        cf_reply_set(reply, CF_RAN, "the call changed %s%s%s", list, mxcsr ? "; mxcsr is now " : "",
                     mxcsr ? mxcsr : "");
}

static int check_output(struct cf_reply *reply, const struct cf_tensor *got,
                        const struct cf_tensor *expected, int o)
{
    int same;

    if (!got) {
        cf_reply_set(reply, CF_PROTOCOL, "the output file has no tensor y%d", o);
        return -1;
    }
    same = got->dtype == expected->dtype && got->rank == expected->rank;
    for (int d = 0; same && d < got->rank; ++d)
        same = got->dim[d] == expected->dim[d];
    if (!same)
        cf_reply_set(reply, CF_PROTOCOL, "the output y%d is not of the type and shape asked for",
                     o);
    return same ? 0 : -1;
}

static void take_outputs(struct cf_reply *reply, const struct cf_safetensors *file,
                         const struct cf_tensor expected[], int n_expected)
{
    uint64_t at = 0;

    for (int o = 0; o < n_expected; ++o) {
        char name[16];
        const struct cf_tensor *got;

        snprintf(name, sizeof name, "y%d", o);
        got = cf_safetensors_get(file, name);
        if (check_output(reply, got, &expected[o], o) != 0)
            return;
        memcpy((char *)reply->outputs + at, got->bits, cf_tensor_bytes(got));
        at += cf_tensor_bytes(got);
    }
    reply->n_bytes = at;
}

/* More bytes than declared are not even opened: 1 MiB is the most that a header may take. */
static int check_size(struct cf_reply *reply, const char *path, uint64_t n_bytes)
{
    struct stat status;

    if (lstat(path, &status) != 0)
        cf_reply_set(reply, CF_PROTOCOL, "it says that it ran, and wrote no output file");
    else if (!S_ISREG(status.st_mode))
        cf_reply_set(reply, CF_PROTOCOL, "the output is no regular file");
    else if ((uint64_t)status.st_size > n_bytes + CF_REPLY_MAX + 8)
        cf_reply_set(reply, CF_PROTOCOL, "the output file is larger than its tensors");
    else
        return 0;
    return -1;
}

static void read_outputs(struct cf_reply *reply, const struct cf_tensor expected[], int n_expected,
                         const char *path)
{
    struct cf_safetensors file;
    struct cf_error err;
    uint64_t n_bytes = 0;

    for (int o = 0; o < n_expected; ++o)
        n_bytes += cf_tensor_bytes(&expected[o]);
    if (check_size(reply, path, n_bytes) != 0)
        return;
    if (cf_safetensors_read(&file, path, &err) != 0) {
        cf_reply_set(reply, CF_PROTOCOL, "the output file: %s", err.text);
        return;
    }
    if (file.n != n_expected) {
        cf_reply_set(reply, CF_PROTOCOL, "the output file holds %d tensors instead of %d", file.n,
                     n_expected);
    } else {
        reply->outputs = cf_alloc(n_bytes + 1);
        take_outputs(reply, &file, expected, n_expected);
    }
    cf_safetensors_close(&file);
}

void cf_reply_run(struct cf_reply *reply, const char *line, size_t n, int64_t id,
                  const struct cf_tensor expected[], int n_expected, const char *path)
{
    json_t *object, *result;

    *reply = (struct cf_reply){.fate = CF_RAN, .wall_ns = -1};
    object = parse(reply, line, n, id);
    result = json_object_get(object, "result");
    if (result && take_wall(reply, result) == 0 && take_chosen(reply, result) == 0) {
        note_changes(reply, json_object_get(result, "state"));
        read_outputs(reply, expected, n_expected, path);
    } else if (object && !result) {
        take_error(reply, json_object_get(object, "error"), 0);
    }
    unlink(path);
    json_decref(object);
}
