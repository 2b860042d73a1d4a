/* What the definitions of reference/ share: sums of terms in MPFR without rounding. */
#include "reference.h"

void cf_exact_zero(mpfr_t x, mpfr_prec_t precision)
{
    mpfr_set_prec(x, precision);
    mpfr_set_zero(x, -1);
}

mpfr_prec_t cf_exact_precision(enum cf_dtype dtype, int products)
{
    const int bits = cf_dtype_digits(dtype) == 53 ? 1074 + 1024 : 149 + 128;

    return bits * (products ? 2 : 1) + 40;
}

static void add(mpfr_t exact, mpfr_t scale, mpfr_t term)
{
    mpfr_add(exact, exact, term, MPFR_RNDN);
    mpfr_abs(term, term, MPFR_RNDN);
    mpfr_add(scale, scale, term, MPFR_RNDN);
}

void cf_exact_add(mpfr_t exact, mpfr_t scale, double x)
{
    MPFR_DECL_INIT(term, 53);

    mpfr_set_d(term, x, MPFR_RNDN);
    add(exact, scale, term);
}

void cf_exact_add_product(mpfr_t exact, mpfr_t scale, double x, double y)
{
    MPFR_DECL_INIT(term, 106);

    mpfr_set_d(term, x, MPFR_RNDN);
    mpfr_mul_d(term, term, y, MPFR_RNDN);
    add(exact, scale, term);
}

void cf_exact_finish(mpfr_t exact, int64_t n_terms)
{
    if (n_terms == 0)
        mpfr_set_zero(exact, 1);
}

enum cf_exact_format cf_exact_format_of(enum cf_dtype dtype)
{
    switch (dtype) {
    case CF_F64:
        return CF_EXACT_F64;
    case CF_F16:
        return CF_EXACT_F16;
    case CF_BF16:
        return CF_EXACT_BF16;
    default:
        return CF_EXACT_F32;
    }
}
