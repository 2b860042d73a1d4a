#include "support_group.h"

#include <math.h>
#include <stdlib.h>

int64_t cf_grid_size(const struct cf_grid *grid)
{
    return grid->outer * grid->inner;
}

int64_t cf_grid_index(const struct cf_grid *grid, int64_t group, int64_t j)
{
    return (j / grid->inner * grid->groups + group) * grid->inner + j % grid->inner;
}

mpfr_t *cf_mpfr_new(int64_t n)
{
    mpfr_t *x = cf_alloc((size_t)(n + 1) * sizeof x[0]);

    for (int64_t i = 0; i < n; ++i) {
        mpfr_init2(x[i], CF_GROUP_BITS);
        mpfr_set_zero(x[i], 1);
    }
    return x;
}

void cf_mpfr_free(mpfr_t *x, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        mpfr_clear(x[i]);
    free(x);
}

void cf_mpfr_take(mpfr_t x, const struct cf_tensor *t, int64_t i)
{
    mpfr_set_d(x, cf_tensor_get(t, i), MPFR_RNDN);
}

void cf_mpfr_add_abs(mpfr_t sum, const mpfr_t x)
{
    if (mpfr_sgn(x) < 0)
        mpfr_sub(sum, sum, x, MPFR_RNDN);
    else
        mpfr_add(sum, sum, x, MPFR_RNDN);
}

void cf_grouped_element(const struct cf_grouped *grouped, mpfr_t exact, mpfr_t scale,
                        const struct cf_tensor in[], int o, int64_t i)
{
    const struct cf_grid grid = grouped->grid(in, o);
    const int64_t group = i / grid.inner % grid.groups, n = cf_grid_size(&grid);
    const int64_t j = i / grid.inner / grid.groups * grid.inner + i % grid.inner;
    mpfr_t *values = cf_mpfr_new(n), *scales = cf_mpfr_new(n);

    grouped->values(values, scales, in, o, group);
    mpfr_set_prec(exact, CF_GROUP_BITS);
    mpfr_set_prec(scale, CF_GROUP_BITS);
    mpfr_set(exact, values[j], MPFR_RNDN);
    mpfr_set(scale, scales[j], MPFR_RNDN);
    cf_mpfr_free(values, n);
    cf_mpfr_free(scales, n);
}

struct cf_truth cf_truth_of(const mpfr_t exact, const mpfr_t scale, enum cf_dtype dtype)
{
    struct cf_truth truth = {.scale = mpfr_get_d(scale, MPFR_RNDU)};
    mpfr_t rest;

    CF_CHECK(dtype == CF_F64 || dtype == CF_F32);
    truth.rounded =
        dtype == CF_F64 ? mpfr_get_d(exact, MPFR_RNDN) : (double)mpfr_get_flt(exact, MPFR_RNDN);
    if (isfinite(truth.rounded)) {
        mpfr_init2(rest, mpfr_get_prec(exact));
        mpfr_sub_d(rest, exact, truth.rounded, MPFR_RNDN);
        truth.lo = mpfr_get_d(rest, MPFR_RNDN);
        mpfr_clear(rest);
    }
    return truth;
}

void cf_grouped_fast(const struct cf_grouped *grouped, struct cf_truth truth[],
                     const struct cf_tensor in[], int o)
{
    const struct cf_grid grid = grouped->grid(in, o);
    const int64_t n = cf_grid_size(&grid);
    mpfr_t *values = cf_mpfr_new(n), *scales = cf_mpfr_new(n);

    for (int64_t group = 0; group < grid.groups; ++group) {
        grouped->values(values, scales, in, o, group);
        for (int64_t j = 0; j < n; ++j)
            truth[cf_grid_index(&grid, group, j)] = cf_truth_of(values[j], scales[j], in[0].dtype);
    }
    cf_mpfr_free(values, n);
    cf_mpfr_free(scales, n);
}
