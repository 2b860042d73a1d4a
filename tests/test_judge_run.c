/* From a run to verdicts, with real workers: every liar comes to what it must, and plain's orders
 * of operations come to the findings in tests/golden/plain.txt. */
#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "judge.h"
#include "plan.h"

static char folder[256];

static void start(void)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(folder, sizeof folder, "%s/conform-judge-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    cr_assert_not_null(mkdtemp(folder));
    setenv("XDG_CACHE_HOME", folder, 1);
}

static void stop(void)
{
    char *command = cf_format("rm -rf '%s'", folder);

    cr_expect_eq(system(command), 0);
    free(command);
}

struct lines {
    struct cf_plan *plan;
    int processes;
};

static int add_case(const char *line, void *context)
{
    const struct lines *lines = context;
    struct cf_error err = {.text = ""};

    cr_assert_geq(cf_plan_add_case(lines->plan, line, "t", lines->processes, 1, &err), 0, "%s",
                  err.text);
    return 0;
}

static void add_lines(struct cf_plan *plan, const char *line, int processes)
{
    struct lines lines = {plan, processes};

    cr_assert_eq(cf_pairs_expand(line, add_case, &lines, NULL), 0, "%s", line);
}

static void add_configuration(struct cf_plan *plan, const char *line)
{
    struct cf_error err = {.text = ""};

    cr_assert_geq(cf_plan_add_configuration(plan, line, NULL, &err), 0, "%s", err.text);
}

static struct cf_findings *run(struct cf_plan *plan, enum cf_level level)
{
    const struct cf_run_options options = {.worker = CF_BINARY_DIR "/conform-worker"};
    const struct cf_judge_options judging = {.required = level, .scope = CF_TO_BASELINE};
    struct cf_error err = {.text = ""};
    char *path = cf_format("%s/store", folder);
    struct cf_store *store = cf_store_open(path, CF_STORE_CREATE, &err);
    struct cf_findings *f;

    cr_assert_not_null(store, "%s", err.text);
    cr_assert_eq(cf_plan_store(plan, store, &err), 0, "%s", err.text);
    cr_assert_eq(cf_run(plan, store, &options, &err), 0, "%s", err.text);
    f = cf_judge(store, &judging, &err);
    cr_assert_not_null(f, "%s", err.text);
    cf_store_close(store);
    free(path);
    return f;
}

static const struct {
    const char *lie;
    enum cf_verdict verdict; /* at level statistical */
    int wrong;
    const char *said; /* part of the reason */
} liars[] = {{"honest", CF_PASS, 0, ""},
             {"reorders", CF_PASS, 0, ""},
             {"chatty", CF_PASS, 0, ""},
             {"fickle", CF_FAIL, 1, "S1"},
             {"ulp", CF_FAIL, 1, "S1"},
             {"drops", CF_FAIL, 1, "S"},
             {"tf32", CF_FAIL, 1, "S"},
             {"yesterday", CF_FAIL, 1, "S"},
             {"nan", CF_FAIL, 1, "S"},
             {"flushes", CF_FAIL, 0, "flushed"},
             {"silent", CF_FAIL, 1, "S"},
             {"crashes", CF_FAIL, 0, "crashed"},
             {"exits", CF_FAIL, 0, "crashed"},
             {"nothing", CF_SKIP, 0, ""},
             {"truncated", CF_UNKNOWN, 0, "not-opened"},
             {"ilp64", CF_UNKNOWN, 0, "state-mismatch"}};

Test(judge_run, liars)
{
    struct cf_plan plan = {.level = CF_STATISTICAL};
    struct cf_findings *f;

    start();
    for (int i = 0; i < CF_COUNT(liars); ++i) {
        char *line =
            cf_format("blas lib=" CF_BINARY_DIR "/liars/libliar_%s.so threads=1", liars[i].lie);

        add_configuration(&plan, line);
        free(line);
    }
    add_configuration(&plan, "plain kernel=canon threads=1");
    add_lines(&plan, "dot f32 m=4 n={8,17,64} fill={integer,tiny,special,wide} seed=1", 1);
    add_lines(&plan, "dot f32 m=16 n=64 fill=normal seed={1..20}", 1);
    f = run(&plan, CF_STATISTICAL);
    cr_expect_eq(f->exit_code, 1);
    for (int i = 0; i < CF_COUNT(liars); ++i) {
        const struct cf_configuration_finding *one = &f->configurations[i];

        cr_expect_eq(one->at_required, liars[i].verdict, "%s: %s (%s)", liars[i].lie,
                     cf_verdict_name(one->at_required), one->reason);
        cr_expect_eq(one->wrong, liars[i].wrong, "%s: wrong %d (%s)", liars[i].lie, one->wrong,
                     one->reason);
        cr_expect(strstr(one->reason, liars[i].said), "%s: %s", liars[i].lie, one->reason);
    }
    cf_findings_free(f);
    cf_plan_free(&plan);
    stop();
}

/* The levels; then a line for each comparison with the baseline, a variant or the exact answer. */
static void print(FILE *out, const struct cf_findings *f)
{
    for (int i = 0; i < f->n_configurations; ++i)
        fprintf(out, "%s: %s, %s\n", f->configurations[i].text,
                cf_level_name(f->configurations[i].level),
                cf_verdict_name(f->configurations[i].at_required));
    for (int i = 0; i < f->n_findings; ++i) {
        const struct cf_finding *one = &f->findings[i];

        if (one->verdict == CF_SKIP || one->demand.scope == CF_ACROSS_LIBRARY ||
            one->demand.scope == CF_ACROSS_RUN ||
            (one->demand.scope == CF_TO_REFERENCE && strcmp(one->component, "S3") != 0))
            continue;
        fprintf(out, "%s %s %s %s %s: %lld of %lld", cf_verdict_name(one->verdict), one->group,
                cf_scope_name(one->demand.scope), one->component,
                f->configurations[one->configuration].text, (long long)one->n_different,
                (long long)one->n_compared);
        if (one->a.configuration >= 0)
            fprintf(out, " [%s: %lld is %s for %s, errs by %.6g]", one->case_text,
                    (long long)one->a.element, one->a.got, one->exact, one->a.error);
        fprintf(out, "\n");
    }
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t n = 0;

    if (!file)
        return cf_strdup("");
    if (getdelim(&text, &n, '\0', file) < 0) {
        free(text);
        text = cf_strdup("");
    }
    fclose(file);
    return text;
}

/* The same on every machine: plain says which operations are done in which order. When a change is
 * meant, copy the file that this names over the golden one, in a commit of its own. */
Test(judge_run, plain_is_golden)
{
    static const char *const kernels[] = {
        "forward", "reverse", "pairwise", "lanes4",           "lanes8",          "lanes16",
        "kahan",   "fma",     "canon",    "chunks threads=2", "chunks threads=3"};
    struct cf_plan plan = {.level = CF_NUMERICAL};
    char *golden = read_file(CF_SOURCE_DIR "/tests/golden/plain.txt"), *text;
    struct cf_findings *f;
    FILE *out;

    start();
    for (int i = 0; i < CF_COUNT(kernels); ++i) {
        char *line = cf_format("plain kernel=%s", kernels[i]);

        add_configuration(&plan, line);
        free(line);
    }
    add_lines(&plan, "{sum f32,dot f64} m=3 n={3,17,256} fill={integer,normal,wide,special} seed=1",
              2);
    add_lines(&plan, "gemm f32 m=4 n=3 k=65 fill={normal,tiny} seed=1 ", 2);
    add_lines(&plan, "gemm f32 m=4 n=3 k=65 fill=normal seed=1 {row=2,colperm=1}", 2);
    f = run(&plan, CF_NUMERICAL);
    out = fopen(CF_BINARY_DIR "/plain.txt", "w");
    print(out, f);
    fclose(out);
    text = read_file(CF_BINARY_DIR "/plain.txt");
    cr_expect(strcmp(text, golden) == 0,
              "tests/golden/plain.txt is not " CF_BINARY_DIR "/plain.txt");
    free(text);
    free(golden);
    cf_findings_free(f);
    cf_plan_free(&plan);
    stop();
}
