/* The bank of equivalence.h: sorted once, with the limits that the margins are made of. */
#include <math.h>
#include <stdlib.h>

#include "equivalence.h"
#include "special.h"

enum { LEAST_BANK = 20 };

double cf_sd_upper_factor(int n)
{
    return n < 2 ? NAN : sqrt((n - 1) / cf_chi2_quantile_d(CF_ALPHA, n - 1));
}

/* Degrees of freedom of the SD of n sorted values. The variance of s^2 is (kurtosis - 1) / 2 times
 * that of a normal law, so that a heavy tail leaves fewer; a light one is not counted as a gain. */
static double freedom(const double *sorted, int n, struct cf_moments m)
{
    double square = 0, fourth = 0, kurtosis;

    for (int i = 0; i < n; ++i) {
        const double d = (sorted[i] - m.mean) / m.sd;

        square += d * d;
        fourth += d * d * d * d;
    }
    kurtosis = n * fourth / (square * square);
    return kurtosis > 3 ? 2 * (n - 1) / (kurtosis - 1) : n - 1;
}

static double limit_factor(double nu, double p)
{
    return sqrt(nu / cf_chi2_quantile_d(p, nu));
}

/* losses holds the finite values first for a moment: the SD is theirs. */
static void measure_spread(struct cf_bank *b)
{
    struct cf_moments m;
    int n_finite = 0;

    for (int i = 0; i < b->n; ++i)
        if (isfinite(b->y[i]))
            b->losses[n_finite++] = b->y[i];
    m = cf_sample_moments(b->losses, n_finite);
    b->n_failures = b->n - n_finite;
    b->sd = b->sd_low = b->sd_high = NAN;
    if (n_finite >= LEAST_BANK) {
        double nu = n_finite - 1;

        cf_sample_sort(b->losses, n_finite);
        if (m.sd > 0)
            nu = freedom(b->losses, n_finite, m);
        b->sd = m.sd;
        b->sd_low = m.sd * limit_factor(nu, 1 - CF_ALPHA);
        b->sd_high = m.sd * limit_factor(nu, CF_ALPHA);
    }
}

bool cf_bank_init(struct cf_bank *b, const double *y, int n, enum cf_better better)
{
    *b = (struct cf_bank){.y = y, .n = n, .better = better, .median = NAN};
    if (n < LEAST_BANK)
        return false;
    b->losses = malloc((size_t)n * sizeof *b->losses);
    b->spreads = malloc((size_t)n * sizeof *b->spreads);
    if (b->losses == NULL || b->spreads == NULL)
        return false;
    measure_spread(b);
    for (int i = 0; i < n; ++i)
        b->losses[i] = cf_sample_loss(y[i], better);
    cf_sample_sort(b->losses, n);
    b->median = cf_sample_median(b->losses, n);
    if (!isfinite(b->median) || isnan(b->sd))
        return false;
    for (int i = 0; i < n; ++i)
        b->spreads[i] = fabs(b->losses[i] - b->median);
    cf_sample_sort(b->spreads, n);
    return true;
}

void cf_bank_clear(struct cf_bank *b)
{
    free(b->losses);
    free(b->spreads);
    b->losses = b->spreads = NULL;
}

int cf_paired_seeds_needed(double margin_sigma, double sd_ratio)
{
    for (int r = 2; r <= 10000; ++r) {
        const double reach = margin_sigma * 0.924 * sqrt(r) / sd_ratio;

        if (!(reach > 1.6448)) /* the quantiles' sum is above this for any r */
            continue;
        if (cf_student_quantile_d(0.05, r - 1) + cf_student_quantile_d(0.005, r - 1) <= reach)
            return r;
    }
    return 0;
}
