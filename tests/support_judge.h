/* Small stores for the tests of the judge: cases, subjects that are functions, and what is judged
 * of them. Everything lives in one temporary directory that is the cache's too. */
#ifndef CF_TESTS_JUDGE_H
#define CF_TESTS_JUDGE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "judge.h"
#include "reference.h"

/* Answers one request: writes out, returns the fate. */
typedef enum cf_fate answer(const struct cf_case *c, const struct cf_tensor in[],
                            struct cf_tensor out[], int process);

struct subject {
    const char *text, *label, *effective;
    answer *run;
};

struct plan_line {
    const char *line, *suite;
    int processes, repetitions;
};

struct bench {
    char folder[256];
    struct cf_store *store;
    const struct subject *subjects;
    int n_subjects, n_cases;
    const struct plan_line *at;
};

static char *bench_path(const struct bench *bench, const char *name)
{
    return cf_format("%s/%s", bench->folder, name);
}

/* The directory is removed by bench_stop. */
static void bench_folder(struct bench *bench)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(bench->folder, sizeof bench->folder, "%s/conform-judge-XXXXXX",
             tmp && *tmp ? tmp : "/tmp");
    CF_CHECK(mkdtemp(bench->folder) != NULL);
    setenv("XDG_CACHE_HOME", bench->folder, 1);
}

static void bench_stop(struct bench *bench)
{
    char *command = cf_format("rm -rf '%s'", bench->folder);

    if (bench->store)
        cf_store_close(bench->store);
    CF_CHECK(system(command) == 0);
    free(command);
}

static int put_case(const char *line, void *context)
{
    struct bench *bench = context;
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    struct cf_plan_case row = {.suite = bench->at->suite,
                               .processes = bench->at->processes,
                               .repetitions = bench->at->repetitions};
    struct cf_error err = {.text = ""};
    struct cf_case c;
    const struct cf_op *op;

    if (cf_case_parse(&c, line, cf_op_grammar, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    op = cf_op_find(c.op);
    CF_CHECK(cf_case_draw(&c, op, in, out, &err) == 0);
    cf_inputs_digest(&row.inputs, in, op->n_inputs);
    row.text = c.text;
    CF_CHECK(cf_store_put_case(bench->store, &row, &err) == 0);
    for (int o = 0; o < op->n_inputs; ++o)
        cf_tensor_free(&in[o]);
    cf_case_free(&c);
    ++bench->n_cases;
    return 0;
}

/* Every record of one case. */
static void run_case(struct bench *bench, const struct cf_plan_case *row)
{
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    struct cf_error err = {.text = ""};
    struct cf_case c;
    const struct cf_op *op;

    CF_CHECK(cf_case_parse(&c, row->text, cf_op_grammar, &err) == 0);
    op = cf_op_find(c.op);
    CF_CHECK(cf_case_draw(&c, op, in, out, &err) == 0);
    cf_tensor_alloc(&out[0]);
    for (int s = 0; s < bench->n_subjects; ++s)
        for (int i = 0; i < row->processes * row->repetitions; ++i) {
            struct cf_record record = {.configuration = s + 1,
                                       .case_id = row->id,
                                       .process = i / row->repetitions,
                                       .repetition = i % row->repetitions,
                                       .wall_ns = 1000 * (s + 1)};
            const size_t n_bytes = cf_tensor_bytes(&out[0]);

            record.wall_ns += 100 * s * (record.process % 5 - 2); /* the median is 1000 (s + 1) */
            memset(out[0].bits, 0xff, n_bytes);                   /* the worker's poison: NaN */
            record.fate = bench->subjects[s].run(&c, in, out, record.process);
            if (record.fate == CF_RAN)
                cf_digest_of(&record.digest, out[0].bits, n_bytes);
            else
                snprintf(record.reason, sizeof record.reason, "made up for the test");
            CF_CHECK(cf_store_put_record(bench->store, &record, out[0].bits, n_bytes, &err) == 0);
        }
    cf_tensor_free(&out[0]);
    for (int o = 0; o < op->n_inputs; ++o)
        cf_tensor_free(&in[o]);
    cf_case_free(&c);
}

struct copies {
    struct cf_plan_case *row;
    int n;
};

static int copy_case(void *context, const struct cf_plan_case *row)
{
    struct copies *copies = context;

    copies->row = cf_realloc(copies->row, (size_t)(copies->n + 1) * sizeof copies->row[0]);
    copies->row[copies->n] = *row;
    copies->row[copies->n++].text = cf_strdup(row->text);
    return 0;
}

static void put_plan(struct bench *bench, const struct plan_line *lines, int n_lines)
{
    struct cf_error err = {.text = ""};

    for (int s = 0; s < bench->n_subjects; ++s) {
        const struct subject *subject = &bench->subjects[s];
        struct cf_plan_configuration row = {.text = subject->text,
                                            .label = subject->label,
                                            .requested = "{}",
                                            .effective =
                                                subject->effective ? subject->effective : "{}"};

        CF_CHECK(cf_store_put_configuration(bench->store, &row, &err) == 0);
    }
    CF_CHECK(cf_store_put_meta(bench->store, "baseline", bench->subjects[0].text, &err) == 0);
    CF_CHECK(cf_store_put_meta(bench->store, "level", "numerical", &err) == 0);
    CF_CHECK(cf_store_put_meta(bench->store, "env.cpu", "made up", &err) == 0);
    for (int i = 0; i < n_lines; ++i) {
        bench->at = &lines[i];
        CF_CHECK(cf_pairs_expand(lines[i].line, put_case, bench, &err) == 0);
    }
}

/* A store of all lines run by all subjects; the first is the baseline. */
static void bench_start(struct bench *bench, const struct plan_line *lines, int n_lines,
                        const struct subject *subjects, int n_subjects)
{
    struct cf_error err = {.text = ""};
    struct copies copies = {NULL, 0};
    char *path;

    *bench = (struct bench){.subjects = subjects, .n_subjects = n_subjects};
    bench_folder(bench);
    path = bench_path(bench, "store");
    bench->store = cf_store_open(path, CF_STORE_CREATE, &err);
    free(path);
    CF_CHECK(bench->store != NULL);
    CF_CHECK(cf_store_begin(bench->store, &err) == 0);
    put_plan(bench, lines, n_lines);
    CF_CHECK(cf_store_each_case(bench->store, copy_case, &copies) == 0);
    for (int i = 0; i < copies.n; ++i) {
        run_case(bench, &copies.row[i]);
        free((char *)copies.row[i].text);
    }
    free(copies.row);
    CF_CHECK(cf_store_commit(bench->store, &err) == 0);
}

static struct cf_findings *bench_judge(struct bench *bench, enum cf_level level,
                                       enum cf_scope scope, struct cf_error *err)
{
    const struct cf_judge_options options = {.required = level, .scope = scope, .threads = 2};

    return cf_judge(bench->store, &options, err);
}

__attribute__((unused)) static const struct cf_finding *find(const struct cf_findings *f,
                                                             int configuration, const char *group,
                                                             enum cf_scope scope,
                                                             const char *component)
{
    for (int i = 0; i < f->n_findings; ++i) {
        const struct cf_finding *one = &f->findings[i];

        if (one->configuration == configuration && strcmp(one->group, group) == 0 &&
            one->demand.scope == scope && strcmp(one->component, component) == 0)
            return one;
    }
    return NULL;
}

/* Sums of the rows of in[0], f32 or f64, every addition rounded to the type, in some order. */
static double add_in(enum cf_dtype dtype, double a, double b)
{
    return dtype == CF_F32 ? (double)(float)(a + b) : a + b;
}

static enum cf_fate sum_rows(const struct cf_tensor in[], struct cf_tensor out[], int from_end,
                             int64_t drop)
{
    const int64_t m = in[0].dim[0], n = in[0].dim[1];

    for (int64_t i = 0; i < m; ++i) {
        double sum = -0.0;

        for (int64_t k = drop; k < n; ++k)
            sum =
                add_in(in[0].dtype, sum, cf_tensor_get(&in[0], i * n + (from_end ? n - 1 - k : k)));
        cf_tensor_set(&out[0], i, sum);
    }
    return CF_RAN;
}

static enum cf_fate forward(const struct cf_case *c, const struct cf_tensor in[],
                            struct cf_tensor out[], int process)
{
    (void)c;
    (void)process;
    return sum_rows(in, out, 0, 0);
}

static enum cf_fate reverse(const struct cf_case *c, const struct cf_tensor in[],
                            struct cf_tensor out[], int process)
{
    (void)c;
    (void)process;
    return sum_rows(in, out, 1, 0);
}

#endif
