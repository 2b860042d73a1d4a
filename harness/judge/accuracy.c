#include "accuracy.h"

#include <math.h>
#include <string.h>

/* Errors this near the bound are measured again by MPFR: the doubles here are good to 2^-20. */
#define NEAR 0x1p-10
/* Below this scale u * scale may leave the range of double, and MPFR measures every element. */
#define SMALL_SCALE 0x1p-900

/* What one element is judged with. */
struct element {
    const struct cf_truth *truth;
    double got, error, allowed; /* units of u * scale; error >= 0 or NaN */
    double terms, extra;
    int64_t i;
    int o;
};

struct judging {
    struct cf_accuracy *accuracy;
    const struct cf_reference *reference;
    const struct cf_accuracy_rule *rule;
    enum cf_dtype dtype;
    int is_exact_fill, is_random_fill;
    double most_terms; /* of any element of the output at hand, for a fast algorithm */
};

double cf_accuracy_lambda(double n_max, double n_outputs)
{
    return sqrt(2 * log(2 * n_max * n_outputs / 1e-3));
}

static int is_one_of(const char *word, const char *const words[], int n)
{
    for (int i = 0; i < n; ++i)
        if (strcmp(word, words[i]) == 0)
            return 1;
    return 0;
}

int cf_accuracy_is_exact_fill(const struct cf_case *c)
{
    static const char *const fills[] = {"integer", "spike", "small"};

    return is_one_of(c->fill, fills, CF_COUNT(fills));
}

int cf_accuracy_is_random_fill(const struct cf_case *c)
{
    static const char *const fills[] = {"normal",   "uniform", "cancel10",
                                        "cancel20", "wide",    "digits"};

    return is_one_of(c->fill, fills, CF_COUNT(fills));
}

double cf_accuracy_error(const struct cf_truth *truth, double got, enum cf_dtype dtype)
{
    const double e = (got - truth->rounded) - truth->lo;
    const double u = cf_dtype_digits(dtype) ? cf_dtype_u(dtype) : 1;

    if (e == 0)
        return 0;
    return isfinite(got) && isfinite(truth->rounded) ? e / truth->scale / u : NAN;
}

/* Error over allowed error; a failure without a number is worse than all with one. */
static double badness(const struct cf_gate_tally *tally)
{
    const double ratio = tally->error == 0 ? 0 : tally->error / tally->allowed;

    return isnan(ratio) ? (tally->n_failed > 0 ? INFINITY : 0) : ratio;
}

int cf_gate_tally_add(struct cf_gate_tally *into, const struct cf_gate_tally *from)
{
    const int more_failed = (from->n_failed > 0) - (into->n_failed > 0);
    const int worse = more_failed > 0 || (more_failed == 0 && badness(from) > badness(into));
    const int taken = from->n_judged > 0 && (into->n_judged == 0 || worse);
    struct cf_gate_tally sum = taken ? *from : *into;

    sum.n_judged = into->n_judged + from->n_judged;
    sum.n_failed = into->n_failed + from->n_failed;
    *into = sum;
    return taken;
}

static void count(const struct judging *j, enum cf_gate gate, const struct element *x, int passed,
                  double allowed)
{
    const struct cf_gate_tally one = {.n_judged = 1,
                                      .n_failed = !passed,
                                      .element = x->i,
                                      .output = x->o,
                                      .got = x->got,
                                      .exact = x->truth->rounded,
                                      .error = x->error,
                                      .allowed = allowed};

    cf_gate_tally_add(&j->accuracy->gate[gate], &one);
}

/* abs(got - exact) as a multiple of what would be explained by losing a smallest normal number in
 * each of 2 n operations, beside rounding. */
static int is_flushed(const struct judging *j, const struct element *x)
{
    const double smallest =
        ldexp(cf_dtype_eta(j->dtype), cf_dtype_digits(j->dtype) - 1); /* normal number */
    const double e = fabs((x->got - x->truth->rounded) - x->truth->lo);

    return cf_dtype_digits(j->dtype) > 0 && x->truth->scale > 0 && isfinite(x->got) &&
           isfinite(x->truth->rounded) && !(x->error <= x->allowed) &&
           e <= 2 * x->terms * smallest +
                    (x->terms + x->extra) * cf_dtype_u(j->dtype) * x->truth->scale;
}

static int same_class(const struct element *x)
{
    const double exact = x->truth->rounded;

    if (isnan(exact))
        return isnan(x->got);
    if (isinf(exact))
        return x->got == exact;
    if (!isfinite(x->got))
        return 0;
    if (x->got == 0 && exact == 0 && x->truth->lo == 0 && x->truth->scale > 0)
        return !signbit(x->got) || signbit(exact);
    return 1;
}

/* S3's bound of the terms, in units of u * scale. */
static double allowed_error(const struct judging *j, const struct element *x)
{
    const double u = cf_dtype_u(j->dtype), eta = cf_dtype_eta(j->dtype), n = x->terms;

    if (cf_dtype_digits(j->dtype) == 0 || x->truth->scale == 0)
        return 0;
    return n + x->extra + n * (eta / x->truth->scale) / 2 / u;
}

/* A fast algorithm's error and bound, in units of u * (most terms * product of the largest inputs):
 * an output without terms, or all of whose terms are 0, has an error too. */
static void measure_norm(const struct judging *j, struct element *x)
{
    const double e = fabs((x->got - x->truth->rounded) - x->truth->lo);
    const double norm = cf_dtype_u(j->dtype) * j->most_terms * j->reference->product;

    if (!isfinite(x->truth->rounded))
        return;
    x->error = e == 0 ? 0 : e / norm;
    x->allowed = j->rule->growth * (j->most_terms + x->extra);
}

/* Near the bound, and where doubles run out of range, MPFR decides. */
static void measure(const struct judging *j, struct element *x)
{
    const double ratio = x->error / x->allowed;

    if (!isfinite(x->truth->rounded) || !isfinite(x->got) || x->truth->scale == 0 ||
        cf_dtype_digits(j->dtype) == 0)
        return;
    if (x->truth->scale < SMALL_SCALE || (ratio > 1 - NEAR && ratio < 1 + NEAR))
        cf_reference_measure(j->reference, x->o, x->i, x->got, &x->error, &x->allowed);
}

static void judge_random(const struct judging *j, const struct element *x)
{
    const double allowed = j->rule->lambda * sqrt(x->terms) + x->extra;

    if (j->is_random_fill && !(j->rule->growth > 0))
        count(j, CF_S4, x, x->error <= allowed, allowed);
}

static void judge_exact(const struct judging *j, const struct element *x)
{
    const int fast = j->rule->growth > 0;
    const double got = fast ? nearbyint(x->got) : x->got;

    if (j->is_exact_fill && (!fast || strcmp(j->reference->c->fill, "small") == 0))
        count(j, CF_S1, x, got == x->truth->rounded, 0);
}

static void add_error(struct cf_accuracy *accuracy, const struct element *x, double error)
{
    if (!(x->truth->scale > 0))
        return;
    ++accuracy->n_errors;
    accuracy->sum += error;
    accuracy->sum_squares += error * error;
    if (!isnan(accuracy->largest) && !(fabs(error) <= accuracy->largest))
        accuracy->largest = fabs(error);
}

static void judge_element(const struct judging *j, int o, int64_t i, double got)
{
    const struct cf_truth *truth = &j->reference->truth[o][i];
    const double error = cf_accuracy_error(truth, got, j->dtype);
    struct element x = {.truth = truth,
                        .got = got,
                        .error = fabs(error),
                        .terms = (double)j->reference->terms[o][i],
                        .extra = j->reference->op->extra_roundings,
                        .i = i,
                        .o = o};
    int flushed;

    x.allowed = allowed_error(j, &x);
    if (j->rule->growth > 0)
        measure_norm(j, &x);
    else
        measure(j, &x);
    flushed = is_flushed(j, &x);
    j->accuracy->n_flushed += flushed;
    count(j, CF_S2, &x, same_class(&x) && !flushed, x.allowed);
    if (!isfinite(truth->rounded))
        return;
    count(j, CF_S3, &x, flushed || x.error <= x.allowed, x.allowed);
    judge_exact(j, &x);
    judge_random(j, &x);
    add_error(j->accuracy, &x, error);
}

/* No verdict against a subject on the word of one reference alone. */
static int confirm(const struct judging *j, struct cf_error *err)
{
    for (int g = 0; g < CF_N_ELEMENT_GATES; ++g) {
        const struct cf_gate_tally *tally = &j->accuracy->gate[g];

        if (tally->n_failed > 0 &&
            cf_reference_confirm(j->reference, tally->output, tally->element, err) != 0)
            return -1;
    }
    return 0;
}

int cf_accuracy_judge(struct cf_accuracy *accuracy, const struct cf_reference *reference,
                      const struct cf_accuracy_rule *rule, const void *bits, uint64_t n_bytes,
                      struct cf_error *err)
{
    struct judging j = {.accuracy = accuracy,
                        .reference = reference,
                        .rule = rule,
                        .is_exact_fill =
                            reference->op->integer_exact && cf_accuracy_is_exact_fill(reference->c),
                        .is_random_fill = cf_accuracy_is_random_fill(reference->c)};
    uint64_t at = 0;

    *accuracy = (struct cf_accuracy){0};
    for (int o = 0; o < reference->op->n_outputs; ++o) {
        struct cf_tensor out = reference->out[o];
        const int64_t n = reference->op->element ? cf_tensor_count(&out) : 0;

        if (at + cf_tensor_bytes(&out) > n_bytes)
            break;
        out.bits = (char *)bits + at;
        at += cf_tensor_bytes(&out);
        j.dtype = out.dtype;
        j.most_terms = 0;
        for (int64_t i = 0; i < n; ++i)
            j.most_terms = fmax(j.most_terms, (double)reference->terms[o][i]);
        for (int64_t i = 0; i < n; ++i)
            judge_element(&j, o, i, cf_tensor_get(&out, i));
        if (!(rule->growth > 0)) /* lambda says nothing of a fast algorithm */
            cf_decisions_judge(&accuracy->gate[CF_DECISIONS], reference, rule->lambda, &out, o);
    }
    if (at != n_bytes)
        return cf_fail_with(err, 3,
                            "an output of case `%s` has %llu bytes and not the %llu of its shape; "
                            "the store was not written by this version of conform",
                            reference->c->text, (unsigned long long)n_bytes,
                            (unsigned long long)at);
    return confirm(&j, err);
}
