/* support_single: values of elementary functions at float arguments, in double, with a bound of
 * the relative error that is proved below: good enough to round nearly all of them to a float for
 * certain (Ziv, Fast evaluation of elementary mathematical functions with correctly rounded last
 * bit, ACM TOMS 17(3), 1991), so that MPFR is asked for the few that are left.
 *
 * cf_single_F(y, x, n): y[i] = F(x[i]) of n arguments of one sign and one exponent field. Returns
 * b: abs(y[i] - F(x[i])) <= b abs(F(x[i])) for all of them; NaN, infinities and zeros (with their
 * sign) are the exact ones. u = 2^-53; nothing here uses the C library's functions, no step may be
 * fused or reordered.
 *
 *   exp   k = the whole number next to x / ln 2, abs(x) cut to 200 (beyond, values round alike).
 *         k * high and x - k * high are exact: high has 32 bits, both are multiples of 2^-33
 *         below 2^9. r = that - k * low, abs(r) <= 0.3467, is off by 2^-54 at most. The
 *         polynomial of Taylor to r^13 is off by 2^-57, Horner's rule by
 *         26 u sum(abs(r)^i / i!) <= 53 u e^r (Higham, Accuracy and Stability, 2002, section
 *         5.1): together at most 64 u. 2^k is exact.
 *   log   x = 2^k m, sqrt(1/2) <= m < sqrt(2); s = (m - 1) / (m + 1) with an exact numerator is
 *         off by 2 u, log m = 2 s (1 + z/3 + ... + z^11/23), z = s s <= 0.0295, by 6 u; the rest
 *         of the series by 2^-65. For k != 0 abs(log x) >= 0.3465 and the parts add up to at most
 *         three times that: 3 (6 + 4) u. Together at most 32 u.
 *   sin, cos
 *         abs(x) < 1/2: r = x. Else x / (2 pi) modulo 1 in integers: 24 bits of x times the 128
 *         bits of 1 / (2 pi) that matter, cut by less than 2^-104 turns (Payne and Hanek, Radian
 *         reduction for trigonometric functions, ACM SIGNUM 18, 1983); less the nearest quarter.
 *         r is off by 5 u and 2^-104 turns, which is held against the smallest r of the piece.
 *         Taylor's polynomials to r^17 and r^16 for abs(r) <= 0.7855: off by 8 u. Together at
 *         most 16 u and that part.
 *   tanh  abs(x) < 1/2: sinh / cosh by Taylor to x^15 and x^14: 12 u. Else
 *         1 - 2 / (exp(2 abs(x)) + 1), cut at 40: 66 u times at most 0.539 / 0.462, and 2 u.
 *         Together at most 80 u.
 *   erf   abs(x) < 1/2: Taylor's series to x^27, 8 u. Else, all terms positive,
 *         exp(-z) 2 / sqrt(pi) (x + x 2z/3 + x (2z)^2 / (3 5) + ...), z = x x exact (Abramowitz
 *         and Stegun, 1964, 7.1.6): 3 u a term, 70 u beside, and the tail, which is measured.
 *         From 8 on 1, off by 2^-90.
 *
 * test_whole holds each against MPFR in every binade. */
#ifndef CF_SUPPORT_SINGLE_H
#define CF_SUPPORT_SINGLE_H

#include <stdint.h>

double cf_single_exp(double y[], const float x[], int64_t n);
double cf_single_log(double y[], const float x[], int64_t n);
double cf_single_sin(double y[], const float x[], int64_t n);
double cf_single_cos(double y[], const float x[], int64_t n);
double cf_single_tanh(double y[], const float x[], int64_t n);
double cf_single_erf(double y[], const float x[], int64_t n);

#endif
