/* The witness of the exact reference: sums and products by MPFR, wide enough that nothing rounds,
 * and data that is drawn to be nasty. Included by the tests and the fuzz harness of reference/exact
 * only. */
#ifndef CF_EXACT_WITNESS_H
#define CF_EXACT_WITNESS_H

#include "exact.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <mpfr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WITNESS_BITS = 2148 + 2048 + 64 + 8
}; /* from the last bit of a product to 2^64 of the largest */

enum witness_op { WITNESS_SUM, WITNESS_ASUM, WITNESS_DOT, WITNESS_NRM2, WITNESS_OPS };

static const struct {
    int precision, last, overflow;
} witness_formats[] = {{53, -1074, 1024}, {24, -149, 128}, {8, -133, 128}, {11, -24, 16}};

struct witness {
    mpfr_t exact, scale, term, root, rounded;
};

static inline void witness_start(struct witness *w)
{
    mpfr_set_emin(mpfr_get_emin_min());
    mpfr_set_emax(mpfr_get_emax_max());
    mpfr_inits2(WITNESS_BITS, w->exact, w->scale, w->root, w->rounded, (mpfr_ptr)0);
    mpfr_init2(w->term, 106);
}

static inline void witness_stop(struct witness *w)
{
    mpfr_clears(w->exact, w->scale, w->root, w->rounded, w->term, (mpfr_ptr)0);
    mpfr_free_cache();
}

/* MPFR's own rules for signed zeros, infinities and NaN are those of IEEE 754. Starting from -0
 * keeps a sum of -0 terms at -0. */
static inline void witness_sum(struct witness *w, enum witness_op op, const double *x,
                               const double *y, int64_t n)
{
    mpfr_set_zero(w->exact, n > 0 ? -1 : 1);
    mpfr_set_zero(w->scale, 1);
    for (int64_t i = 0; i < n; ++i) {
        mpfr_set_d(w->term, x[i], MPFR_RNDN);
        if (op == WITNESS_ASUM)
            mpfr_abs(w->term, w->term, MPFR_RNDN);
        if (op == WITNESS_DOT || op == WITNESS_NRM2)
            mpfr_mul_d(w->term, w->term, op == WITNESS_DOT ? y[i] : x[i], MPFR_RNDN);
        mpfr_add(w->exact, w->exact, w->term, MPFR_RNDN);
        mpfr_abs(w->term, w->term, MPFR_RNDN);
        mpfr_add(w->scale, w->scale, w->term, MPFR_RNDN);
    }
    if (op == WITNESS_NRM2) {
        mpfr_sqrt(w->exact, w->exact,
                  MPFR_RNDN); /* a tie of the root has few bits and is exact here */
        mpfr_set(w->scale, w->exact, MPFR_RNDN);
    }
}

/* One rounding to a format, by the definition: to the nearest multiple of the unit in the last
 * place. */
static inline double witness_round(struct witness *w, const mpfr_t x, enum cf_exact_format format)
{
    long unit;
    double r;

    if (!mpfr_regular_p(x))
        return mpfr_get_d(x, MPFR_RNDN);
    unit = (long)mpfr_get_exp(x) - witness_formats[format].precision;
    unit = unit > witness_formats[format].last ? unit : witness_formats[format].last;
    mpfr_mul_2si(w->rounded, x, -unit, MPFR_RNDN);
    mpfr_rint(w->rounded, w->rounded, MPFR_RNDN);
    mpfr_mul_2si(w->rounded, w->rounded, unit, MPFR_RNDN);
    if (mpfr_regular_p(w->rounded) && mpfr_get_exp(w->rounded) > witness_formats[format].overflow)
        mpfr_set_inf(w->rounded, mpfr_sgn(w->rounded));
    r = mpfr_get_d(w->rounded, MPFR_RNDN);
    return copysign(r, mpfr_signbit(x) ? -1.0 : 1.0);
}

static inline struct cf_truth witness_truth(struct witness *w, enum cf_exact_format format)
{
    struct cf_truth t = {0};

    t.rounded = witness_round(w, w->exact, format);
    t.scale = mpfr_get_d(w->scale, MPFR_RNDU);
    if (isfinite(t.rounded)) {
        mpfr_sub_d(w->root, w->exact, t.rounded, MPFR_RNDN);
        t.lo = witness_round(w, w->root, CF_EXACT_F64);
    }
    return t;
}

/* The same number in the same encoding, or both NaN. */
static inline bool witness_same(double a, double b)
{
    return (a != a && b != b) || memcmp(&a, &b, sizeof a) == 0;
}

static inline bool witness_agrees(const struct cf_truth *exact, const struct cf_truth *got,
                                  enum witness_op op)
{
    const double slack =
        op == WITNESS_NRM2 ? 4 * DBL_EPSILON * fabs(exact->lo) + 2 * DBL_TRUE_MIN : 0;

    return witness_same(exact->rounded, got->rounded) && witness_same(exact->scale, got->scale) &&
           fabs(exact->lo - got->lo) <= slack;
}

/* --- data --- */

static inline uint64_t witness_draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15; /* splitmix64, Steele, Lea and Flood, 2014 */

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* A random significand at a given exponent; some of them short, so that sums meet ties. */
static inline double witness_number(uint64_t *state, int exponent)
{
    const uint64_t r = witness_draw(state);
    const int drop = (r & 3) == 0 ? (int)(r >> 2 & 63) % 53 : 0;
    const double significand = 1 + (double)(r >> 12 >> drop) * ldexp(1, drop - 52);

    return ldexp((r & 1024) != 0 ? -significand : significand, exponent);
}

enum witness_fill {
    FILL_ANY,
    FILL_NARROW,
    FILL_TIE,
    FILL_CANCEL,
    FILL_TINY,
    FILL_HUGE,
    FILL_ZERO,
    FILL_SPECIAL,
    FILL_WIDE,
    FILLS
};

struct witness_range {
    int least, most; /* exponents of the type */
    int precision;
};

static const struct witness_range witness_f64 = {-1074, 1023, 53}, witness_f32 = {-149, 127, 24};

static inline int witness_between(uint64_t *state, int least, int most)
{
    return least + (int)(witness_draw(state) % (uint64_t)(most - least + 1));
}

static inline double witness_special(uint64_t *state)
{
    static const double some[] = {INFINITY, -INFINITY, NAN, 0.0, -0.0, 1.0};

    return some[witness_draw(state) %
                (witness_draw(state) % 8 == 0 ? 6 : 1 + witness_draw(state) % 2)];
}

static inline double witness_term(uint64_t *state, enum witness_fill fill,
                                  const struct witness_range *r, int center)
{
    const uint64_t z = witness_draw(state);

    switch (fill) {
    case FILL_NARROW:
        return witness_number(state, center - (int)(z % 12));
    case FILL_WIDE:
        return witness_number(state, center - (int)(z % 100));
    case FILL_TINY:
        return witness_number(state, r->least + (int)(z % 60));
    case FILL_HUGE:
        return witness_number(state, r->most - (int)(z % 4));
    case FILL_ZERO:
        return (z & 1) != 0 ? -0.0 : (z & 62) == 0 ? 0.0 : -0.0;
    case FILL_SPECIAL:
        return z % 4 == 0 ? witness_special(state) : witness_number(state, center);
    default:
        return witness_number(state, witness_between(state, r->least, r->most));
    }
}

/* A number, half its unit in the last place of some format, and perhaps a crumb: the nearest answer
 * is on one side, on the other, or a tie, and going through another format first spoils it. */
static inline void witness_tie(uint64_t *state, double *x, int64_t n, int center)
{
    static const int precisions[] = {53, 24, 8, 11};
    const int p = precisions[witness_draw(state) % 4];
    const double main = ldexp(trunc(ldexp(witness_number(state, 0), p - 1)), center - p + 1);

    for (int64_t i = 0; i < n; ++i)
        x[i] = 0;
    x[0] = main;
    if (n > 1)
        x[1] = ldexp((witness_draw(state) & 1) != 0 ? 1 : -1, center - p);
    if (n > 2 && witness_draw(state) % 3 != 0)
        x[2] = witness_number(state, center - p - 1 - (int)(witness_draw(state) % 60));
    if (n > 3 && witness_draw(state) % 2 != 0)
        x[3] = -x[2];
}

static inline void witness_shuffle(uint64_t *state, double *x, int64_t n)
{
    for (int64_t i = n - 1; i > 0; --i) {
        const int64_t j = (int64_t)(witness_draw(state) % (uint64_t)(i + 1));
        const double t = x[i];

        x[i] = x[j];
        x[j] = t;
    }
}

/* n numbers of a type; the fill and the place in the range are drawn as well. */
static inline void witness_fill(uint64_t *state, double *x, int64_t n,
                                const struct witness_range *r)
{
    const enum witness_fill fill = (enum witness_fill)(witness_draw(state) % FILLS);
    const int center = witness_between(state, r->least, r->most);

    if (n == 0)
        return;
    if (fill == FILL_TIE)
        witness_tie(state, x, n, center);
    for (int64_t i = 0; i < n && fill != FILL_TIE; ++i) {
        x[i] = witness_term(state, fill, r, center);
        if (fill == FILL_CANCEL && i > 0 && (i & 1) != 0 && i + 1 < n)
            x[i] = -x[i - 1];
    }
    for (int64_t i = 0; i < n && r->precision == 24; ++i)
        x[i] = (double)(float)x[i];
    if (n < 1000)
        witness_shuffle(state, x, n);
}

/* --- the library's answer, from the same doubles --- */

static inline float *witness_narrow(const double *x, int64_t n)
{
    float *to = malloc((size_t)(n > 0 ? n : 1) * sizeof *to);

    for (int64_t i = 0; i < n; ++i)
        to[i] = (float)x[i];
    return to;
}

static inline struct cf_truth witness_got(enum witness_op op, const double *x, const double *y,
                                          int64_t n, enum cf_exact_format format, int threads)
{
    struct cf_truth t;

    if (op == WITNESS_SUM)
        cf_exact_sum_f64(&t, x, n, format, threads);
    else if (op == WITNESS_ASUM)
        cf_exact_asum_f64(&t, x, n, format, threads);
    else if (op == WITNESS_DOT)
        cf_exact_dot_f64(&t, x, y, n, format, threads);
    else
        cf_exact_nrm2_f64(&t, x, n, format, threads);
    return t;
}

static inline struct cf_truth witness_got_f32(enum witness_op op, const float *x, const float *y,
                                              int64_t n, enum cf_exact_format format, int threads)
{
    struct cf_truth t;

    if (op == WITNESS_SUM)
        cf_exact_sum_f32(&t, x, n, format, threads);
    else if (op == WITNESS_ASUM)
        cf_exact_asum_f32(&t, x, n, format, threads);
    else if (op == WITNESS_DOT)
        cf_exact_dot_f32(&t, x, y, n, format, threads);
    else
        cf_exact_nrm2_f32(&t, x, n, format, threads);
    return t;
}

#endif
