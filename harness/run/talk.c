#include "talk.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "safetensors.h"
#include "session.h"
#include "workplace.h"

#define ROOM (256u << 20) /* bytes that shared memory must have free to be used */

struct cf_talk {
    struct cf_config config;
    struct cf_session_options options;
    char *worker, *in_path, *out_path, *effective; /* owned */
    struct cf_workplace place;
    uv_loop_t loop;
    struct cf_session *session; /* NULL: none is alive */
    int waiting;
    struct cf_reply reply; /* the last one; its outputs are taken */
};

static void take_reply(void *context, struct cf_session *session, struct cf_reply *reply)
{
    struct cf_talk *talk = context;

    (void)session;
    cf_reply_free(&talk->reply);
    talk->reply = *reply;
    reply->outputs = NULL; /* taken over */
    reply->effective = NULL;
    talk->waiting = 0;
}

static void take_greeting(void *context, struct cf_session *session, struct cf_reply *reply)
{
    struct cf_talk *talk = context;

    if (reply->effective) {
        free(talk->effective);
        talk->effective = cf_strdup(reply->effective);
    }
    take_reply(context, session, reply);
}

const char *cf_talk_effective(const struct cf_talk *talk)
{
    return talk->effective ? talk->effective : "{}";
}

static void forget(void *context, struct cf_session *session)
{
    struct cf_talk *talk = context;

    (void)session;
    talk->session = NULL;
    talk->waiting = 0;
}

static const struct cf_session_events events = {take_greeting, take_reply, forget};

static void wait_for(struct cf_talk *talk)
{
    while (talk->waiting && uv_run(&talk->loop, UV_RUN_ONCE) != 0)
        ;
}

/* A session that may be asked, or none; then reply says why. */
static void revive(struct cf_talk *talk)
{
    if (talk->session && cf_session_ready(talk->session))
        return;
    if (talk->session) {
        cf_session_kill(talk->session);
        while (talk->session && uv_run(&talk->loop, UV_RUN_ONCE) != 0)
            ;
    }
    talk->waiting = 1;
    talk->session = cf_session_start(&talk->loop, &talk->config, &talk->options, &events, talk);
    wait_for(talk);
}

static int make_folder(struct cf_talk *talk, struct cf_error *err)
{
    if (cf_workplace_make(&talk->place, ROOM, err) != 0)
        return -1;
    talk->in_path = cf_format("%s/in", talk->place.path);
    talk->out_path = cf_format("%s/out", talk->place.path);
    return 0;
}

static void drop(struct cf_talk *talk)
{
    cf_config_free(&talk->config);
    cf_reply_free(&talk->reply);
    free(talk->worker);
    free(talk->in_path);
    free(talk->out_path);
    free(talk->effective);
    free(talk);
}

struct cf_talk *cf_talk_start(const char *configuration, const char *worker, int timeout_ms,
                              struct cf_error *err)
{
    struct cf_talk *talk = cf_alloc_zero(sizeof *talk);

    if (cf_config_parse(&talk->config, configuration, err) != 0 || make_folder(talk, err) != 0) {
        drop(talk);
        return NULL;
    }
    talk->worker = cf_strdup(worker);
    talk->options = (struct cf_session_options){.worker = talk->worker,
                                                .start_timeout_ms = timeout_ms,
                                                .request_timeout_ms = timeout_ms,
                                                .grace_ms = 1000};
    CF_CHECK(uv_loop_init(&talk->loop) == 0);
    return talk;
}

void cf_talk_stop(struct cf_talk *talk)
{
    if (talk->session)
        cf_session_leave(talk->session);
    uv_run(&talk->loop, UV_RUN_DEFAULT);
    CF_CHECK(uv_loop_close(&talk->loop) == 0);
    cf_workplace_remove(&talk->place);
    drop(talk);
}

static json_t *list_outputs(const struct cf_tensor out[], int n_out)
{
    json_t *list = json_array();

    for (int o = 0; o < n_out; ++o) {
        json_t *shape = json_array();

        for (int d = 0; d < out[o].rank; ++d)
            json_array_append_new(shape, json_integer(out[o].dim[d]));
        json_array_append_new(list,
                              json_pack("{s:o,s:s,s:o}", "name", json_sprintf("y%d", o), "dtype",
                                        cf_dtype_name(out[o].dtype), "shape", shape));
    }
    return list;
}

/* The members of params, without braces. */
static char *params_of(const struct cf_talk *talk, const char *op,
                       const struct cf_pairs *attributes, const struct cf_tensor out[], int n_out)
{
    json_t *attrs = json_object(), *params;
    char *text;

    for (int i = 0; attributes && i < attributes->n; ++i)
        if (attributes->pair[i].key)
            json_object_set_new(attrs, attributes->pair[i].key,
                                json_string(attributes->pair[i].value));
    params = json_pack("{s:s,s:s,s:s,s:o,s:s,s:o}", "case", op, "op", op, "kernel", "", "attrs",
                       attrs, "in", talk->in_path, "outputs", list_outputs(out, n_out));
    text = json_dumps(params, JSON_COMPACT);
    json_decref(params);
    memmove(text, text + 1, strlen(text)); /* the braces go */
    text[strlen(text) - 1] = '\0';
    return text;
}

static int write_inputs(const struct cf_talk *talk, const struct cf_tensor in[], int n_in,
                        struct cf_error *err)
{
    struct cf_named_tensor named[CF_SAFETENSORS_MAX];

    CF_CHECK(n_in <= CF_SAFETENSORS_MAX);
    for (int i = 0; i < n_in; ++i) {
        snprintf(named[i].name, sizeof named[i].name, "x%d", i);
        named[i].tensor = in[i];
    }
    return cf_safetensors_write(talk->in_path, named, n_in, err);
}

static void take_outputs(struct cf_tensor out[], int n_out, const struct cf_reply *reply)
{
    const char *from = reply->outputs;

    for (int o = 0; o < n_out; ++o) {
        cf_tensor_alloc(&out[o]);
        memcpy(out[o].bits, from, cf_tensor_bytes(&out[o]));
        from += cf_tensor_bytes(&out[o]);
    }
}

void cf_talk_run(struct cf_talk *talk, const char *op, const struct cf_pairs *attributes,
                 const struct cf_tensor in[], int n_in, struct cf_tensor out[], int n_out,
                 struct cf_told *told)
{
    char *params = params_of(talk, op, attributes, out, n_out);
    const struct cf_ask ask = {params, out, n_out, talk->out_path};
    struct cf_error err;

    *told = (struct cf_told){.fate = CF_PROTOCOL, .wall_ns = -1};
    if (write_inputs(talk, in, n_in, &err) != 0) {
        snprintf(told->reason, sizeof told->reason, "%.390s", err.text);
        free(params);
        return;
    }
    revive(talk);
    if (talk->session && cf_session_ready(talk->session)) {
        talk->waiting = 1;
        cf_session_ask(talk->session, &ask);
        wait_for(talk);
    }
    told->fate = talk->reply.fate;
    told->wall_ns = talk->reply.wall_ns;
    memcpy(told->reason, talk->reply.reason, sizeof told->reason);
    if (told->fate == CF_RAN)
        take_outputs(out, n_out, &talk->reply);
    cf_reply_free(&talk->reply);
    talk->reply = (struct cf_reply){.fate = CF_PROTOCOL};
    free(params);
}
