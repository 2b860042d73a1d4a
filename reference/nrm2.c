/* nrm2: out[i] = sqrt(sum over j of x[i,j]^2).  x: [m,n]; out: [m]. The relative error of the sum
 * is halved by the root; scaling against overflow (by a quotient and a product for every term) and
 * the root itself add at most n / 2 + 4 roundings: (n + 4) u in all. The result must not overflow
 * or underflow while the exact one does not. */
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
                             cf_tensor_get(&in[0], i * n + j));
    cf_exact_finish(exact, n);
    mpfr_abs(exact, exact, MPFR_RNDN); /* squares of -0 are +0 */
    mpfr_sqrt(exact, exact,
              MPFR_RNDN); /* one rounding, at more digits than the square of any tie has */
    mpfr_set(scale, exact, MPFR_RNDN);
}

static void fast(struct cf_truth truth[], const struct cf_case *c, const struct cf_tensor in[],
                 int o, int threads)
{
    const int64_t m = in[0].dim[0], n = in[0].dim[1];
    const enum cf_exact_format format = cf_exact_format_of(c->dtype);

    (void)o;
    for (int64_t i = 0; i < m; ++i)
        if (c->dtype == CF_F64)
            cf_exact_nrm2_f64(&truth[i], (const double *)in[0].bits + i * n, n, format, threads);
        else
            cf_exact_nrm2_f32(&truth[i], (const float *)in[0].bits + i * n, n, format, threads);
}

const struct cf_op cf_op_nrm2 = {
    .grammar = {.op = "nrm2", .dims = "m n", .options = ""},
    .why = "Euclidean norms of n elements, m of them",
    .source =
        "Blue, A portable Fortran program to find the Euclidean norm of a vector, 1978, section 3",
    .n_inputs = 1,
    .n_outputs = 1,
    .axis = {{.key = "row", .in_mask = 1, .in_dim = {0}, .out_dim = 0}},
    .reduce_dim = {1},
    .shape = cf_rows_shape_1,
    .element = element,
    .fast = fast,
    .terms = cf_rows_terms,
    .extra_roundings = 4,
    .integer_exact = 0};
