/* dot: out[i] = sum over j of x[i,j] * y[i,j].  x, y: [m,n]; out: [m]: m dots of n terms each. A
 * term meets at most n roundings in any order, fused or not, as long as no product underflows. */
#include "support_rows.h"

static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    const int64_t n = in[0].dim[1];

    (void)o;
    cf_exact_zero(exact, cf_exact_precision(c->dtype, 1));
    cf_exact_zero(scale, cf_exact_precision(c->dtype, 1));
    for (int64_t j = 0; j < n; ++j)
        cf_exact_add_product(exact, scale, cf_tensor_get(&in[0], i * n + j),
                             cf_tensor_get(&in[1], i * n + j));
    cf_exact_finish(exact, n);
}

static void fast(struct cf_truth truth[], const struct cf_case *c, const struct cf_tensor in[],
                 int o, int threads)
{
    const int64_t m = in[0].dim[0], n = in[0].dim[1];
    const enum cf_exact_format format = cf_exact_format_of(c->dtype);

    (void)o;
    for (int64_t i = 0; i < m; ++i)
        if (c->dtype == CF_F64)
            cf_exact_dot_f64(&truth[i], (const double *)in[0].bits + i * n,
                             (const double *)in[1].bits + i * n, n, format, threads);
        else
            cf_exact_dot_f32(&truth[i], (const float *)in[0].bits + i * n,
                             (const float *)in[1].bits + i * n, n, format, threads);
}

const struct cf_op cf_op_dot = {
    .grammar = {.op = "dot", .dims = "m n", .options = ""},
    .why = "dot products of n terms, m of them",
    .source = "Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1",
    .n_inputs = 2,
    .n_outputs = 1,
    .axis = {{.key = "row", .in_mask = 3, .in_dim = {0, 0}, .out_dim = 0}},
    .reduce_dim = {1, 1},
    .shape = cf_rows_shape_2,
    .element = element,
    .fast = fast,
    .terms = cf_rows_terms,
    .places = cf_rows_places,
    .integer_exact = 1};
