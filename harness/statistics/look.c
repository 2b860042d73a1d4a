/* The decision at a look of equivalence.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "equivalence.h"
#include "gate.h"

const int cf_look_seeds[CF_LOOKS] = {20, 40, 80};

const char *cf_regime_name(enum cf_regime regime)
{
    static const char *const names[] = {"identity", "P", "U"};

    return names[regime];
}

/* Bits, not values: -0 is not +0. A failed seed is identical to nothing. */
static bool is_identical(const struct cf_metric *metrics, int n_metrics, int n)
{
    for (int i = 0; i < n_metrics; ++i)
        if (!cf_sample_is_finite(metrics[i].got, n) ||
            memcmp(metrics[i].got, metrics[i].bank->y, (size_t)n * sizeof(double)) != 0)
            return false;
    return true;
}

static bool is_paired(const struct cf_metric *metrics, int n_metrics, int n)
{
    const double factor = cf_sd_upper_factor(n);

    for (int i = 0; i < n_metrics; ++i) {
        const struct cf_moments d = cf_sample_differences(metrics[i].got, metrics[i].bank->y, n);

        if (!(d.sd * factor < 0.5 * metrics[i].bank->sd_low))
            return false;
    }
    return true;
}

/* A seed has failed when one of its metrics has. */
static int failed_seeds(const struct cf_metric *metrics, int n_metrics, int n, bool of_bank)
{
    int failed = 0;

    for (int s = 0; s < n; ++s) {
        bool ok = true;

        for (int i = 0; i < n_metrics; ++i)
            ok &= isfinite(of_bank ? metrics[i].bank->y[s] : metrics[i].got[s]) != 0;
        failed += !ok;
    }
    return failed;
}

static void add(struct cf_look *l, const char *metric, const char *name, struct cf_evidence e)
{
    l->component[l->n_components].metric = metric;
    l->component[l->n_components].name = name;
    l->component[l->n_components++].evidence = e;
}

static struct cf_evidence identity(int n)
{
    struct cf_evidence e =
        cf_evidence_without(CF_PASS, n, "all %d values are identical in their bits", n);

    for (int v = 0; v < CF_VARIANTS; ++v) {
        e.p_pass[v] = 0;
        e.p_fail[v] = 1;
    }
    e.estimate = e.lower = e.upper = 0;
    e.unit = "difference";
    e.margin_source = "identity needs no margin";
    e.n_needed = n;
    return e;
}

static void fill(struct cf_look *l, const struct cf_metric *metrics, int n_metrics)
{
    const double alpha = CF_ALPHA / CF_LOOKS;

    for (int i = 0; i < n_metrics; ++i) {
        const struct cf_metric *m = &metrics[i];

        if (l->regime == CF_REGIME_IDENTITY) {
            add(l, m->name, "identity", identity(l->n));
        } else if (l->regime == CF_REGIME_PAIRED) {
            add(l, m->name, "paired", cf_equivalence_paired(m, l->n, alpha));
        } else {
            add(l, m->name, "location", cf_equivalence_location(m, l->n, alpha));
            add(l, m->name, "dispersion", cf_equivalence_dispersion(m, l->n, alpha));
        }
    }
    add(l, "runs", "F",
        cf_gate_failures(l->n_failures, l->n,
                         failed_seeds(metrics, n_metrics, metrics[0].bank->n, true),
                         metrics[0].bank->n, metrics[0].margins->failures));
}

/* The p of the whole look in variant v, and the component that sets it. F alone is not multiplied
 * by the looks in passing. */
static double worst_pass(const struct cf_look *l, int v, int *at)
{
    double worst = -1;

    for (int i = 0; i < l->n_components; ++i) {
        const int last = i == l->n_components - 1;
        const double p = l->component[i].evidence.p_pass[v] * (last ? 1 : CF_LOOKS);

        if (!(p <= worst)) { /* a NaN is the worst */
            worst = p;
            *at = i;
            if (isnan(p))
                break;
        }
    }
    return worst > 1 ? 1 : worst;
}

static double least_fail(const struct cf_look *l, int v, int *at)
{
    double least = INFINITY;

    for (int i = 0; i < l->n_components; ++i)
        if (l->component[i].evidence.p_fail[v] < least) {
            least = l->component[i].evidence.p_fail[v];
            *at = i;
        }
    least *= CF_LOOKS * l->n_components;
    return least > 1 ? 1 : least;
}

static enum cf_verdict decide(const struct cf_look *l, int v, int *at)
{
    int passer = 0, failer = 0;
    const bool pass = worst_pass(l, v, &passer) <= CF_ALPHA;
    const bool fail = least_fail(l, v, &failer) <= CF_ALPHA;

    *at = fail && !pass ? failer : passer;
    return pass ? CF_PASS : fail ? CF_FAIL : CF_UNKNOWN;
}

static void need(struct cf_look *l)
{
    l->n_needed = cf_look_seeds[0];
    for (int i = 0; i < l->n_components; ++i) {
        const int needed = l->component[i].evidence.n_needed;

        if (needed == 0) {
            l->n_needed = 0;
            return;
        }
        if (needed > l->n_needed)
            l->n_needed = needed;
    }
}

static void explain(struct cf_look *l, int at)
{
    const char *const words[CF_N_VERDICTS] = {"equivalent", "not equivalent", "undecided", "skip"};
    char next[40] = "";

    if (l->verdict == CF_UNKNOWN && l->look + 1 < CF_LOOKS)
        snprintf(next, sizeof next, "; next look at %d seeds", cf_look_seeds[l->look + 1]);
    snprintf(l->reason, sizeof l->reason, "%s in regime %s at look %d; %s is %s %s: %s%s",
             words[l->verdict], cf_regime_name(l->regime), l->look + 1,
             l->verdict == CF_PASS ? "the closest call" : "what decides", l->component[at].metric,
             l->component[at].name, l->component[at].evidence.reason, next);
}

struct cf_look cf_equivalence_look(const struct cf_metric *metrics, int n_metrics, int look)
{
    struct cf_look l = {.verdict = CF_SKIP, .look = look, .p_pass = NAN, .p_fail = NAN};
    int at = 0, ignored;

    snprintf(l.reason, sizeof l.reason, "no look number %d at %d metrics with this bank", look,
             n_metrics);
    if (look < 0 || look >= CF_LOOKS || n_metrics < 1 || n_metrics > CF_MAX_METRICS)
        return l;
    l.n = cf_look_seeds[look];
    for (int i = 0; i < n_metrics; ++i)
        if (metrics[i].bank->n < l.n || metrics[i].bank->n != metrics[0].bank->n ||
            !isfinite(metrics[i].bank->median) || !isfinite(metrics[i].bank->sd))
            return l;
    l.n_failures = failed_seeds(metrics, n_metrics, l.n, false);
    l.regime = is_identical(metrics, n_metrics, l.n) ? CF_REGIME_IDENTITY
               : is_paired(metrics, n_metrics, l.n)  ? CF_REGIME_PAIRED
                                                     : CF_REGIME_RANK;
    fill(&l, metrics, n_metrics);
    l.verdict = decide(&l, 0, &at);
    for (int v = 1; v < CF_VARIANTS; ++v)
        l.borderline |= decide(&l, v, &ignored) != l.verdict;
    l.p_pass = worst_pass(&l, 0, &ignored);
    l.p_fail = least_fail(&l, 0, &ignored);
    need(&l);
    explain(&l, at);
    return l;
}
