/* The fast exact reference: every result here is the exact mathematical value of a reduction,
 * rounded once. Nothing in this library depends on the order of the terms, on the number of threads
 * or on the instruction set: the terms are added as integers, or a bound proves what the rounding
 * will be and an integer addition decides where the bound cannot. docs/reference.md argues each
 * step.
 *
 * Sources: Kulisch and Miranker, The arithmetic of the digital computer, SIAM Review 28, 1986 (the
 * long accumulator); Neal, Fast exact summation using small and large superaccumulators, 2015
 * (carry-free digits, bins by exponent); Demmel and Hida, Fast and accurate floating point
 * summation, 2004, and Demmel and Nguyen, Parallel reproducible summation, 2015 (anchored
 * extraction); Ozaki, Ogita, Oishi and Rump, Error-free transformations of matrix multiplication,
 * 2012 (slices); Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1 (the
 * bound of the certified products).
 *
 * The caller's floating-point mode must be the default one: round to nearest, subnormals kept. */
#ifndef CF_EXACT_H
#define CF_EXACT_H

#include <stdbool.h>
#include <stdint.h>

/* The format that the exact value is rounded to, to nearest, ties to even. */
enum cf_exact_format { CF_EXACT_F64, CF_EXACT_F32, CF_EXACT_BF16, CF_EXACT_F16 };

/* One exact value, rounded. got - exact = (got - rounded) - lo.
 *
 * rounded: the correctly rounded value, widened to double without error. It is infinite where the
 * exact value rounds beyond the format's largest number, and where the IEEE rules make it so: a sum
 * with infinite terms of one sign. It is NaN for a NaN term, 0 * Inf, or infinities of both signs.
 * An exact zero is +0 unless every term is -0 (then -0); the empty sum is +0. lo: exact - rounded,
 * rounded to nearest double; 0 when rounded is not finite. scale: the sum of |terms|, rounded up to
 * double; infinite or NaN as the terms are. 0 exactly when all terms are 0. For nrm2 it is the
 * value itself, rounded up.
 *
 * The gemm functions relax lo and scale for the elements that a bound certifies; see there. */
struct cf_truth {
    double rounded, lo, scale;
};

/* An order-free accumulator of doubles and of products of doubles over the whole exponent range.
 * One array of digits for the positive terms, one for the negative: value = plus - minus, scale =
 * plus + minus. Digit i weighs 2^(32 i - CF_ACCUMULATOR_BIAS). Digits are signed 64-bit integers
 * that overlap by 32 bits, so that adding is carry-free; the represented number, not its digits, is
 * the state. Plain data: copy it, send it, merge it in any order. */
#define CF_ACCUMULATOR_BIAS  2240 /* a multiple of 32; the last bit of a product is 2^-2148 */
#define CF_ACCUMULATOR_LIMBS 138  /* up to 2^2176; 2^63 products stay below 2^2111 */

struct cf_accumulator {
    int64_t limb[2]
                [CF_ACCUMULATOR_LIMBS]; /* [0]: positive terms, [1]: magnitudes of negative terms */
    int64_t n_pending;                  /* additions since the digits were last carried */
    int32_t low, high;                  /* digits outside low..high are zero */
    uint32_t seen;                      /* kinds of terms met: CF_SEEN_* of internal.h */
};

void cf_accumulator_clear(struct cf_accumulator *acc);
void cf_accumulator_add(struct cf_accumulator *acc, double x);
void cf_accumulator_add_product(struct cf_accumulator *acc, double x, double y);
/* Adds all terms of `from`; the same result in any order and grouping. The two must be different
 * objects. */
void cf_accumulator_merge(struct cf_accumulator *into, const struct cf_accumulator *from);
/* The three roundings: of the sum of the terms, of the sum of their magnitudes, and of the square
 * root of the sum of the terms, which must not be negative then. lo of the root is within 2 ulp of
 * exact - rounded. */
struct cf_truth cf_accumulator_round(const struct cf_accumulator *acc, enum cf_exact_format format);
struct cf_truth cf_accumulator_round_scale(const struct cf_accumulator *acc,
                                           enum cf_exact_format format);
struct cf_truth cf_accumulator_round_sqrt(const struct cf_accumulator *acc,
                                          enum cf_exact_format format);

/* Reductions of contiguous vectors, x and y: [n]. n >= 0; n <= 2^48. threads: how many threads
 * share the work, at least 1; the result has the same bits for each. bf16 and f16 data come widened
 * to f32. */
void cf_exact_sum_f64(struct cf_truth *out, const double *x, int64_t n, enum cf_exact_format format,
                      int threads);
void cf_exact_sum_f32(struct cf_truth *out, const float *x, int64_t n, enum cf_exact_format format,
                      int threads);
void cf_exact_asum_f64(struct cf_truth *out, const double *x, int64_t n,
                       enum cf_exact_format format, int threads);
void cf_exact_asum_f32(struct cf_truth *out, const float *x, int64_t n, enum cf_exact_format format,
                       int threads);
void cf_exact_dot_f64(struct cf_truth *out, const double *x, const double *y, int64_t n,
                      enum cf_exact_format format, int threads);
void cf_exact_dot_f32(struct cf_truth *out, const float *x, const float *y, int64_t n,
                      enum cf_exact_format format, int threads);
/* The correctly rounded root of the exact sum of squares. */
void cf_exact_nrm2_f64(struct cf_truth *out, const double *x, int64_t n,
                       enum cf_exact_format format, int threads);
void cf_exact_nrm2_f32(struct cf_truth *out, const float *x, int64_t n, enum cf_exact_format format,
                       int threads);
/* dot of x[i * incx] and y[i * incy], i = 0 .. n-1; any strides, also 0 and negative ones. */
void cf_exact_dot_strided_f64(struct cf_truth *out, const double *x, int64_t incx, const double *y,
                              int64_t incy, int64_t n, enum cf_exact_format format, int threads);
void cf_exact_dot_strided_f32(struct cf_truth *out, const float *x, int64_t incx, const float *y,
                              int64_t incy, int64_t n, enum cf_exact_format format, int threads);
/* dot of x[ix[i]] and y[iy[i]]: the terms of a convolution, say, without those that padding cuts
 * off. */
void cf_exact_dot_gather_f64(struct cf_truth *out, const double *x, const int64_t *ix,
                             const double *y, const int64_t *iy, int64_t n,
                             enum cf_exact_format format);
void cf_exact_dot_gather_f32(struct cf_truth *out, const float *x, const int64_t *ix,
                             const float *y, const int64_t *iy, int64_t n,
                             enum cf_exact_format format);

/* c[i][j] = sum over l of a[i][l] * b[l][j].  a: [m][k], b: [k][n], c: [m][n], all row-major and
 * dense. `rounded` is always the correctly rounded value. An element is either certified by a bound
 * or computed by the exact dot; n_fallback (may be NULL) receives how many took the second way. For
 * a certified element, with u the unit roundoff of the format: lo is within 2^-20 * u * scale of
 * exact - rounded, and scale is at least the sum of |a * b| and within 1 + 2^-40 of it. The same
 * bits for any number of threads. Allocates working memory of the order of its operands; aborts
 * when there is none. */
void cf_exact_gemm_f32(struct cf_truth *c, const float *a, const float *b, int64_t m, int64_t n,
                       int64_t k, enum cf_exact_format format, int threads, int64_t *n_fallback);
void cf_exact_gemm_f64(struct cf_truth *c, const double *a, const double *b, int64_t m, int64_t n,
                       int64_t k, enum cf_exact_format format, int threads, int64_t *n_fallback);

/* The instruction sets that the library has code for, in the order of preference from last to
 * first. The best that the processor has is used. For tests: force returns false, and changes
 * nothing, when the processor lacks it. Not to be called while another thread computes. */
enum cf_exact_isa { CF_EXACT_PORTABLE, CF_EXACT_AVX2, CF_EXACT_AVX512, CF_EXACT_ISAS };
bool cf_exact_force_isa(enum cf_exact_isa isa);
enum cf_exact_isa cf_exact_best_isa(void);
const char *cf_exact_isa_name(enum cf_exact_isa isa);

#endif
