#include "attribution.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sample.h"
#include "special.h"

static const double explained_ratio = 10, close_twins = 1e-3, saturation = 1e-2;

const char *cf_attribution_name(enum cf_attribution a)
{
    static const char *const names[] = {"explained", "not-explained", "undetermined"};

    return names[a];
}

static double twin_distance(const struct cf_horizon *h, int seed)
{
    const double a = h->twin[0][seed];

    return h->twin[1] == NULL ? a : sqrt(a) * sqrt(h->twin[1][seed]);
}

double cf_attribution_ratio(const struct cf_horizon *h, int seed)
{
    const double twin = twin_distance(h, seed);

    return h->got[seed] == 0 && twin == 0 ? 0 : h->got[seed] / twin;
}

/* The quantile is the value at position ceil(0.9 m) of the m sorted distances. A NaN is far. */
bool cf_attribution_usable(const struct cf_horizon *h, int n_seeds)
{
    const int n_twins = h->twin[1] == NULL ? 1 : 2;
    int close = 0, all = 0;

    for (int t = 0; t < n_twins; ++t)
        for (int s = 0; s < n_seeds; ++s, ++all)
            close += h->twin[t][s] < close_twins;
    return all > 0 && 10 * close >= 9 * all;
}

static double vote_rate(int k, int n)
{
    return cf_binomial_upper_d(k, n, 0.5);
}

int cf_attribution_votes(int n_seeds)
{
    int k = 0;

    while (k <= n_seeds && !(vote_rate(k, n_seeds) <= 1.0 / 256))
        ++k;
    return k;
}

struct tally {
    int above, below;
    double median;
};

static struct tally count_votes(const struct cf_horizon *h, int n_seeds)
{
    double *rho = malloc(((size_t)n_seeds + 1) * sizeof *rho);
    struct tally t = {.above = 0};

    if (rho == NULL)
        abort();
    for (int s = 0; s < n_seeds; ++s) {
        rho[s] = cf_attribution_ratio(h, s);
        t.above += rho[s] > explained_ratio;
        t.below += rho[s] < explained_ratio;
    }
    t.median = cf_sample_median(rho, n_seeds);
    free(rho);
    return t;
}

static void explain(struct cf_attribution_finding *f, int votes, int n_seeds)
{
    if (f->n_horizons == 0)
        snprintf(f->reason, sizeof f->reason, "no horizon at which the twins are still close");
    else
        snprintf(f->reason, sizeof f->reason,
                 "at most %d of %d seeds diverge more than 10 times a rounding twin at one of %d "
                 "horizons (%d would be too many); largest median ratio %.3g",
                 f->most_votes, n_seeds, f->n_horizons, votes, f->largest_median);
}

struct cf_attribution_finding cf_attribution_judge(const struct cf_horizon *horizons,
                                                   int n_horizons, int n_seeds)
{
    struct cf_attribution_finding f = {.first = -1, .largest_median = NAN};
    const int votes = cf_attribution_votes(n_seeds);
    bool explained = true;

    for (int i = 0; i < n_horizons; ++i) {
        struct tally t;

        if (!cf_attribution_usable(&horizons[i], n_seeds))
            continue;
        ++f.n_horizons;
        t = count_votes(&horizons[i], n_seeds);
        explained &= t.below >= votes;
        if (t.above >= votes && f.first < 0)
            f.first = i;
        f.most_votes = t.above > f.most_votes ? t.above : f.most_votes;
        if (!(t.median <= f.largest_median))
            f.largest_median = t.median;
    }
    f.answer = f.first >= 0                    ? CF_NOT_EXPLAINED
               : f.n_horizons > 0 && explained ? CF_EXPLAINED
                                               : CF_UNDETERMINED;
    f.false_rate = f.n_horizons * vote_rate(votes, n_seeds);
    explain(&f, votes, n_seeds);
    return f;
}

/* Rungs that are not positive and finite are left out; the running maximum of log2 d. */
static int usable_rungs(double *bits, double *logs, const double *all_bits, const double *distances,
                        int n)
{
    int kept = 0;

    for (int i = 0; i < n; ++i) {
        if (!(distances[i] > 0 && isfinite(distances[i])))
            continue;
        bits[kept] = all_bits[i];
        logs[kept] = log2(distances[i]);
        if (kept > 0 && logs[kept] < logs[kept - 1])
            logs[kept] = logs[kept - 1];
        ++kept;
    }
    return kept;
}

/* On a flat stretch (saturation) the finer rung is taken: the distance shows no less precision. */
static struct cf_effective_bits interpolate(const double *bits, const double *logs, int n,
                                            double log_d)
{
    int i = 1;

    if (log_d <= logs[0])
        return (struct cf_effective_bits){bits[0], log_d < logs[0]};
    if (log_d > logs[n - 1])
        return (struct cf_effective_bits){bits[n - 1], -1};
    while (logs[i] < log_d)
        ++i;
    return (struct cf_effective_bits){
        bits[i - 1] + (bits[i] - bits[i - 1]) * (log_d - logs[i - 1]) / (logs[i] - logs[i - 1]), 0};
}

struct cf_effective_bits cf_effective_bits(const double *bits, const double *distances, int n,
                                           double d)
{
    double *kept_bits = malloc(((size_t)n + 1) * sizeof *kept_bits);
    double *logs = malloc(((size_t)n + 1) * sizeof *logs);
    struct cf_effective_bits b = {NAN, 0};
    int kept;

    if (kept_bits == NULL || logs == NULL)
        abort();
    kept = usable_rungs(kept_bits, logs, bits, distances, n);
    if (kept >= 2 && d >= 0)
        b = interpolate(kept_bits, logs, kept, log2(d));
    free(kept_bits);
    free(logs);
    return b;
}

/* The value at position share * (n - 1) of sorted values, between neighbours linearly. */
static double quantile(const double *sorted, int n, double share)
{
    const double at = share * (n - 1);
    const int below = (int)at, above = below + 1 < n ? below + 1 : below;

    return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

static int stretch(const double *d, int n, int *first)
{
    double least = INFINITY;
    int from = 0, to;

    for (int i = 0; i < n; ++i)
        if (d[i] > 0 && d[i] < least)
            least = d[i];
    while (from < n && !(d[from] >= 4 * least))
        ++from;
    for (to = from; to < n && d[to] <= saturation; ++to)
        ;
    *first = from;
    return to - from;
}

struct cf_growth cf_growth(const double *steps, const double *d, int n)
{
    int first, kept = 0;
    const int points = stretch(d, n, &first);
    struct cf_growth g = {NAN, NAN, NAN, NAN, points};
    double *slopes = malloc(((size_t)points * (size_t)points + 1) * sizeof *slopes);

    if (slopes == NULL)
        abort();
    for (int i = first; i < first + points; ++i)
        for (int j = i + 1; j < first + points; ++j)
            if (d[i] > 0 && d[j] > 0 && steps[j] > steps[i])
                slopes[kept++] = (log(d[j]) - log(d[i])) / (steps[j] - steps[i]);
    if (points >= 3 && kept >= 3) {
        cf_sample_sort(slopes, kept);
        g.slope = quantile(slopes, kept, 0.5);
        g.lower_quartile = quantile(slopes, kept, 0.25);
        g.upper_quartile = quantile(slopes, kept, 0.75);
        g.doubling_steps = g.slope > 0 ? log(2) / g.slope : INFINITY;
    }
    free(slopes);
    return g;
}
