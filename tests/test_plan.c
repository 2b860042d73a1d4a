/* plan: what suites and lines become, what a scope leaves out, and that a resumed store must hold
 * this very plan. */
#include <criterion/criterion.h>

#include "plan.h"
#include "reference.h"
#include "store_support.h"
#include "suite.h"

TestSuite(plan, .init = make_folder, .fini = remove_folder);

static int has_case(const struct cf_plan *plan, const char *text)
{
    for (int i = 0; i < plan->n_cases; ++i)
        if (strcmp(plan->cases[i].c.text, text) == 0)
            return 1;
    return 0;
}

static int count(const struct cf_plan *plan, const char *glob)
{
    int n = 0;

    for (int i = 0; i < plan->n_cases; ++i)
        n += cf_glob_match(glob, plan->cases[i].c.text);
    return n;
}

Test(plan, takes_the_suite_at_its_level_with_unique_texts)
{
    struct cf_plan numerical = {.level = CF_NUMERICAL}, statistical = {.level = CF_STATISTICAL};
    const int n = cf_plan_add_suite(&numerical, "reductions", NULL, 0, 0, NULL);

    cr_assert_gt(n, 100);
    cr_expect_eq(n, numerical.n_cases);
    cr_expect(has_case(&numerical, "sum f32 m=4 n=17 fill=normal seed=1"));
    cr_expect_not(has_case(&numerical, "sum f32 m=64 n=64 fill=normal seed=20"));
    for (int i = 0; i < numerical.n_cases; ++i) {
        cr_expect_str_eq(numerical.cases[i].suite, "reductions");
        for (int k = 0; k < i; ++k)
            cr_assert_str_neq(numerical.cases[i].c.text, numerical.cases[k].c.text);
    }
    cr_expect_eq(cf_plan_add_suite(&numerical, "reductions", NULL, 0, 0, NULL), 0,
                 "all are there already");
    cr_expect_eq(numerical.n_cases, n);
    cr_expect_gt(cf_plan_add_suite(&statistical, "reductions", NULL, 0, 0, NULL), n);
    cr_expect(has_case(&statistical, "sum f32 m=64 n=64 fill=normal seed=20"));
    cf_plan_free(&numerical);
    cf_plan_free(&statistical);
}

Test(plan, every_text_of_every_suite_parses_back_to_itself)
{
    struct cf_plan plan = {.level = CF_STATISTICAL};

    cr_assert_gt(cf_plan_add_suite(&plan, "all", NULL, 0, 0, NULL), 0);
    for (int i = 0; i < plan.n_cases; ++i) {
        struct cf_case again;

        cr_assert_eq(cf_case_parse(&again, plan.cases[i].c.text, cf_op_grammar, NULL), 0);
        cr_assert_str_eq(again.text, plan.cases[i].c.text);
        cf_case_free(&again);
    }
    cf_plan_free(&plan);
}

Test(plan, filters_by_glob_and_moves_seeds)
{
    struct cf_plan plan = {.level = CF_NUMERICAL};
    const int n = cf_plan_add_suite(&plan, "reductions", "dot f64*fill=cancel10*", 7, 100, NULL);

    cr_assert_gt(n, 0);
    cr_expect_eq(count(&plan, "dot f64*fill=cancel10 seed=101"), n);
    for (int i = 0; i < n; ++i)
        cr_expect_eq(plan.cases[i].repetitions, 7);
    cr_expect_eq(cf_plan_add_suite(&plan, "reductions", "nothing*", 0, 0, NULL), 0);
    cf_plan_free(&plan);
}

struct refusal {
    char line[80], says[60];
};

Test(plan, refuses_cases_that_make_no_sense)
{
    static const struct refusal rows[] = {
        {"dot f64 m=1", "n"},
        {"tod f64 m=1 n=1", "tod"},
        {"dot f64 m=1 n=4 fill=nice seed=1", "there is no fill `nice`"},
        {"dot f64 m=4 n=4 fill=normal seed=1 row=4", "row=4 is outside 0..3"},
        {"dot f64 m=4 n=4 fill=normal seed=1 col=0", "no axis for col="},
        {"dot f99 m=4 n=4", "f99"},
        {"dot f64 m=4 n=4 fill=\xff", "no printable UTF-8"}};
    struct cf_plan plan = {.level = CF_NUMERICAL};

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        struct cf_error err = {0};

        cr_expect_eq(cf_plan_add_case(&plan, rows[i].line, "x", 1, 1, &err), -1, "%s",
                     rows[i].line);
        cr_expect(err.exit_code == 2 && strstr(err.text, rows[i].says), "%s: %s", rows[i].line,
                  err.text);
    }
    cr_expect_eq(cf_plan_add_case(&plan, "dot f64 m=4 n=4", "x", 0, 1, NULL), -1);
    cr_expect_eq(cf_plan_add_suite(&plan, "reduction", NULL, 0, 0, NULL), -1);
    cr_expect_eq(plan.n_cases, 0);
    cf_plan_free(&plan);
}

Test(plan, a_case_that_is_there_keeps_the_larger_numbers)
{
    struct cf_plan plan = {.level = CF_NUMERICAL};

    cr_expect_eq(cf_plan_add_case(&plan, "dot f64 n=4 m=1 seed=1 fill=uniform", "x", 2, 1, NULL),
                 1);
    cr_expect_eq(cf_plan_add_case(&plan, "dot f64 m=1 n=4 fill=uniform seed=1", "y", 1, 5, NULL),
                 0);
    cr_assert_eq(plan.n_cases, 1);
    cr_expect_str_eq(plan.cases[0].c.text, "dot f64 m=1 n=4 fill=uniform seed=1");
    cr_expect_str_eq(plan.cases[0].suite, "x");
    cr_expect_eq(plan.cases[0].processes, 2);
    cr_expect_eq(plan.cases[0].repetitions, 5);
    cf_plan_free(&plan);
}

/* Two bases, a batch variant and a position variant of one of them. */
static struct cf_plan variants(void)
{
    static const char *const lines[] = {
        "gemv f32 m=4 n=7 fill=normal seed=1", "gemv f32 m=4 n=7 fill=normal seed=1 row=0",
        "gemv f32 m=4 n=7 fill=normal seed=1 rowperm=1", "gemv f32 m=4 n=8 fill=normal seed=1"};
    struct cf_plan plan = {.level = CF_NUMERICAL};

    for (int i = 0; i < CF_COUNT(lines); ++i)
        cr_assert_eq(cf_plan_add_case(&plan, lines[i], "x", i == 0 ? 2 : 1, 1, NULL), 1);
    return plan;
}

struct scoped {
    enum cf_scope scope;
    int left, with_row, with_rowperm;
};

Test(plan, a_scope_keeps_what_it_needs)
{
    static const struct scoped rows[] = {{CF_ACROSS_BATCH, 2, 1, 0},  {CF_ACROSS_POSITION, 2, 0, 1},
                                         {CF_ACROSS_THREAD, 2, 0, 0}, {CF_ACROSS_RUN, 1, 0, 0},
                                         {CF_TO_BASELINE, 4, 1, 1},   {CF_TO_REFERENCE, 4, 1, 1}};

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        struct cf_plan plan = variants();

        cr_expect_eq(cf_plan_keep_scope(&plan, rows[i].scope), rows[i].left, "scope %s",
                     cf_scope_name(rows[i].scope));
        cr_expect_eq(count(&plan, "*row=*"), rows[i].with_row);
        cr_expect_eq(count(&plan, "*rowperm=*"), rows[i].with_rowperm);
        cr_expect(has_case(&plan, "gemv f32 m=4 n=7 fill=normal seed=1"), "the base stays");
        cf_plan_free(&plan);
    }
}

Test(plan, labels_are_unique_and_configurations_too)
{
    struct cf_plan plan = {.level = CF_NUMERICAL};

    cr_expect_eq(cf_plan_add_configuration(&plan, "plain kernel=forward", "p", NULL), 0);
    cr_expect_eq(cf_plan_add_configuration(&plan, "plain kernel=reverse", "p", NULL), 1);
    cr_expect_eq(cf_plan_add_configuration(&plan, "plain threads=2 kernel=fma", NULL, NULL), 2);
    cr_expect_eq(cf_plan_add_configuration(&plan, "plain kernel=reverse", "q", NULL), 1);
    cr_assert_eq(plan.n_configurations, 3);
    cr_expect_str_eq(plan.configurations[1].label, "p (2)");
    cr_expect_str_eq(plan.configurations[2].label, "plain kernel=fma threads=2");
    cr_expect_eq(cf_plan_add_configuration(&plan, "plain threads=many", NULL, NULL), -1);
    cf_plan_free(&plan);
}

static struct cf_plan small(const char *case_line, const char *configuration, int processes)
{
    struct cf_plan plan = {.level = CF_NUMERICAL};

    cr_assert_eq(cf_plan_add_configuration(&plan, configuration, NULL, NULL), 0);
    cr_assert_eq(cf_plan_add_case(&plan, case_line, "x", processes, 1, NULL), 1);
    return plan;
}

struct other {
    char case_line[60], configuration[40];
    int processes, answer;
    char says[40];
};

Test(plan, a_resumed_store_must_hold_this_very_plan)
{
    static const struct other rows[] = {
        {"dot f64 m=1 n=4", "plain kernel=forward", 2, 0, ""},
        {"dot f64 m=1 n=5", "plain kernel=forward", 2, -1, "another plan (case 1"},
        {"dot f64 m=1 n=4", "plain kernel=reverse", 2, -1, "another plan (configuration 1"},
        {"dot f64 m=1 n=4", "plain kernel=forward", 3, -1, "another plan (case 1"}};
    struct cf_plan plan = small(rows[0].case_line, rows[0].configuration, rows[0].processes);
    struct cf_store *store = open_or_fail(CF_STORE_CREATE);

    cr_assert_eq(cf_plan_store(&plan, store, NULL), 0);
    cf_plan_free(&plan);
    for (int i = 0; i < CF_COUNT(rows); ++i) {
        struct cf_error err = {0};

        plan = small(rows[i].case_line, rows[i].configuration, rows[i].processes);
        cr_expect_eq(cf_plan_store(&plan, store, &err), rows[i].answer, "row %d: %s", i, err.text);
        cr_expect(strstr(err.text, rows[i].says), "row %d: %s", i, err.text);
        cr_expect_eq(err.exit_code, rows[i].answer == 0 ? 0 : 2);
        cf_plan_free(&plan);
    }
    plan = small(rows[0].case_line, rows[0].configuration, 2);
    cr_assert_eq(cf_plan_add_case(&plan, "dot f64 m=1 n=9", "x", 1, 1, NULL), 1);
    cr_expect_eq(cf_plan_store(&plan, store, NULL), -1, "one case more");
    cf_plan_free(&plan);
    cf_store_close(store);
}

Test(plan, records_of_two_machines_do_not_mix)
{
    struct cf_plan plan = small("dot f64 m=1 n=4", "plain kernel=forward", 1);
    struct cf_store *store = open_or_fail(CF_STORE_CREATE);
    struct cf_error err = {0};

    cr_assert_eq(cf_plan_store(&plan, store, NULL), 0);
    cr_assert_eq(cf_store_put_meta(store, "env.os.libc", "2.1", NULL), 0);
    cr_expect_eq(cf_plan_store(&plan, store, &err), -1);
    cr_expect(err.exit_code == 2 && strstr(err.text, "os.libc is `2.1`"), "%s", err.text);
    cf_store_close(store);
    cf_plan_free(&plan);
}

static const char *const expected_keys[] = {
    "env.tool.version", "env.tool.sha256", "env.os.libc",     "env.os.kernel",
    "env.machine.arch", "env.cpu.threads", "env.cpu.allowed", "env.variables",
    "baseline",         "level",           "started",         "tool"};

Test(plan, stores_the_environment_and_keeps_secrets_out)
{
    struct cf_plan plan;
    struct cf_store *store = open_or_fail(CF_STORE_CREATE);
    char *names, *value;

    setenv("SECRET_TOKEN", "hush", 1);
    setenv("OMP_PLACES", "cores", 1);
    plan = small("dot f64 m=1 n=4", "plain kernel=forward", 1);
    cr_assert_eq(cf_plan_store(&plan, store, NULL), 0);
    for (int i = 0; i < CF_COUNT(expected_keys); ++i) {
        value = cf_store_get_meta(store, expected_keys[i]);
        cr_expect(value && *value, "%s", expected_keys[i]);
        free(value);
    }
    names = cf_store_get_meta(store, "env.variables");
    value = cf_store_get_meta(store, "env.variable.OMP_PLACES");
    cr_expect_str_eq(value, "cores");
    cr_expect(strstr(names, "SECRET_TOKEN") && !strstr(names, "hush") && !strstr(names, "OMP_"));
    cr_expect_null(cf_store_get_meta(store, "env.variable.SECRET_TOKEN"));
    free(names);
    free(value);
    cf_store_close(store);
    cf_plan_free(&plan);
}
