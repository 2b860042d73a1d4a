/* special: the distribution functions behind every verdict, on MPFR.
 *
 * Each function writes its first argument, and the precision of that argument is the precision of
 * the result: relative error below 2^-(precision - 8) where the function is not zero, far tails
 * included. A decision is therefore computed at 128 and at 256 bits by declaring `out` at 128 and
 * at 256 bits. An argument outside the domain (NaN, p outside (0, 1), nu <= 0) gives NaN, and NaN
 * passes no comparison that accepts positively. Nothing is kept between calls; `out` may
 * also be an argument.
 *
 * "Upper" is P(X > x) for continuous and P(X >= k) for counted variables; "lower" is P(X <= x).
 * Quantiles of symmetric laws take the upper tail, because 1 - p would lose a far tail.
 *
 * Methods, with AS = Abramowitz and Stegun, Handbook of Mathematical Functions, 1964:
 *  - Student, t^2 < nu/2, nu an integer: the finite trigonometric sums of AS 26.7.3 and 26.7.4,
 *    with as many more bits as the difference 1 - A can lose (the naive 1 - A at fixed precision
 *    loses everything below 2^-precision).
 *  - Student otherwise: I_x(nu/2, 1/2) / 2 at x = nu / (nu + t^2), AS 26.5.27 and 26.7.1, by the
 *    series x^a (1-x)^b / (a B(a,b)) * sum of (a+b)_n / (a+1)_n x^n, AS 26.5.4, whose terms are all
 *    positive; or 1 minus the same series at 1 - x where t^2 is small.
 *  - Chi-square: x^a e^-x / Gamma(a+1) * sum of x^n / (a+1)_n, AS 6.5.29, all terms positive.
 *  - Binomial: the sum of its positive terms. Bounds: Clopper and Pearson, Biometrika 26, 1934.
 *  - Quantiles: the monotone tail is inverted inside a bracket that is never left, by the Illinois
 *    secant rule (Dowell and Jarratt, BIT 11, 1971) and by bisection wherever that stalls.
 */
#ifndef CF_SPECIAL_H
#define CF_SPECIAL_H

#include <mpfr.h>

/* P(Z > z) for the standard normal law. */
void cf_normal_upper(mpfr_ptr out, mpfr_srcptr z);

/* The z with P(Z > z) = p, 0 < p < 1. */
void cf_normal_quantile(mpfr_ptr out, mpfr_srcptr p);

/* P(T > t) for Student's law with nu > 0 degrees of freedom, not necessarily an integer.
 * Infinite t gives 0 or 1. The cost grows with sqrt(nu) beyond nu = 1e6. */
void cf_student_upper(mpfr_ptr out, mpfr_srcptr t, mpfr_srcptr nu);

/* The t with P(T > t) = p, 0 < p < 1. */
void cf_student_quantile(mpfr_ptr out, mpfr_srcptr p, mpfr_srcptr nu);

/* P(X <= x) and P(X > x) for chi-square with nu > 0 degrees of freedom; x >= 0. */
void cf_chi2_lower(mpfr_ptr out, mpfr_srcptr x, mpfr_srcptr nu);
void cf_chi2_upper(mpfr_ptr out, mpfr_srcptr x, mpfr_srcptr nu);

/* The x with P(X <= x) = p, 0 < p < 1. */
void cf_chi2_quantile(mpfr_ptr out, mpfr_srcptr p, mpfr_srcptr nu);

/* P(X >= k) and P(X <= k) for k successes in n trials, each with probability p in [0, 1]. */
void cf_binomial_upper(mpfr_ptr out, long k, long n, mpfr_srcptr p);
void cf_binomial_lower(mpfr_ptr out, long k, long n, mpfr_srcptr p);

/* One-sided Clopper-Pearson bounds at confidence 1 - alpha on the probability of a success, after
 * k of n: the lower one is 0 at k = 0, the upper one is 1 at k = n. NaN unless 0 <= k <= n, n > 0.
 */
void cf_clopper_lower(mpfr_ptr out, long k, long n, mpfr_srcptr alpha);
void cf_clopper_upper(mpfr_ptr out, long k, long n, mpfr_srcptr alpha);

/* Wilcoxon's signed-rank law, exact: the probability that the sum of those ranks whose fair coin
 * shows heads is >= w. Ranks are given doubled, so that mid-ranks of ties are integers too. The
 * subsets are counted, not approximated; NaN unless 1 <= n <= 500 and 0 <= 2 rank <= 2 n. */
void cf_signed_rank_upper(mpfr_ptr out, const int *doubled_rank, int n, long doubled_w);

/* The same in double, correctly rounded but for ties: for intervals that are only printed. */
double cf_normal_upper_d(double z);
double cf_normal_quantile_d(double p);
double cf_student_upper_d(double t, double nu);
double cf_student_quantile_d(double p, double nu);
double cf_chi2_lower_d(double x, double nu);
double cf_chi2_quantile_d(double p, double nu);
double cf_binomial_upper_d(long k, long n, double p);
double cf_binomial_lower_d(long k, long n, double p);
double cf_clopper_lower_d(long k, long n, double alpha);
double cf_clopper_upper_d(long k, long n, double alpha);

#endif
