/* Draws a training case and runs it in a worker, for tests. */
#ifndef CF_TRAINING_CLIENT_H
#define CF_TRAINING_CLIENT_H

#include "reference.h"
#include "worker_client.h"

struct trained {
    struct cf_case c;
    const struct cf_op *op;
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    char message[600]; /* "" when it ran */
};

static inline void trained_draw(struct trained *r, const char *line)
{
    struct cf_error err = {{0}, 0};
    const int parsed = cf_case_parse(&r->c, line, cf_op_grammar, &err);

    if (parsed != 0)
        fprintf(stderr, "%s\n", err.text);
    CF_CHECK(parsed == 0);
    r->op = cf_op_find(r->c.op);
    if (cf_case_draw(&r->c, r->op, r->in, r->out, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        CF_CHECK(!"drawn");
    }
    for (int o = 0; o < r->op->n_outputs; ++o)
        cf_tensor_alloc(&r->out[o]);
    r->message[0] = '\0';
}

static inline void trained_free(struct trained *r)
{
    for (int o = 0; o < r->op->n_inputs; ++o)
        cf_tensor_free(&r->in[o]);
    for (int o = 0; o < r->op->n_outputs; ++o)
        cf_tensor_free(&r->out[o]);
    cf_case_free(&r->c);
}

static inline json_t *trained_request(const struct trained *r, const char *in, const char *out)
{
    json_t *outputs = json_array(), *attributes = json_object();

    for (int o = 0; o < r->op->n_outputs; ++o) {
        json_t *shape = json_array();
        char name[8];

        snprintf(name, sizeof name, "y%d", o);
        for (int d = 0; d < r->out[o].rank; ++d)
            json_array_append_new(shape, json_integer(r->out[o].dim[d]));
        json_array_append_new(outputs, json_pack("{s:s,s:s,s:o}", "name", name, "dtype",
                                                 cf_dtype_name(r->out[o].dtype), "shape", shape));
    }
    for (int i = 2; i < r->c.keys.n; ++i)
        json_object_set_new(attributes, r->c.keys.pair[i].key,
                            json_string(r->c.keys.pair[i].value));
    return json_pack("{s:s,s:{s:s,s:s,s:s,s:o,s:s,s:s,s:o}}", "method", "run", "params", "case",
                     r->c.text, "op", r->c.op, "kernel", "", "attrs", attributes, "in", in, "out",
                     out, "outputs", outputs);
}

/* Runs it in a worker that has said hello; message holds the error, if any. */
static inline void trained_run(struct trained *r, struct client *c)
{
    struct cf_named_tensor named[CF_SAFETENSORS_MAX];
    struct cf_safetensors file;
    char in[128], out[128];
    json_t *reply;

    client_path(c, "in", in);
    client_path(c, "out", out);
    for (int i = 0; i < r->op->n_inputs; ++i) {
        snprintf(named[i].name, sizeof named[i].name, "x%d", i);
        named[i].tensor = r->in[i];
    }
    CF_CHECK(cf_safetensors_write(in, named, r->op->n_inputs, NULL) == 0);
    reply = client_ask(c, trained_request(r, in, out), 60000);
    if (!json_object_get(reply, "result"))
        snprintf(r->message, sizeof r->message, "%s: %s", reply_code(reply), reply_message(reply));
    else if (cf_safetensors_open(&file, out, NULL) == 0) {
        for (int o = 0; o < r->op->n_outputs; ++o) {
            char name[8];

            snprintf(name, sizeof name, "y%d", o);
            memcpy(r->out[o].bits, cf_safetensors_get(&file, name)->bits,
                   cf_tensor_bytes(&r->out[o]));
        }
        cf_safetensors_close(&file);
    }
    json_decref(reply);
    unlink(out);
}

static inline void train_in(struct trained *r, const char *line, const char *configuration)
{
    struct client c;
    json_t *hello;

    trained_draw(r, line);
    client_start(&c, configuration);
    hello = client_hello(&c, 10000);
    if (!json_object_get(hello, "result"))
        snprintf(r->message, sizeof r->message, "%s: %s", reply_code(hello), reply_message(hello));
    else
        trained_run(r, &c);
    json_decref(hello);
    client_stop(&c);
}

static inline const int64_t *trained_hashes(const struct trained *r, int64_t step)
{
    return (const int64_t *)r->out[CF_OUT_HASHES].bits + step * CF_N_STAGES;
}

static inline int same_bits(const struct cf_tensor *a, const struct cf_tensor *b)
{
    return cf_tensor_bytes(a) == cf_tensor_bytes(b) &&
           memcmp(a->bits, b->bits, cf_tensor_bytes(a)) == 0;
}

#endif
