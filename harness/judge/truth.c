#include "truth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "philox.h"

/* MPFR's exponent range of a type: values 0.1xxx * 2^e with low <= e <= high. */
struct format {
    mpfr_exp_t low, high;
};

static struct format format_of(enum cf_dtype dtype)
{
    static const struct format formats[CF_N_DTYPES] = {[CF_F64] = {-1073, 1024},
                                                       [CF_F32] = {-148, 128},
                                                       [CF_F16] = {-23, 16},
                                                       [CF_BF16] = {-132, 128}};

    return formats[dtype];
}

/* One rounding to the type, subnormals included: no double rounding. Integers round to integers. */
static double round_to(mpfr_srcptr exact, enum cf_dtype dtype)
{
    const struct format format = format_of(dtype);
    const mpfr_exp_t low = mpfr_get_emin(), high = mpfr_get_emax();
    const int digits = cf_dtype_digits(dtype);
    mpfr_t value;
    double rounded;
    int ternary;

    if (digits == 0)
        return mpfr_get_d(exact, MPFR_RNDN);
    mpfr_init2(value, digits);
    ternary = mpfr_set(value, exact, MPFR_RNDN);
    mpfr_set_emin(format.low);
    mpfr_set_emax(format.high);
    ternary = mpfr_check_range(value, ternary, MPFR_RNDN);
    mpfr_subnormalize(value, ternary, MPFR_RNDN);
    mpfr_set_emin(low);
    mpfr_set_emax(high);
    rounded = mpfr_get_d(value, MPFR_RNDN);
    mpfr_clear(value);
    return rounded;
}

void cf_reference_element(struct cf_truth *truth, const struct cf_case *c, const struct cf_op *op,
                          const struct cf_tensor in[], const struct cf_tensor *out, int o,
                          int64_t i)
{
    mpfr_t exact, scale;

    mpfr_init2(exact, 64);
    mpfr_init2(scale, 64);
    op->element(exact, scale, c, in, o, i);
    truth->rounded = round_to(exact, out->dtype);
    truth->lo = 0;
    if (isfinite(truth->rounded)) {
        mpfr_t rest;

        /* The difference needs no more digits than the exact value and the double together. */
        mpfr_init2(rest, mpfr_get_prec(exact) + 2200);
        mpfr_sub_d(rest, exact, truth->rounded, MPFR_RNDN);
        truth->lo = mpfr_get_d(rest, MPFR_RNDN);
        mpfr_clear(rest);
    }
    truth->scale = mpfr_get_d(scale, MPFR_RNDU);
    mpfr_clear(exact);
    mpfr_clear(scale);
}

static struct cf_tensor widened(const struct cf_tensor *t)
{
    struct cf_tensor wide = *t;

    wide.dtype = CF_F32;
    cf_tensor_alloc(&wide);
    for (int64_t i = 0; i < cf_tensor_count(t); ++i)
        cf_tensor_set(&wide, i, cf_tensor_get(t, i));
    return wide;
}

void cf_reference_fast(struct cf_truth truth[], const struct cf_case *c, const struct cf_op *op,
                       const struct cf_tensor in[], int o, int threads)
{
    struct cf_tensor read[CF_OPERANDS_MAX];

    for (int i = 0; i < op->n_inputs; ++i) {
        const int narrow = in[i].dtype == CF_F16 || in[i].dtype == CF_BF16;

        read[i] = narrow ? widened(&in[i]) : in[i];
    }
    op->fast(truth, c, read, o, threads > 0 ? threads : 1);
    for (int i = 0; i < op->n_inputs; ++i)
        if (read[i].bits != in[i].bits)
            cf_tensor_free(&read[i]);
}

void cf_reference_compute(struct cf_truth truth[], const struct cf_case *c, const struct cf_op *op,
                          const struct cf_tensor in[], const struct cf_tensor *out, int o,
                          int threads)
{
    const int64_t n = cf_tensor_count(out);

    if (op->fast)
        cf_reference_fast(truth, c, op, in, o, threads);
    else
        for (int64_t i = 0; i < n; ++i)
            cf_reference_element(&truth[i], c, op, in, out, o, i);
}

static int same_value(double a, double b)
{
    return a == b ? signbit(a) == signbit(b) : isnan(a) && isnan(b);
}

/* What exact.h allows: lo within 2^-20 u scale (certified products) or 2 ulp; scale at least the
 * sum and within 2^-39 of it. */
static int agrees(const struct cf_truth *fast, const struct cf_truth *by_mpfr, double u)
{
    const double allowed = 0x1p-19 * u * by_mpfr->scale + 4 * 0x1p-52 * fabs(by_mpfr->lo);

    if (!same_value(fast->rounded, by_mpfr->rounded))
        return 0;
    if (!isfinite(by_mpfr->rounded) || !isfinite(by_mpfr->scale))
        return 1;
    return fabs(fast->lo - by_mpfr->lo) <= allowed + 0x1p-1073 &&
           fast->scale >= by_mpfr->scale * (1 - 0x1p-50) &&
           fast->scale <= by_mpfr->scale * (1 + 0x1p-39);
}

int cf_reference_confirm(const struct cf_reference *reference, int o, int64_t i,
                         struct cf_error *err)
{
    const struct cf_truth *fast = &reference->truth[o][i];
    struct cf_truth by_mpfr;

    cf_reference_element(&by_mpfr, reference->c, reference->op, reference->in, &reference->out[o],
                         o, i);
    if (agrees(fast, &by_mpfr, cf_dtype_u(reference->out[o].dtype)))
        return 0;
    return cf_fail_with(err, 3,
                        "the two references disagree on case `%s`, output %d, element %lld: fast "
                        "%a (+ %a, scale %a), MPFR %a (+ %a, scale %a); nothing was judged, please "
                        "report it",
                        reference->c->text, o, (long long)i, fast->rounded, fast->lo, fast->scale,
                        by_mpfr.rounded, by_mpfr.lo, by_mpfr.scale);
}

/* A sample by a stream that the case's text alone determines. */
static int confirm_sample(const struct cf_reference *reference, int o, struct cf_error *err)
{
    const int64_t n = cf_tensor_count(&reference->out[o]);
    struct cf_digest digest;
    struct cf_stream stream = {.stream = (uint32_t)o};

    if (!reference->op->fast)
        return 0;
    cf_digest_of(&digest, reference->c->text, strlen(reference->c->text));
    memcpy(&stream.seed, digest.byte, sizeof stream.seed);
    for (int64_t k = 0; k < CF_TRUTH_SAMPLE && k < n; ++k) {
        const int64_t i =
            n <= CF_TRUTH_SAMPLE ? k : (int64_t)cf_stream_below(&stream, (uint64_t)k, (uint64_t)n);

        if (cf_reference_confirm(reference, o, i, err) != 0)
            return -1;
    }
    return 0;
}

/* A training run has no element-wise truth: no number compares with it. */
static void fill_nothing(struct cf_reference *reference)
{
    for (int64_t i = 0; i < reference->n_elements; ++i)
        reference->truth[0][i] = (struct cf_truth){.rounded = NAN};
}

static int fill_truth(struct cf_reference *reference, int threads, struct cf_error *err)
{
    for (int o = 0; o < reference->op->n_outputs; ++o) {
        cf_reference_compute(reference->truth[o], reference->c, reference->op, reference->in,
                             &reference->out[o], o, threads);
        if (confirm_sample(reference, o, err) != 0)
            return -1;
    }
    return 0;
}

static int check_inputs(const struct cf_reference *reference, const struct cf_digest *inputs,
                        struct cf_digest *drawn, struct cf_error *err)
{
    cf_inputs_digest(drawn, reference->in, reference->op->n_inputs);
    if (!inputs || cf_digest_equal(inputs, drawn))
        return 0;
    return cf_fail_with(err, 3,
                        "the inputs of case `%s` cannot be drawn again: their digest is not the "
                        "store's; judge the store with the version of conform that wrote it",
                        reference->c->text);
}

/* Magnitudes that are no numbers are left out: such cases have no normwise bound. */
static double product_of_maxima(const struct cf_reference *reference)
{
    double product = 1;

    for (int o = 0; o < reference->op->n_inputs; ++o) {
        const int64_t n = cf_tensor_count(&reference->in[o]);
        double most = 0;

        for (int64_t i = 0; i < n; ++i)
            most = fmax(most, fabs(cf_tensor_get(&reference->in[o], i)));
        product *= most;
    }
    return product;
}

static void allocate(struct cf_reference *reference)
{
    struct cf_truth *block;
    int64_t *terms;

    for (int o = 0; o < reference->op->n_outputs; ++o)
        reference->n_elements += cf_tensor_count(&reference->out[o]);
    block = cf_alloc_zero((size_t)(reference->n_elements + 1) * sizeof block[0]);
    terms = cf_alloc_zero((size_t)(reference->n_elements + 1) * sizeof terms[0]);
    for (int o = 0; o < reference->op->n_outputs; ++o) {
        const int64_t n = cf_tensor_count(&reference->out[o]);

        reference->truth[o] = block;
        reference->terms[o] = terms;
        block += n;
        terms += n;
        for (int64_t i = 0; reference->op->terms && i < n; ++i)
            reference->terms[o][i] = reference->op->terms(reference->c, o, i);
    }
}

int cf_reference_open(struct cf_reference *reference, const struct cf_case *c,
                      const struct cf_op *op, const struct cf_digest *inputs, int threads,
                      int cached, struct cf_error *err)
{
    struct cf_digest drawn, key;
    int result;

    *reference = (struct cf_reference){.c = c, .op = op};
    if (cf_case_draw(c, op, reference->in, reference->out, err) != 0) {
        if (err)
            err->exit_code = 3;
        return -1;
    }
    allocate(reference);
    reference->product = product_of_maxima(reference);
    result = check_inputs(reference, inputs, &drawn, err);
    cf_cache_key(&key, c->text, &drawn);
    if (!op->element) {
        fill_nothing(reference);
        cached = 0;
    }
    if (result == 0 && op->element &&
        !(cached && cf_cache_read(&key, reference->truth[0], reference->n_elements) == 0)) {
        result = fill_truth(reference, threads, err);
        if (result == 0 && cached)
            cf_cache_write(&key, reference->truth[0], reference->n_elements);
    }
    if (result != 0)
        cf_reference_close(reference);
    return result;
}

void cf_reference_close(struct cf_reference *reference)
{
    for (int o = 0; o < reference->op->n_inputs; ++o)
        cf_tensor_free(&reference->in[o]);
    free(reference->truth[0]);
    free(reference->terms[0]);
    reference->truth[0] = NULL;
    reference->terms[0] = NULL;
}

void cf_reference_measure(const struct cf_reference *reference, int o, int64_t i, double got,
                          double *error, double *bound)
{
    const struct cf_op *op = reference->op;
    const enum cf_dtype dtype = reference->out[o].dtype;
    const long terms = (long)reference->terms[o][i];
    mpfr_t exact, scale, rest;

    mpfr_init2(exact, 64);
    mpfr_init2(scale, 64);
    op->element(exact, scale, reference->c, reference->in, o, i);
    mpfr_init2(rest, mpfr_get_prec(exact) + 2200);
    mpfr_sub_d(rest, exact, got, MPFR_RNDN);
    mpfr_abs(rest, rest, MPFR_RNDN);
    mpfr_mul_d(scale, scale, cf_dtype_u(dtype), MPFR_RNDN);
    mpfr_div(rest, rest, scale, MPFR_RNDU);
    *error = mpfr_get_d(rest, MPFR_RNDU);
    mpfr_set_d(rest, cf_dtype_eta(dtype), MPFR_RNDN);
    mpfr_mul_si(rest, rest, terms, MPFR_RNDN);
    mpfr_div_2ui(rest, rest, 1, MPFR_RNDN);
    mpfr_div(rest, rest, scale, MPFR_RNDN);
    mpfr_add_si(rest, rest, terms + op->extra_roundings, MPFR_RNDN);
    *bound = mpfr_get_d(rest, MPFR_RNDN);
    mpfr_clears(exact, scale, rest, (mpfr_ptr)0);
}
