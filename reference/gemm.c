/* gemm: c[i,j] = sum over l of a[i,l] * b[l,j].  a: [m,k]; b: [k,n]; c: [m,n], all row-major. A
 * term meets at most k roundings. */
#include "reference.h"

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    const int64_t m = cf_case_int(c, "m", 0), n = cf_case_int(c, "n", 0);
    const int64_t k = cf_case_int(c, "k", 0);

    (void)err; /* any extents make sense */
    out[0] = (struct cf_tensor){.dtype = c->dtype, .rank = 2, .dim = {m, n}};
    in[0] = (struct cf_tensor){.dtype = c->dtype, .rank = 2, .dim = {m, k}};
    in[1] = (struct cf_tensor){.dtype = c->dtype, .rank = 2, .dim = {k, n}};
    return 0;
}

static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    const int64_t k = in[0].dim[1], n = in[1].dim[1];

    (void)o;
    cf_exact_zero(exact, cf_exact_precision(c->dtype, 1));
    cf_exact_zero(scale, cf_exact_precision(c->dtype, 1));
    for (int64_t l = 0; l < k; ++l)
        cf_exact_add_product(exact, scale, cf_tensor_get(&in[0], i / n * k + l),
                             cf_tensor_get(&in[1], l * n + i % n));
    cf_exact_finish(exact, k);
}

static void fast(struct cf_truth truth[], const struct cf_case *c, const struct cf_tensor in[],
                 int o, int threads)
{
    const int64_t m = in[0].dim[0], k = in[0].dim[1], n = in[1].dim[1];
    const enum cf_exact_format format = cf_exact_format_of(c->dtype);

    (void)o;
    if (c->dtype == CF_F64)
        cf_exact_gemm_f64(truth, in[0].bits, in[1].bits, m, n, k, format, threads, NULL);
    else
        cf_exact_gemm_f32(truth, in[0].bits, in[1].bits, m, n, k, format, threads, NULL);
}

static int64_t terms(const struct cf_case *c, int o, int64_t i)
{
    (void)o;
    (void)i;
    return cf_case_int(c, "k", 0);
}

static void places(const struct cf_case *c, const struct cf_tensor in[], int64_t i, int64_t first[],
                   int64_t second[])
{
    const int64_t k = in[0].dim[1], n = in[1].dim[1];

    (void)c;
    for (int64_t l = 0; l < k; ++l) {
        first[l] = i / n * k + l;
        second[l] = l * n + i % n;
    }
}

const struct cf_op cf_op_gemm = {
    .grammar = {.op = "gemm", .dims = "m n k", .options = ""},
    .why = "matrix times matrix",
    .source = "Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.5",
    .n_inputs = 2,
    .n_outputs = 1,
    .axis = {{.key = "row", .in_mask = 1, .in_dim = {0}, .out_dim = 0},
             {.key = "col", .in_mask = 2, .in_dim = {0, 1}, .out_dim = 1}},
    .reduce_dim = {1, 0},
    .shape = shape,
    .element = element,
    .fast = fast,
    .terms = terms,
    .places = places,
    .integer_exact = 1};
