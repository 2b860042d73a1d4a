/* divergence: the first difference is found, named and judged; and liars are told apart: an order
 * of summation, a fault, a subject that does not agree with itself. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <stdlib.h>
#include <string.h>

#include "divergence.h"
#include "reference.h"

#define WORKER CF_BINARY_DIR "/conform-worker"

struct chain {
    char claim[40];
    int64_t n, first;
};

static struct chain chains[] = {
    {"no link", 0, 0},          {"the only one", 1, 0},       {"the first of many", 9, 0},
    {"the last of many", 9, 8}, {"in the middle", 1000, 333}, {"none", 17, 17}};

ParameterizedTestParameters(divergence, bisects)
{
    return cr_make_param_array(struct chain, chains, CF_COUNT(chains));
}

ParameterizedTest(struct chain *row, divergence, bisects)
{
    static int64_t x[3000], y[3000];

    for (int64_t i = 0; i < 3000; ++i) {
        x[i] = i;
        y[i] = i % 3 == 1 && i / 3 >= row->first ? -i - 1 : i;
    }
    cr_expect_eq(cf_divergence_first(x + 1, y + 1, row->n, 3), row->first, "%s", row->claim);
}

struct pair {
    char claim[60], line[160], a[60], b[60];
    enum cf_divergence_kind kind;
    int64_t step;
    int stage;
    char word[40]; /* of the operation or the sentence */
};

#define MLP "train_mlp f32 steps=6 batch=16 hidden=16 lr=0.05 fill=digits"
static struct pair pairs[] = {
    {"the same configuration", MLP, "plain kernel=forward", "plain kernel=forward",
     CF_NO_DIVERGENCE, -1, 0, "equal"},
    {"more threads, same chunks of one", MLP, "plain kernel=pairwise threads=1",
     "plain kernel=pairwise threads=2", CF_NO_DIVERGENCE, -1, 0, "equal"},
    {"another order", MLP, "plain kernel=forward", "plain kernel=reverse", CF_BENIGN_ROUNDING, 0,
     CF_STAGE_ACTIVATIONS, "gemm f32 m=16 n=16 k=64"},
    {"another order in double", "train_logreg f64 steps=3 batch=8 fill=digits",
     "plain kernel=pairwise", "plain kernel=kahan", CF_BENIGN_ROUNDING, 0, CF_STAGE_ACTIVATIONS,
     "gemm f64 m=8 n=10 k=64"},
    {"a transformer", "train_block f32 steps=1 batch=2 hidden=4 fill=digits",
     "plain kernel=forward", "plain kernel=reverse", CF_BENIGN_ROUNDING, 0, CF_STAGE_ACTIVATIONS,
     "gemm"},
};

ParameterizedTestParameters(divergence, explains)
{
    return cr_make_param_array(struct pair, pairs, CF_COUNT(pairs));
}

ParameterizedTest(struct pair *row, divergence, explains)
{
    struct cf_error err = {{0}, 0};
    struct cf_divergence d;

    cr_assert_eq(cf_divergence_find(&d, row->line, row->a, row->b, WORKER, &err), 0, "%s",
                 err.text);
    cr_expect_eq(d.kind, row->kind, "%s: %s", row->claim, d.sentence);
    cr_expect_eq(d.step, row->step, "%s: %s", row->claim, d.sentence);
    cr_expect(d.step < 0 || d.stage == row->stage, "%s: %s", row->claim, d.sentence);
    cr_expect(strstr(d.sentence, row->word), "%s: %s", row->claim, d.sentence);
    if (row->kind != CF_BENIGN_ROUNDING)
        return;
    cr_expect(d.n_different > 0 && d.n_different <= d.n_elements, "%s", d.sentence);
    cr_expect(d.error_a <= d.allowed && d.error_b <= d.allowed, "%s", d.sentence);
    cr_expect(d.error_a > 0 || d.error_b > 0, "%s", d.sentence);
}

struct lie {
    char name[16];
    enum cf_divergence_kind kind;
    char word[30];
};

/* Against the honest one: the last term dropped, outputs unwritten (0), NaN, another order, each
 * result rounded up, an answer that depends on the call's number. */
static struct lie lies[] = {
    {"drops", CF_FAULTY_OPERATION, "in b"},   {"nan", CF_FAULTY_OPERATION, "in b"},
    {"reorders", CF_BENIGN_ROUNDING, "gemm"}, {"rounds_up", CF_BENIGN_ROUNDING, "gemm"},
    {"fickle", CF_NOT_DETERMINISTIC, "gemm"}, {"honest", CF_NO_DIVERGENCE, "equal"},
};

ParameterizedTestParameters(divergence, tells_liars_apart)
{
    return cr_make_param_array(struct lie, lies, CF_COUNT(lies));
}

ParameterizedTest(struct lie *row, divergence, tells_liars_apart)
{
    char *lie = cf_format("blas lib=" CF_BINARY_DIR "/liars/libliar_%s.so", row->name);
    struct cf_error err = {{0}, 0};
    struct cf_divergence d;

    cr_assert_eq(cf_divergence_find(&d, "train_mlp f64 steps=3 batch=8 hidden=8 fill=digits",
                                    "blas lib=" CF_BINARY_DIR "/liars/libliar_honest.so", lie,
                                    WORKER, &err),
                 0, "%s", err.text);
    cr_expect_eq(d.kind, row->kind, "%s: %s", row->name, d.sentence);
    cr_expect(strstr(d.sentence, row->word), "%s: %s", row->name, d.sentence);
    free(lie);
}

Test(divergence, a_configuration_that_is_none_is_an_error)
{
    struct cf_error err = {{0}, 0};
    struct cf_divergence d;

    cr_expect_eq(cf_divergence_find(&d, MLP, "plain", "blas lib=/nowhere/lib.so", WORKER, &err),
                 -1);
    cr_expect(strstr(err.text, "not-opened"), "%s", err.text);
    cr_expect_eq(cf_divergence_find(&d, "dot f32 m=1 n=8", "plain", "plain", WORKER, &err), -1);
    cr_expect(strstr(err.text, "no training case"), "%s", err.text);
}
