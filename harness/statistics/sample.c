#include "sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "moments.h"

/* A difference of doubles has its bits between 2^-1074 and 2^1025, a square between 2^-2148 and
 * 2^2050; sums of up to 2^31 of them, times n, need 64 bits more. */
enum { SUM_BITS = 2100 + 64, SQUARE_BITS = 4200 + 2 * 64 };

static void sums(mpfr_ptr sum, mpfr_ptr squares, const double *y, const double *base, int n)
{
    mpfr_t difference, square;

    mpfr_init2(difference, SUM_BITS);
    mpfr_init2(square, SQUARE_BITS);
    mpfr_set_ui(sum, 0, MPFR_RNDN);
    mpfr_set_ui(squares, 0, MPFR_RNDN);
    for (int i = 0; i < n; ++i) {
        mpfr_set_d(difference, y[i], MPFR_RNDN);
        if (base != NULL)
            mpfr_sub_d(difference, difference, base[i], MPFR_RNDN);
        mpfr_add(sum, sum, difference, MPFR_RNDN);
        mpfr_sqr(square, difference, MPFR_RNDN);
        mpfr_add(squares, squares, square, MPFR_RNDN);
    }
    mpfr_clears(difference, square, (mpfr_ptr)0);
}

/* n squares - sum^2 is exact, and so never negative. */
void cf_moments(mpfr_ptr mean, mpfr_ptr variance, const double *y, const double *base, int n)
{
    mpfr_t sum, squares, square;

    mpfr_init2(sum, SUM_BITS);
    mpfr_init2(squares, SQUARE_BITS);
    mpfr_init2(square, SQUARE_BITS);
    sums(sum, squares, y, base, n);
    if (mpfr_number_p(sum) && n > 0)
        mpfr_div_si(mean, sum, n, MPFR_RNDN);
    else
        mpfr_set_nan(mean);
    if (mpfr_number_p(sum) && n > 1) {
        mpfr_sqr(square, sum, MPFR_RNDN);
        mpfr_mul_si(squares, squares, n, MPFR_RNDN);
        mpfr_sub(squares, squares, square, MPFR_RNDN);
        mpfr_set_si(square, n, MPFR_RNDN);
        mpfr_mul_si(square, square, n - 1, MPFR_RNDN);
        mpfr_div(variance, squares, square, MPFR_RNDN);
    } else {
        mpfr_set_nan(variance);
    }
    mpfr_clears(sum, squares, square, (mpfr_ptr)0);
}

struct cf_moments cf_sample_differences(const double *y, const double *base, int n)
{
    struct cf_moments m = {.n = n};
    MPFR_DECL_INIT(mean, 53);
    MPFR_DECL_INIT(variance, 128);

    cf_moments(mean, variance, y, base, n);
    mpfr_sqrt(variance, variance, MPFR_RNDN);
    m.mean = mpfr_get_d(mean, MPFR_RNDN);
    m.sd = mpfr_get_d(variance, MPFR_RNDN);
    return m;
}

struct cf_moments cf_sample_moments(const double *y, int n)
{
    return cf_sample_differences(y, NULL, n);
}

int cf_sample_failures(const double *y, int n)
{
    int failures = 0;

    for (int i = 0; i < n; ++i)
        failures += !isfinite(y[i]);
    return failures;
}

bool cf_sample_is_finite(const double *y, int n)
{
    return cf_sample_failures(y, n) == 0;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void cf_sample_sort(double *y, int n)
{
    qsort(y, (size_t)n, sizeof *y, ascending);
}

double cf_sample_median(const double *y, int n)
{
    double *sorted = n > 0 ? malloc((size_t)n * sizeof *sorted) : NULL;
    double median = NAN;
    bool ordered = sorted != NULL;

    for (int i = 0; i < n; ++i)
        ordered &= !isnan(y[i]);
    if (ordered) {
        memcpy(sorted, y, (size_t)n * sizeof *sorted);
        cf_sample_sort(sorted, n);
        median = n % 2 ? sorted[n / 2] : sorted[n / 2 - 1] / 2 + sorted[n / 2] / 2;
    }
    free(sorted);
    return median;
}

double cf_sample_loss(double y, enum cf_better better)
{
    if (!isfinite(y))
        return INFINITY;
    return better == CF_HIGHER_IS_BETTER ? -y : y;
}

/* How many are below y, or not above it. */
static long rank_of(const double *sorted, int n, double y, bool ties)
{
    int low = 0, high = n;

    while (low < high) {
        const int middle = low + (high - low) / 2;

        if (sorted[middle] < y || (ties && sorted[middle] <= y))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

long cf_sample_placement(const double *sorted, int n, double y)
{
    return rank_of(sorted, n, y, false) + rank_of(sorted, n, y, true);
}
