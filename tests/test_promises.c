/* The vendors' promises: the table of the program, what a line must have, and of whom a promise
 * speaks. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "promises.h"

Test(promises, the_table_of_the_program_names_its_sources_and_has_each_id_once)
{
    static const char *const libraries[] = {"mkl",   "onednn", "openblas", "cublas",
                                            "cudnn", "cuda",   "nccl"};
    struct cf_promises promises;
    int n_of[7] = {0};

    cf_promises_load(&promises);
    cr_assert(promises.n >= 30);
    for (int i = 0; i < promises.n; ++i) {
        const struct cf_promise *p = &promises.promise[i];

        cr_expect(strlen(p->says) > 20 && strlen(p->document) > 3, "%s", p->id);
        for (int k = 0; k < i; ++k)
            cr_expect_str_neq(p->id, promises.promise[k].id);
        for (int k = 0; k < CF_COUNT(libraries); ++k)
            n_of[k] += strcmp(p->library, libraries[k]) == 0;
    }
    for (int k = 0; k < CF_COUNT(libraries); ++k)
        cr_expect(n_of[k] > 0, "%s promises nothing", libraries[k]);
    cf_promises_free(&promises);
}

#define LINE(scope, promise, says)                                                                 \
    "a\tlib\t*\t*\t-\t" scope "\t" promise "\tdocument\t1.2\t3\t2024\t" says "\n"

Test(promises, a_line_that_is_none_is_refused_with_its_name)
{
    static const struct {
        const char *table, *sentence;
    } liars[] = {
        {LINE("sideways", "same", "x"), "promise a: there is no scope `sideways`"},
        {LINE("run", "sometimes", "x"),
         "promise a: `sometimes` is none of same, may-differ, nothing"},
        {LINE("run", "same", ""), "promise a: column 12 is empty"},
        {"a\tlib\t*\n", "promise a has 3 columns, not 12"},
        {"a\tlib\t*\t*\t-\trun\tsame\td\t1\t2\t3\tx\ty\n", "promise a has 13 columns, not 12"}};

    for (int i = 0; i < CF_COUNT(liars); ++i) {
        struct cf_promises promises;
        struct cf_error err = {.text = ""};

        cr_expect_eq(cf_promises_parse(&promises, liars[i].table, &err), -1);
        cr_expect_str_eq(err.text, liars[i].sentence);
    }
}

struct state {
    const char *key, *value;
};

static const char *read_back(const void *context, const char *key)
{
    const struct state *state = context;

    return state->key && strcmp(state->key, key) == 0 ? state->value : NULL;
}

/* Does the promise `id` speak of this configuration, library, version, state, op along its scope?
 */
static int speaks(const char *id, const char *line, const char *library, const char *version,
                  struct state state, const char *op)
{
    struct cf_promises promises;
    struct cf_config config;
    struct cf_promisee promisee = {.config = &config,
                                   .library = library,
                                   .version = version,
                                   .state = read_back,
                                   .context = &state};
    int found = 0, answer = 0;

    cr_assert_eq(cf_config_parse(&config, line, NULL), 0);
    cf_promises_load(&promises);
    for (int i = 0; i < promises.n; ++i)
        if (strcmp(promises.promise[i].id, id) == 0) {
            found = 1;
            answer =
                cf_promise_applies(&promises.promise[i], &promisee, op, promises.promise[i].scope);
            cr_expect_not(cf_promise_applies(&promises.promise[i], &promisee, op, CF_N_SCOPES));
        }
    cr_assert(found, "there is no promise %s", id);
    cf_promises_free(&promises);
    cf_config_free(&config);
    return answer;
}

Test(promises, speak_of_their_library_version_state_and_ops_alone)
{
    const struct {
        const char *id, *line, *library, *version;
        struct state state;
        const char *op;
        int answer;
    } rows[] = {
        {"mkl-strict-thread", "blas", "mkl", "2024.2", {"cbwr", "65546"}, "gemm", 1},
        {"mkl-strict-thread", "blas", "mkl", "2024.2", {"cbwr", "65538"}, "gemm", 0},
        {"mkl-strict-thread", "blas", "mkl", "2024.2", {"cbwr", "65546"}, "dot", 0},
        {"mkl-strict-thread", "blas", "mkl", "2024.2", {NULL, NULL}, "gemm", 0},
        {"mkl-strict-thread", "blas", "openblas", "0.3", {"cbwr", "65546"}, "gemm", 0},
        {"mkl-default-run", "blas", "mkl", "2024.2", {NULL, NULL}, "gemm", 1},
        {"mkl-default-run", "blas env.MKL_CBWR=AVX2", "mkl", "", {NULL, NULL}, "gemm", 0},
        {"mkl-cnr-run", "blas env.MKL_CBWR=AVX2", "mkl", "", {"cbwr", "10"}, "gemm", 1},
        {"mkl-cnr-run", "blas env.MKL_CBWR=OFF", "mkl", "", {"cbwr", "1"}, "gemm", 0},
        {"onednn-deterministic-run",
         "onednn flags=deterministic",
         "onednn",
         "3.6.1",
         {NULL, NULL},
         "conv2d_fwd",
         1},
        {"onednn-deterministic-run", "onednn", "onednn", "3.6.1", {NULL, NULL}, "conv2d_fwd", 0},
        {"onednn-default-run", "onednn", "onednn", "3.5.0", {NULL, NULL}, "conv2d_fwd", 1},
        {"onednn-default-run", "onednn", "onednn", "3.10.0", {NULL, NULL}, "conv2d_fwd", 1},
        {"onednn-default-run", "onednn", "onednn", "2.6.0", {NULL, NULL}, "conv2d_fwd", 0},
        {"onednn-silent-run", "onednn", "onednn", "2.6.0", {NULL, NULL}, "conv2d_fwd", 1},
        {"onednn-silent-run", "onednn", "onednn", "3.4.1", {NULL, NULL}, "conv2d_fwd", 1},
        {"cudnn-note-run",
         "cudnn",
         "",
         "",
         {"numerical_notes", "TENSOR_CORE|NONDETERMINISTIC"},
         "conv2d_bwd_data",
         1},
        {"cudnn-engine-run",
         "cudnn kernel=deterministic",
         "",
         "",
         {"numerical_notes", "TENSOR_CORE|NONDETERMINISTIC"},
         "conv2d_bwd_data",
         0},
        {"cudnn-engine-run",
         "cudnn kernel=deterministic",
         "",
         "",
         {"numerical_notes", "TENSOR_CORE"},
         "conv2d_bwd_data",
         1},
        {"cudnn-engine-run", "cudnn", "", "", {"numerical_notes", "none"}, "conv2d_fwd", 1},
        {"cudnn-engine-run", "cudnn", "", "", {NULL, NULL}, "conv2d_fwd", 0},
        {"cudnn-heuristic-run", "cudnn", "", "", {NULL, NULL}, "conv2d_bwd_data", 1},
        {"cudnn-heuristic-run", "cudnn", "", "", {"numerical_notes", "none"}, "conv2d_bwd_data", 0},
        {"cudnn-legacy-same-run",
         "cudnn kernel=legacy",
         "",
         "",
         {"determinism", "1"},
         "conv2d_bwd_data",
         1},
        {"cudnn-run", "cudnn kernel=deterministic", "", "", {NULL, NULL}, "conv2d_bwd_data", 0},
        {"cudnn-data-algo-run", "cudnn kernel=algo0", "", "", {NULL, NULL}, "conv2d_bwd_data", 1},
        {"cudnn-data-algo-run", "cudnn kernel=algo1", "", "", {NULL, NULL}, "conv2d_bwd_data", 0},
        {"cudnn-run", "cudnn kernel=algo1", "", "", {NULL, NULL}, "conv2d_bwd_data", 1},
        {"cudnn-run", "cudnn kernel=algo0", "", "", {NULL, NULL}, "conv2d_bwd_data", 0},
        {"cublas-run", "cublas", "", "", {NULL, NULL}, "gemm", 1},
        {"cublas-run", "cublas flags=streams:4", "", "", {NULL, NULL}, "gemm", 0},
        {"cublas-streams-run", "cublas flags=streams:4", "", "", {NULL, NULL}, "gemm", 1},
        {"cublas-streams-run", "cublas flags=streams:4+handles:1", "", "", {NULL, NULL}, "gemm", 0},
        {"cublas-handles-run", "cublas flags=streams:4+handles:1", "", "", {NULL, NULL}, "gemm", 1},
        {"cublas-workspace-run",
         "cublas flags=streams:4 env.CUBLAS_WORKSPACE_CONFIG=:4096:8",
         "",
         "",
         {NULL, NULL},
         "gemm",
         1},
    };

    for (int i = 0; i < CF_COUNT(rows); ++i)
        cr_expect_eq(speaks(rows[i].id, rows[i].line, rows[i].library, rows[i].version,
                            rows[i].state, rows[i].op),
                     rows[i].answer, "row %d: %s of %s", i, rows[i].id, rows[i].line);
}

Test(promises, known_non_determinism_is_told_before_a_run)
{
    static const struct {
        const char *line, *op, *id;
    } rows[] = {
        {"cudnn kernel=algo0", "conv2d_bwd_filter", "cudnn-filter-algo-run"},
        {"cudnn kernel=algo3", "conv2d_bwd_filter", "cudnn-filter-algo-run"},
        {"cudnn kernel=algo1", "conv2d_bwd_filter", NULL},
        {"cudnn kernel=algo3", "conv2d_bwd_data", NULL},
        {"cudnn kernel=algo0", "conv2d_fwd", NULL},
        {"cudnn kernel=heuristic", "conv2d_bwd_data", "cudnn-heuristic-run"},
        {"cudnn", "conv2d_bwd_data", "cudnn-heuristic-run"},
        {"cudnn", "conv2d_fwd", NULL},
        {"cudnn kernel=deterministic", "conv2d_bwd_data", NULL},
        {"cublas flags=streams:4", "gemm", "cublas-streams-run"},
        {"cuda kernel=atomic", "sum", "cuda-atomics-run"},
        {"cuda kernel=tree", "sum", NULL},
        {"blas lib=opt/libmkl_rt.so.2", "gemm", "mkl-default-run"},
        {"blas lib=opt/libmkl_rt.so.2 env.MKL_CBWR=AUTO", "gemm", NULL},
        {"blas lib=opt/libopenblasp-r0.3.21.so", "gemm", NULL},
        {"onednn lib=opt/libdnnl.so.3", "conv2d_fwd", "onednn-default-run"},
        {"onednn lib=opt/libdnnl.so.3 flags=deterministic", "conv2d_fwd", NULL},
        {"plain kernel=arrival", "sum", NULL},
    };
    struct cf_promises promises;

    cf_promises_load(&promises);
    for (int i = 0; i < CF_COUNT(rows); ++i) {
        struct cf_config config;
        const struct cf_promise *promise;

        cr_assert_eq(cf_config_parse(&config, rows[i].line, NULL), 0);
        promise = cf_promises_nondeterministic(&promises, &config, rows[i].op);
        cr_expect_str_eq(promise ? promise->id : "none", rows[i].id ? rows[i].id : "none", "%s",
                         rows[i].line);
        cf_config_free(&config);
    }
    cf_promises_free(&promises);
}
