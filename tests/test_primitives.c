/* primitives: the references of layers against their own derivatives and against values worked by
 * hand; the plain kernels against the references; and planted faults. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <dlfcn.h>
#include <link.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_check.h"
#include "liars/layers.h"
#include "registry.h"

enum { INCOMING = 100, RESULT = 101 }; /* sources of a backward input: dy, or the forward output */

/* A backward op with the inputs that it takes (forward inputs by number), and for each of its
 * outputs the forward input that it is the gradient in. */
struct gradient {
    char fwd[100], bwd[24];
    int source[3], n_sources, of[3], n_outputs;
};

static struct gradient gradients[] = {
    {"softmax_fwd f64 n=3 c=5 fill=normal", "softmax_bwd", {RESULT, INCOMING}, 2, {0}, 1},
    {"crossentropy_fwd f64 n=3 c=5 fill=normal", "crossentropy_bwd", {0, 1}, 2, {0}, 1},
    {"batchnorm_fwd f64 n=2 c=3 h=2 w=3 fill=normal",
     "batchnorm_bwd",
     {0, 1, INCOMING},
     3,
     {0, 1, 2},
     3},
    {"layernorm_fwd f64 n=3 c=6 fill=normal", "layernorm_bwd", {0, 1, INCOMING}, 3, {0, 1, 2}, 3},
    {"maxpool_fwd f64 n=1 c=2 h=5 w=6 r=3 s=2 stride=2 pad=1 fill=normal",
     "maxpool_bwd",
     {0, INCOMING},
     2,
     {0},
     1},
    {"avgpool_fwd f64 n=1 c=2 h=5 w=6 r=3 s=2 stride=2 pad=1 fill=normal",
     "avgpool_bwd",
     {INCOMING},
     1,
     {0},
     1},
    {"avgpool_fwd f64 n=1 c=2 h=5 w=6 r=3 s=3 pad=1 divisor=window fill=normal",
     "avgpool_bwd",
     {INCOMING},
     1,
     {0},
     1},
    {"bias_fwd f64 n=2 c=3 h=2 w=2 fill=normal", "bias_bwd", {INCOMING}, 1, {1}, 1},
    {"relu_fwd f64 n=2 c=3 h=2 w=2 fill=normal", "relu_bwd", {0, INCOMING}, 2, {0}, 1},
};

/* A weight for element i: what the gradient flows in with, and a direction. */
static double weight(int64_t i, int which)
{
    return which == 0 ? (double)(i * 7 % 11) / 8 - .5 : (double)(i * 5 % 13) / 16 - .25;
}

/* sum over i of weight(i) * element i of output 0. */
static void objective(mpfr_t sum, const struct cf_op *op, const struct cf_case *c,
                      const struct cf_tensor in[], int64_t n, int plain_sum)
{
    mpfr_t exact, scale;

    mpfr_inits2(53, exact, scale, (mpfr_ptr)NULL);
    mpfr_set_zero(sum, 1);
    for (int64_t i = 0; i < n; ++i) {
        op->element(exact, scale, c, in, 0, i);
        if (!plain_sum)
            mpfr_mul_d(exact, exact, weight(i, 0), MPFR_RNDN);
        mpfr_add(sum, sum, exact, MPFR_RNDN);
    }
    mpfr_clears(exact, scale, (mpfr_ptr)NULL);
}

/* (F(x + h d) - F(x - h d)) / 2 h along weight(., 1) in forward input v; h = 2^-20. */
static double slope(const struct cf_op *op, const struct cf_case *c, struct cf_tensor in[],
                    int64_t n, int v, int plain_sum)
{
    struct cf_tensor moved[CF_OPERANDS_MAX];
    double result;
    mpfr_t at[2];

    for (int side = 0; side < 2; ++side) {
        memcpy(moved, in, sizeof moved);
        cf_tensor_alloc(&moved[v]);
        for (int64_t i = 0; i < cf_tensor_count(&in[v]); ++i)
            cf_tensor_set(&moved[v], i,
                          cf_tensor_get(&in[v], i) + (side ? -0x1p-20 : 0x1p-20) * weight(i, 1));
        mpfr_init2(at[side], 400);
        objective(at[side], op, c, moved, n, plain_sum);
        cf_tensor_free(&moved[v]);
    }
    mpfr_sub(at[0], at[0], at[1], MPFR_RNDN);
    result = mpfr_get_d(at[0], MPFR_RNDN) * 0x1p19;
    mpfr_clears(at[0], at[1], (mpfr_ptr)NULL);
    return result;
}

/* The forward output and dy as tensors; the caller frees the bits. */
static void outputs(struct cf_tensor *result, struct cf_tensor *incoming, const struct cf_op *op,
                    const struct cf_case *c, const struct cf_tensor in[])
{
    mpfr_t exact, scale;

    mpfr_inits2(53, exact, scale, (mpfr_ptr)NULL);
    cf_tensor_alloc(result);
    *incoming = *result;
    cf_tensor_alloc(incoming);
    for (int64_t i = 0; i < cf_tensor_count(result); ++i) {
        op->element(exact, scale, c, in, 0, i);
        cf_tensor_set(result, i, mpfr_get_d(exact, MPFR_RNDN));
        cf_tensor_set(incoming, i, weight(i, 0));
    }
    mpfr_clears(exact, scale, (mpfr_ptr)NULL);
}

ParameterizedTestParameters(primitives, backward_is_the_derivative)
{
    return cr_make_param_array(struct gradient, gradients, CF_COUNT(gradients));
}

ParameterizedTest(struct gradient *row, primitives, backward_is_the_derivative)
{
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX], incoming, bwd_in[3], bwd_out[3],
        unused[CF_OPERANDS_MAX];
    struct cf_error err = {{0}, 0};
    struct cf_case c, bwd_case;

    cr_assert_eq(cf_case_parse(&c, row->fwd, cf_op_grammar, &err), 0, "%s", err.text);
    const struct cf_op *fwd = cf_op_find(c.op), *bwd = cf_op_find(row->bwd);
    char *line = cf_format("%s%s", row->bwd, strchr(row->fwd, ' '));
    cr_assert_eq(cf_case_parse(&bwd_case, line, cf_op_grammar, &err), 0, "%s", err.text);
    cr_assert_eq(cf_case_draw(&c, fwd, in, out, &err), 0, "%s", err.text);
    cr_assert_eq(bwd->shape(&bwd_case, unused, bwd_out, &err), 0, "%s", err.text);
    outputs(&out[0], &incoming, fwd, &c, in);
    for (int s = 0; s < row->n_sources; ++s)
        bwd_in[s] = row->source[s] == INCOMING ? incoming
                    : row->source[s] == RESULT ? out[0]
                                               : in[row->source[s]];
    for (int o = 0; o < row->n_outputs; ++o) {
        const int plain_sum = strncmp(row->bwd, "cross", 5) == 0; /* dloss is 1 */
        const double expected = slope(fwd, &c, in, cf_tensor_count(&out[0]), row->of[o], plain_sum);
        double got = 0;
        mpfr_t exact, scale;

        mpfr_inits2(53, exact, scale, (mpfr_ptr)NULL);
        for (int64_t i = 0; i < cf_tensor_count(&bwd_out[o]); ++i) {
            bwd->element(exact, scale, &bwd_case, bwd_in, o, i);
            cr_expect(mpfr_cmpabs(exact, scale) <= 0, "%s: a value beyond its scale", line);
            got += mpfr_get_d(exact, MPFR_RNDN) * weight(i, 1);
        }
        mpfr_clears(exact, scale, (mpfr_ptr)NULL);
        cr_expect(fabs(got - expected) <= 1e-9, "%s output %d: %.15g, by differences %.15g", line,
                  o, got, expected);
        cr_expect(fabs(expected) > 1e-6, "%s output %d: no slope proves nothing", line, o);
    }
    free(line);
}

struct worked {
    char claim[60], line[120];
    double in[3][12], out[12];
    int n_inputs, n_out;
    double within; /* of the value worked by hand, for those that are no doubles */
};

static struct worked worked[] = {
    {"max pooling, ties and all",
     "maxpool_fwd f32 n=1 c=1 h=2 w=4 r=2 s=2 stride=2",
     {{1, 3, -1, -2, 3, 2, -5, -1}},
     {3, -1},
     1,
     2,
     0},
    {"of ties the first in row-major order gets the gradient",
     "maxpool_bwd f32 n=1 c=1 h=2 w=4 r=2 s=2 stride=2",
     {{1, 3, -1, -2, 3, 2, -5, -1}, {10, 20}},
     {0, 10, 20, 0, 0, 0, 0, 0},
     2,
     8,
     0},
    {"the mean of the taps in range",
     "avgpool_fwd f32 n=1 c=1 h=2 w=2 r=2 s=2 stride=2 pad=1",
     {{1, 2, 3, 4}},
     {1, 2, 3, 4},
     1,
     4,
     0},
    {"the mean over the whole window",
     "avgpool_fwd f32 n=1 c=1 h=2 w=2 r=2 s=2 stride=2 pad=1 divisor=window",
     {{1, 2, 3, 4}},
     {.25, .5, .75, 1},
     1,
     4,
     0},
    {"softmax of log 1, log 2, log 5",
     "softmax_fwd f64 n=1 c=3",
     {{0, 0x1.62e42fefa39efp-1, 0x1.9c041f7ed8d33p+0}},
     {.125, .25, .625},
     1,
     3,
     1e-15},
    {"cross-entropy of a certain class is its log probability",
     "crossentropy_fwd f64 n=1 c=2",
     {{0, 0}, {1, 0}},
     {0x1.62e42fefa39efp-1},
     2,
     1,
     1e-15},
    {"layer norm of two points",
     "layernorm_fwd f64 n=1 c=2",
     {{1, 3}, {2, 2}, {10, 20}},
     {10 - 1.99999000007, 20 + 1.99999000007},
     3,
     2,
     1e-9},
    {"relu keeps what is positive",
     "relu_fwd f32 n=1 c=1 h=1 w=3",
     {{-1, 0, 2}},
     {0, 0, 2},
     1,
     3,
     0},
};

ParameterizedTestParameters(primitives, worked_by_hand)
{
    return cr_make_param_array(struct worked, worked, CF_COUNT(worked));
}

ParameterizedTest(struct worked *row, primitives, worked_by_hand)
{
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    struct cf_case c;
    mpfr_t exact, scale;

    cr_assert_eq(cf_case_parse(&c, row->line, cf_op_grammar, NULL), 0, "%s", row->line);
    const struct cf_op *op = cf_op_find(c.op);
    cr_assert_eq(cf_case_draw(&c, op, in, out, NULL), 0, "%s", row->line);
    for (int o = 0; o < row->n_inputs; ++o)
        for (int64_t i = 0; i < cf_tensor_count(&in[o]); ++i)
            cf_tensor_set(&in[o], i, row->in[o][i]);
    mpfr_inits2(53, exact, scale, (mpfr_ptr)NULL);
    for (int i = 0; i < row->n_out; ++i) {
        op->element(exact, scale, &c, in, 0, i);
        cr_expect(fabs(mpfr_get_d(exact, MPFR_RNDN) - row->out[i]) <= row->within,
                  "%s: element %d is %.17g, not %.17g", row->claim, i, mpfr_get_d(exact, MPFR_RNDN),
                  row->out[i]);
    }
    mpfr_clears(exact, scale, (mpfr_ptr)NULL);
}

/* Where there is a fast path it is MPFR's rounding, element by element. */
Test(primitives, fast_is_mpfr)
{
    static const char *const lines[] = {"softmax_fwd f32 n=4 c=7 fill=normal",
                                        "softmax_bwd f64 n=4 c=7 fill=normal",
                                        "crossentropy_fwd f32 n=4 c=7 fill=uniform",
                                        "crossentropy_bwd f32 n=4 c=7 fill=uniform",
                                        "layernorm_fwd f32 n=4 c=9 fill=normal",
                                        "layernorm_bwd f32 n=4 c=9 fill=uniform",
                                        "batchnorm_fwd f32 n=2 c=3 h=3 w=2 fill=normal",
                                        "batchnorm_bwd f64 n=2 c=3 h=3 w=2 fill=uniform",
                                        "bias_bwd f32 n=2 c=3 h=3 w=2 fill=wide"};

    for (int l = 0; l < CF_COUNT(lines); ++l) {
        struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
        struct cf_truth truth[128];
        struct cf_case c;
        mpfr_t exact, scale;

        cr_assert_eq(cf_case_parse(&c, lines[l], cf_op_grammar, NULL), 0, "%s", lines[l]);
        const struct cf_op *op = cf_op_find(c.op);
        cr_assert_eq(cf_case_draw(&c, op, in, out, NULL), 0, "%s", lines[l]);
        mpfr_inits2(53, exact, scale, (mpfr_ptr)NULL);
        for (int o = 0; o < op->n_outputs; ++o) {
            cr_assert_leq(cf_tensor_count(&out[o]), CF_COUNT(truth));
            op->fast(truth, &c, in, o, 2);
            for (int64_t i = 0; i < cf_tensor_count(&out[o]); ++i) {
                op->element(exact, scale, &c, in, o, i);
                cr_expect_eq(truth[i].rounded,
                             c.dtype == CF_F64 ? mpfr_get_d(exact, MPFR_RNDN)
                                               : (double)mpfr_get_flt(exact, MPFR_RNDN),
                             "%s output %d element %lld", lines[l], o, (long long)i);
            }
        }
        mpfr_clears(exact, scale, (mpfr_ptr)NULL);
    }
}

/* The case lines that kernels of layers are checked on, %s: the type and fill. */
static const char *const lines[] = {
    "maxpool_fwd %s n=2 c=3 h=7 w=6 r=3 s=3 stride=2 pad=1",
    "maxpool_bwd %s n=2 c=3 h=7 w=6 r=3 s=3 stride=2 pad=1",
    "maxpool_bwd %s n=1 c=2 h=6 w=6 r=3 s=3",
    "avgpool_fwd %s n=2 c=3 h=7 w=6 r=3 s=3 stride=2 pad=1",
    "avgpool_fwd %s n=2 c=3 h=7 w=6 r=3 s=2 pad=1 divisor=window",
    "avgpool_bwd %s n=2 c=3 h=7 w=6 r=3 s=3 stride=2 pad=1",
    "bias_fwd %s n=2 c=5 h=3 w=4",
    "bias_bwd %s n=2 c=5 h=3 w=4",
    "relu_fwd %s n=2 c=5 h=3 w=4",
    "relu_bwd %s n=2 c=5 h=3 w=4",
    "batchnorm_fwd %s n=3 c=4 h=5 w=4",
    "batchnorm_bwd %s n=3 c=4 h=5 w=4",
    "layernorm_fwd %s n=5 c=37",
    "layernorm_bwd %s n=5 c=37",
    "softmax_fwd %s n=5 c=37",
    "softmax_bwd %s n=5 c=37",
    "crossentropy_fwd %s n=5 c=37",
    "crossentropy_bwd %s n=5 c=37",
};

/* On how many of the lines a kernel fails a gate. */
static int n_broken(const struct cf_kernel *kernel, struct cf_library *library, int *n_run)
{
    static const char *const fills[] = {"normal", "uniform", "small"};
    char line[160], failures[32];
    int broken = 0;

    for (int i = 0; i < CF_COUNT(lines) * 2 * CF_COUNT(fills); ++i) {
        const char *fill = fills[i % CF_COUNT(fills)], *name = lines[i / 2 / CF_COUNT(fills)];

        if (strncmp(name, kernel->op, strlen(kernel->op)) != 0)
            continue;
        snprintf(line, sizeof line, name, i / CF_COUNT(fills) % 2 ? "f64" : "f32");
        snprintf(line + strlen(line), sizeof line - strlen(line), " fill=%s", fill);
        const struct cf_check check = cf_check_kernel(kernel, library, line);
        if (check.status != CF_DONE)
            continue;
        ++*n_run;
        cf_check_failures(failures, &check);
        broken += failures[0] != '\0';
        if (failures[0])
            cr_log_info("%s %s: gates %s", line, kernel->name, failures);
    }
    return broken;
}

Test(primitives, plain_keeps_the_bounds)
{
    const struct cf_backend *plain = cf_backend_find("plain");
    const struct cf_pairs none = {0};
    struct cf_library *library = plain->open(&none, NULL);
    int n_run = 0;

    for (int t = 0; cf_kernel_tables[t]; ++t)
        for (const struct cf_kernel *k = cf_kernel_tables[t]; k->op; ++k)
            if (k->backend == plain && strchr(k->op, '_') && strncmp(k->op, "conv", 4) != 0)
                cr_expect_eq(n_broken(k, library, &n_run), 0, "%s %s", k->op, k->name);
    cr_expect(n_run >= 18 * 6, "only %d runs", n_run);
}

/* oneDNN where it is installed: at least half of the lines must run, or nothing was tested. */
Test(primitives, onednn_keeps_the_bounds)
{
    const struct cf_backend *onednn = cf_backend_find("onednn");
    void *file = dlopen("libdnnl.so.2", RTLD_LAZY | RTLD_LOCAL);
    struct cf_error err = {{0}, 0};
    struct link_map *map;
    struct cf_pairs keys;
    int n_run = 0;

    if (!file || dlinfo(file, RTLD_DI_LINKMAP, &map) != 0) {
        fprintf(stderr, "skip: libdnnl.so.2 is not installed\n");
        return;
    }
    char *line = cf_format("onednn lib=%s", map->l_name);
    cr_assert_eq(cf_pairs_parse(&keys, "the configuration", line, &err), 0);
    struct cf_library *library = onednn->open(&keys, &err);
    cr_assert(library != NULL, "%s", err.text);
    for (int t = 0; cf_kernel_tables[t]; ++t)
        for (const struct cf_kernel *k = cf_kernel_tables[t]; k->op; ++k)
            if (k->backend == onednn && strncmp(k->op, "conv", 4) != 0)
                cr_expect_eq(n_broken(k, library, &n_run), 0, "%s %s", k->op, k->name);
    cr_expect(n_run >= 12 * 3, "only %d runs", n_run);
    free(line);
}

ParameterizedTestParameters(primitives, liars_are_caught)
{
    static int numbers[16];
    int n = 0;

    for (; cf_liars_layers[n].op; ++n)
        numbers[n] = n;
    return cr_make_param_array(int, numbers, (size_t)n);
}

ParameterizedTest(int *number, primitives, liars_are_caught)
{
    const struct cf_kernel *liar = &cf_liars_layers[*number];
    int n_run = 0;
    const int broken = n_broken(liar, NULL, &n_run), honest = strcmp(liar->name, "honest") == 0;

    cr_expect(n_run > 0, "%s %s never ran", liar->op, liar->name);
    cr_expect(honest ? broken == 0 : broken > 0, "%s %s: broke %d of %d", liar->op, liar->name,
              broken, n_run);
}
