/* allreduce: the simulated orders against the exact sum and against one another; Open MPI's own
 * algorithms, where Open MPI is installed, against the simulation. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reference.h"
#include "talk.h"

#define WORKER CF_BINARY_DIR "/conform-worker"

struct answer {
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    struct cf_case c;
    struct cf_told told;
};

static void ask(struct answer *a, struct cf_talk *talk, const char *line)
{
    struct cf_error err = {{0}, 0};

    cr_assert_eq(cf_case_parse(&a->c, line, cf_op_grammar, &err), 0, "%s", err.text);
    cr_assert_eq(cf_case_draw(&a->c, cf_op_find(a->c.op), a->in, a->out, &err), 0, "%s", err.text);
    cf_talk_run(talk, a->c.op, &a->c.keys, a->in, 1, a->out, 1, &a->told);
}

static void drop(struct answer *a)
{
    cf_tensor_free(&a->in[0]);
    cf_tensor_free(&a->out[0]);
    cf_case_free(&a->c);
}

static struct cf_talk *talk_with(const char *format, const char *kernel, int ranks)
{
    char *configuration = cf_format("%s kernel=%s threads=%d", format, kernel, ranks);
    struct cf_error err = {{0}, 0};
    struct cf_talk *talk = cf_talk_start(configuration, WORKER, 30000, &err);

    cr_assert(talk != NULL, "%s", err.text);
    free(configuration);
    return talk;
}

/* Every element within (parts - 1) u of the sum of absolute values. */
static void expect_accurate(const struct answer *a, const char *what)
{
    const struct cf_op *op = cf_op_find(a->c.op);
    mpfr_t exact, scale;

    mpfr_inits2(53, exact, scale, (mpfr_ptr)NULL);
    for (int64_t i = 0; i < cf_tensor_count(&a->out[0]); i += 1 + i / 7) {
        double allowed;

        op->element(exact, scale, &a->c, a->in, 0, i);
        allowed = (double)a->in[0].dim[0] * cf_dtype_u(a->c.dtype) * mpfr_get_d(scale, MPFR_RNDU);
        mpfr_sub_d(exact, exact, cf_tensor_get(&a->out[0], i), MPFR_RNDN);
        cr_expect(fabs(mpfr_get_d(exact, MPFR_RNDN)) <= allowed, "%s %s element %ld: off by %a",
                  what, a->c.text, (long)i, mpfr_get_d(exact, MPFR_RNDN));
    }
    mpfr_clears(exact, scale, (mpfr_ptr)NULL);
}

static int same(const struct answer *a, const struct answer *b)
{
    return cf_tensor_bytes(&a->out[0]) == cf_tensor_bytes(&b->out[0]) &&
           memcmp(a->out[0].bits, b->out[0].bits, cf_tensor_bytes(&a->out[0])) == 0;
}

#define LINE "allreduce f32 parts=24 n=1000 fill=normal seed=1"

struct order {
    char kernel[24];
    int ranks;
};

static struct order orders[] = {
    {"rank_order", 1},
    {"rank_order", 3},
    {"rank_order", 8},
    {"ring", 2},
    {"ring", 5},
    {"ring", 8},
    {"tree", 3},
    {"tree", 8},
    {"recursive_doubling", 5},
    {"recursive_doubling", 8},
    {"arrival", 4},
    {"rank_order", 64},
};

ParameterizedTestParameters(allreduce, sums)
{
    return cr_make_param_array(struct order, orders, CF_COUNT(orders));
}

ParameterizedTest(struct order *row, allreduce, sums)
{
    static const char *const lines[] = {LINE, "allreduce f64 parts=7 n=3 fill=uniform seed=2",
                                        "allreduce f32 parts=5 n=33 fill=integer seed=1",
                                        "allreduce f64 parts=1 n=1 fill=normal seed=1"};
    struct cf_talk *talk = talk_with("plain", row->kernel, row->ranks);

    for (int i = 0; i < CF_COUNT(lines); ++i) {
        struct answer a;

        ask(&a, talk, lines[i]);
        cr_assert_eq(a.told.fate, CF_RAN, "%s", a.told.reason);
        expect_accurate(&a, row->kernel);
        drop(&a);
    }
    cf_talk_stop(talk);
}

/* Which orders are one another's equals, and which of them care about what. */
struct relation {
    char claim[60], kernel_a[24], kernel_b[24];
    int ranks_a, ranks_b, same;
};

static struct relation relations[] = {
    {"two ranks leave one order", "ring", "tree", 2, 2, 1},
    {"doubling is the tree on a power of two", "recursive_doubling", "tree", 8, 8, 1},
    {"doubling pairs up what a tree does not", "recursive_doubling", "tree", 5, 5, 0},
    {"a ring is no rank order", "ring", "rank_order", 4, 4, 0},
    {"a tree is no rank order", "tree", "rank_order", 4, 4, 0},
    {"rank order depends on the number of ranks", "rank_order", "rank_order", 2, 4, 0},
    {"rank order with a rank a part is the plain sum", "rank_order", "rank_order", 24, 1, 1},
    {"a tree depends on the number of ranks", "tree", "tree", 4, 8, 0},
};

ParameterizedTestParameters(allreduce, relates)
{
    return cr_make_param_array(struct relation, relations, CF_COUNT(relations));
}

ParameterizedTest(struct relation *row, allreduce, relates)
{
    struct cf_talk *a = talk_with("plain", row->kernel_a, row->ranks_a);
    struct cf_talk *b = talk_with("plain", row->kernel_b, row->ranks_b);
    struct answer x, y;

    ask(&x, a, LINE);
    ask(&y, b, LINE);
    cr_expect_eq(same(&x, &y), row->same, "%s", row->claim);
    drop(&x);
    drop(&y);
    cf_talk_stop(a);
    cf_talk_stop(b);
}

/* Element 17 alone, and at another place: the orders but the ring give it the same bits. */
Test(allreduce, only_the_ring_looks_at_the_place)
{
    static const char *const kernels[] = {"rank_order", "tree", "recursive_doubling", "ring"};

    for (int k = 0; k < CF_COUNT(kernels); ++k) {
        struct cf_talk *talk = talk_with("plain", kernels[k], 5);
        const struct cf_op *op = cf_op_find("allreduce");
        struct answer all, permuted;
        int differ = 0;

        ask(&all, talk, LINE);
        ask(&permuted, talk, LINE " colperm=1");
        for (int64_t i = 0; i < 1000; ++i)
            differ += cf_tensor_encoding(&permuted.out[0], i) !=
                      cf_tensor_encoding(&all.out[0], cf_case_base_index(&permuted.c, op, 0, i));
        cr_expect_eq(differ > 0, strcmp(kernels[k], "ring") == 0, "%s: %d differ", kernels[k],
                     differ);
        drop(&all);
        drop(&permuted);
        cf_talk_stop(talk);
    }
}

static int has_mpi(void)
{
    return access(CF_BINARY_DIR "/conform-mpi", X_OK) == 0 &&
           system("command -v mpirun >/dev/null") == 0;
}

/* What Open MPI does is what the simulation says it does. Lengths below the number of ranks fall
 * back to recursive doubling in a ring (coll_base_allreduce.c, Open MPI 4.1). */
struct twin {
    char mpi[24], plain[24];
    int ranks, long_ones_only;
};

static struct twin twins[] = {
    {"recursive_doubling", "recursive_doubling", 3, 0},
    {"recursive_doubling", "recursive_doubling", 6, 0},
    {"ring", "ring", 4, 1},
};

ParameterizedTestParameters(allreduce, open_mpi_as_simulated)
{
    return cr_make_param_array(struct twin, twins, CF_COUNT(twins));
}

ParameterizedTest(struct twin *row, allreduce, open_mpi_as_simulated)
{
    static const char *const lines[] = {"allreduce f32 parts=24 n=1 fill=normal seed=1",
                                        "allreduce f64 parts=24 n=7 fill=normal seed=1", LINE,
                                        "allreduce f32 parts=24 n=20001 fill=normal seed=1"};
    struct cf_talk *a, *b;

    if (!has_mpi())
        cr_skip("Open MPI is not installed (libopenmpi-dev, openmpi-bin)");
    a = talk_with("mpi", row->mpi, row->ranks);
    b = talk_with("plain", row->plain, row->ranks);
    for (int i = row->long_ones_only; i < CF_COUNT(lines); ++i) {
        struct answer x, y;

        ask(&x, a, lines[i]);
        ask(&y, b, lines[i]);
        cr_assert_eq(x.told.fate, CF_RAN, "%s: %s", lines[i], x.told.reason);
        expect_accurate(&x, row->mpi);
        cr_expect(same(&x, &y), "%s on %d ranks: %s", row->mpi, row->ranks, lines[i]);
        drop(&x);
        drop(&y);
    }
    cf_talk_stop(a);
    cf_talk_stop(b);
}

struct refusal {
    char configuration[80], sentence[60];
    enum cf_fate fate;
};

static struct refusal refusals[] = {
    {"mpi env.PATH=/nowhere threads=2", "mpirun cannot be started", CF_NOT_OPENED},
    {"mpi kernel=telepathy threads=2", "no algorithm `telepathy`", CF_NOT_OPENED},
    {"mpi kernel=ring threads=40", "1 to 16 ranks", CF_STATE_MISMATCH},
    {"plain kernel=pairwise threads=2", "pairwise", CF_NOT_OFFERED},
};

ParameterizedTestParameters(allreduce, refuses)
{
    return cr_make_param_array(struct refusal, refusals, CF_COUNT(refusals));
}

ParameterizedTest(struct refusal *row, allreduce, refuses)
{
    struct cf_error err = {{0}, 0};
    struct cf_talk *talk = cf_talk_start(row->configuration, WORKER, 20000, &err);
    struct answer a;

    if (strncmp(row->configuration, "mpi", 3) == 0 && !has_mpi())
        cr_skip("Open MPI is not installed (libopenmpi-dev, openmpi-bin)");
    cr_assert(talk != NULL, "%s", err.text);
    ask(&a, talk, LINE);
    cr_expect_eq(a.told.fate, row->fate, "%s: %s", row->configuration, a.told.reason);
    cr_expect(strstr(a.told.reason, row->sentence), "%s: %s", row->configuration, a.told.reason);
    cf_tensor_free(&a.in[0]);
    cf_case_free(&a.c);
    cf_talk_stop(talk);
}
