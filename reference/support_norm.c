#include "support_norm.h"

/* mean, sigma and ratio of x; `away` is scratch. */
static void statistics(struct cf_norm *norm, mpfr_t *x, mpfr_t away)
{
    const unsigned long m = (unsigned long)norm->m;
    mpfr_t *sums = cf_mpfr_new(2); /* of (x - mean)^2, of x^2 */

    mpfr_set_zero(norm->mean, 1);
    for (int64_t j = 0; j < norm->m; ++j) {
        mpfr_add(norm->mean, norm->mean, x[j], MPFR_RNDN);
        mpfr_fma(sums[1], x[j], x[j], sums[1], MPFR_RNDN);
    }
    mpfr_div_ui(norm->mean, norm->mean, m, MPFR_RNDN);
    for (int64_t j = 0; j < norm->m; ++j) {
        mpfr_sub(away, x[j], norm->mean, MPFR_RNDN);
        mpfr_fma(sums[0], away, away, sums[0], MPFR_RNDN);
    }
    mpfr_div_ui(sums[0], sums[0], m, MPFR_RNDN);
    mpfr_div_ui(sums[1], sums[1], m, MPFR_RNDN);
    mpfr_add_d(sums[0], sums[0], CF_NORM_EPSILON, MPFR_RNDN);
    mpfr_sqrt(norm->sigma, sums[0], MPFR_RNDN);
    mpfr_div(norm->ratio, sums[1], sums[0], MPFR_RNDN);
    mpfr_mul_2ui(norm->ratio, norm->ratio, 1, MPFR_RNDN);
    mpfr_add_ui(norm->ratio, norm->ratio, 1, MPFR_RNDN);
    cf_mpfr_free(sums, 2);
}

void cf_norm_start(struct cf_norm *norm, const struct cf_grid *grid, const struct cf_tensor *x,
                   int64_t group)
{
    mpfr_t size, away;

    *norm = (struct cf_norm){.m = cf_grid_size(grid)};
    norm->z = cf_mpfr_new(norm->m);
    norm->e = cf_mpfr_new(norm->m);
    mpfr_inits2(CF_GROUP_BITS, norm->mean, norm->sigma, norm->ratio, size, away, (mpfr_ptr)NULL);
    mpfr_set_zero(size, 1);
    for (int64_t j = 0; j < norm->m; ++j) {
        cf_mpfr_take(norm->e[j], x, cf_grid_index(grid, group, j));
        cf_mpfr_add_abs(size, norm->e[j]);
    }
    statistics(norm, norm->e, away);
    mpfr_div_ui(size, size, (unsigned long)norm->m, MPFR_RNDN);
    for (int64_t j = 0; j < norm->m; ++j) {
        mpfr_sub(norm->z[j], norm->e[j], norm->mean, MPFR_RNDN);
        mpfr_div(norm->z[j], norm->z[j], norm->sigma, MPFR_RNDN);
        mpfr_abs(norm->e[j], norm->e[j], MPFR_RNDN);
        mpfr_add(norm->e[j], norm->e[j], size, MPFR_RNDN);
        mpfr_div(norm->e[j], norm->e[j], norm->sigma, MPFR_RNDN);
        mpfr_abs(away, norm->z[j], MPFR_RNDN);
        mpfr_fma(norm->e[j], away, norm->ratio, norm->e[j], MPFR_RNDN);
    }
    mpfr_clears(size, away, (mpfr_ptr)NULL);
}

void cf_norm_stop(struct cf_norm *norm)
{
    cf_mpfr_free(norm->z, norm->m);
    cf_mpfr_free(norm->e, norm->m);
    mpfr_clears(norm->mean, norm->sigma, norm->ratio, (mpfr_ptr)NULL);
}

void cf_norm_fwd(mpfr_t exact[], mpfr_t scale[], const struct cf_grid *grid, int per_group,
                 const struct cf_tensor in[], int64_t group)
{
    mpfr_t *m = cf_mpfr_new(2); /* gamma, beta */
    struct cf_norm norm;

    cf_norm_start(&norm, grid, &in[0], group);
    for (int64_t j = 0; j < norm.m; ++j) {
        cf_mpfr_take(m[0], &in[1], per_group ? group : j);
        cf_mpfr_take(m[1], &in[2], per_group ? group : j);
        mpfr_fma(exact[j], m[0], norm.z[j], m[1], MPFR_RNDN);
        mpfr_mul(scale[j], m[0], norm.e[j], MPFR_RNDN);
        mpfr_abs(scale[j], scale[j], MPFR_RNDN);
        cf_mpfr_add_abs(scale[j], m[1]);
    }
    cf_norm_stop(&norm);
    cf_mpfr_free(m, 2);
}

void cf_norm_add_gamma(mpfr_t exact, mpfr_t scale, const struct cf_norm *norm,
                       const struct cf_tensor *dy, int64_t index, int64_t j)
{
    mpfr_t *m = cf_mpfr_new(2); /* dy, abs(2 dy e) */

    cf_mpfr_take(m[0], dy, index);
    mpfr_fma(exact, m[0], norm->z[j], exact, MPFR_RNDN);
    mpfr_mul(m[1], m[0], norm->e[j], MPFR_RNDN);
    mpfr_mul_2ui(m[1], m[1], 1, MPFR_RNDN);
    cf_mpfr_add_abs(scale, m[1]);
    cf_mpfr_free(m, 2);
}

/* dy' of element j. */
static void incoming(mpfr_t to, mpfr_t gamma, const struct cf_grid *grid, int per_group,
                     const struct cf_tensor in[], int64_t group, int64_t j)
{
    cf_mpfr_take(to, &in[2], cf_grid_index(grid, group, j));
    if (per_group)
        return;
    cf_mpfr_take(gamma, &in[1], j);
    mpfr_mul(to, to, gamma, MPFR_RNDN);
}

/* Means over the group: of dy', of dy' z, of abs(dy'), of 2 abs(dy') e. */
static void means(mpfr_t mean[4], mpfr_t scratch[2], const struct cf_norm *norm,
                  const struct cf_grid *grid, int per_group, const struct cf_tensor in[],
                  int64_t group)
{
    for (int64_t j = 0; j < norm->m; ++j) {
        incoming(scratch[0], scratch[1], grid, per_group, in, group, j);
        mpfr_add(mean[0], mean[0], scratch[0], MPFR_RNDN);
        mpfr_fma(mean[1], scratch[0], norm->z[j], mean[1], MPFR_RNDN);
        cf_mpfr_add_abs(mean[2], scratch[0]);
        mpfr_mul(scratch[1], scratch[0], norm->e[j], MPFR_RNDN);
        mpfr_mul_2ui(scratch[1], scratch[1], 1, MPFR_RNDN);
        cf_mpfr_add_abs(mean[3], scratch[1]);
    }
    for (int i = 0; i < 4; ++i)
        mpfr_div_ui(mean[i], mean[i], (unsigned long)norm->m, MPFR_RNDN);
}

/* exact = (dy' - mean[0] - z mean[1]) / sigma; scale = ((abs(dy') + mean[2] + abs(z) mean[3]) (1 +
 * R)
 * + e mean[3]) / sigma. */
static void gradient(mpfr_t exact, mpfr_t scale, mpfr_t dy, mpfr_t mean[4], mpfr_t scratch,
                     const struct cf_norm *norm, int64_t j)
{
    mpfr_sub(exact, dy, mean[0], MPFR_RNDN);
    mpfr_mul(scratch, norm->z[j], mean[1], MPFR_RNDN);
    mpfr_sub(exact, exact, scratch, MPFR_RNDN);
    mpfr_div(exact, exact, norm->sigma, MPFR_RNDN);
    mpfr_set(scale, mean[2], MPFR_RNDN);
    cf_mpfr_add_abs(scale, dy);
    mpfr_abs(scratch, norm->z[j], MPFR_RNDN);
    mpfr_fma(scale, scratch, mean[3], scale, MPFR_RNDN);
    mpfr_add_ui(scratch, norm->ratio, 1, MPFR_RNDN);
    mpfr_mul(scale, scale, scratch, MPFR_RNDN);
    mpfr_fma(scale, norm->e[j], mean[3], scale, MPFR_RNDN);
    mpfr_div(scale, scale, norm->sigma, MPFR_RNDN);
}

void cf_norm_bwd_data(mpfr_t exact[], mpfr_t scale[], const struct cf_grid *grid, int per_group,
                      const struct cf_tensor in[], int64_t group)
{
    mpfr_t *m = cf_mpfr_new(6); /* four means, dy', gamma */
    struct cf_norm norm;

    cf_norm_start(&norm, grid, &in[0], group);
    means(m, m + 4, &norm, grid, per_group, in, group);
    for (int64_t j = 0; j < norm.m; ++j) {
        incoming(m[4], m[5], grid, per_group, in, group, j);
        gradient(exact[j], scale[j], m[4], m, m[5], &norm, j);
        if (!per_group)
            continue;
        cf_mpfr_take(m[5], &in[1], group);
        mpfr_mul(exact[j], exact[j], m[5], MPFR_RNDN);
        mpfr_mul(scale[j], scale[j], m[5], MPFR_RNDN);
        mpfr_abs(scale[j], scale[j], MPFR_RNDN);
    }
    cf_norm_stop(&norm);
    cf_mpfr_free(m, 6);
}
