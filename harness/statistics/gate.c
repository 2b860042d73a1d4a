/* The gates on rates of gate.h. */
#include "gate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "special.h"

static double rate_p(long bad, long n, double limit, mpfr_prec_t bits, bool upper)
{
    MPFR_DECL_INIT(p, 53);
    mpfr_t out;
    double value;

    mpfr_init2(out, bits);
    mpfr_set_d(p, limit < 1 ? limit : 1, MPFR_RNDN);
    if (upper)
        cf_binomial_upper(out, bad, n, p);
    else
        cf_binomial_lower(out, bad, n, p);
    value = mpfr_get_d(out, MPFR_RNDN);
    mpfr_clear(out);
    return value;
}

/* P(X <= bad) falls with n: by doubling and bisection. */
static int trials_needed(long bad, double limit)
{
    long low = bad, high = bad + 1;

    if (!(limit > 1e-6))
        return 0;
    while (!(cf_binomial_lower_d(bad, high, limit) <= CF_ALPHA)) {
        low = high;
        high *= 2;
    }
    while (high - low > 1) {
        const long middle = low + (high - low) / 2;

        if (cf_binomial_lower_d(bad, middle, limit) <= CF_ALPHA)
            high = middle;
        else
            low = middle;
    }
    return (int)high;
}

static struct cf_evidence rate(long bad, long n, double limit, const char *source)
{
    struct cf_evidence e = cf_evidence_without(CF_UNKNOWN, (int)n, "%s", "");
    static const struct {
        mpfr_prec_t bits;
        double move;
    } variants[CF_VARIANTS] = {{128, 1}, {256, 1}, {128, 1 + 1e-9}, {128, 1 - 1e-9}};

    for (int v = 0; v < CF_VARIANTS; ++v) {
        const double moved = limit * variants[v].move;

        e.p_pass[v] = rate_p(bad, n, moved, variants[v].bits, false);
        e.p_fail[v] = rate_p(bad, n, moved, variants[v].bits, true);
    }
    e.estimate = (double)bad / (double)n;
    e.lower = cf_clopper_lower_d(bad, n, CF_ALPHA);
    e.upper = cf_clopper_upper_d(bad, n, CF_ALPHA);
    e.low = e.fail_low = -INFINITY;
    e.high = e.fail_high = limit;
    e.unit = "rate";
    e.margin_source = source;
    cf_evidence_decide(&e);
    e.n_needed = e.verdict == CF_PASS ? (int)n : trials_needed(bad, limit);
    return e;
}

static bool is_count(long bad, long n, double limit)
{
    return n > 0 && bad >= 0 && bad <= n && limit > 0;
}

static const char *relation(enum cf_verdict verdict)
{
    return verdict == CF_PASS   ? "within"
           : verdict == CF_FAIL ? "shown to exceed"
                                : "not shown to be within";
}

struct cf_evidence cf_gate_rate(long bad, long n, double limit, const char *margin_source)
{
    struct cf_evidence e;
    int used;

    if (!is_count(bad, n, limit))
        return cf_evidence_without(CF_UNKNOWN, (int)n, "no rate from %ld of %ld at %g", bad, n,
                                   limit);
    e = rate(bad, n, limit, margin_source);
    used = snprintf(e.reason, sizeof e.reason,
                    "%ld of %ld, 95 %% bounds %.3g %% and %.3g %%, is %s the allowed %.3g %%", bad,
                    n, 100 * e.lower, 100 * e.upper, relation(e.verdict), 100 * limit);
    if (e.verdict == CF_UNKNOWN && e.n_needed > n)
        snprintf(e.reason + used, sizeof e.reason - (size_t)used, "; %ld of %d would do", bad,
                 e.n_needed);
    return e;
}

/* p_fail of 0: a counterexample leaves no doubt. */
struct cf_evidence cf_gate_identity(long mismatches, long n, double limit)
{
    struct cf_evidence e =
        cf_gate_rate(mismatches, n, limit, "0 mismatches, n = ln 0.05 / ln(1-p)");

    for (int v = 0; v < CF_VARIANTS && mismatches > 0; ++v) {
        e.p_pass[v] = 1;
        e.p_fail[v] = 0;
    }
    if (mismatches > 0) {
        cf_evidence_decide(&e);
        e.n_needed = 0;
        snprintf(e.reason, sizeof e.reason, "%ld of %ld differ in their bits", mismatches, n);
    }
    return e;
}

struct cf_evidence cf_gate_failures(long failed, long n, long bank_failed, long n_bank,
                                    double margin)
{
    const double bank_rate = n_bank > 0 ? (double)bank_failed / (double)n_bank : NAN;

    return cf_gate_rate(failed, n, bank_rate + margin,
                        "failure rate of the bank plus percentage points");
}

long cf_gate_allowed(long n, double limit)
{
    long k = -1;

    while (k + 1 <= n && cf_binomial_lower_d(k + 1, n, limit) <= CF_ALPHA)
        ++k;
    return k;
}

/* alive[k] = P(k failures so far and no look passed yet); each run moves it on by one. */
double cf_gate_false_pass(const int *n, const long *allowed, int looks, double rate)
{
    const int last = looks > 0 ? n[looks - 1] : 0;
    double *alive = calloc((size_t)last + 2, sizeof *alive), passed = 0;

    if (alive == NULL)
        return NAN;
    alive[0] = 1;
    for (int run = 1, look = 0; run <= last; ++run) {
        for (int k = run; k > 0; --k)
            alive[k] = alive[k] * (1 - rate) + alive[k - 1] * rate;
        alive[0] *= 1 - rate;
        if (run != n[look])
            continue;
        for (int k = 0; k <= run && k <= allowed[look]; ++k) {
            passed += alive[k];
            alive[k] = 0;
        }
        ++look;
    }
    free(alive);
    return passed;
}
