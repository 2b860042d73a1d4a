/* symv: y[i] = sum over j of s[i,j] * x[j], where s is symmetric: s[i,j] = a[i,j] for j <= i and
 * a[j,i] for j > i.  a: [n,n] row-major, of which the part above the diagonal is drawn and must not
 * matter; x: [n]; y: [n]. A term meets at most n roundings. Fills that cancel along a row of a do
 * not cancel along a row of s. */
#include <stdlib.h>

#include "reference.h"

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    const int64_t n = cf_case_int(c, "n", 0);

    (void)err; /* any extent makes sense */
    out[0] = (struct cf_tensor){.dtype = c->dtype, .rank = 1, .dim = {n}};
    in[0] = (struct cf_tensor){.dtype = c->dtype, .rank = 2, .dim = {n, n}};
    in[1] = (struct cf_tensor){.dtype = c->dtype, .rank = 1, .dim = {n}};
    return 0;
}

static int64_t place(int64_t i, int64_t j, int64_t n)
{
    return j <= i ? i * n + j : j * n + i;
}

static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    const int64_t n = in[0].dim[0];

    (void)o;
    cf_exact_zero(exact, cf_exact_precision(c->dtype, 1));
    cf_exact_zero(scale, cf_exact_precision(c->dtype, 1));
    for (int64_t j = 0; j < n; ++j)
        cf_exact_add_product(exact, scale, cf_tensor_get(&in[0], place(i, j, n)),
                             cf_tensor_get(&in[1], j));
    cf_exact_finish(exact, n);
}

/* The whole of s, of which a gemv is the answer. */
static void fast(struct cf_truth truth[], const struct cf_case *c, const struct cf_tensor in[],
                 int o, int threads)
{
    const int64_t n = in[0].dim[0];
    const enum cf_exact_format format = cf_exact_format_of(c->dtype);
    struct cf_tensor s = in[0];

    (void)o;
    cf_tensor_alloc(&s);
    for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < n; ++j)
            cf_tensor_set(&s, i * n + j, cf_tensor_get(&in[0], place(i, j, n)));
    if (c->dtype == CF_F64)
        cf_exact_gemm_f64(truth, s.bits, in[1].bits, n, 1, n, format, threads, NULL);
    else
        cf_exact_gemm_f32(truth, s.bits, in[1].bits, n, 1, n, format, threads, NULL);
    cf_tensor_free(&s);
}

static int64_t terms(const struct cf_case *c, int o, int64_t i)
{
    (void)o;
    (void)i;
    return cf_case_int(c, "n", 0);
}

static void places(const struct cf_case *c, const struct cf_tensor in[], int64_t i, int64_t first[],
                   int64_t second[])
{
    const int64_t n = in[0].dim[0];

    (void)c;
    for (int64_t j = 0; j < n; ++j) {
        first[j] = place(i, j, n);
        second[j] = j;
    }
}

const struct cf_op cf_op_symv = {
    .grammar = {.op = "symv", .dims = "n", .options = ""},
    .why = "symmetric matrix, of which one half is read, times vector",
    .source = "Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.5",
    .n_inputs = 2,
    .n_outputs = 1,
    .reduce_dim = {1, 0},
    .shape = shape,
    .element = element,
    .fast = fast,
    .terms = terms,
    .places = places,
    .integer_exact = 1};
