/* support_elementary: what the references of elementary functions share. x, y: [n], y[i] = f(x[i]).
 *
 * Inputs are chosen for the function, whatever fill= says, by range=:
 *   usual  spread over the arguments that programs use
 *   hard   of 64 arguments drawn from there the one whose exact value lies nearest to the middle
 *          between two numbers of the type: where a function that is good to 0.51 ulp rounds
 *          wrongly (Muller, Elementary Functions, 2016, section 12: the table maker's dilemma)
 *   whole  element i has the encoding first + i * step: with step=65536 and n=65536 all of f32
 *
 * The bound: CF_ELEMENTARY_U u of the value, and one smallest subnormal. The GNU C library's
 * manual, "Known Maximum Errors in Math Functions", states at most 2 ulp for these on x86-64;
 * vector libraries allow themselves 4 ulp, which is 8 u. Correct rounding shows as an error of at
 * most 1, in units of u * scale. */
#ifndef CF_SUPPORT_ELEMENTARY_H
#define CF_SUPPORT_ELEMENTARY_H

#include "reference.h"
#include "support_group.h"
#include "support_single.h"

#define CF_ELEMENTARY_BITS    320 /* exact for our purpose: more than 2 * 53 + 64 */
#define CF_ELEMENTARY_OPTIONS "range=usual first=0 step=1"
#define CF_ELEMENTARY_SOURCE  "Muller, Elementary Functions, 2016, section 12; glibc manual, 19.7"

/* `low` and `high` bound the usual arguments; `spread`: by exponent, else evenly. */
struct cf_elementary {
    void (*function)(mpfr_t y, const mpfr_t x); /* both of CF_ELEMENTARY_BITS */
    double low, high;
    int spread; /* 1: positive; 2: of both signs */
};

int cf_elementary_shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                        struct cf_error *err);
int cf_elementary_draw(const struct cf_elementary *f, const struct cf_case *c,
                       struct cf_tensor in[], struct cf_error *err);
void cf_elementary_element(const struct cf_elementary *f, mpfr_t exact, mpfr_t scale,
                           const struct cf_tensor in[], int64_t i);
/* Where a result is below the normal numbers of the type, its scale is the smallest of them. */
void cf_elementary_floor(mpfr_t scale, enum cf_dtype dtype);
int64_t cf_elementary_terms(const struct cf_case *c, int o, int64_t i);

/* A whole op: its name, MPFR's function, what it is in words, and the usual arguments as above. */
#define CF_ELEMENTARY_OP(NAME, FUNCTION, WHY, LOW, HIGH, SPREAD)                                   \
    static void function(mpfr_t y, const mpfr_t x)                                                 \
    {                                                                                              \
        FUNCTION(y, x, MPFR_RNDN);                                                                 \
    }                                                                                              \
    static const struct cf_elementary elementary = {function, LOW, HIGH, SPREAD};                  \
    static int draw(const struct cf_case *c, struct cf_tensor in[], struct cf_error *err)          \
    {                                                                                              \
        return cf_elementary_draw(&elementary, c, in, err);                                        \
    }                                                                                              \
    static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,                       \
                        const struct cf_tensor in[], int o, int64_t i)                             \
    {                                                                                              \
        (void)c;                                                                                   \
        (void)o;                                                                                   \
        cf_elementary_element(&elementary, exact, scale, in, i);                                   \
    }                                                                                              \
    const struct cf_op cf_op_##NAME = {                                                            \
        .grammar = {.op = #NAME, .dims = "n", .options = CF_ELEMENTARY_OPTIONS},                   \
        .why = WHY,                                                                                \
        .source = CF_ELEMENTARY_SOURCE,                                                            \
        .n_inputs = 1,                                                                             \
        .n_outputs = 1,                                                                            \
        .reduce_dim = {-1},                                                                        \
        .shape = cf_elementary_shape,                                                              \
        .draw = draw,                                                                              \
        .element = element,                                                                        \
        .values = cf_single_##NAME,                                                                \
        .terms = cf_elementary_terms,                                                              \
        .extra_roundings = CF_ELEMENTARY_U}

#endif
