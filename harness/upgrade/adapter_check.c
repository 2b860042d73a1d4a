#include "adapter_check.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accuracy.h"
#include "adapter_process.h"
#include "download.h"
#include "reply.h"
#include "safetensors.h"

#define BYE_MS   5000
#define QUIET_MS 100

struct checking {
    const char *const *argv;
    int timeout_ms;
    struct cf_adapter_process p;
    char *folder;
    char *case_text; /* of an op that it offers; NULL: none is known here */
    int64_t id;
    struct cf_adapter_check *check;
};

static int fail(struct checking *k, const char *reason)
{
    snprintf(k->check->reason, sizeof k->check->reason, "%.380s", reason);
    return -1;
}

/* A healthy process that has said hello. */
static int restart(struct checking *k, struct cf_reply *hello)
{
    struct cf_config config = {0};
    const char *line, *why = "";

    cf_adapter_stop(&k->p);
    if (cf_adapter_start(&k->p, k->argv, k->timeout_ms) != 0)
        return fail(k, strerror(errno));
    line = cf_adapter_ask(&k->p, "{\"id\":0,\"method\":\"hello\",\"params\":{\"protocol\":1}}\n",
                          &why);
    if (!line)
        return fail(k, why);
    k->id = 0;
    cf_reply_hello(hello, line, strlen(line), 0, &config);
    if (hello->fate != CF_RAN)
        return fail(k, hello->reason);
    return 0;
}

static int start_fresh(struct checking *k)
{
    struct cf_reply hello = {0};
    const int result = restart(k, &hello);

    cf_reply_free(&hello);
    return result;
}

/* The op to ask for: one whose exact answer is known, as the adapter's "kernels" names it. */
static void choose_case(struct checking *k, const char *line)
{
    static const char *const cases[][2] = {{"dot", "dot f64 m=1 n=50 fill=normal"},
                                           {"sum", "sum f32 m=3 n=50 fill=normal"},
                                           {"gemm", "gemm f32 m=3 n=4 k=5 fill=normal"},
                                           {"exp", "exp f64 n=20"},
                                           {"softmax_fwd", "softmax_fwd f32 n=3 c=7 fill=normal"}};
    json_t *reply = json_loads(line, 0, NULL);
    const json_t *kernels = json_object_get(json_object_get(reply, "result"), "kernels");

    for (int i = 0; i < CF_COUNT(cases) && !k->case_text; ++i)
        if (json_object_get(kernels, cases[i][0]))
            k->case_text = cf_strdup(cases[i][1]);
    json_decref(reply);
}

static int check_hello(struct checking *k)
{
    struct cf_reply hello = {0};
    int result = restart(k, &hello);
    json_t *reply;

    if (result == 0) {
        choose_case(k, k->p.line);
        reply = json_loads(k->p.line, 0, NULL);
        if (!json_is_string(json_object_get(json_object_get(reply, "result"), "name")) ||
            !json_is_string(json_object_get(json_object_get(reply, "result"), "version")))
            result = fail(k, "hello does not say name and version");
        else if (!json_is_object(json_object_get(json_object_get(reply, "result"), "kernels")))
            result = fail(k, "hello does not say which kernels it has");
        json_decref(reply);
    }
    cf_reply_free(&hello);
    return result;
}

/* An error with one of these codes, under the request's id; and the next hello is answered. */
static int expect_error(struct checking *k, const char *text, const char *const codes[], int any_id)
{
    const char *why = "", *line = cf_adapter_ask(&k->p, text, &why), *code;
    json_t *reply = line ? json_loads(line, 0, NULL) : NULL;
    int found = 0;

    if (!line)
        return fail(k, why);
    code = json_string_value(json_object_get(json_object_get(reply, "error"), "code"));
    for (int i = 0; codes[i]; ++i)
        found |= code && strcmp(code, codes[i]) == 0;
    if (!any_id && json_integer_value(json_object_get(reply, "id")) != k->id)
        found = fail(k, "the reply has another id than the request");
    else if (!found)
        fail(k, code ? "the error has a code that does not fit" : "it is no error to it");
    json_decref(reply);
    if (found != 1)
        return -1;
    line = cf_adapter_ask(&k->p, "{\"id\":99,\"method\":\"hello\",\"params\":{\"protocol\":1}}\n",
                          &why);
    return line ? 0 : fail(k, "it does not go on after an error");
}

static int check_unknown_method(struct checking *k)
{
    static const char *const codes[] = {"protocol", NULL};

    if (start_fresh(k) != 0)
        return -1;
    k->id = 5;
    return expect_error(k, "{\"id\":5,\"method\":\"dance\"}\n", codes, 0);
}

static int check_unknown_op(struct checking *k)
{
    static const char *const codes[] = {"not-offered", NULL};
    char *text;
    int result;

    if (start_fresh(k) != 0)
        return -1;
    k->id = 6;
    text = cf_format("{\"id\":6,\"method\":\"run\",\"params\":{\"op\":\"no_such_op\",\"attrs\":{},"
                     "\"in\":\"%s/in\",\"out\":\"%s/out\",\"outputs\":[]}}\n",
                     k->folder, k->folder);
    result = expect_error(k, text, codes, 0);
    free(text);
    return result;
}

static int check_no_json(struct checking *k)
{
    static const char *const codes[] = {"protocol", NULL};

    return start_fresh(k) != 0 ? -1 : expect_error(k, "good day\n", codes, 1);
}

static int check_long_line(struct checking *k)
{
    static const char *const codes[] = {"protocol", NULL};
    const size_t n = 2u << 20;
    char *text = cf_alloc(n + 2);
    int result;

    memset(text, 'x', n);
    memcpy(text + n, "\n", 2);
    result = start_fresh(k) != 0 ? -1 : expect_error(k, text, codes, 1);
    free(text);
    return result;
}

struct asking {
    struct cf_case c;
    const struct cf_op *op;
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    char *in_path, *out_path, *text;
};

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

/* A request to run the chosen case; odd: for outputs of a shape that it cannot have. */
static int prepare(struct checking *k, struct asking *a, int odd)
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
    return write_inputs(a, &err) == 0 ? 0 : fail(k, err.text);
}

static void forget(struct asking *a)
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
        return fail(k, err.text);
    return accuracy.gate[CF_S3].n_failed == 0 && accuracy.gate[CF_S2].n_failed == 0
               ? 0
               : fail(k,
                      "its answer is proven wrong: it errs by more than any order of operations");
}

static int run_once(struct checking *k, struct asking *a)
{
    const char *why = "", *line = cf_adapter_ask(&k->p, a->text, &why);
    struct cf_reply reply = {0};
    int result;

    if (!line)
        return fail(k, why);
    cf_reply_run(&reply, line, strlen(line), k->id, a->out, a->op->n_outputs, a->out_path);
    result = reply.fate == CF_RAN ? judge(k, a, &reply) : fail(k, reply.reason);
    cf_reply_free(&reply);
    if (result == 0 && !cf_adapter_is_quiet(&k->p, QUIET_MS))
        return fail(k, "it answered twice");
    return result;
}

static int check_run(struct checking *k)
{
    struct asking a;
    int result = start_fresh(k);

    if (result == 0) {
        result = prepare(k, &a, 0);
        for (int i = 0; i < 3 && result == 0; ++i) /* one process, many requests */
            result = run_once(k, &a);
        forget(&a);
    }
    return result;
}

static int check_wrong_shape(struct checking *k)
{
    static const char *const codes[] = {"protocol", "broke", "not-offered", NULL};
    struct asking a;
    int result = start_fresh(k);

    if (result == 0) {
        result = prepare(k, &a, 1);
        if (result == 0)
            result = expect_error(k, a.text, codes, 0);
        forget(&a);
    }
    return result;
}

static int check_no_inputs(struct checking *k)
{
    static const char *const codes[] = {"protocol", NULL};
    struct asking a;
    int result = start_fresh(k);

    if (result == 0) {
        result = prepare(k, &a, 0);
        unlink(a.in_path);
        if (result == 0)
            result = expect_error(k, a.text, codes, 0);
        forget(&a);
    }
    return result;
}

static int check_bad_inputs(struct checking *k)
{
    static const char *const codes[] = {"protocol", NULL};
    struct asking a;
    int result = start_fresh(k);

    if (result == 0) {
        result = prepare(k, &a, 0);
        if (result == 0)
            result = truncate(a.in_path, 100); /* its header promises more */
        if (result == 0)
            result = expect_error(k, a.text, codes, 0);
        forget(&a);
    }
    return result;
}

static int check_bye(struct checking *k)
{
    int code;

    if (start_fresh(k) != 0)
        return -1;
    cf_adapter_say(&k->p, "{\"id\":8,\"method\":\"bye\"}\n");
    code = cf_adapter_wait(&k->p, BYE_MS);
    return code == 0
               ? 0
               : fail(k, code == -1 ? "it is still there after 5 s" : "its exit code is not 0");
}

static int check_end(struct checking *k)
{
    int code;

    if (start_fresh(k) != 0)
        return -1;
    close(k->p.requests);
    k->p.requests = -1;
    code = cf_adapter_wait(&k->p, BYE_MS);
    return code == 0
               ? 0
               : fail(k, code == -1 ? "it is still there after 5 s" : "its exit code is not 0");
}

static int check_sigterm(struct checking *k)
{
    if (start_fresh(k) != 0)
        return -1;
    kill(k->p.pid, SIGTERM);
    return cf_adapter_wait(&k->p, 2000) != -1 ? 0 : fail(k, "it is still there 2 s after SIGTERM");
}

static const struct {
    const char *name, *promise;
    int needs_case;
    int (*run)(struct checking *);
} checks[] = {
    {"hello", "says protocol 1, name, version, kernels and effective state on CONFORM_FD", 0,
     check_hello},
    {"method", "an unknown method is the error protocol", 0, check_unknown_method},
    {"op", "an unknown op is the error not-offered", 0, check_unknown_op},
    {"json", "a line that is no JSON is the error protocol, and it goes on", 0, check_no_json},
    {"long", "a line of 2 MiB is the error protocol, and it goes on", 0, check_long_line},
    {"run", "an op is run three times: one reply each, right type, shape and accuracy", 1,
     check_run},
    {"shape", "outputs of a shape that the op cannot have are an error", 1, check_wrong_shape},
    {"inputs", "a file of inputs that is not there is the error protocol", 1, check_no_inputs},
    {"damage", "a file of inputs that is cut off is the error protocol", 1, check_bad_inputs},
    {"bye", "leaves with code 0 within 5 s of bye", 0, check_bye},
    {"end", "leaves with code 0 within 5 s of the end of its requests", 0, check_end},
    {"sigterm", "is gone 2 s after SIGTERM", 0, check_sigterm}};

static int run_all(struct checking *k, void (*tell)(void *, const struct cf_adapter_check *),
                   void *context)
{
    int n_failed = 0;

    for (int i = 0; i < CF_COUNT(checks); ++i) {
        struct cf_adapter_check one = {.name = checks[i].name, .promise = checks[i].promise};

        k->check = &one;
        if (checks[i].needs_case && !k->case_text) {
            one.skipped = 1;
            fail(k, "it offers none of dot, sum, gemm, exp and softmax_fwd");
        } else
            one.passed = checks[i].run(k) == 0;
        n_failed += !one.passed && !one.skipped;
        tell(context, &one);
    }
    return n_failed;
}

int cf_adapter_check(const char *const argv[], int timeout_ms,
                     void (*tell)(void *, const struct cf_adapter_check *), void *context,
                     struct cf_error *err)
{
    const char *base = getenv("TMPDIR");
    struct checking k = {.argv = argv, .timeout_ms = timeout_ms};
    int result;

    k.p.requests = k.p.replies = -1;
    k.folder = cf_format("%s/conform-adapter.XXXXXX", base && *base ? base : P_tmpdir);
    if (!mkdtemp(k.folder))
        result = cf_fail_with(err, 3, "%s cannot be made; set TMPDIR", k.folder);
    else
        result = run_all(&k, tell, context);
    cf_adapter_stop(&k.p);
    cf_folder_remove(k.folder);
    free(k.folder);
    free(k.case_text);
    return result;
}
