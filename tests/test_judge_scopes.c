/* Scopes, families, classes, variants and baselines, on small stores. */
#include <criterion/criterion.h>

#include "support_judge.h"

static const struct plan_line lines[] = {
    {"sum f32 m=4 n={1,3,8,17,64} fill={integer,spike,tiny,special,wide,cancel10} seed=1", "t", 10,
     1},
    {"sum f32 m=64 n=4 fill=small seed=1", "t", 1, 1},
    {"sum f32 m=16 n=64 fill={normal,uniform} seed={1..20}", "t", 10, 1}};

static enum cf_fate last_term_lost(const struct cf_case *c, const struct cf_tensor in[],
                                   struct cf_tensor out[], int process)
{
    (void)c;
    (void)process;
    return sum_rows(in, out, 1, 1);
}

static enum cf_fate fickle(const struct cf_case *c, const struct cf_tensor in[],
                           struct cf_tensor out[], int process)
{
    return process == 4 ? reverse(c, in, out, process) : forward(c, in, out, process);
}

/* What one store says of scopes, families and classes. */
static const struct subject matrix[] = {
    {"blas lib=a.so threads=1", "a threads=1", "{\"internal_api\":\"a\",\"version\":\"1\"}",
     forward},
    {"blas lib=a.so threads=2", "a threads=2", "{\"internal_api\":\"a\",\"version\":\"1\"}",
     reverse},
    {"blas lib=a.so threads=4", "a threads=4", "{\"internal_api\":\"a\",\"version\":\"1\"}",
     reverse},
    {"blas lib=a2.so threads=1", "a2 threads=1", "{\"internal_api\":\"a\",\"version\":\"2\"}",
     forward},
    {"blas lib=b.so threads=1", "b threads=1", "{\"internal_api\":\"b\",\"version\":\"1\"}",
     forward},
    {"blas lib=a.so threads=1 coretype=Haswell", "a threads=1 coretype=Haswell", "{}", fickle}};

static void expect(const struct cf_findings *f, int configuration, enum cf_scope scope,
                   enum cf_verdict verdict, int other)
{
    const struct cf_finding *one = find(f, configuration, "sum f32", scope, "bits");

    cr_assert_not_null(one);
    cr_expect_eq(one->verdict, verdict, "%d %s: %s (%s)", configuration, cf_scope_name(scope),
                 cf_verdict_name(one->verdict), one->reason);
    cr_expect_eq(one->other, other, "%d %s: other %d", configuration, cf_scope_name(scope),
                 one->other);
}

Test(judge_scopes, scopes)
{
    struct cf_error err = {.text = ""};
    struct cf_findings *f;
    struct bench bench;

    bench_start(&bench, lines, CF_COUNT(lines), matrix, CF_COUNT(matrix));
    f = bench_judge(&bench, CF_NUMERICAL, CF_TO_BASELINE, &err);
    cr_assert_not_null(f, "%s", err.text);
    expect(f, 0, CF_ACROSS_THREAD, CF_SKIP, -1); /* the others are compared with it */
    expect(f, 1, CF_ACROSS_THREAD, CF_FAIL, 0);
    expect(f, 2, CF_ACROSS_THREAD, CF_FAIL, 0);
    expect(f, 3, CF_ACROSS_VERSION, CF_PASS, 0);
    expect(f, 3, CF_ACROSS_LIBRARY, CF_SKIP, -1);
    expect(f, 4, CF_ACROSS_LIBRARY, CF_PASS, 0);
    expect(f, 5, CF_ACROSS_ISA, CF_FAIL, 0);
    expect(f, 5, CF_ACROSS_RUN, CF_FAIL, -1);
    expect(f, 4, CF_ACROSS_RUN, CF_PASS, -1);
    expect(f, 0, CF_TO_BASELINE, CF_PASS, -1);
    expect(f, 4, CF_ACROSS_ALIGNMENT, CF_SKIP, -1);
    cr_expect_eq(f->n_configurations, 6);
    cr_expect_eq(f->configurations[0].slowdown, 1);
    cr_expect_eq(f->configurations[3].slowdown, 4);
    cr_expect_eq(f->classes[0].n_classes, 3);
    cr_expect_eq(f->classes[0].class_of[3], f->classes[0].class_of[0]);
    cr_expect_eq(f->classes[0].class_of[1], f->classes[0].class_of[2]);
    cr_expect_eq(f->classes[0].class_of[5], 2, "a fickle one is alone");
    cf_findings_free(f);
    bench_stop(&bench);
}

Test(judge_scopes, a_family_keeps_its_weakest_level)
{
    struct cf_error err = {.text = ""};
    struct cf_findings *f;
    struct bench bench;
    int seen = 0;

    bench_start(&bench, lines, CF_COUNT(lines), matrix, CF_COUNT(matrix));
    f = bench_judge(&bench, CF_NUMERICAL, CF_TO_BASELINE, &err);
    cr_assert_not_null(f, "%s", err.text);
    for (int i = 0; i < f->n_invariances; ++i) {
        const struct cf_invariance_finding *one = &f->invariances[i];

        if (strcmp(one->family, "a") != 0 || one->scope != CF_ACROSS_THREAD)
            continue;
        ++seen;
        cr_expect_eq(one->level, CF_STATISTICAL, "%s", one->reason);
        cr_expect_eq(one->verdict, CF_PASS);
        cr_expect_eq(one->n_compared, 2 * 701);
        cr_expect_gt(one->n_different, 0);
    }
    cr_expect_eq(seen, 1);
    cf_findings_free(f);
    bench_stop(&bench);
}

/* A scope asked for is the question: the verdict is the scope's and not the baseline's. */
Test(judge_scopes, one_scope_asked_for)
{
    struct cf_error err = {.text = ""};
    struct cf_findings *f;
    struct bench bench;

    bench_start(&bench, lines, CF_COUNT(lines), matrix, 5);
    f = bench_judge(&bench, CF_NUMERICAL, CF_ACROSS_RUN, &err);
    cr_expect_eq(f->exit_code, 0, "%s", f->sentence);
    cf_findings_free(f);
    f = bench_judge(&bench, CF_NUMERICAL, CF_ACROSS_THREAD, &err);
    cr_expect_eq(f->exit_code, 1, "%s", f->sentence);
    cf_findings_free(f);
    f = bench_judge(&bench, CF_NUMERICAL, CF_ACROSS_ALIGNMENT, &err);
    cr_expect_eq(f->exit_code, 3, "%s", f->sentence);
    cf_findings_free(f);
    bench_stop(&bench);
}

/* The witness of a mismatch is an element that differs, with both encodings and the exact value. */
Test(judge_scopes, witness_of_a_mismatch)
{
    struct cf_error err = {.text = ""};
    const struct cf_finding *one;
    struct cf_findings *f;
    struct bench bench;
    char *replay;

    bench_start(&bench, lines, CF_COUNT(lines), matrix, 2);
    f = bench_judge(&bench, CF_NUMERICAL, CF_TO_BASELINE, &err);
    one = find(f, 1, "sum f32", CF_ACROSS_THREAD, "bits");
    cr_expect_str_neq(one->a.got, one->b.got);
    cr_expect_eq(one->a.configuration, 1);
    cr_expect_eq(one->b.configuration, 0);
    cr_expect(isfinite(one->a.error) && isfinite(one->b.error) && one->exact[0]);
    replay = cf_finding_replay(f, one);
    cr_expect(strstr(replay, "conform replay \"sum f32 ") == replay, "%s", replay);
    cr_expect(strstr(replay, "threads={2,1}"), "%s", replay);
    free(replay);
    cf_findings_free(f);
    bench_stop(&bench);
}

/* 40 cases in one process each: equal bits, but too little evidence. */
Test(judge_scopes, too_little_evidence_is_unknown)
{
    static const struct plan_line few[] = {
        {"sum f32 m=2 n=16 fill=normal seed={1..40}", "t", 1, 1}};
    static const struct plan_line warm[] = {
        {"sum f32 m=2 n=16 fill=normal seed={1..40}", "t", 1, 9}};
    const struct subject two[] = {{"plain kernel=forward", "a", NULL, forward},
                                  {"blas lib=x.so", "b", NULL, forward}};
    struct cf_error err = {.text = ""};
    const struct cf_finding *one;
    struct cf_findings *f;
    struct bench bench;

    bench_start(&bench, few, 1, two, 2);
    f = bench_judge(&bench, CF_NUMERICAL, CF_TO_BASELINE, &err);
    one = find(f, 1, "sum f32", CF_TO_BASELINE, "bits");
    cr_expect_eq(one->verdict, CF_UNKNOWN);
    cr_expect(strstr(one->reason, "299"), "%s", one->reason);
    cr_expect_float_eq(one->upper, 1 - pow(0.05, 1 / 40.0), 1e-12);
    cr_expect_eq(f->exit_code, 3, "%s", f->sentence);
    cf_findings_free(f);
    bench_stop(&bench);
    bench_start(&bench, warm, 1, two, 2);
    f = bench_judge(&bench, CF_NUMERICAL, CF_TO_BASELINE, &err);
    one = find(f, 1, "sum f32", CF_TO_BASELINE, "bits");
    cr_expect_eq(one->verdict, CF_UNKNOWN, "360 comparisons in one warm process");
    cr_expect(strstr(one->reason, "fresh workers"), "%s", one->reason);
    cf_findings_free(f);
    bench_stop(&bench);
}

/* Nothing is judged against a baseline that errs; what is wrong is said without it. */
Test(judge_scopes, a_wrong_baseline_is_no_standard)
{
    const struct subject three[] = {{"plain kernel=forward", "a", NULL, last_term_lost},
                                    {"blas lib=x.so", "same", NULL, last_term_lost},
                                    {"blas lib=y.so", "honest", NULL, forward}};
    struct cf_error err = {.text = ""};
    struct cf_findings *f;
    struct bench bench;

    bench_start(&bench, lines, CF_COUNT(lines), three, 3);
    f = bench_judge(&bench, CF_NUMERICAL, CF_TO_BASELINE, &err);
    cr_expect_eq(f->configurations[0].qualified, 0);
    cr_expect_eq(f->configurations[0].at_required, CF_FAIL, "%s", f->configurations[0].reason);
    cr_expect_eq(f->configurations[1].at_required, CF_SKIP, "%s", f->configurations[1].reason);
    cr_expect_eq(f->configurations[1].wrong, 1);
    cr_expect_eq(f->configurations[2].at_required, CF_SKIP, "%s", f->configurations[2].reason);
    cr_expect_eq(f->configurations[2].wrong, 0);
    cr_expect_eq(f->exit_code, 1);
    cf_findings_free(f);
    bench_stop(&bench);
}

/* A baseline that does not reproduce itself is none either. */
Test(judge_scopes, a_fickle_baseline_is_no_standard)
{
    const struct subject two[] = {{"plain kernel=forward", "a", NULL, fickle},
                                  {"blas lib=y.so", "honest", NULL, forward}};
    struct cf_error err = {.text = ""};
    struct cf_findings *f;
    struct bench bench;

    bench_start(&bench, lines, CF_COUNT(lines), two, 2);
    f = bench_judge(&bench, CF_NUMERICAL, CF_TO_BASELINE, &err);
    cr_expect_eq(f->configurations[0].at_required, CF_FAIL);
    cr_expect_eq(f->configurations[0].wrong, 0);
    cr_expect_eq(f->configurations[1].at_required, CF_SKIP);
    cr_expect(strstr(f->configurations[1].reason, "does not reproduce itself"), "%s",
              f->configurations[1].reason);
    cf_findings_free(f);
    bench_stop(&bench);
}

/* Sums whose order of terms depends on the number of rows, or on the place of a row. */
static enum cf_fate batch_dependent(const struct cf_case *c, const struct cf_tensor in[],
                                    struct cf_tensor out[], int process)
{
    return in[0].dim[0] == 1 ? reverse(c, in, out, process) : forward(c, in, out, process);
}

static enum cf_fate place_dependent(const struct cf_case *c, const struct cf_tensor in[],
                                    struct cf_tensor out[], int process)
{
    const int64_t m = in[0].dim[0];
    double first;

    reverse(c, in, out, process);
    first = cf_tensor_get(&out[0], 0);
    forward(c, in, out, process);
    if (m > 1)
        cf_tensor_set(&out[0], 0, first);
    return CF_RAN;
}

Test(judge_scopes, batch_and_position)
{
    static const struct plan_line variants[] = {
        {"sum f32 m=9 n={64,65,66} fill=normal seed={1..5} {row=0,row=8,rowperm=1}", "t", 10, 1},
        {"sum f32 m=9 n={64,65,66} fill=normal seed={1..5}", "t", 10, 1}};
    static const struct subject three[] = {{"plain kernel=forward", "a", NULL, forward},
                                           {"blas lib=y.so", "b", NULL, batch_dependent},
                                           {"blas lib=z.so", "c", NULL, place_dependent}};
    static const struct {
        int configuration;
        enum cf_scope scope;
        enum cf_verdict verdict;
        int64_t n_compared;
    } rows[] = {{0, CF_ACROSS_BATCH, CF_PASS, 300}, {0, CF_ACROSS_POSITION, CF_PASS, 1350},
                {1, CF_ACROSS_BATCH, CF_FAIL, 300}, {1, CF_ACROSS_POSITION, CF_PASS, 1350},
                {2, CF_ACROSS_BATCH, CF_FAIL, 300}, {2, CF_ACROSS_POSITION, CF_FAIL, 1350}};
    struct cf_error err = {.text = ""};
    struct cf_findings *f;
    struct bench bench;

    bench_start(&bench, variants, CF_COUNT(variants), three, 3);
    f = bench_judge(&bench, CF_NUMERICAL, CF_TO_BASELINE, &err);
    cr_assert_not_null(f, "%s", err.text);
    for (int i = 0; i < CF_COUNT(rows); ++i) {
        const struct cf_finding *one =
            find(f, rows[i].configuration, "sum f32", rows[i].scope, "bits");

        expect(f, rows[i].configuration, rows[i].scope, rows[i].verdict, -1);
        cr_expect_eq(one->n_compared, rows[i].n_compared, "row %d: %lld", i,
                     (long long)one->n_compared);
        if (one->verdict == CF_FAIL)
            cr_expect_str_neq(one->a.got, one->b.got, "row %d", i);
    }
    cf_findings_free(f);
    bench_stop(&bench);
}
