/* inject: every bit flipped, and which check sees it. The numbers are those of the checks as they
 * are; a check that is made blunter (tests/with-inject.cmake does it to each) moves one of them. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "inject.h"

static struct cf_injection inject(const char *case_line, const char *configuration)
{
    const struct cf_inject_options how = {.worker = CF_BINARY_DIR "/conform-worker",
                                          .cases = &case_line,
                                          .n_cases = 1,
                                          .configurations = &configuration,
                                          .n_configurations = 1};
    struct cf_injection found;
    struct cf_error err = {0};

    cr_assert_eq(cf_inject(&found, &how, &err), 0, "%s", err.text);
    cr_assert(found.n > 0, "nothing was measured of %s", case_line);
    return found;
}

struct row {
    char configuration[32], case_line[72], operand[12];
    int lowest[CF_N_SIGHTS]; /* -1: not judged; n_bits: none */
    int sign;                /* does the digest see a flipped sign? */
};

/* In an output the digest sees everything, S1 too; the bounds leave the bits that rounding could
 * have changed; the tolerance leaves ten bits of the mantissa and nothing else. */
static struct row rows[] = {{"plain kernel=forward",
                             "dot f32 m=2 n=1000 fill=uniform seed=1",
                             "output 0",
                             {0, -1, 32, 10, 8, 15},
                             1},
                            {"plain kernel=forward",
                             "dot f32 m=2 n=1000 fill=uniform seed=1",
                             "input 0",
                             {12, -1, 32, 24, 21, 30},
                             1},
                            {"plain kernel=forward",
                             "sum f64 m=2 n=1000 fill=integer seed=1",
                             "output 0",
                             {0, 0, 64, 15, -1, 44},
                             1},
                            {"plain kernel=forward",
                             "dot f32 m=2 n=1000 fill=integer seed=1",
                             "input 1",
                             {7, 7, 32, 20, -1, 21},
                             1},
                            {"plain kernel=kahan",
                             "sum f32 m=2 n=1000 fill=uniform seed=1",
                             "output 0",
                             {0, -1, 32, 10, 8, 15},
                             1},
                            {"plain kernel=forward",
                             "asum f32 m=2 n=100 fill=uniform seed=1",
                             "input 0",
                             {7, -1, 32, 14, 14, 21},
                             0},
                            {"vector kernel=scalar",
                             "chain f32 n=128 rounds=300 passes=1 seed=1",
                             "output 0",
                             {0, -1, 32, 0, 0, 14},
                             1},
                            {"vector kernel=scalar",
                             "mix i32 n=128 rounds=300 passes=1 seed=1",
                             "input 1",
                             {0, -1, 32, 0, 0, 0},
                             1}};

ParameterizedTestParameters(inject, sees_what_it_saw)
{
    return cr_make_param_array(struct row, rows, CF_COUNT(rows));
}

ParameterizedTest(struct row *r, inject, sees_what_it_saw)
{
    struct cf_injection found = inject(r->case_line, r->configuration);
    int n_found = 0;

    for (int64_t i = 0; i < found.n; ++i) {
        const struct cf_flip_finding *flip = &found.flip[i];

        cr_expect_str_eq(flip->configuration, r->configuration);
        if (strcmp(flip->operand, r->operand) != 0)
            continue;
        ++n_found;
        for (int s = 0; s < CF_N_SIGHTS; ++s)
            cr_expect_eq(cf_flip_lowest(flip, (enum cf_sight)s), r->lowest[s],
                         "%s, %s, %s: %s sees bit %d and on, not %d", r->configuration,
                         r->case_line, r->operand, cf_sight_name((enum cf_sight)s),
                         cf_flip_lowest(flip, (enum cf_sight)s), r->lowest[s]);
        cr_expect_eq(cf_flip_sign(flip, CF_SEES_BITS), r->sign, "%s", r->case_line);
    }
    cr_expect_eq(n_found, 1, "%d operands are %s", n_found, r->operand);
    cf_injection_free(&found);
}

/* No check sees less of an output than the tolerance does, nor more than the digest. */
Test(inject, the_digest_sees_most_and_the_tolerance_least)
{
    struct cf_injection found =
        inject("sum {f64,f32} m=2 n=100 fill={uniform,integer}", "plain kernel=pairwise");

    for (int64_t i = 0; i < found.n; ++i) {
        const struct cf_flip_finding *f = &found.flip[i];

        if (strncmp(f->operand, "output", 6) != 0)
            continue;
        cr_expect_eq(f->n_caught[CF_SEES_BITS], (int64_t)f->n_bits * f->n_positions);
        for (int s = CF_SEES_S1; s <= CF_SEES_S4; ++s)
            cr_expect(f->judged[s] != 1 || s == CF_SEES_S2 ||
                          f->n_caught[s] >= f->n_caught[CF_SEES_TOLERANCE],
                      "%s: %s catches %lld, 1e-3 %lld", f->case_text,
                      cf_sight_name((enum cf_sight)s), (long long)f->n_caught[s],
                      (long long)f->n_caught[CF_SEES_TOLERANCE]);
    }
    cf_injection_free(&found);
}

/* A kernel that is wrong without help: its checks have no sensitivity to speak of. */
Test(inject, a_check_that_fails_unflipped_results_is_not_measured)
{
    struct cf_injection found = inject("dot f32 m=2 n=16 fill=uniform", "plain kernel=tf32");

    for (int64_t i = 0; i < found.n; ++i) {
        cr_expect_eq(found.flip[i].judged[CF_SEES_S3], -1, "S3 lets tf32 pass");
        cr_expect_eq(cf_flip_lowest(&found.flip[i], CF_SEES_S3), -1);
        cr_expect_eq(found.flip[i].n_caught[CF_SEES_S3], 0);
    }
    cf_injection_free(&found);
}

Test(inject, refuses_what_it_cannot_judge)
{
    static const char *const bad[][2] = {{"train_mlp f32 steps=1 batch=8", "plain kernel=forward"},
                                         {"nosuch f32 n=1", "plain kernel=forward"},
                                         {"dot f32 m=1 n=4", "plain kernell=forward"}};

    for (int i = 0; i < CF_COUNT(bad); ++i) {
        const struct cf_inject_options how = {.worker = CF_BINARY_DIR "/conform-worker",
                                              .cases = &bad[i][0],
                                              .n_cases = 1,
                                              .configurations = &bad[i][1],
                                              .n_configurations = 1};
        struct cf_injection found;
        struct cf_error err = {0};

        cr_expect_neq(cf_inject(&found, &how, &err), 0, "%s in %s", bad[i][0], bad[i][1]);
        cr_expect(*err.text, "no sentence");
    }
}
