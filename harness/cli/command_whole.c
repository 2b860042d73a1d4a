#include "commands.h"

#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents.h"
#include "files.h"
#include "listing.h"
#include "select.h"
#include "task.h"
#include "terminal.h"
#include "versions.h"
#include "whole_print.h"

#define TIMEOUT_MS 60000

static const char all_functions[] = "{exp,log,sin,cos,tanh,erf} f32 n=4294967296 range=whole";

struct whole {
    const struct cf_options *options;
    struct cf_versions sides;
    struct cf_plan plan;
    struct cf_store *store; /* or NULL */
    char *worker;
    json_t *functions;
    FILE *out;
    int code;
};

static int add_sides(struct whole *w, struct cf_error *err)
{
    const struct cf_words *words = &w->options->rest;
    int result = 0;

    if (words->n < 1 || words->n > 2)
        return cf_fail(err, "whole needs one library or two, as in `conform whole "
                            "bookworm-glibc-2.36 trixie-glibc-2.41`");
    for (int i = 0; i < words->n && result == 0; ++i) {
        result = cf_versions_add(&w->sides, words->word[i],
                                 w->options->backend ? w->options->backend : "libm", err);
        if (result == 0 && w->sides.end[i].store)
            result =
                cf_fail(err, "%s is a store; whole ranges are asked of libraries", words->word[i]);
    }
    return result;
}

/* The plan is what a store is resumed by. */
static int make_plan(struct whole *w, struct cf_error *err)
{
    struct cf_options choice = *w->options;
    const char *word = all_functions;

    if (choice.cases.n == 0)
        choice.cases = (struct cf_words){1, &word};
    if (cf_select_cases(&choice, &w->plan, err) != 0)
        return -1;
    for (int i = 0; i < w->sides.n; ++i) {
        const int at =
            cf_plan_add_configuration(&w->plan, w->sides.end[i].line, w->sides.end[i].label, err);

        if (at < 0)
            return -1;
        if (at != i)
            return cf_fail(err, "`%s` is given twice; there is nothing to compare",
                           w->sides.end[i].line);
    }
    return 0;
}

/* Another file under the same name is another library. */
static int check_library(struct whole *w, int i, struct cf_error *err)
{
    const char *path = cf_config_get(&w->plan.configurations[i].config, "lib");
    char sha256[65], *key, *kept;
    int result = 0;

    if (!path || cf_path_sha256(path, sha256) != 0)
        return 0; /* the worker says what is wrong with it */
    key = cf_format("whole library %d", i);
    kept = cf_store_get_meta(w->store, key);
    if (kept && strcmp(kept, sha256) != 0)
        result = cf_fail(err, "%s is another file now than the one that %s was begun with", path,
                         w->options->store);
    else if (!kept)
        result = cf_store_put_meta(w->store, key, sha256, err);
    free(key);
    free(kept);
    return result;
}

static int open_store(struct whole *w, struct cf_error *err)
{
    int result;

    if (!w->options->store)
        return w->options->resume ? cf_fail(err, "--resume of whole needs --store=FILE") : 0;
    w->store = cf_store_open(w->options->store,
                             w->options->resume ? CF_STORE_RESUME : CF_STORE_CREATE, err);
    if (!w->store)
        return -1;
    result = cf_plan_store(&w->plan, w->store, err);
    for (int i = 0; i < w->sides.n && result == 0; ++i)
        result = check_library(w, i, err);
    return result;
}

static int make_order(struct cf_whole_order *order, const struct whole *w, const struct cf_case *c,
                      struct cf_error *err)
{
    const double timeout_ms = w->options->timeout_s * 1000;
    cpu_set_t allowed;

    sched_getaffinity(0, sizeof allowed, &allowed);
    *order = (struct cf_whole_order){.op = cf_op_find(c->op),
                                     .text = c->text,
                                     .first = (uint64_t)cf_case_int(c, "first", 0),
                                     .step = (uint64_t)cf_case_int(c, "step", 1),
                                     .n = cf_case_int(c, "n", 0),
                                     .n_sides = w->sides.n,
                                     .worker = w->worker,
                                     .timeout_ms = timeout_ms > 0 ? (int)timeout_ms : TIMEOUT_MS,
                                     .threads = w->options->jobs > 0 ? (int)w->options->jobs
                                                                     : CPU_COUNT(&allowed),
                                     .store = w->store};
    for (int k = 0; k < w->sides.n; ++k)
        order->line[k] = w->sides.end[k].line;
    if (!order->op->values || c->dtype != CF_F32 ||
        strcmp(cf_case_word(c, "range", "usual"), "whole") != 0)
        return cf_fail(err,
                       "case `%s`: whole asks exp, log, sin, cos, tanh and erf in f32 with "
                       "range=whole",
                       c->text);
    if (order->n < 1 || (uint64_t)order->n > (UINT64_C(1) << 32) / order->step ||
        order->first >> 32)
        return cf_fail(err, "case `%s`: there are 2^32 encodings of f32, from first=0 on", c->text);
    return 0;
}

static void tell(struct whole *w, const struct cf_whole_result *result,
                 const struct cf_whole_order *order)
{
    const enum cf_whole_verdict verdict = cf_whole_decide(result, order);

    if (result->fate != CF_RAN)
        w->code = w->code == 1 ? 1 : 3;
    else if (verdict == CF_WHOLE_REGRESSED || verdict == CF_WHOLE_WRONG)
        w->code = 1;
    json_array_append_new(w->functions, cf_whole_json(result, order));
    if (w->out)
        cf_whole_print(w->out, result, order);
}

static int run_case(struct whole *w, const struct cf_case *c, struct cf_error *err)
{
    struct cf_whole_order order;
    struct cf_whole_result result;
    struct cf_progress progress;
    int code = make_order(&order, w, c, err);

    if (code != 0)
        return -1;
    cf_progress_start(&progress, w->options);
    code = cf_whole_run(&result, &order, cf_progress_show, &progress, err);
    cf_progress_clear(&progress);
    if (code == 0)
        tell(w, &result, &order);
    cf_whole_free(&result);
    return code;
}

/* A function's lines appear when it is done: the next may take minutes. */
static int run_cases(struct whole *w, struct cf_error *err)
{
    static const char *const names[] = {"old", "new"};
    char *text;
    size_t size;
    int result = 0;

    for (int k = 0; k < w->sides.n && w->out; ++k)
        fprintf(w->out, "%-10s %s\n", w->sides.n == 1 ? "side" : names[k], w->sides.end[k].label);
    for (int i = 0; i < w->plan.n_cases && result == 0; ++i) {
        FILE *out = w->out;

        w->out = out ? open_memstream(&text, &size) : NULL;
        result = run_case(w, &w->plan.cases[i].c, err);
        if (w->out) {
            CF_CHECK(fclose(w->out) == 0);
            if (result == 0)
                result = fputs(text, out) < 0 || fflush(out) != 0
                             ? cf_fail_with(err, 3, "the standard output cannot be written")
                             : 0;
            free(text);
        }
        w->out = out;
    }
    return result;
}

static int run(struct whole *w, struct cf_error *err)
{
    const char *json = w->options->document[cf_report_index("json")];
    int result;

    w->out = json && strcmp(json, "-") == 0 ? NULL : stdout;
    result = run_cases(w, err);
    if (result == 0 && json)
        result = cf_listing_put_json(
            json, json_pack("{s:s,s:O}", "schema", "conform-whole/1", "functions", w->functions),
            err);
    return result == 0 ? w->code : -1;
}

int cf_command_whole(struct cf_options *options, struct cf_error *err)
{
    struct whole w = {.options = options, .functions = json_array()};
    int result = add_sides(&w, err);

    mallopt(M_MMAP_THRESHOLD, 64 << 20); /* blocks of 4 MiB come and go: no new pages for each */
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    if (result == 0)
        result = make_plan(&w, err);
    w.worker = result == 0 ? cf_task_worker(err) : NULL;
    if (result == 0 && !w.worker)
        result = -1;
    if (result == 0)
        result = open_store(&w, err);
    if (result == 0)
        result = run(&w, err);
    if (w.store)
        cf_store_close(w.store);
    free(w.worker);
    json_decref(w.functions);
    cf_plan_free(&w.plan);
    cf_versions_free(&w.sides);
    return result;
}
