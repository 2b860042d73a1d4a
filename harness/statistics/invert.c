#include "invert.h"

#include <stdlib.h>

/* The sign of this is the sign of (root - x), whichever way the curve runs. */
static void distance(mpfr_ptr out, mpfr_srcptr x, const struct cf_curve *c)
{
    c->at(out, x, c);
    mpfr_div(out, c->rising ? c->target : out, c->rising ? out : c->target, MPFR_RNDN);
    mpfr_log(out, out, MPFR_RNDN);
}

/* The bracket and the values at its ends; `stale` counts steps that did not halve it. */
struct bracket {
    mpfr_t low, high, f_low, f_high, width;
    int last_side, stale;
};

/* Asks at x = 2^exponent, and keeps the value for the end that this becomes. */
static bool root_is_above(long exponent, struct bracket *b, mpfr_ptr f, const struct cf_curve *c)
{
    bool above;

    mpfr_set_ui_2exp(b->width, 1, exponent, MPFR_RNDN);
    distance(f, b->width, c);
    above = mpfr_cmp_ui(f, 0) > 0;
    mpfr_swap(f, above ? b->f_low : b->f_high);
    return above;
}

/* A series costs more the farther out it is asked: steps of one octave first. */
static long next_step(long step, long reached)
{
    return labs(reached) < 12 ? 1 : 2 * step;
}

/* The ends become 2^e < root <= 2^(e+1): growing steps, then bisection of the exponent. */
static void bracket_find(struct bracket *b, mpfr_ptr f, const struct cf_curve *c)
{
    const long limit = 1L << 40;
    long low, high, step = 1;

    if (root_is_above(0, b, f, c)) {
        for (low = 0, high = 1; high < limit && root_is_above(high, b, f, c); high += step) {
            low = high;
            step = next_step(step, high);
        }
    } else {
        for (high = 0, low = -1; low > -limit && !root_is_above(low, b, f, c); low -= step) {
            high = low;
            step = next_step(step, low);
        }
    }
    while (high - low > 1) {
        const long middle = low + (high - low) / 2;

        if (root_is_above(middle, b, f, c))
            low = middle;
        else
            high = middle;
    }
    mpfr_set_ui_2exp(b->low, 1, low, MPFR_RNDN);
    mpfr_set_ui_2exp(b->high, 1, high, MPFR_RNDN);
    mpfr_set_inf(b->width, 1);
}

/* x moves to where it is at least `least` inside both ends: where an end already is the root to
 * within that distance, the next step then closes the bracket from the other side. */
static void bracket_clamp(mpfr_ptr x, mpfr_ptr spare, const struct bracket *b, mpfr_exp_t least)
{
    mpfr_set_ui_2exp(spare, 1, least, MPFR_RNDN);
    mpfr_add(spare, b->low, spare, MPFR_RNDN);
    mpfr_max(x, x, spare, MPFR_RNDN);
    mpfr_set_ui_2exp(spare, 1, least, MPFR_RNDN);
    mpfr_sub(spare, b->high, spare, MPFR_RNDN);
    mpfr_min(x, x, spare, MPFR_RNDN);
}

static void bracket_choose(mpfr_ptr x, const struct bracket *b, mpfr_prec_t bits)
{
    mpfr_t slope;

    mpfr_init2(slope, mpfr_get_prec(x));
    if (b->stale > 3) {
        mpfr_add(x, b->low, b->high, MPFR_RNDN);
        mpfr_div_2ui(x, x, 1, MPFR_RNDN);
    } else {
        mpfr_sub(slope, b->f_low, b->f_high, MPFR_RNDN);
        mpfr_sub(x, b->high, b->low, MPFR_RNDN);
        mpfr_mul(x, x, b->f_low, MPFR_RNDN);
        mpfr_div(x, x, slope, MPFR_RNDN);
        mpfr_add(x, x, b->low, MPFR_RNDN);
        bracket_clamp(x, slope, b, mpfr_get_exp(b->high) - 4 - (mpfr_exp_t)bits);
    }
    mpfr_clear(slope);
}

/* The end with the sign of f moves to x; an end that stays twice has its value halved. */
static void bracket_shrink(struct bracket *b, mpfr_srcptr x, mpfr_srcptr f)
{
    const int side = mpfr_cmp_ui(f, 0) > 0 ? -1 : 1;
    mpfr_ptr other = side < 0 ? b->f_high : b->f_low;

    mpfr_set(side < 0 ? b->low : b->high, x, MPFR_RNDN);
    mpfr_set(side < 0 ? b->f_low : b->f_high, f, MPFR_RNDN);
    if (mpfr_zero_p(f))
        mpfr_set(b->low, x, MPFR_RNDN);
    if (side == b->last_side)
        mpfr_div_2ui(other, other, 1, MPFR_RNDN);
    b->last_side = side;
}

static bool bracket_is_narrow(struct bracket *b, mpfr_prec_t bits)
{
    mpfr_t width;
    bool narrow;

    mpfr_init2(width, 64);
    mpfr_sub(width, b->high, b->low, MPFR_RNDU);
    narrow =
        mpfr_zero_p(width) || mpfr_get_exp(width) <= mpfr_get_exp(b->high) - 2 - (mpfr_exp_t)bits;
    mpfr_mul_2ui(width, width, 1, MPFR_RNDU);
    if (mpfr_lessequal_p(width, b->width)) {
        mpfr_div_2ui(b->width, width, 1, MPFR_RNDU);
        b->stale = 0;
    } else {
        ++b->stale;
    }
    mpfr_clear(width);
    return narrow;
}

void cf_invert(mpfr_ptr out, const struct cf_curve *c)
{
    const mpfr_prec_t target = mpfr_get_prec(out) + 4, bits = target + 32;
    struct bracket b = {.last_side = 0};
    mpfr_t x, f;

    mpfr_inits2(bits, x, f, b.low, b.high, b.f_low, b.f_high, b.width, (mpfr_ptr)0);
    bracket_find(&b, f, c);
    while (!bracket_is_narrow(&b, target)) {
        bracket_choose(x, &b, target);
        distance(f, x, c);
        bracket_shrink(&b, x, f);
    }
    mpfr_set(out, b.high, MPFR_RNDN);
    mpfr_clears(x, f, b.low, b.high, b.f_low, b.f_high, b.width, (mpfr_ptr)0);
}
