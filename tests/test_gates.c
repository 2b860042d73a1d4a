/* The gates S1 to S4 on single outputs. Rows start from the correctly rounded answers and change
 * one element; each gate must see what it is for and nothing else. tests/with-gates.cmake builds
 * this file against gates that are wrong on purpose, and none of them may pass it. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "accuracy.h"

#define LAMBDA 8.0

enum change {
    NOTHING,
    SET_FIRST,     /* element 0 becomes `value` */
    SET_LAST,      /* the last element becomes `value` */
    NEGATE_LAST,   /* the last element's sign is turned */
    UP_ULPS_FIRST, /* `value` units in the last place further from zero */
    UP_ULPS_LAST,
    BY_NOISE_LAST, /* plus `value` * u * scale */
    FLUSH          /* all subnormal elements become zero */
};

struct row {
    char claim[64], line[80];
    int change;
    double value;
    int fails[CF_N_ELEMENT_GATES]; /* how many elements each gate refuses */
    int n_flushed;
};

/* special: rows NaN, +Inf, -Inf, NaN, all -0, ordinary numbers and -0, in turn from the seed. */
static struct row rows[] = {
    {"exact integers pass", "sum f32 m=4 n=7 fill=integer seed=1", NOTHING, 0, {0}, 0},
    {"an ulp in the first of integers",
     "sum f32 m=4 n=7 fill=integer seed=1",
     UP_ULPS_FIRST,
     1,
     {[CF_S1] = 1},
     0},
    {"an ulp in the last of integers",
     "sum f32 m=4 n=7 fill=integer seed=1",
     UP_ULPS_LAST,
     1,
     {[CF_S1] = 1},
     0},
    {"an ulp in the last of integers, f64",
     "gemm f64 m=3 n=5 k=9 fill=integer seed=1",
     UP_ULPS_LAST,
     1,
     {[CF_S1] = 1},
     0},
    {"an ulp on spikes", "dot f32 m=4 n=17 fill=spike seed=2", UP_ULPS_LAST, 1, {[CF_S1] = 1}, 0},
    {"small integers are exact too",
     "dot f32 m=4 n=17 fill=small seed=2",
     UP_ULPS_LAST,
     1,
     {[CF_S1] = 1},
     0},
    {"a root is allowed its roundings",
     "nrm2 f32 m=4 n=7 fill=integer seed=1",
     UP_ULPS_LAST,
     1,
     {0},
     0},
    {"a term of 7 lost",
     "sum f32 m=4 n=7 fill=normal seed=1",
     BY_NOISE_LAST,
     0x1p20,
     {[CF_S3] = 1, [CF_S4] = 1},
     0},
    {"one rounding of one term",
     "sum f32 m=4 n=1 fill=normal seed=1",
     UP_ULPS_FIRST,
     1,
     {[CF_S3] = 1},
     0},
    {"within the proven bound",
     "sum f32 m=4 n=1024 fill=normal seed=1",
     BY_NOISE_LAST,
     1000,
     {[CF_S4] = 1},
     0},
    {"beyond the proven bound",
     "sum f32 m=4 n=1024 fill=normal seed=1",
     BY_NOISE_LAST,
     1040,
     {[CF_S3] = 1, [CF_S4] = 1},
     0},
    {"below it on the other side too",
     "sum f32 m=4 n=1024 fill=normal seed=1",
     BY_NOISE_LAST,
     -1040,
     {[CF_S3] = 1, [CF_S4] = 1},
     0},
    {"within the probable", "sum f64 m=4 n=1024 fill=wide seed=1", BY_NOISE_LAST, 250, {0}, 0},
    {"beyond the probable",
     "sum f64 m=4 n=1024 fill=wide seed=1",
     BY_NOISE_LAST,
     260,
     {[CF_S4] = 1},
     0},
    {"the probable is no gate on integers",
     "sum f64 m=4 n=1024 fill=integer seed=1",
     BY_NOISE_LAST,
     260,
     {[CF_S1] = 1},
     0},
    {"a NaN among numbers",
     "sum f32 m=4 n=7 fill=uniform seed=1",
     SET_FIRST,
     NAN,
     {[CF_S2] = 1, [CF_S3] = 1, [CF_S4] = 1},
     0},
    {"a NaN among integers",
     "sum f32 m=4 n=7 fill=integer seed=1",
     SET_LAST,
     NAN,
     {[CF_S1] = 1, [CF_S2] = 1, [CF_S3] = 1},
     0},
    {"an infinity among numbers",
     "dot f64 m=4 n=7 fill=uniform seed=1",
     SET_LAST,
     INFINITY,
     {[CF_S2] = 1, [CF_S3] = 1, [CF_S4] = 1},
     0},
    {"special values pass", "sum f32 m=6 n=17 fill=special seed=0", NOTHING, 0, {0}, 0},
    {"a number where a NaN belongs",
     "sum f32 m=6 n=17 fill=special seed=0",
     SET_FIRST,
     1,
     {[CF_S2] = 1},
     0},
    {"an infinity where a NaN belongs",
     "sum f32 m=6 n=17 fill=special seed=0",
     SET_FIRST,
     INFINITY,
     {[CF_S2] = 1},
     0},
    {"infinity of the other sign",
     "sum f32 m=2 n=17 fill=special seed=0",
     NEGATE_LAST,
     0,
     {[CF_S2] = 1},
     0},
    {"the largest number for infinity",
     "sum f32 m=2 n=17 fill=special seed=0",
     SET_LAST,
     0x1.fffffep127,
     {[CF_S2] = 1},
     0},
    {"a NaN where infinity belongs",
     "sum f32 m=2 n=17 fill=special seed=0",
     SET_LAST,
     NAN,
     {[CF_S2] = 1},
     0},
    {"+0 of terms that are all -0", "sum f32 m=5 n=17 fill=special seed=0", SET_LAST, 0.0, {0}, 0},
    {"-0 of terms that are all -0", "sum f32 m=5 n=17 fill=special seed=0", SET_LAST, -0.0, {0}, 0},
    {"a subnormal of terms that are all -0",
     "sum f32 m=5 n=17 fill=special seed=0",
     SET_LAST,
     0x1p-149,
     {[CF_S3] = 1},
     0},
    {"an exact zero from cancelling is +0",
     "sum f32 m=5 n=4 fill=small seed=1",
     SET_LAST,
     -0.0,
     {[CF_S2] = 1},
     0},
    {"subnormals flushed", "sum f32 m=6 n=4 fill=tiny seed=1", FLUSH, 0, {[CF_S2] = 6}, 6},
    {"subnormals flushed in f64", "sum f64 m=6 n=4 fill=tiny seed=1", FLUSH, 0, {[CF_S2] = 6}, 6},
    {"subnormals kept", "sum f64 m=6 n=4 fill=tiny seed=1", NOTHING, 0, {0}, 0},
    {"one of a subnormal sum's roundings",
     "dot f64 m=6 n=4 fill=tiny seed=1",
     UP_ULPS_LAST,
     1,
     {0},
     0}};

ParameterizedTestParameters(gates, rows)
{
    return cr_make_param_array(struct row, rows, CF_COUNT(rows));
}

static void change(struct cf_tensor *out, const struct cf_reference *reference, const struct row *r)
{
    const int64_t n = cf_tensor_count(out);
    const int64_t at = r->change == SET_FIRST || r->change == UP_ULPS_FIRST ? 0 : n - 1;
    const double old = cf_tensor_get(out, at), scale = reference->truth[0][at].scale;
    const double away = copysign(INFINITY, old);

    if (r->change == SET_FIRST || r->change == SET_LAST)
        cf_tensor_set(out, at, r->value);
    else if (r->change == NEGATE_LAST)
        cf_tensor_set(out, at, -old);
    else if (r->change == UP_ULPS_FIRST || r->change == UP_ULPS_LAST)
        cf_tensor_set(out, at,
                      out->dtype == CF_F32 ? (double)nextafterf((float)old, (float)away)
                                           : nextafter(old, away));
    else if (r->change == BY_NOISE_LAST)
        cf_tensor_set(out, at, old + r->value * cf_dtype_u(out->dtype) * scale);
    else if (r->change == FLUSH)
        for (int64_t i = 0; i < n; ++i)
            cf_tensor_set(out, i, 0);
}

/* The case's reference and its correctly rounded answer. */
static void prepare(struct cf_case *c, struct cf_reference *reference, struct cf_tensor *out,
                    const char *line)
{
    struct cf_error err = {.text = ""};

    cr_assert_eq(cf_case_parse(c, line, cf_op_grammar, &err), 0, "%s: %s", line, err.text);
    cr_assert_eq(cf_reference_open(reference, c, cf_op_find(c->op), NULL, 1, 0, &err), 0, "%s: %s",
                 line, err.text);
    *out = reference->out[0];
    cf_tensor_alloc(out);
    for (int64_t i = 0; i < cf_tensor_count(out); ++i)
        cf_tensor_set(out, i, reference->truth[0][i].rounded);
}

static void finish(struct cf_case *c, struct cf_reference *reference, struct cf_tensor *out)
{
    cf_tensor_free(out);
    cf_reference_close(reference);
    cf_case_free(c);
}

static struct cf_accuracy judge(const struct cf_reference *reference, const struct cf_tensor *out,
                                double lambda, double growth)
{
    const struct cf_accuracy_rule rule = {.lambda = lambda, .growth = growth};
    struct cf_error err = {.text = ""};
    struct cf_accuracy accuracy;

    cr_assert_eq(
        cf_accuracy_judge(&accuracy, reference, &rule, out->bits, cf_tensor_bytes(out), &err), 0,
        "%s", err.text);
    return accuracy;
}

ParameterizedTest(struct row *r, gates, rows)
{
    struct cf_reference reference;
    struct cf_accuracy accuracy;
    struct cf_tensor out;
    struct cf_case c;

    prepare(&c, &reference, &out, r->line);
    change(&out, &reference, r);
    accuracy = judge(&reference, &out, LAMBDA, 0);
    for (int g = 0; g <= CF_S4; ++g)
        cr_expect_eq(accuracy.gate[g].n_failed, r->fails[g], "%s: S%d refuses %lld of %lld (%a)",
                     r->claim, g + 1, (long long)accuracy.gate[g].n_failed,
                     (long long)accuracy.gate[g].n_judged, accuracy.gate[g].got);
    cr_expect_eq(accuracy.n_flushed, r->n_flushed, "%s: %lld flushed", r->claim,
                 (long long)accuracy.n_flushed);
    finish(&c, &reference, &out);
}

/* An error of exactly (n + x) u S is allowed, and the next number is not: the comparison is <=, and
 * MPFR makes it. */
Test(gates, the_bound_itself_is_allowed)
{
    struct cf_reference reference;
    struct cf_accuracy accuracy;
    struct cf_tensor out;
    struct cf_case c;
    int found = 0;

    prepare(&c, &reference, &out, "sum f32 m=512 n=4 fill=integer seed=1");
    for (int64_t i = 0; i < 512 && found < 4; ++i) {
        const struct cf_truth *truth = &reference.truth[0][i];
        const double at_bound = truth->rounded + 4 * 0x1p-24 * truth->scale;

        if ((double)(float)at_bound != at_bound || truth->rounded <= 0)
            continue;
        ++found;
        cf_tensor_set(&out, i, at_bound);
        accuracy = judge(&reference, &out, LAMBDA, 0);
        cr_expect_eq(accuracy.gate[CF_S3].n_failed, 0, "element %lld at its bound", (long long)i);
        cf_tensor_set(&out, i, (double)nextafterf((float)at_bound, INFINITY));
        accuracy = judge(&reference, &out, LAMBDA, 0);
        cr_expect_eq(accuracy.gate[CF_S3].n_failed, 1, "element %lld beyond its bound",
                     (long long)i);
        cf_tensor_set(&out, i, at_bound);
        reference.truth[0][i].lo -= 0x1p-21 * 0x1p-24 * truth->scale; /* as loose as it may be */
        accuracy = judge(&reference, &out, LAMBDA, 0);
        cr_expect_eq(accuracy.gate[CF_S3].n_failed, 0, "element %lld by MPFR", (long long)i);
        reference.truth[0][i].lo = 0;
        cf_tensor_set(&out, i, truth->rounded);
    }
    cr_expect_eq(found, 4);
    finish(&c, &reference, &out);
}

/* The correctly rounded answer passes every gate of every op, type and fill. */
Test(gates, truth_passes_everywhere)
{
    static const char *const lines[] = {
        "{sum,asum,dot,nrm2} {f32,f64} m=3 n={1,2,17,256} "
        "fill={integer,small,spike,normal,uniform,wide,tiny,special} seed=3",
        "{sum,dot} {f32,f64} m=3 n={2,17,256} fill={cancel10,cancel20} seed=3",
        "gemv {f32,f64} m=6 n={1,17,64} "
        "fill={integer,small,spike,normal,uniform,wide,tiny,special,cancel10} seed=3",
        "gemm {f32,f64} m=6 n=3 k={1,17,64} "
        "fill={integer,small,spike,normal,uniform,wide,tiny,special,cancel10} seed=3"};
    extern int judge_line(const char *line, void *context);
    int n = 0;

    for (int i = 0; i < CF_COUNT(lines); ++i)
        cr_expect_eq(cf_pairs_expand(lines[i], judge_line, &n, NULL), 0);
    cr_expect_gt(n, 300);
}

int judge_line(const char *line, void *context)
{
    struct cf_reference reference;
    struct cf_accuracy accuracy;
    struct cf_tensor out;
    struct cf_case c;

    prepare(&c, &reference, &out, line);
    accuracy = judge(&reference, &out, LAMBDA, 0);
    for (int g = 0; g <= CF_S4; ++g)
        cr_expect_eq(accuracy.gate[g].n_failed, 0, "%s: S%d refuses %lld (%a for %a)", line, g + 1,
                     (long long)accuracy.gate[g].n_failed, accuracy.gate[g].got,
                     accuracy.gate[g].exact);
    cr_expect_eq(accuracy.gate[CF_S2].n_judged, cf_tensor_count(&out), "%s", line);
    ++*(int *)context;
    finish(&c, &reference, &out);
    return 0;
}

/* A fast algorithm rounds to the exact integers, keeps a normwise bound, and has no S4. */
Test(gates, fast_algorithms)
{
    struct cf_reference reference;
    struct cf_accuracy accuracy;
    struct cf_tensor out;
    struct cf_case c;

    prepare(&c, &reference, &out, "gemm f32 m=4 n=4 k=8 fill=small seed=1");
    cf_tensor_set(&out, 15, cf_tensor_get(&out, 15) + 0x1p-15);
    accuracy = judge(&reference, &out, LAMBDA, 81);
    cr_expect_eq(accuracy.gate[CF_S1].n_failed, 0);
    cr_expect_eq(accuracy.gate[CF_S3].n_failed, 0);
    cr_expect_eq(accuracy.gate[CF_S4].n_judged, 0);
    accuracy = judge(&reference, &out, LAMBDA, 0);
    cr_expect_eq(accuracy.gate[CF_S1].n_failed, 1, "the same is wrong for a classical kernel");
    finish(&c, &reference, &out);
    prepare(&c, &reference, &out, "gemm f32 m=4 n=4 k=8 fill=integer seed=1");
    cf_tensor_set(&out, 15, cf_tensor_get(&out, 15) + 1);
    accuracy = judge(&reference, &out, LAMBDA, 81);
    cr_expect_eq(accuracy.gate[CF_S1].n_judged, 0, "larger integers may be rounded on the way");
    finish(&c, &reference, &out);
    prepare(&c, &reference, &out, "gemm f32 m=4 n=4 k=8 fill=small seed=1");
    cf_tensor_set(&out, 15, reference.truth[0][15].rounded + 1);
    accuracy = judge(&reference, &out, LAMBDA, 81);
    cr_expect_eq(accuracy.gate[CF_S1].n_failed, 1);
    cr_expect_eq(accuracy.gate[CF_S3].n_failed, 1, "%a allowed %a", accuracy.gate[CF_S3].error,
                 accuracy.gate[CF_S3].allowed);
    finish(&c, &reference, &out);
}

/* The worst element is the witness: the failing one with the largest error over allowed. */
Test(gates, the_witness_is_the_worst)
{
    struct cf_reference reference;
    struct cf_accuracy accuracy;
    struct cf_tensor out;
    struct cf_case c;

    prepare(&c, &reference, &out, "sum f64 m=9 n=64 fill=normal seed=1");
    for (int i = 2; i < 8; ++i)
        cf_tensor_set(&out, i,
                      reference.truth[0][i].rounded +
                          (i == 5 ? 1e-3 : 1e-5) * reference.truth[0][i].scale);
    accuracy = judge(&reference, &out, LAMBDA, 0);
    cr_expect_eq(accuracy.gate[CF_S3].n_failed, 6);
    cr_expect_eq(accuracy.gate[CF_S3].element, 5);
    cr_expect_float_eq(accuracy.gate[CF_S3].error, 1e-3 * 0x1p53, 1e4);
    cf_tensor_set(&out, 7, NAN);
    accuracy = judge(&reference, &out, LAMBDA, 0);
    cr_expect_eq(accuracy.gate[CF_S3].element, 7, "a NaN is worse than all numbers");
    cr_expect(isnan(accuracy.largest) && isnan(accuracy.sum_squares));
    finish(&c, &reference, &out);
}

/* A reference that errs must not make a subject wrong: MPFR is asked first, and stops the run. */
Test(gates, a_lying_reference_stops_the_run)
{
    const struct cf_accuracy_rule rule = {.lambda = LAMBDA};
    struct cf_error err = {.text = ""};
    struct cf_reference reference;
    struct cf_accuracy accuracy;
    struct cf_tensor out;
    struct cf_case c;

    prepare(&c, &reference, &out, "dot f64 m=9 n=64 fill=normal seed=1");
    reference.truth[0][4].rounded += 0x1p-8;
    cr_expect_eq(
        cf_accuracy_judge(&accuracy, &reference, &rule, out.bits, cf_tensor_bytes(&out), &err), -1);
    cr_expect_eq(err.exit_code, 3);
    cr_expect(strstr(err.text, c.text) && strstr(err.text, "element 4"), "%s", err.text);
    finish(&c, &reference, &out);
}

/* The exact value is rounded + lo: the correctly rounded answer has an error too. */
Test(gates, error_of_an_element)
{
    const struct cf_truth truth = {.rounded = 1, .lo = 0x1p-30, .scale = 2};
    const struct cf_truth infinite = {.rounded = INFINITY, .lo = 0, .scale = INFINITY};

    cr_expect_eq(cf_accuracy_error(&truth, 1, CF_F32), -0x1p-7);
    cr_expect_eq(cf_accuracy_error(&truth, 1 + 0x1p-23, CF_F32), 1 - 0x1p-7);
    cr_expect(isnan(cf_accuracy_error(&truth, NAN, CF_F32)));
    cr_expect(isnan(cf_accuracy_error(&truth, INFINITY, CF_F32)));
    cr_expect(isnan(cf_accuracy_error(&infinite, 1, CF_F32)));
}

/* RMS and bias: one element of eight errs by 3 u S. */
Test(gates, noise)
{
    struct cf_reference reference;
    struct cf_accuracy accuracy;
    struct cf_tensor out;
    struct cf_case c;

    prepare(&c, &reference, &out, "sum f64 m=8 n=64 fill=integer seed=1");
    cf_tensor_set(&out, 7,
                  reference.truth[0][7].rounded + 3 * 0x1p-53 * reference.truth[0][7].scale);
    accuracy = judge(&reference, &out, LAMBDA, 0);
    cr_expect_eq(accuracy.n_errors, 8);
    cr_expect_float_eq(accuracy.sum_squares, 9, 1);
    cr_expect_float_eq(accuracy.largest, 3, 0.2);
    finish(&c, &reference, &out);
}

/* Three elements of which 0 > 2 > 1 in truth, far apart: a changed sign, order or largest one is a
 * disagreement, in a tie anything is allowed, and a NaN decides nothing rightly. */
Test(gates, decisions)
{
    struct cf_reference reference;
    struct cf_tensor out;
    struct cf_case c;
    static const struct {
        const char *claim;
        double got[3];
        int n_failed;
    } rows[] = {{"as in truth", {3, -1, 2}, 0},
                {"far off, but decided alike", {9, -7, 2}, 0},
                {"the first has another sign and is no longer the largest", {-0.5, -1, 2}, 2},
                {"another largest", {3, -1, 4}, 1},
                {"another order", {-2, -1, -3}, 4},
                {"a zero has no sign", {3, 0, 2}, 1},
                {"a NaN", {NAN, -1, 2}, 3},
                {"a NaN elsewhere", {3, -1, NAN}, 2}};

    prepare(&c, &reference, &out, "gemv f32 m=3 n=64 fill=normal seed=1");
    for (int k = 0; k < 3; ++k)
        reference.truth[0][k] = (struct cf_truth){rows[0].got[k], 0, 4};
    for (int i = 0; i < CF_COUNT(rows); ++i) {
        struct cf_gate_tally tally = {0};

        for (int k = 0; k < 3; ++k)
            cf_tensor_set(&out, k, rows[i].got[k]);
        cf_decisions_judge(&tally, &reference, LAMBDA, &out, 0);
        cr_expect_eq(tally.n_judged, 5, "%s: %lld", rows[i].claim, (long long)tally.n_judged);
        cr_expect_eq(tally.n_failed, rows[i].n_failed, "%s: %lld", rows[i].claim,
                     (long long)tally.n_failed);
    }
    for (int k = 0; k < 3; ++k)
        reference.truth[0][k].scale = 3 / (2 * LAMBDA * 8 * 0x1p-24); /* margins of 3 are ties */
    reference.truth[0][0].scale /= 2;
    struct cf_gate_tally tally = {0};
    cf_decisions_judge(&tally, &reference, LAMBDA, &out, 0);
    cr_expect_eq(tally.n_judged, 2, "the sign of the first and the pair: %lld",
                 (long long)tally.n_judged);
    finish(&c, &reference, &out);
}

/* levels.md: 8.23 for n_max = 2^18 and a million outputs. */
Test(gates, lambda)
{
    cr_expect_float_eq(cf_accuracy_lambda(0x1p18, 1e6), 8.23, 0.005);
}
