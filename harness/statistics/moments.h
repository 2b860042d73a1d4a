/* moments: sample.h at any precision. Private to this folder. */
#ifndef CF_MOMENTS_H
#define CF_MOMENTS_H

#include <mpfr.h>

/* mean and variance (n - 1) of y[i] - base[i], or of y[i] where base is NULL, each rounded once.
 * NaN as in sample.h. */
void cf_moments(mpfr_ptr mean, mpfr_ptr variance, const double *y, const double *base, int n);

#endif
