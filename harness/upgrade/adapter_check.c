#include "adapter_check_internal.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "download.h"
#include "reply.h"

#define BYE_MS   5000
#define QUIET_MS 100
#define START_MS 60000 /* to import a framework takes its time */

/* A healthy process that has said hello. */
static int restart(struct checking *k, struct cf_reply *hello)
{
    struct cf_config config = {0};
    const char *line, *why = "";

    cf_adapter_stop(&k->p);
    if (cf_adapter_start(&k->p, k->argv, START_MS) != 0)
        return cf_checking_fail(k, strerror(errno));
    line = cf_adapter_ask(&k->p, "{\"id\":0,\"method\":\"hello\",\"params\":{\"protocol\":1}}\n",
                          &why);
    if (!line)
        return cf_checking_fail(k, why);
    k->p.timeout_ms = k->timeout_ms;
    k->id = 0;
    cf_reply_hello(hello, line, strlen(line), 0, &config);
    if (hello->fate != CF_RAN)
        return cf_checking_fail(k, hello->reason);
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
static void choose_case(struct checking *k, const json_t *said)
{
    static const char *const cases[][2] = {{"dot", "dot f64 m=1 n=50 fill=normal"},
                                           {"sum", "sum f32 m=3 n=50 fill=normal"},
                                           {"gemm", "gemm f32 m=3 n=4 k=5 fill=normal"},
                                           {"exp", "exp f64 n=20"},
                                           {"softmax_fwd", "softmax_fwd f32 n=3 c=7 fill=normal"}};
    const json_t *kernels = json_object_get(said, "kernels");

    for (int i = 0; i < CF_COUNT(cases) && !k->case_text; ++i)
        if (json_object_get(kernels, cases[i][0]))
            k->case_text = cf_strdup(cases[i][1]);
}

static int check_hello(struct checking *k)
{
    struct cf_reply hello = {0};
    int result = restart(k, &hello);

    if (result == 0) {
        json_t *reply = json_loads(k->p.line, 0, NULL), *said = json_object_get(reply, "result");

        choose_case(k, said);
        k->one_shot = json_is_true(json_object_get(said, "one_shot"));
        if (!json_is_string(json_object_get(said, "name")) ||
            !json_is_string(json_object_get(said, "version")))
            result = cf_checking_fail(k, "hello does not say name and version");
        else if (!json_is_object(json_object_get(said, "kernels")))
            result = cf_checking_fail(k, "hello does not say which kernels it has");
        json_decref(reply);
        k->greeted = 1;
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
        return cf_checking_fail(k, why);
    code = json_string_value(json_object_get(json_object_get(reply, "error"), "code"));
    for (int i = 0; codes[i]; ++i)
        found |= code && strcmp(code, codes[i]) == 0;
    if (!any_id && json_integer_value(json_object_get(reply, "id")) != k->id)
        found = cf_checking_fail(k, "the reply has another id than the request");
    else if (!found)
        cf_checking_fail(k,
                         code ? "the error has a code that does not fit" : "it is no error to it");
    json_decref(reply);
    if (found != 1)
        return -1;
    line = cf_adapter_ask(&k->p, "{\"id\":99,\"method\":\"hello\",\"params\":{\"protocol\":1}}\n",
                          &why);
    return line ? 0 : cf_checking_fail(k, "it does not go on after an error");
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

static int run_once(struct checking *k, struct asking *a)
{
    const char *why = "", *line = cf_adapter_ask(&k->p, a->text, &why);
    int result;

    if (!line)
        return cf_checking_fail(k, why);
    result = cf_asking_judge(k, a, line);
    if (result == 0 && !cf_adapter_is_quiet(&k->p, QUIET_MS))
        return cf_checking_fail(k, "it answered twice");
    return result;
}

static int check_run(struct checking *k)
{
    struct asking a;
    int result = start_fresh(k);

    if (result == 0) {
        result = cf_asking_prepare(k, &a, 0);
        for (int i = 0; i < 3 && result == 0; ++i) /* one process, many requests */
            result = run_once(k, &a);
        cf_asking_free(&a);
    }
    return result;
}

static int check_wrong_shape(struct checking *k)
{
    static const char *const codes[] = {"protocol", "broke", "not-offered", NULL};
    struct asking a;
    int result = start_fresh(k);

    if (result == 0) {
        result = cf_asking_prepare(k, &a, 1);
        if (result == 0)
            result = expect_error(k, a.text, codes, 0);
        cf_asking_free(&a);
    }
    return result;
}

/* The error protocol to a file of inputs that was cut to so many bytes, or taken away (-1). */
static int check_spoiled(struct checking *k, int bytes)
{
    static const char *const codes[] = {"protocol", NULL};
    struct asking a;
    int result = start_fresh(k);

    if (result == 0) {
        result = cf_asking_prepare(k, &a, 0);
        if (result == 0)
            result = bytes < 0 ? unlink(a.in_path) : truncate(a.in_path, bytes);
        if (result == 0)
            result = expect_error(k, a.text, codes, 0);
        cf_asking_free(&a);
    }
    return result;
}

static int check_no_inputs(struct checking *k)
{
    return check_spoiled(k, -1);
}

static int check_bad_inputs(struct checking *k)
{
    return check_spoiled(k, 100); /* its header promises more */
}

/* The folder's case.json with this op, run in a process of its own; what result.json says. */
static json_t *ask_once(struct checking *k, const struct asking *a, const char *op, int *code)
{
    json_t *request = json_loads(a->text, 0, NULL), *params = json_object_get(request, "params");
    char *path = cf_format("%s/case.json", k->folder),
         *result = cf_format("%s/result.json", k->folder);
    json_t *reply;

    json_object_set_new(params, "op", json_string(op));
    json_object_del(params, "in");
    json_object_del(params, "out");
    unlink(result);
    unlink(a->out_path);
    json_dump_file(params, path, JSON_COMPACT);
    *code = cf_adapter_once(k->argv, k->folder, START_MS);
    reply = json_load_file(result, 0, NULL);
    json_decref(request);
    free(path);
    free(result);
    return reply;
}

static int judge_once(struct checking *k, const struct asking *a, json_t *said)
{
    char *line;
    int result;

    json_object_set_new(said, "id", json_integer(k->id));
    line = json_dumps(said, JSON_COMPACT);
    result = cf_asking_judge(k, a, line);
    free(line);
    return result;
}

static int check_once(struct checking *k)
{
    struct asking a;
    int code, result = cf_asking_prepare(k, &a, 0);
    json_t *said = result == 0 ? ask_once(k, &a, a.c.op, &code) : NULL;

    if (result == 0 && (!said || code != 0))
        result = cf_checking_fail(k, said ? "its exit code is not 0" : "it wrote no result.json");
    if (result == 0)
        result = judge_once(k, &a, said);
    json_decref(said);
    said = result == 0 ? ask_once(k, &a, "no_such_op", &code) : NULL;
    if (result == 0 && (code != 1 || !json_object_get(said, "error")))
        result = cf_checking_fail(
            k, "an op that it has not is not exit code 1 and an error in result.json");
    json_decref(said);
    cf_asking_free(&a);
    return result;
}

static int expect_leave(struct checking *k)
{
    const int code = cf_adapter_wait(&k->p, BYE_MS);

    if (code == 0)
        return 0;
    return cf_checking_fail(k,
                            code == -1 ? "it is still there after 5 s" : "its exit code is not 0");
}

static int check_bye(struct checking *k)
{
    if (start_fresh(k) != 0)
        return -1;
    cf_adapter_say(&k->p, "{\"id\":8,\"method\":\"bye\"}\n");
    return expect_leave(k);
}

static int check_end(struct checking *k)
{
    if (start_fresh(k) != 0)
        return -1;
    close(k->p.requests);
    k->p.requests = -1;
    return expect_leave(k);
}

static int check_sigterm(struct checking *k)
{
    if (start_fresh(k) != 0)
        return -1;
    kill(k->p.pid, SIGTERM);
    return cf_adapter_wait(&k->p, 2000) != -1
               ? 0
               : cf_checking_fail(k, "it is still there 2 s after SIGTERM");
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
    {"once", "--conform-case FOLDER answers case.json by result.json and out.safetensors", 1,
     check_once},
    {"bye", "leaves with code 0 within 5 s of bye", 0, check_bye},
    {"end", "leaves with code 0 within 5 s of the end of its requests", 0, check_end},
    {"sigterm", "is gone 2 s after SIGTERM", 0, check_sigterm}};

static void skip(struct checking *k, const char *reason)
{
    k->check->skipped = 1;
    cf_checking_fail(k, reason);
}

static int run_all(struct checking *k, void (*tell)(void *, const struct cf_adapter_check *),
                   void *context)
{
    int n_failed = 0;

    for (int i = 0; i < CF_COUNT(checks); ++i) {
        struct cf_adapter_check one = {.name = checks[i].name, .promise = checks[i].promise};

        k->check = &one;
        if (!k->greeted && i > 0)
            skip(k, "it did not say hello");
        else if (checks[i].needs_case && !k->case_text)
            skip(k, "it offers none of dot, sum, gemm, exp and softmax_fwd");
        else if (checks[i].run == check_once && !k->one_shot)
            skip(k, "its hello does not say `\"one_shot\":true`");
        else
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
