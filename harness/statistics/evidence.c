#include "evidence.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum cf_verdict cf_evidence_verdict(const struct cf_evidence *e, int v, double times_pass,
                                    double times_fail)
{
    if (e->p_pass[v] * times_pass <= e->alpha)
        return CF_PASS;
    return e->p_fail[v] * times_fail <= e->alpha ? CF_FAIL : CF_UNKNOWN;
}

void cf_evidence_decide(struct cf_evidence *e)
{
    e->verdict = cf_evidence_verdict(e, 0, 1, 1);
    e->borderline = false;
    for (int v = 1; v < CF_VARIANTS; ++v)
        e->borderline |= cf_evidence_verdict(e, v, 1, 1) != e->verdict;
}

struct cf_evidence cf_evidence_without(enum cf_verdict verdict, int n, const char *format, ...)
{
    struct cf_evidence e = {.verdict = verdict,
                            .estimate = NAN,
                            .lower = NAN,
                            .upper = NAN,
                            .low = NAN,
                            .high = NAN,
                            .fail_low = NAN,
                            .fail_high = NAN,
                            .unit = "",
                            .margin_source = "",
                            .alpha = CF_ALPHA,
                            .n = n};
    va_list arguments;

    for (int v = 0; v < CF_VARIANTS; ++v)
        e.p_pass[v] = e.p_fail[v] = NAN;
    va_start(arguments, format);
    vsnprintf(e.reason, sizeof e.reason, format, arguments);
    va_end(arguments);
    return e;
}

enum cf_verdict cf_evidence_all(const struct cf_evidence *const *all, int n)
{
    int count[CF_N_VERDICTS] = {0};

    for (int i = 0; i < n; ++i)
        ++count[all[i]->verdict];
    if (count[CF_FAIL] > 0)
        return CF_FAIL;
    if (count[CF_SKIP] > 0)
        return CF_SKIP;
    return n > 0 && count[CF_PASS] == n ? CF_PASS : CF_UNKNOWN;
}
