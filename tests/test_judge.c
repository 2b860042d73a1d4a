/* The judge on small stores: every row is a subject with one vice, beside an honest baseline, and
 * the verdict that it must reach. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "support_judge.h"

static const struct plan_line lines[] = {
    {"sum f32 m=4 n={1,3,8,17,64} fill={integer,spike,tiny,special,wide,cancel10} seed=1", "t", 10,
     1},
    {"sum f32 m=64 n=4 fill=small seed=1", "t", 1, 1},
    {"sum f32 m=16 n=64 fill={normal,uniform} seed={1..20}", "t", 10, 1}};

/* The last element is one unit in the last place off. */
static enum cf_fate one_ulp(const struct cf_case *c, const struct cf_tensor in[],
                            struct cf_tensor out[], int process)
{
    const int64_t last = cf_tensor_count(&out[0]) - 1;

    forward(c, in, out, process);
    cf_tensor_set(&out[0], last, (double)nextafterf((float)cf_tensor_get(&out[0], last), 0));
    return CF_RAN;
}

static enum cf_fate last_term_lost(const struct cf_case *c, const struct cf_tensor in[],
                                   struct cf_tensor out[], int process)
{
    (void)c;
    (void)process;
    return sum_rows(in, out, 1, 1);
}

static enum cf_fate silent(const struct cf_case *c, const struct cf_tensor in[],
                           struct cf_tensor out[], int process)
{
    (void)c;
    (void)in;
    (void)out;
    (void)process;
    return CF_RAN; /* what stands there is the poison, a NaN */
}

static enum cf_fate nan_once(const struct cf_case *c, const struct cf_tensor in[],
                             struct cf_tensor out[], int process)
{
    forward(c, in, out, process);
    if (strcmp(c->fill, "normal") == 0 && c->seed == 7 && process == 3)
        cf_tensor_set(&out[0], 15, NAN);
    return CF_RAN;
}

static double flush(double x)
{
    return fabs(x) < 0x1p-126 ? copysign(0, x) : x;
}

static enum cf_fate flushing(const struct cf_case *c, const struct cf_tensor in[],
                             struct cf_tensor out[], int process)
{
    const int64_t m = in[0].dim[0], n = in[0].dim[1];

    (void)c;
    (void)process;
    for (int64_t i = 0; i < m; ++i) {
        double sum = -0.0;

        for (int64_t k = 0; k < n; ++k)
            sum = flush(add_in(CF_F32, sum, flush(cf_tensor_get(&in[0], i * n + k))));
        cf_tensor_set(&out[0], i, sum);
    }
    return CF_RAN;
}

static enum cf_fate fickle(const struct cf_case *c, const struct cf_tensor in[],
                           struct cf_tensor out[], int process)
{
    return process == 4 ? reverse(c, in, out, process) : forward(c, in, out, process);
}

/* The answer to seed 1, whatever is asked. */
static enum cf_fate yesterday(const struct cf_case *c, const struct cf_tensor in[],
                              struct cf_tensor out[], int process)
{
    static float kept[256];

    forward(c, in, out, process);
    if (c->seed == 1)
        memcpy(kept, out[0].bits, cf_tensor_bytes(&out[0]));
    else
        memcpy(out[0].bits, kept, cf_tensor_bytes(&out[0]));
    return CF_RAN;
}

static enum cf_fate minus_zero(const struct cf_case *c, const struct cf_tensor in[],
                               struct cf_tensor out[], int process)
{
    forward(c, in, out, process);
    for (int64_t i = 0; i < cf_tensor_count(&out[0]); ++i)
        if (cf_tensor_get(&out[0], i) == 0)
            cf_tensor_set(&out[0], i, -0.0);
    return CF_RAN;
}

/* Each term through bf16: within every bound for one term in eight bits, and far from f32. */
static enum cf_fate truncating(const struct cf_case *c, const struct cf_tensor in[],
                               struct cf_tensor out[], int process)
{
    const int64_t m = in[0].dim[0], n = in[0].dim[1];

    (void)c;
    (void)process;
    for (int64_t i = 0; i < m; ++i) {
        float sum = 0;

        for (int64_t k = 0; k < n; ++k) {
            const float next = sum + (float)cf_tensor_get(&in[0], i * n + k);

            sum = fabsf(next) < INFINITY && next != 0 && fabsf(next) > 0x1p-100f
                      ? nextafterf(nextafterf(nextafterf(next, 0), 0), 0)
                      : next;
        }
        cf_tensor_set(&out[0], i, sum);
    }
    return CF_RAN;
}

static enum cf_fate crashes_once(const struct cf_case *c, const struct cf_tensor in[],
                                 struct cf_tensor out[], int process)
{
    forward(c, in, out, process);
    return process == 9 && c->seed == 20 ? CF_CRASHED : CF_RAN;
}

static enum cf_fate not_opened(const struct cf_case *c, const struct cf_tensor in[],
                               struct cf_tensor out[], int process)
{
    (void)c;
    (void)in;
    (void)out;
    (void)process;
    return CF_NOT_OPENED;
}

static enum cf_fate not_offered(const struct cf_case *c, const struct cf_tensor in[],
                                struct cf_tensor out[], int process)
{
    (void)c;
    (void)in;
    (void)out;
    (void)process;
    return CF_NOT_OFFERED;
}

static const struct {
    const char *name;
    answer *run;
} vices[] = {{"forward", forward},       {"reverse", reverse},
             {"one_ulp", one_ulp},       {"last_term_lost", last_term_lost},
             {"silent", silent},         {"nan_once", nan_once},
             {"flushing", flushing},     {"fickle", fickle},
             {"yesterday", yesterday},   {"minus_zero", minus_zero},
             {"truncating", truncating}, {"crashes_once", crashes_once},
             {"not_opened", not_opened}, {"not_offered", not_offered}};

static answer *find_vice(const char *name)
{
    for (int i = 0; i < CF_COUNT(vices); ++i)
        if (strcmp(vices[i].name, name) == 0)
            return vices[i].run;
    abort();
}

struct row {
    char claim[56];
    char vice[20]; /* criterion copies rows between processes: a name, not a pointer */
    enum cf_level level;
    enum cf_verdict numerical, statistical; /* at these required levels */
    int wrong, exit_code;                   /* of --level numerical */
    char gate[4];                           /* the gate that must fail, or "" */
};

static struct row rows[] = {
    {"the same order gives the same bits", "forward", CF_NUMERICAL, CF_PASS, CF_PASS, 0, 0, ""},
    {"another order keeps the accuracy", "reverse", CF_STATISTICAL, CF_FAIL, CF_PASS, 0, 1, ""},
    {"one ulp off is wrong on integers", "one_ulp", CF_NONE, CF_FAIL, CF_FAIL, 1, 1, "S1"},
    {"a lost term is wrong", "last_term_lost", CF_NONE, CF_FAIL, CF_FAIL, 1, 1, "S1"},
    {"a lost term breaks the proven bound", "last_term_lost", CF_NONE, CF_FAIL, CF_FAIL, 1, 1,
     "S3"},
    {"silence is a NaN and never passes", "silent", CF_NONE, CF_FAIL, CF_FAIL, 1, 1, "S3"},
    {"one NaN in 6400 answers never passes", "nan_once", CF_NONE, CF_FAIL, CF_FAIL, 1, 1, "S3"},
    {"a NaN is of another class", "nan_once", CF_NONE, CF_FAIL, CF_FAIL, 1, 1, "S2"},
    {"flushed subnormals are no proof of an error", "flushing", CF_NONE, CF_FAIL, CF_FAIL, 0, 1,
     "S2"},
    {"a fickle subject is accurate, not the same", "fickle", CF_STATISTICAL, CF_FAIL, CF_PASS, 0, 1,
     ""},
    {"yesterday's answer is wrong", "yesterday", CF_NONE, CF_FAIL, CF_FAIL, 1, 1, "S3"},
    {"an exact zero from cancelling is +0", "minus_zero", CF_NONE, CF_FAIL, CF_FAIL, 0, 1, "S2"},
    {"a biased sum is noisier than canon", "truncating", CF_NONE, CF_FAIL, CF_FAIL, 1, 1, "S5"},
    {"one crash in 700 counts at every level", "crashes_once", CF_NONE, CF_FAIL, CF_FAIL, 0, 1,
     "F"},
    {"not opened is not measured", "not_opened", CF_NONE, CF_UNKNOWN, CF_UNKNOWN, 0, 3, ""},
    {"not offered is nobody's fault", "not_offered", CF_NONE, CF_SKIP, CF_SKIP, 0, 0, ""}};

ParameterizedTestParameters(judge, verdicts)
{
    return cr_make_param_array(struct row, rows, CF_COUNT(rows));
}

ParameterizedTest(struct row *r, judge, verdicts)
{
    const struct subject subjects[] = {
        {"plain kernel=forward", "plain forward", NULL, forward},
        {"plain kernel=canon", "plain canon", NULL, forward},
        {"blas lib=liar.so threads=1", "liar threads=1", NULL, find_vice(r->vice)}};
    struct cf_error err = {.text = ""};
    struct cf_findings *f;
    struct bench bench;

    bench_start(&bench, lines, CF_COUNT(lines), subjects, CF_COUNT(subjects));
    f = bench_judge(&bench, CF_STATISTICAL, CF_TO_BASELINE, &err);
    cr_assert_not_null(f, "%s: %s", r->claim, err.text);
    cr_expect_eq(f->configurations[2].at_required, r->statistical, "%s: statistical %s (%s)",
                 r->claim, cf_verdict_name(f->configurations[2].at_required),
                 f->configurations[2].reason);
    cf_findings_free(f);
    f = bench_judge(&bench, CF_NUMERICAL, CF_TO_BASELINE, &err);
    cr_assert_not_null(f, "%s: %s", r->claim, err.text);
    cr_expect_eq(f->configurations[2].level, r->level, "%s: level %s (%s)", r->claim,
                 cf_level_name(f->configurations[2].level), f->configurations[2].reason);
    cr_expect_eq(f->configurations[2].at_required, r->numerical, "%s: numerical %s (%s)", r->claim,
                 cf_verdict_name(f->configurations[2].at_required), f->configurations[2].reason);
    cr_expect_eq(f->configurations[2].wrong, r->wrong, "%s: wrong %d (%s)", r->claim,
                 f->configurations[2].wrong, f->configurations[2].reason);
    cr_expect_eq(f->exit_code, r->exit_code, "%s: exit %d", r->claim, f->exit_code);
    if (*r->gate) {
        const struct cf_finding *gate = find(f, 2, "sum f32", CF_TO_REFERENCE, r->gate);

        cr_assert_not_null(gate, "%s", r->claim);
        cr_expect_eq(gate->verdict, CF_FAIL, "%s: %s %s: %s", r->claim, r->gate,
                     cf_verdict_name(gate->verdict), gate->reason);
    }
    cf_findings_free(f);
    bench_stop(&bench);
}
