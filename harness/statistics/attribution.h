/* attribution: is a divergence of trajectories explained by rounding? A second answer beside the
 * level, never a veto: a difference test finds any difference with enough seeds, while a level must
 * become easier with more data.
 *
 * Distances are d(s) = norm(w_C - w_B) / norm(w_B) of the weights of seed s after some steps. */
#ifndef CF_ATTRIBUTION_H
#define CF_ATTRIBUTION_H

#include <stdbool.h>

enum cf_attribution { CF_EXPLAINED, CF_NOT_EXPLAINED, CF_UNDETERMINED };
const char *cf_attribution_name(enum cf_attribution); /* "explained", "not-explained", ... */

/* One horizon: the distance of the configuration, and of the baseline's two rounding twins, seed
 * by seed. Arrays of n_seeds; twins may be one, the other NULL. */
struct cf_horizon {
    const double *got, *twin[2];
};

/* rho = d_C / (geometric mean of d_twin). 0 / 0 is explained, x / 0 is not, NaN is neither. */
double cf_attribution_ratio(const struct cf_horizon *, int seed);

/* Usable while the twins are still close: the 90 % quantile of their distances is below 1e-3. */
bool cf_attribution_usable(const struct cf_horizon *, int n_seeds);

/* The least k with P(X >= k) <= 1/256 for n fair coins: 11 of 12 (13/4096), 8 of 8; n + 1 when
 * none is. Distribution-free: under rounding alone rho is above 10 less often than not. */
int cf_attribution_votes(int n_seeds);

struct cf_attribution_finding {
    enum cf_attribution answer;
    int n_horizons;        /* the usable ones */
    int first;             /* index of the first horizon that is not explained, or -1 */
    int most_votes;        /* the most seeds above 10 at one horizon */
    double largest_median; /* of rho over the horizons; NaN without any */
    double false_rate;     /* at most: usable horizons times P(X >= k) */
    char reason[200];
};

/* not-explained: at some usable horizon at least k seeds have rho > 10. explained: at every one at
 * least k have rho < 10. Otherwise, and without a usable horizon, undetermined. */
struct cf_attribution_finding cf_attribution_judge(const struct cf_horizon *, int n_horizons,
                                                   int n_seeds);

/* Effective bits at one horizon: the b at which the ladder's curve has the distance d. The ladder
 * is the baseline perturbed by relative 2^-bits[i], distances[i] its mean distance, and bits fall
 * from 24 to 6. Interpolated in log2 of the distance; a ladder that is not monotone is replaced by
 * its running maximum from the finest rung on. */
struct cf_effective_bits {
    double bits; /* NaN when d is NaN or the ladder has no two usable rungs */
    int bound;   /* 1: at least `bits` (finer than the ladder); -1: at most; 0: between two rungs */
};
struct cf_effective_bits cf_effective_bits(const double *bits, const double *distances, int n,
                                           double d);

/* Growth: the median of all pairwise slopes of ln d over steps (Theil 1950; Sen, Journal of the
 * American Statistical Association 63, 1968), on the stretch from the first distance above 4 times
 * the least positive one to the first above 1e-2. NaN with fewer than 3 points there. */
struct cf_growth {
    double slope, lower_quartile, upper_quartile; /* of ln d, a step */
    double doubling_steps; /* ln 2 / slope; INFINITY where it does not grow */
    int n_points;
};
struct cf_growth cf_growth(const double *steps, const double *d, int n);

#endif
