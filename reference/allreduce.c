/* allreduce: y[j] = sum over p of x[p,j]: gradients x of `parts` micro-batches, shared out among
 * ranks, each of which adds its own before all add theirs.  x: [parts,n]; y: [n]. The ranks are the
 * configuration's threads=, so that the same parts meet any number of ranks. A term meets at most
 * parts - 1 roundings in any order. */
#include "reference.h"

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    const int64_t parts = cf_case_int(c, "parts", 0), n = cf_case_int(c, "n", 0);

    if (c->dtype != CF_F32 && c->dtype != CF_F64)
        return cf_fail(err, "case `%s`: allreduce is defined for f32 and f64", c->text);
    out[0] = (struct cf_tensor){.dtype = c->dtype, .rank = 1, .dim = {n}};
    in[0] = (struct cf_tensor){.dtype = c->dtype, .rank = 2, .dim = {parts, n}};
    return 0;
}

static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    const int64_t parts = in[0].dim[0], n = in[0].dim[1];

    (void)o;
    cf_exact_zero(exact, cf_exact_precision(c->dtype, 0));
    cf_exact_zero(scale, cf_exact_precision(c->dtype, 0));
    for (int64_t p = 0; p < parts; ++p)
        cf_exact_add(exact, scale, cf_tensor_get(&in[0], p * n + i));
    cf_exact_finish(exact, parts);
}

static int64_t terms(const struct cf_case *c, int o, int64_t i)
{
    (void)o;
    (void)i;
    return cf_case_int(c, "parts", 0);
}

static void places(const struct cf_case *c, const struct cf_tensor in[], int64_t i, int64_t first[],
                   int64_t second[])
{
    (void)c;
    (void)second;
    for (int64_t p = 0; p < in[0].dim[0]; ++p)
        first[p] = p * in[0].dim[1] + i;
}

const struct cf_op cf_op_allreduce = {
    .grammar = {.op = "allreduce", .dims = "parts n", .options = ""},
    .why = "gradients of many ranks, added up",
    .source = "Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 4.2",
    .n_inputs = 1,
    .n_outputs = 1,
    .axis = {{.key = "col", .in_mask = 1, .in_dim = {1}, .out_dim = 0}},
    .reduce_dim = {0},
    .shape = shape,
    .element = element,
    .terms = terms,
    .places = places,
    .integer_exact = 1};
