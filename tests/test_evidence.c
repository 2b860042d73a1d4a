/* Evidence: what a p may and may not decide. */
#include <criterion/criterion.h>
#include <math.h>

#include "evidence.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static struct cf_evidence with(double p_pass, double p_fail)
{
    struct cf_evidence e = cf_evidence_without(CF_SKIP, 20, "p %g and %g", p_pass, p_fail);

    for (int v = 0; v < CF_VARIANTS; ++v) {
        e.p_pass[v] = p_pass;
        e.p_fail[v] = p_fail;
    }
    cf_evidence_decide(&e);
    return e;
}

Test(evidence, only_a_rejection_decides)
{
    static const struct {
        double p_pass, p_fail;
        enum cf_verdict verdict;
    } rows[] = {{0.01, 1, CF_PASS},     {0.05, 1, CF_PASS},     {0.051, 1, CF_UNKNOWN},
                {1, 0.05, CF_FAIL},     {1, 0.051, CF_UNKNOWN}, {NAN, 1, CF_UNKNOWN},
                {NAN, NAN, CF_UNKNOWN}, {1, NAN, CF_UNKNOWN},   {NAN, 0.01, CF_FAIL}};

    for (int i = 0; i < COUNT(rows); ++i)
        cr_expect_eq(with(rows[i].p_pass, rows[i].p_fail).verdict, rows[i].verdict, "%g and %g",
                     rows[i].p_pass, rows[i].p_fail);
}

Test(evidence, looks_and_components_are_paid_for)
{
    const struct cf_evidence e = with(0.02, 0.02);

    cr_expect_eq(cf_evidence_verdict(&e, 0, 1, 1), CF_PASS);
    cr_expect_eq(cf_evidence_verdict(&e, 0, 3, 1), CF_FAIL);
    cr_expect_eq(cf_evidence_verdict(&e, 0, 3, 3), CF_UNKNOWN);
}

Test(evidence, one_flip_of_four_is_borderline)
{
    struct cf_evidence e = with(0.05, 1);

    cr_expect(!e.borderline);
    for (int v = 1; v < CF_VARIANTS; ++v) {
        e = with(0.05, 1);
        e.p_pass[v] = nextafter(0.05, 1);
        cf_evidence_decide(&e);
        cr_expect(e.borderline && e.verdict == CF_PASS, "variant %d", v);
    }
}

Test(evidence, all_must_hold)
{
    const struct cf_evidence pass = with(0, 1), fail = with(1, 0), unknown = with(1, 1);
    const struct cf_evidence skip = cf_evidence_without(CF_SKIP, 0, "not the same data");
    const struct cf_evidence *all[] = {&pass, &unknown, &skip, &fail};

    cr_expect_eq(cf_evidence_all(all, 1), CF_PASS);
    cr_expect_eq(cf_evidence_all(all, 2), CF_UNKNOWN);
    cr_expect_eq(cf_evidence_all(all, 3), CF_SKIP);
    cr_expect_eq(cf_evidence_all(all, 4), CF_FAIL);
    cr_expect_eq(cf_evidence_all(all, 0), CF_UNKNOWN, "nothing was shown");
}
