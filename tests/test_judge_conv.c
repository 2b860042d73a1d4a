/* judge_conv: convolutions through the whole judge. Subjects are kernels; every planted fault is
 * called wrong by name, a fast algorithm is not, and the same under a classical name is. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#pragma GCC diagnostic ignored "-Wunused-function"
#include "kernel.h"
#include "liars/conv.h"
#include "registry.h"
#include "support_judge.h"

static const struct plan_line lines[] = {
    {"conv2d_fwd f32 n=2 c=8 h=7 w=6 k=4 r=3 s=3 pad=1 fill={integer,small,wide}", "t", 1, 1},
    {"conv2d_fwd f32 n=1 c=8 h=7 w=7 k=4 r=3 s=3 stride=2 pad=1 fill={integer,small}", "t", 1, 1},
    {"conv2d_fwd f32 n=1 c=8 h=6 w=6 k=4 r=3 s=3 pad=1 groups=2 fill={integer,small}", "t", 1, 1},
    {"conv2d_fwd f32 n=1 c=64 h=6 w=6 k=4 r=3 s=3 pad=1 fill=integer", "t", 1, 1},
    {"conv2d_fwd f32 n=1 c=3 h=6 w=6 k=8 r=1 s=1 fill={small,normal}", "t", 1, 1},
    {"conv2d_fwd f32 n=1 c=16 h=4 w=4 k=4 r=3 s=3 pad=1 fill=normal seed={1..20}", "t", 10, 1},
    {"conv2d_fwd f32 n=1 c=16 h=4 w=4 k=4 r=3 s=3 pad=1 layout=nhwc fill=normal seed={1..20}", "t",
     10, 1}};

static enum cf_fate run(const struct cf_kernel *kernel, const struct cf_case *c,
                        const struct cf_tensor in[], struct cf_tensor out[])
{
    static struct cf_library *plain;
    const struct cf_pairs none = {0};

    if (!plain)
        plain = cf_backend_find("plain")->open(&none, NULL);
    return kernel->run(plain, &c->keys, in, out) == CF_DONE ? CF_RAN : CF_NOT_OFFERED;
}

#define PLAIN(function, name)                                                                      \
    static enum cf_fate function(const struct cf_case *c, const struct cf_tensor in[],             \
                                 struct cf_tensor out[], int process)                              \
    {                                                                                              \
        (void)process;                                                                             \
        return run(cf_kernel_find(cf_backend_find("plain"), "conv2d_fwd", name), c, in, out);      \
    }
PLAIN(canon, "canon")
PLAIN(direct, "direct-crs")
PLAIN(winograd, "winograd-f4x3")

/* The order depends on the layout. */
static enum cf_fate two_orders(const struct cf_case *c, const struct cf_tensor in[],
                               struct cf_tensor out[], int process)
{
    const char *name = cf_pairs_get(&c->keys, "layout") ? "direct-rsc" : "direct-crs";

    (void)process;
    return run(cf_kernel_find(cf_backend_find("plain"), "conv2d_fwd", name), c, in, out);
}

/* Half a unit and more off, on integers that a fast algorithm must round to. */
static enum cf_fate half_off(const struct cf_case *c, const struct cf_tensor in[],
                             struct cf_tensor out[], int process)
{
    const enum cf_fate fate = direct(c, in, out, process);

    if (strcmp(c->fill, "small") == 0)
        cf_tensor_set(&out[0], 0, cf_tensor_get(&out[0], 0) + .75);
    return fate;
}

#define LIAR(lie)                                                                                  \
    static enum cf_fate lie(const struct cf_case *c, const struct cf_tensor in[],                  \
                            struct cf_tensor out[], int process)                                   \
    {                                                                                              \
        const struct cf_kernel *liar = cf_liars_conv;                                              \
                                                                                                   \
        (void)process;                                                                             \
        while (strcmp(liar->name, #lie) != 0)                                                      \
            ++liar;                                                                                \
        return run(liar, c, in, out);                                                              \
    }
LIAR(honest)
LIAR(pad_off_by_one)
LIAR(tap_dropped_at_border)
LIAR(stride_swapped)
LIAR(group_bleed)
LIAR(tf32_inputs)
LIAR(bf16_accumulator)
LIAR(stale_workspace)

#define FAST "{\"fast\":\"conv2d_fwd=36100\"}"

static const struct subject subjects[] = {
    {"plain kernel=canon", "canon", NULL, canon},
    {"plain kernel=direct-crs", "direct", NULL, direct},
    {"plain kernel=winograd", "winograd", FAST, winograd},
    {"plain kernel=direct", "winograd as classical", NULL, winograd},
    {"plain kernel=two-orders", "two orders", NULL, two_orders},
    {"plain kernel=half-off", "half off", FAST, half_off},
    {"plain kernel=honest", "honest", NULL, honest},
    {"plain kernel=pad", "pad off by one", NULL, pad_off_by_one},
    {"plain kernel=tap", "tap dropped at border", NULL, tap_dropped_at_border},
    {"plain kernel=stride", "stride swapped", NULL, stride_swapped},
    {"plain kernel=bleed", "group bleed", NULL, group_bleed},
    {"plain kernel=tf32", "tf32 inputs", NULL, tf32_inputs},
    {"plain kernel=bf16", "bf16 accumulator", NULL, bf16_accumulator},
    {"plain kernel=stale", "stale workspace", NULL, stale_workspace}};

/* wrong: a proven error; layout: the verdict on two layouts; s5: on the noise. */
static const struct {
    int wrong;
    enum cf_verdict s1, s3, s5, layout;
} expected[CF_COUNT(subjects)] = {
    {0, CF_PASS, CF_PASS, CF_PASS, CF_PASS}, {0, CF_PASS, CF_PASS, CF_PASS, CF_PASS},
    {0, CF_PASS, CF_PASS, CF_FAIL, CF_SKIP}, {1, CF_FAIL, CF_FAIL, CF_FAIL, CF_SKIP},
    {0, CF_PASS, CF_PASS, CF_PASS, CF_FAIL}, {1, CF_FAIL, CF_FAIL, CF_PASS, CF_PASS},
    {0, CF_PASS, CF_PASS, CF_PASS, CF_PASS}, {1, CF_FAIL, CF_FAIL, CF_FAIL, CF_PASS},
    {1, CF_FAIL, CF_FAIL, CF_FAIL, CF_PASS}, {1, CF_FAIL, CF_FAIL, CF_PASS, CF_PASS},
    {1, CF_FAIL, CF_FAIL, CF_FAIL, CF_PASS}, {1, CF_PASS, CF_FAIL, CF_FAIL, CF_PASS},
    {1, CF_FAIL, CF_FAIL, CF_FAIL, CF_PASS}, {1, CF_FAIL, CF_FAIL, CF_FAIL, CF_PASS}};

static enum cf_verdict verdict(const struct cf_findings *f, int i, enum cf_scope scope,
                               const char *component)
{
    const struct cf_finding *finding = find(f, i, "conv2d_fwd f32", scope, component);

    cr_assert(finding != NULL, "%s has no finding %s", f->configurations[i].label, component);
    return finding->verdict;
}

Test(judge_conv, calls_every_planted_fault_wrong_and_no_honest_kernel)
{
    struct cf_error err = {.text = ""};
    struct bench bench;

    bench_start(&bench, lines, CF_COUNT(lines), subjects, CF_COUNT(subjects));
    struct cf_findings *f = bench_judge(&bench, CF_STATISTICAL, CF_TO_BASELINE, &err);
    cr_assert(f != NULL, "%s", err.text);
    for (int i = 0; i < CF_COUNT(subjects); ++i) {
        const char *label = f->configurations[i].label;
        const int s1 = (int)verdict(f, i, CF_TO_REFERENCE, "S1");
        const int s3 = (int)verdict(f, i, CF_TO_REFERENCE, "S3");
        const int s5 = (int)verdict(f, i, CF_TO_REFERENCE, "S5");
        const int layout = (int)verdict(f, i, CF_ACROSS_LAYOUT, "bits");

        cr_expect_eq(f->configurations[i].wrong, expected[i].wrong, "%s: wrong %d", label,
                     f->configurations[i].wrong);
        cr_expect_eq(s1, (int)expected[i].s1, "%s: S1 is %d", label, s1);
        cr_expect_eq(s3, (int)expected[i].s3, "%s: S3 is %d", label, s3);
        cr_expect_eq(s5, (int)expected[i].s5, "%s: S5 is %d", label, s5);
        cr_expect_eq(layout, (int)expected[i].layout, "%s: layout is %d", label, layout);
    }
    const char *reason = find(f, 2, "conv2d_fwd f32", CF_TO_REFERENCE, "S5")->reason;
    cr_expect(strstr(reason, "a fast algorithm, it loses ") != NULL, "%s", reason);
    cf_findings_free(f);
    bench_stop(&bench);
}
