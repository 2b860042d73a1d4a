/* classify: y = relu(x W1 + b1) W2 + b2 with the frozen classifier's weights on pictures of digits.
 * x [rows,64], W1 [64,32], b1 [32], W2 [32,10], b2 [10]; y [rows,10]. The scale of y[i,c] is
 *   sum over j of abs(W2[j,c]) (sum over l of abs(x[i,l] W1[l,j]) + abs(b1[j])) + abs(b2[c]):
 * relu moves no two numbers apart, so the errors of the first layer pass through the second as its
 * terms do, and n = 65 + 33 roundings meet a term; two more pay for products of errors. */
#include <string.h>

#include "reference.h"

#define HIDDEN  CF_CLASSIFIER_HIDDEN
#define INPUTS  CF_PIXELS
#define CLASSES CF_CLASSES

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    const int64_t rows = cf_case_int(c, "rows", 0);

    if (rows < 1 || rows > 4096 || c->seed < 1 || c->seed > 1000000 ||
        (c->dtype != CF_F32 && c->dtype != CF_F64))
        return cf_fail(err, "case `%s`: rows must be 1..4096, the seed 1..1000000, f32 or f64",
                       c->text);
    if (strcmp(c->fill, "digits") != 0)
        return cf_fail(err, "case `%s`: classify takes fill=digits", c->text);
    in[0] = (struct cf_tensor){.dtype = c->dtype, .rank = 2, .dim = {rows, INPUTS}};
    in[1] = (struct cf_tensor){.dtype = c->dtype, .rank = 2, .dim = {INPUTS, HIDDEN}};
    in[2] = (struct cf_tensor){.dtype = c->dtype, .rank = 1, .dim = {HIDDEN}};
    in[3] = (struct cf_tensor){.dtype = c->dtype, .rank = 2, .dim = {HIDDEN, CLASSES}};
    in[4] = (struct cf_tensor){.dtype = c->dtype, .rank = 1, .dim = {CLASSES}};
    out[0] = (struct cf_tensor){.dtype = c->dtype, .rank = 2, .dim = {rows, CLASSES}};
    return 0;
}

static void draw_pictures(const struct cf_case *c, struct cf_tensor *x)
{
    struct cf_digits digits;

    cf_digits_load(&digits);
    for (int64_t i = 0; i < x->dim[0]; ++i) {
        const int64_t row = cf_classifier_picture(c, i, digits.n);

        for (int64_t l = 0; l < INPUTS; ++l)
            cf_tensor_set(x, i * INPUTS + l, digits.pixels[row * INPUTS + l] / 16.0);
    }
    cf_digits_free(&digits);
}

static int draw(const struct cf_case *c, struct cf_tensor in[], struct cf_error *err)
{
    float weights[CF_CLASSIFIER_WEIGHTS];
    struct cf_tensor out[1];
    int64_t at = 0;

    if (shape(c, in, out, err) != 0)
        return -1;
    cf_classifier_weights(weights);
    for (int o = 0; o < 5; ++o)
        cf_tensor_alloc(&in[o]);
    draw_pictures(c, &in[0]);
    for (int o = 1; o < 5; ++o)
        for (int64_t i = 0; i < cf_tensor_count(&in[o]); ++i)
            cf_tensor_set(&in[o], i, weights[at++]);
    return 0;
}

/* relu(sum over l of x[l] W1[l,j] + b1[j]), and the scale of the sum. */
static void hidden(mpfr_t h, mpfr_t s, const struct cf_tensor in[], int64_t row, int64_t j)
{
    mpfr_set_prec(h, 320);
    mpfr_set_prec(s, 320);
    mpfr_set_d(h, cf_tensor_get(&in[2], j), MPFR_RNDN);
    mpfr_abs(s, h, MPFR_RNDN);
    for (int64_t l = 0; l < INPUTS; ++l)
        cf_exact_add_product(h, s, cf_tensor_get(&in[0], row * INPUTS + l),
                             cf_tensor_get(&in[1], l * HIDDEN + j));
    if (mpfr_sgn(h) < 0)
        mpfr_set_zero(h, 1);
}

/* One output from the values and scales of its row's hidden units, [HIDDEN] each. */
static void output(mpfr_t exact, mpfr_t scale, const struct cf_tensor in[], mpfr_t h[], mpfr_t s[],
                   int64_t class)
{
    mpfr_t term;

    mpfr_init2(term, 400);
    mpfr_set_prec(exact, 640);
    mpfr_set_prec(scale, 640);
    mpfr_set_d(exact, cf_tensor_get(&in[4], class), MPFR_RNDN);
    mpfr_abs(scale, exact, MPFR_RNDN);
    for (int64_t j = 0; j < HIDDEN; ++j) {
        const double w = cf_tensor_get(&in[3], j * CLASSES + class);

        mpfr_mul_d(term, s[j], w < 0 ? -w : w, MPFR_RNDN);
        mpfr_add(scale, scale, term, MPFR_RNDN);
        mpfr_mul_d(term, h[j], w, MPFR_RNDN);
        mpfr_add(exact, exact, term, MPFR_RNDN);
    }
    mpfr_clear(term);
}

/* The numbers that one row needs. */
struct rows {
    mpfr_t h[HIDDEN], s[HIDDEN], exact, scale;
};

static void start(struct rows *r)
{
    for (int j = 0; j < HIDDEN; ++j)
        mpfr_inits2(320, r->h[j], r->s[j], (mpfr_ptr)NULL);
    mpfr_inits2(640, r->exact, r->scale, (mpfr_ptr)NULL);
}

static void stop(struct rows *r)
{
    for (int j = 0; j < HIDDEN; ++j)
        mpfr_clears(r->h[j], r->s[j], (mpfr_ptr)NULL);
    mpfr_clears(r->exact, r->scale, (mpfr_ptr)NULL);
}

/* Sums of products of doubles with 320 bits more than hold them: nothing rounds. */
static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    struct rows r;

    (void)c;
    (void)o;
    start(&r);
    for (int64_t j = 0; j < HIDDEN; ++j)
        hidden(r.h[j], r.s[j], in, i / CLASSES, j);
    output(exact, scale, in, r.h, r.s, i % CLASSES);
    stop(&r);
}

/* The hidden units of a row once for its ten outputs. */
static void fast(struct cf_truth truth[], const struct cf_case *c, const struct cf_tensor in[],
                 int o, int threads)
{
    struct rows r;

    (void)o;
    (void)threads;
    start(&r);
    for (int64_t i = 0; i < in[0].dim[0]; ++i) {
        for (int64_t j = 0; j < HIDDEN; ++j)
            hidden(r.h[j], r.s[j], in, i, j);
        for (int64_t k = 0; k < CLASSES; ++k) {
            struct cf_truth *one = &truth[i * CLASSES + k];

            output(r.exact, r.scale, in, r.h, r.s, k);
            one->rounded = c->dtype == CF_F32 ? (double)mpfr_get_flt(r.exact, MPFR_RNDN)
                                              : mpfr_get_d(r.exact, MPFR_RNDN);
            mpfr_sub_d(r.exact, r.exact, one->rounded, MPFR_RNDN);
            one->lo = mpfr_get_d(r.exact, MPFR_RNDN);
            one->scale = mpfr_get_d(r.scale, MPFR_RNDU);
        }
    }
    stop(&r);
}

static int64_t terms(const struct cf_case *c, int o, int64_t i)
{
    (void)c;
    (void)o;
    (void)i;
    return INPUTS + 1 + HIDDEN + 1;
}

const struct cf_op cf_op_classify = {
    .grammar = {.op = "classify", .dims = "rows", .options = ""},
    .why = "a frozen classifier of handwritten digits",
    .source = "Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.5, twice",
    .n_inputs = 5,
    .n_outputs = 1,
    .reduce_dim = {1, 0, -1, 0, -1},
    .shape = shape,
    .draw = draw,
    .element = element,
    .fast = fast,
    .terms = terms,
    .extra_roundings = 2};
