/* bias_bwd: db[c] = sum over n, h, w of dy[n,c,h,w], the gradient of bias_fwd in b.
 * dy: [n,c,h,w]; db: [c]. Terms: n h w. */
#include "reference.h"

#include <stdlib.h>

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    const int64_t n = cf_case_int(c, "n", 0), channels = cf_case_int(c, "c", 0);
    const int64_t h = cf_case_int(c, "h", 0), w = cf_case_int(c, "w", 0);
    const struct cf_tensor image = {.dtype = c->dtype, .rank = 4, .dim = {n, channels, h, w}};

    if (channels < 1 || h < 1 || w < 1)
        return cf_fail(err, "case `%s`: c, h and w must be at least 1", c->text);
    in[0] = image;
    out[0] = (struct cf_tensor){.dtype = c->dtype, .rank = 1, .dim = {channels}};
    return 0;
}

/* The flat index of term t of channel i. */
static int64_t index_of(const struct cf_tensor *dy, int64_t i, int64_t t)
{
    const int64_t plane = dy->dim[2] * dy->dim[3];

    return (t / plane * dy->dim[1] + i) * plane + t % plane;
}

static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    const int64_t n = in[0].dim[0] * in[0].dim[2] * in[0].dim[3];

    (void)o;
    cf_exact_zero(exact, cf_exact_precision(c->dtype, 0));
    cf_exact_zero(scale, cf_exact_precision(c->dtype, 0));
    for (int64_t t = 0; t < n; ++t)
        cf_exact_add(exact, scale, cf_tensor_get(&in[0], index_of(&in[0], i, t)));
    cf_exact_finish(exact, n);
}

static void fast(struct cf_truth truth[], const struct cf_case *c, const struct cf_tensor in[],
                 int o, int threads)
{
    const int64_t n = in[0].dim[0] * in[0].dim[2] * in[0].dim[3];
    double *line = cf_alloc((size_t)(n + 1) * sizeof line[0]);

    (void)o;
    for (int64_t i = 0; i < in[0].dim[1]; ++i) {
        for (int64_t t = 0; t < n; ++t)
            line[t] = cf_tensor_get(&in[0], index_of(&in[0], i, t));
        cf_exact_sum_f64(&truth[i], line, n, cf_exact_format_of(c->dtype), threads);
    }
    free(line);
}

static int64_t terms(const struct cf_case *c, int o, int64_t i)
{
    (void)o;
    (void)i;
    return cf_case_int(c, "n", 0) * cf_case_int(c, "h", 0) * cf_case_int(c, "w", 0);
}

static void places(const struct cf_case *c, const struct cf_tensor in[], int64_t i, int64_t first[],
                   int64_t second[])
{
    const int64_t n = in[0].dim[0] * in[0].dim[2] * in[0].dim[3];

    (void)c;
    (void)second;
    for (int64_t t = 0; t < n; ++t)
        first[t] = index_of(&in[0], i, t);
}

const struct cf_op cf_op_bias_bwd = {
    .grammar = {.op = "bias_bwd", .dims = "n c h w", .options = "layout=nchw"},
    .why = "gradient of a bias: the sum of each channel",
    .source = "Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1",
    .n_inputs = 1,
    .n_outputs = 1,
    .axis = {{.key = "col", .in_mask = 1, .in_dim = {1}, .out_dim = 0}},
    .reduce_dim = {0},
    .shape = shape,
    .element = element,
    .fast = fast,
    .terms = terms,
    .places = places,
    .integer_exact = 1};
