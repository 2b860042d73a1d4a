/* The double front ends of special.h: computed to 80 bits, rounded once. */
#include "special.h"

enum { BITS = 80 };

static double of_one(void (*f)(mpfr_ptr, mpfr_srcptr), double x)
{
    MPFR_DECL_INIT(out, BITS);
    MPFR_DECL_INIT(in, 53);

    mpfr_set_d(in, x, MPFR_RNDN);
    f(out, in);
    return mpfr_get_d(out, MPFR_RNDN);
}

static double of_two(void (*f)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr), double x, double nu)
{
    MPFR_DECL_INIT(out, BITS);
    MPFR_DECL_INIT(first, 53);
    MPFR_DECL_INIT(second, 53);

    mpfr_set_d(first, x, MPFR_RNDN);
    mpfr_set_d(second, nu, MPFR_RNDN);
    f(out, first, second);
    return mpfr_get_d(out, MPFR_RNDN);
}

static double of_count(void (*f)(mpfr_ptr, long, long, mpfr_srcptr), long k, long n, double p)
{
    MPFR_DECL_INIT(out, BITS);
    MPFR_DECL_INIT(in, 53);

    mpfr_set_d(in, p, MPFR_RNDN);
    f(out, k, n, in);
    return mpfr_get_d(out, MPFR_RNDN);
}

double cf_normal_upper_d(double z)
{
    return of_one(cf_normal_upper, z);
}

double cf_normal_quantile_d(double p)
{
    return of_one(cf_normal_quantile, p);
}

double cf_student_upper_d(double t, double nu)
{
    return of_two(cf_student_upper, t, nu);
}

double cf_student_quantile_d(double p, double nu)
{
    return of_two(cf_student_quantile, p, nu);
}

double cf_chi2_lower_d(double x, double nu)
{
    return of_two(cf_chi2_lower, x, nu);
}

double cf_chi2_quantile_d(double p, double nu)
{
    return of_two(cf_chi2_quantile, p, nu);
}

double cf_binomial_upper_d(long k, long n, double p)
{
    return of_count(cf_binomial_upper, k, n, p);
}

double cf_binomial_lower_d(long k, long n, double p)
{
    return of_count(cf_binomial_lower, k, n, p);
}

double cf_clopper_lower_d(long k, long n, double alpha)
{
    return of_count(cf_clopper_lower, k, n, alpha);
}

double cf_clopper_upper_d(long k, long n, double alpha)
{
    return of_count(cf_clopper_upper, k, n, alpha);
}
