#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accuracy.h"
#include "adapter_check_internal.h"
#include "reply.h"
#include "safetensors.h"

int cf_checking_fail(struct checking *k, const char *reason)
{
    snprintf(k->check->reason, sizeof k->check->reason, "%.380s", reason);
    return -1;
}

static json_t *shapes(const struct asking *a, int odd)
{
    json_t *list = json_array();

    for (int o = 0; o < a->op->n_outputs; ++o) {
        json_t *shape = json_array();
        char name[16];

        snprintf(name, sizeof name, "y%d", o);
        for (int d = 0; d < a->out[o].rank; ++d)
            json_array_append_new(shape, json_integer(a->out[o].dim[d] + 3 * odd));
        json_array_append_new(list, json_pack("{s:s,s:s,s:o}", "name", name, "dtype",
                                              cf_dtype_name(a->out[o].dtype), "shape", shape));
    }
    return list;
}

static int write_inputs(const struct asking *a, struct cf_error *err)
{
    struct cf_named_tensor named[CF_OPERANDS_MAX];

    for (int i = 0; i < a->op->n_inputs; ++i) {
        snprintf(named[i].name, sizeof named[i].name, "x%d", i);
        named[i].tensor = a->in[i];
    }
    return cf_safetensors_write(a->in_path, named, a->op->n_inputs, err);
}

int cf_asking_prepare(struct checking *k, struct asking *a, int odd)
{
    struct cf_error err = {.text = ""};
    json_t *params, *attrs = json_object();
    char *words;

    *a = (struct asking){.in_path = cf_format("%s/in.safetensors", k->folder),
                         .out_path = cf_format("%s/out.safetensors", k->folder)};
    CF_CHECK(cf_case_parse(&a->c, k->case_text, cf_op_grammar, &err) == 0);
    a->op = cf_op_find(a->c.op);
    CF_CHECK(cf_case_draw(&a->c, a->op, a->in, a->out, &err) == 0);
    for (int i = 0; i < a->c.keys.n; ++i)
        if (a->c.keys.pair[i].key)
            json_object_set_new(attrs, a->c.keys.pair[i].key, json_string(a->c.keys.pair[i].value));
    params = json_pack("{s:s,s:s,s:s,s:o,s:s,s:s,s:o}", "case", a->c.text, "op", a->c.op, "dtype",
                       cf_dtype_name(a->c.dtype), "attrs", attrs, "in", a->in_path, "out",
                       a->out_path, "outputs", shapes(a, odd));
    words = json_dumps(params, JSON_COMPACT);
    k->id = 7;
    a->text = cf_format("{\"id\":7,\"method\":\"run\",\"params\":%s}\n", words);
    free(words);
    json_decref(params);
    return write_inputs(a, &err) == 0 ? 0 : cf_checking_fail(k, err.text);
}

void cf_asking_free(struct asking *a)
{
    for (int i = 0; i < CF_OPERANDS_MAX; ++i)
        cf_tensor_free(&a->in[i]);
    cf_case_free(&a->c);
    free(a->in_path);
    free(a->out_path);
    free(a->text);
}

/* Is the answer of the type, the shape and the accuracy that the op has? */
static int judge(struct checking *k, const struct asking *a, const struct cf_reply *reply)
{
    struct cf_reference reference;
    struct cf_accuracy accuracy;
    const struct cf_accuracy_rule rule = {.lambda = 8};
    struct cf_error err = {.text = ""};
    int result = cf_reference_open(&reference, &a->c, a->op, NULL, 1, 0, &err);

    if (result == 0) {
        result =
            cf_accuracy_judge(&accuracy, &reference, &rule, reply->outputs, reply->n_bytes, &err);
        cf_reference_close(&reference);
    }
    if (result != 0)
        return cf_checking_fail(k, err.text);
    return accuracy.gate[CF_S3].n_failed == 0 && accuracy.gate[CF_S2].n_failed == 0
               ? 0
               : cf_checking_fail(
                     k, "its answer is proven wrong: it errs by more than any order of operations");
}

int cf_asking_judge(struct checking *k, const struct asking *a, const char *line)
{
    struct cf_reply reply = {0};
    int result;

    cf_reply_run(&reply, line, strlen(line), k->id, a->out, a->op->n_outputs, a->out_path);
    result = reply.fate == CF_RAN ? judge(k, a, &reply) : cf_checking_fail(k, reply.reason);
    cf_reply_free(&reply);
    return result;
}
