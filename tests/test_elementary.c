/* elementary: the references of exp, log, sin, cos, tanh and erf against known values, their draws,
 * and a float function that lies by some ulp. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "accuracy.h"
#include "reference.h"

/* Correctly rounded values that are in every table (Abramowitz and Stegun, 1964, chapters 4, 7). */
Test(elementary, known_values)
{
    static const struct {
        const char *op;
        double x, y;
    } known[] = {{"exp", 1, 0x1.5bf0a8b145769p+1},      {"exp", 0, 1},
                 {"log", 2, 0x1.62e42fefa39efp-1},      {"log", 1, 0},
                 {"sin", 1, 0x1.aed548f090ceep-1},      {"cos", 1, 0x1.14a280fb5068cp-1},
                 {"tanh", 1, 0x1.85efab514f394p-1},     {"erf", 1, 0x1.af767a741088bp-1},
                 {"gelu_fwd", 1, 0x1.aec4bd120d37dp-1}, {"gelu_fwd", 0, 0}};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; ++i) {
        const struct cf_op *op = cf_op_find(known[i].op);
        double x = known[i].x;
        const struct cf_tensor in[] = {{.dtype = CF_F64, .rank = 1, .dim = {1}, .bits = &x}};
        mpfr_t exact, scale;

        cr_assert(op != NULL, "%s", known[i].op);
        mpfr_inits2(64, exact, scale, (mpfr_ptr)NULL);
        op->element(exact, scale, NULL, in, 0, 0);
        cr_assert(mpfr_get_d(exact, MPFR_RNDN) == known[i].y, "%s(%a): %a", known[i].op, x,
                  mpfr_get_d(exact, MPFR_RNDN));
        mpfr_clears(exact, scale, (mpfr_ptr)NULL);
    }
}

/* How many of the results of `f` are correctly rounded, of a case; and of n elements that fail the
 * bound. */
static void judge(const char *text, double (*f)(double), int *n_right, int64_t *n_wrong)
{
    struct cf_case c;
    struct cf_reference reference;
    struct cf_accuracy accuracy;
    const struct cf_accuracy_rule rule = {.lambda = 5};
    struct cf_tensor out;
    struct cf_error err = {.text = ""};

    cr_assert(cf_case_parse(&c, text, cf_op_grammar, &err) == 0, "%s", err.text);
    cr_assert(cf_reference_open(&reference, &c, cf_op_find(c.op), NULL, 1, 0, &err) == 0, "%s",
              err.text);
    out = reference.out[0];
    cf_tensor_alloc(&out);
    *n_right = 0;
    for (int64_t i = 0; i < cf_tensor_count(&out); ++i) {
        const double dy =
            reference.op->n_inputs == 2 ? cf_tensor_get(&reference.in[1], i) : 1; /* a gradient */

        cf_tensor_set(&out, i, dy * f(cf_tensor_get(&reference.in[0], i)));
        *n_right += cf_tensor_get(&out, i) == reference.truth[0][i].rounded;
    }
    cr_assert(
        cf_accuracy_judge(&accuracy, &reference, &rule, out.bits, cf_tensor_bytes(&out), &err) == 0,
        "%s", err.text);
    *n_wrong = accuracy.gate[CF_S3].n_failed;
    cf_tensor_free(&out);
    cf_reference_close(&reference);
    cf_case_free(&c);
}

static double sloppy(double x)
{
    return exp(x) * (1 + 40 * DBL_EPSILON);
}

static double nearly(double x)
{
    return nextafter(exp(x), INFINITY);
}

static double gelu(double x)
{
    return x * (1 + erf(x * 0x1.6a09e667f3bcdp-1)) / 2;
}

/* The approximation of the same paper. */
static double gelu_by_tanh(double x)
{
    return x * (1 + tanh(0x1.9884533d43651p-1 * (x + 0.044715 * x * x * x))) / 2;
}

static double gelu_slope(double x)
{
    return (1 + erf(x * 0x1.6a09e667f3bcdp-1)) / 2 + x * exp(-x * x / 2) * 0x1.9884533d43651p-2;
}

/* Its second term forgotten for negative arguments. */
static double half_slope(double x)
{
    return x > 0 ? gelu_slope(x) : (1 + erf(x * 0x1.6a09e667f3bcdp-1)) / 2;
}

static double single(double x)
{
    return expf((float)x);
}

Test(elementary, hard_is_harder_and_sloppy_is_wrong)
{
    int usual, hard;
    int64_t wrong;

    judge("exp f64 n=256 range=hard", nearly, &hard, &wrong);
    cr_assert(hard < 60 && wrong == 0, "%d %lld", hard, (long long)wrong);
    judge("exp f64 n=256", exp, &usual, &wrong);
    cr_assert(usual > 200 && wrong == 0, "%d", usual);
    judge("exp f64 n=256", sloppy, &usual, &wrong);
    cr_assert(usual < 5 && wrong == 256, "%d %lld", usual, (long long)wrong);
    judge("gelu_fwd f64 n=256", gelu, &usual, &wrong);
    cr_assert(usual > 20 && wrong == 0, "%d %lld", usual, (long long)wrong);
    judge("gelu_fwd f64 n=256", gelu_by_tanh, &usual, &wrong);
    cr_assert(wrong > 100, "%d %lld", usual, (long long)wrong);
    judge("gelu_bwd f64 n=256", gelu_slope, &usual, &wrong);
    cr_assert(usual > 20 && wrong == 0, "%d %lld", usual, (long long)wrong);
    judge("gelu_bwd f64 n=256", half_slope, &usual, &wrong);
    cr_assert(wrong > 60, "%d %lld", usual, (long long)wrong);
    judge("exp f32 n=8192 range=whole step=524288", single, &usual, &wrong);
    cr_assert(usual > 8000 && wrong == 0, "%d %lld", usual, (long long)wrong);
}

/* The derivative of gelu against the difference quotient, which is off by a sixth of h^2 times the
 * third derivative (at most 1), and the right rounding of values far out. */
Test(elementary, gelu_bwd_is_the_derivative)
{
    const struct cf_op *forward = cf_op_find("gelu_fwd"), *backward = cf_op_find("gelu_bwd");
    mpfr_t exact, scale;

    mpfr_inits2(64, exact, scale, (mpfr_ptr)NULL);
    for (double x = -9; x <= 9; x += 0.375) {
        double at[3] = {x - 0x1p-14, x + 0x1p-14, x}, y[3], dy = -1.5;
        struct cf_tensor in[] = {{.dtype = CF_F64, .rank = 1, .dim = {3}, .bits = at},
                                 {.dtype = CF_F64, .rank = 1, .dim = {1}, .bits = &dy}};

        for (int64_t k = 0; k < 2; ++k) {
            forward->element(exact, scale, NULL, in, 0, k);
            y[k] = mpfr_get_d(exact, MPFR_RNDN);
        }
        in[0].bits = &at[2];
        backward->element(exact, scale, NULL, in, 0, 0);
        y[2] = mpfr_get_d(exact, MPFR_RNDN);
        cr_assert(fabs(y[2] - dy * (y[1] - y[0]) * 0x1p13) <= 1.5 * 0x1p-28 + 0x1p-36, "x = %g: %a",
                  x, y[2]);
        cr_assert(mpfr_get_d(scale, MPFR_RNDN) >= fabs(y[2]));
    }
    mpfr_clears(exact, scale, (mpfr_ptr)NULL);
}

Test(elementary, whole_range_has_every_class)
{
    struct cf_case c;
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    struct cf_error err = {.text = ""};
    int n_nan = 0, n_negative = 0, n_subnormal = 0;

    cr_assert(cf_case_parse(&c, "log f32 n=65536 range=whole step=65536", cf_op_grammar, &err) ==
              0);
    cr_assert(cf_case_draw(&c, cf_op_find("log"), in, out, &err) == 0, "%s", err.text);
    for (int64_t i = 0; i < 65536; ++i) {
        const double x = cf_tensor_get(&in[0], i);

        n_nan += isnan(x);
        n_negative += x < 0;
        n_subnormal += x > 0 && x < FLT_MIN;
    }
    cr_assert(n_nan > 100 && n_negative > 30000 && n_subnormal > 100);
    cf_tensor_free(&in[0]);
    cf_case_free(&c);
    cr_assert(cf_case_parse(&c, "log f32 n=4 range=odd", cf_op_grammar, &err) == 0);
    cr_assert(cf_case_draw(&c, cf_op_find("log"), in, out, &err) != 0);
    cf_case_free(&c);
}
