/* support_norm: batch and layer norm are one formula over different groups: a channel over images
 * and pixels, or a row. With m elements in a group,
 *
 *   y = gamma z + beta, z = (x - mean) / sigma, sigma = sqrt(variance + epsilon),
 *   variance = sum of (x - mean)^2 / m (Ioffe and Szegedy, 2015, algorithm 1; Ba, Kiros and Hinton,
 *   2016, section 3), and backwards
 *   dx = gamma' / sigma (dy' - mean of dy' - z mean of dy' z), dgamma = sum of dy z, dbeta = sum of
 * dy, where dy' = dy for batch norm and gamma dy for layer norm.
 *
 * Bounds. With A = mean of abs(x), Q = mean of x^2, the mean errs by m u A and the variance, by the
 * textbook one-pass formula (the worst in use), by 3 m u Q: Chan, Golub and LeVeque, Algorithms for
 * computing the sample variance, The American Statistician 37, 1983, section 2. Hence 1 / sigma
 * errs by m u R of itself, R = 1 + 2 Q / (variance + epsilon), and z by (m + 8) u E, E = (abs(x) +
 * A) / sigma + abs(z) R. The scales of the outputs follow by the rules of products and sums. */
#ifndef CF_SUPPORT_NORM_H
#define CF_SUPPORT_NORM_H

#include "support_group.h"

#define CF_NORM_SOURCE "Chan, Golub and LeVeque, The American Statistician 37, 1983, section 2"
#define CF_NORM_EXTRA  16 /* the roundings of the longest chain, dx, outside its sums */

/* The statistics of one group, and for each of its m elements z and e (= E above). */
struct cf_norm {
    int64_t m;
    mpfr_t mean, sigma, ratio; /* ratio = R */
    mpfr_t *z, *e;
};
void cf_norm_start(struct cf_norm *norm, const struct cf_grid *grid, const struct cf_tensor *x,
                   int64_t group);
void cf_norm_stop(struct cf_norm *norm);

/* in: x, gamma, beta. Gamma and beta have one element a group (per_group) or one an element of it.
 */
void cf_norm_fwd(mpfr_t exact[], mpfr_t scale[], const struct cf_grid *grid, int per_group,
                 const struct cf_tensor in[], int64_t group);
/* in: x, gamma, dy. dx of the elements of one group. */
void cf_norm_bwd_data(mpfr_t exact[], mpfr_t scale[], const struct cf_grid *grid, int per_group,
                      const struct cf_tensor in[], int64_t group);
/* Adds element j of a group to dgamma, and to its scale. */
void cf_norm_add_gamma(mpfr_t exact, mpfr_t scale, const struct cf_norm *norm,
                       const struct cf_tensor *dy, int64_t index, int64_t j);

#endif
