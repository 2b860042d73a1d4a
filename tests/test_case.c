/* case, config, pairs: one grammar; parse after print is the identity; bad lines are one sentence.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "reference.h"
#include "suite.h"

static int parses_back(const char *line, void *count)
{
    struct cf_case c, again;
    struct cf_error err = {0};

    cr_assert_eq(cf_case_parse(&c, line, cf_op_grammar, &err), 0, "%s", err.text);
    cr_assert_eq(cf_case_parse(&again, c.text, cf_op_grammar, &err), 0, "%s", err.text);
    cr_expect_str_eq(c.text, again.text);
    cf_case_free(&c);
    cf_case_free(&again);
    ++*(int *)count;
    return 0;
}

Test(case, parse_after_print_is_the_identity_over_all_suites)
{
    struct cf_error err = {0};
    int count = 0;

    for (const struct cf_suite *const *s = cf_suites; *s; ++s)
        for (const struct cf_case_list *l = (*s)->lists; l->line; ++l)
            cr_expect_eq(cf_pairs_expand(l->line, parses_back, &count, &err), 0, "%s", err.text);
    cr_expect(count > 1000, "only %d cases", count);
}

struct row {
    char line[96], canonical[96], cell[96], base[96];
};

Test(case, prints_canonically)
{
    static const struct row rows[] = {
        {"gemm f32 k=3 n=2 m=1 seed=4 fill=wide", "gemm f32 m=1 n=2 k=3 fill=wide seed=4",
         "gemm f32 m=1 n=2 k=3 fill=wide", "gemm f32 m=1 n=2 k=3 fill=wide seed=4"},
        {"gemv f64 m=17 n=2 rowperm=1 fill=wide seed=4",
         "gemv f64 m=17 n=2 fill=wide seed=4 rowperm=1", "gemv f64 m=17 n=2 fill=wide",
         "gemv f64 m=17 n=2 fill=wide seed=4"},
        {"gemv f64 m=17 n=2 row=16", "gemv f64 m=17 n=2 fill=uniform seed=1 row=16",
         "gemv f64 m=17 n=2 fill=uniform", "gemv f64 m=17 n=2 fill=uniform seed=1"}};

    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; ++r) {
        struct cf_case c;
        char *cell, *base;

        cr_assert_eq(cf_case_parse(&c, rows[r].line, cf_op_grammar, NULL), 0);
        cell = cf_case_cell(&c);
        base = cf_case_base(&c);
        cr_expect_str_eq(c.text, rows[r].canonical);
        cr_expect_str_eq(cell, rows[r].cell);
        cr_expect_str_eq(base, rows[r].base);
        free(cell);
        free(base);
        cf_case_free(&c);
    }
}

struct spelt {
    char line[72], text[96];
};

Test(case, a_number_has_one_spelling)
{
    static const struct spelt rows[] = {
        {"dot f64 m=007 n=+5 seed=01", "dot f64 m=7 n=5 fill=uniform seed=1"},
        {"dot f64 m=1e3 n=00", "dot f64 m=1000 n=0 fill=uniform seed=1"},
        {"dot f64 m=1 n=12E2 seed=1.0", "dot f64 m=1 n=1200 fill=uniform seed=1"},
        {"dot f64 m=1 n=2 seed=123456789012345678",
         "dot f64 m=1 n=2 fill=uniform seed=123456789012345678"},
        {"gemv f64 m=17 n=2 row=08", "gemv f64 m=17 n=2 fill=uniform seed=1 row=8"},
        {"conv2d_fwd f32 n=1 c=1 h=3 w=3 k=1 r=1 s=1 stride=02 pad=00",
         "conv2d_fwd f32 n=1 c=1 h=3 w=3 k=1 r=1 s=1 stride=2 fill=uniform seed=1"}};
    static const char *const rates[] = {"1e-3",    "0.001", "1E-3",   "1.0e-3",  "+.001",
                                        "00.0010", "10e-4", "001e-3", "0.1e-02", "1e-03"};
    static const struct spelt others[] = {
        {"1e-8", "1e-8"}, {"0.00000001", "1e-8"}, {"1.50e-7", "1.5e-7"}, {"0.00015", "0.00015"},
        {"1e-5", "1e-5"}, {"12.50", "12.5"},      {"-0.0", "0"},         {"1e3", "1000"}};
    struct cf_error err = {0};
    struct cf_case c;

    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; ++r) {
        cr_assert_eq(cf_case_parse(&c, rows[r].line, cf_op_grammar, &err), 0, "%s", err.text);
        cr_expect_str_eq(c.text, rows[r].text);
        cf_case_free(&c);
    }
    for (size_t r = 0; r < sizeof rates / sizeof rates[0]; ++r) {
        char line[96];

        snprintf(line, sizeof line, "train_mlp f32 steps=1 batch=4 lr=%.20s", rates[r]);
        cr_assert_eq(cf_case_parse(&c, line, cf_op_grammar, &err), 0, "%s", err.text);
        cr_expect_str_eq(c.text, "train_mlp f32 steps=1 batch=4 lr=0.001 fill=uniform seed=1");
        cr_expect_str_eq(cf_case_word(&c, "lr", ""), "0.001", "its key, too");
        cf_case_free(&c);
    }
    for (size_t r = 0; r < sizeof others / sizeof others[0]; ++r) {
        char line[128];

        snprintf(line, sizeof line, "train_mlp f32 steps=1 batch=4 lr=%.20s", others[r].line);
        cr_assert_eq(cf_case_parse(&c, line, cf_op_grammar, &err), 0, "%s", err.text);
        cr_expect_str_eq(cf_case_word(&c, "lr", ""), others[r].text);
        cf_case_free(&c);
    }
}

struct bad {
    char line[64], says[64];
};

Test(case, refuses_with_one_sentence)
{
    static const struct bad rows[] = {{"", "must start with an op"},
                                      {"dot", "must start with an op"},
                                      {"dott f64 m=1 n=1", "there is no op `dott`"},
                                      {"dot f63 m=1 n=1", "`f63` is no type"},
                                      {"dot f64 m=1", "dot needs n="},
                                      {"dot f64 m=1 n=x", "n=x is no whole number"},
                                      {"dot f64 m=1 n=-1", "n must not be negative"},
                                      {"dot f64 m=1 n=1 k=2", "does not know `k`"},
                                      {"dot f64 m=1 n=1 n=2", "occurs twice"},
                                      {"dot f64 m=1 n=1 seed=-3", "seed must not be negative"},
                                      {"dot f64 m=1 n=9999999999999999999", "is no whole number"},
                                      {"dot f64 m=1e n=1", "m=1e is no whole number"},
                                      {"dot f64 m=1.5 n=1", "m=1.5 is no whole number"},
                                      {"dot f64 m=1e-1 n=1", "m=0.1 is no whole number"},
                                      {"dot f64 m=1e99 n=1", "m=1e99 is no whole number"},
                                      {"dot f64 m=. n=1", "m=. is no whole number"},
                                      {"dot f64 m=1 n=%zz", "hexadecimal"},
                                      {"dot f64 m=1 n=1 =3", "no key before '='"}};

    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; ++r) {
        struct cf_case c;
        struct cf_error err = {0};

        cr_expect_eq(cf_case_parse(&c, rows[r].line, cf_op_grammar, &err), -1, "%s", rows[r].line);
        cr_expect(strstr(err.text, rows[r].says), "`%s` says: %s", rows[r].line, err.text);
        cr_expect_eq(err.exit_code, 2);
    }
}

static int join(const char *line, void *all)
{
    strcat(strcat(all, line), ";");
    return 0;
}

Test(pairs, expands_products_and_ranges)
{
    char all[256] = "";
    struct cf_error err = {0};

    cr_expect_eq(cf_pairs_expand("a {b,c} n={1..3}", join, all, &err), 0);
    cr_expect_str_eq(all, "a b n=1;a b n=2;a b n=3;a c n=1;a c n=2;a c n=3;");
    all[0] = '\0';
    cr_expect_eq(cf_pairs_expand("a{,x}", join, all, &err), 0);
    cr_expect_str_eq(all, "a;ax;");
    cr_expect_eq(cf_pairs_expand("a {b", join, all, &err), -1);
    cr_expect_eq(cf_pairs_expand("a b}", join, all, &err), -1);
    cr_expect_eq(cf_pairs_expand("a {b,{c}}", join, all, &err), -1);
    cr_expect_eq(cf_pairs_expand("n={3..1}", join, all, &err), -1);
}

struct pair {
    char a[64], b[64], scope[16];
};

Test(config, names_the_scope_of_a_difference)
{
    static const struct pair rows[] = {
        {"blas lib=/a threads=1", "blas threads=2 lib=/a", "thread"},
        {"blas lib=/a threads=1", "blas lib=/b threads=1", "library"},
        {"blas lib=/a threads=1", "blas lib=/b threads=2", ""},
        {"blas lib=/a coretype=Zen", "blas lib=/a", "isa"},
        {"blas lib=/a align=8", "blas lib=/a", "alignment"},
        {"plain kernel=kahan", "plain kernel=forward", "library"},
        {"plain kernel=kahan", "blas kernel=kahan", "library"},
        {"plain kernel=kahan threads=1", "blas kernel=kahan threads=2", ""}};

    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; ++r) {
        struct cf_config a, b;

        cr_assert_eq(cf_config_parse(&a, rows[r].a, NULL), 0);
        cr_assert_eq(cf_config_parse(&b, rows[r].b, NULL), 0);
        cr_expect_str_eq(cf_config_scope(&a, &b), rows[r].scope, "row %zu", r);
        cr_expect_null(cf_config_scope(&a, &a));
        cf_config_free(&a);
        cf_config_free(&b);
    }
}

Test(config, environment_holds_what_was_asked_for_and_no_preload)
{
    struct cf_config c;
    char **environment;
    int seen = 0;

    setenv("LD_PRELOAD", "", 1);
    cr_assert_eq(
        cf_config_parse(&c, "blas lib=/with%20blank threads=3 env.FOO=a%2Cb coretype=Zen", NULL),
        0);
    cr_expect_str_eq(c.text, "blas lib=/with%20blank threads=3 coretype=Zen env.FOO=a%2Cb");
    cr_expect_str_eq(cf_config_get(&c, "lib"), "/with blank");
    environment = cf_config_environment(&c);
    for (int i = 0; environment[i]; ++i) {
        seen += strcmp(environment[i], "OPENBLAS_NUM_THREADS=3") == 0;
        seen += strcmp(environment[i], "OMP_NUM_THREADS=3") == 0;
        seen += strcmp(environment[i], "OPENBLAS_CORETYPE=Zen") == 0;
        seen += strcmp(environment[i], "FOO=a,b") == 0;
        seen += strcmp(environment[i], "LC_ALL=C") == 0;
        seen += strcmp(environment[i], "OMP_WAIT_POLICY=passive") == 0;
        cr_expect_neq(strncmp(environment[i], "LD_", 3), 0);
    }
    cr_expect_eq(seen, 6);
    cf_config_environment_free(environment);
    cf_config_free(&c);
}

Test(config, refuses_with_one_sentence)
{
    static const struct bad rows[] = {
        {"", "must start with a backend"},           {"lib=/a", "must start with a backend"},
        {"blas thread=2", "does not know `thread`"}, {"blas threads=0", "out of range"},
        {"blas threads=two", "no whole number"},     {"blas fast", "does not know `fast`"}};

    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; ++r) {
        struct cf_config c;
        struct cf_error err = {0};

        cr_expect_eq(cf_config_parse(&c, rows[r].line, &err), -1, "%s", rows[r].line);
        cr_expect(strstr(err.text, rows[r].says), "`%s` says: %s", rows[r].line, err.text);
    }
}
