/* invert: the x > 0 at which a monotone probability takes a given value. Private to this folder.
 *
 * The root is first caught between two powers of two, then narrowed inside a bracket that is never
 * left: Illinois secant steps (Dowell and Jarratt, BIT 11, 1971), bisection wherever three steps
 * did not halve the bracket. Work is done on ln(probability / target), so that a target of 1e-290
 * is as easy as one of 0.05. */
#ifndef CF_INVERT_H
#define CF_INVERT_H

#include <mpfr.h>
#include <stdbool.h>

/* Which probability, with its parameters: the inverter reads `at`, `target` and `rising` only. */
struct cf_curve {
    void (*at)(mpfr_ptr out, mpfr_srcptr x, const struct cf_curve *); /* in (0, 1], monotone */
    mpfr_srcptr target; /* in (0, 1), strictly between the limits of `at` at 0 and at infinity */
    bool rising;        /* `at` grows with x */
    mpfr_srcptr nu, constant;
    long k, n;
};

/* out = the root, to the precision of out. */
void cf_invert(mpfr_ptr out, const struct cf_curve *);

#endif
