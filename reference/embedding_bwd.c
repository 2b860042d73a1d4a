/* embedding_bwd: de[v,c] = sum of dy[n,c] over the rows n whose token is v, the gradient of an
 * embedding, whose rows are looked up by token. tokens: [n], whole numbers 0 .. v - 1 in the case's
 * type, drawn from the seed; dy: [n,c], drawn by the fill; de: [v,c]. Frameworks add with atomics,
 * or sort the tokens first. A term meets at most n roundings in any order. */
#include "reference.h"

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    const int64_t n = cf_case_int(c, "n", 0), v = cf_case_int(c, "v", 0);
    const int64_t width = cf_case_int(c, "c", 0);

    if (c->dtype != CF_F32 && c->dtype != CF_F64)
        return cf_fail(err, "case `%s`: embedding_bwd is defined for f32 and f64", c->text);
    if (v < 1 || v > 1 << 24 || width < 1)
        return cf_fail(err, "case `%s`: c must be at least 1, and v from 1 to 2^24", c->text);
    in[0] = (struct cf_tensor){.dtype = c->dtype, .rank = 1, .dim = {n}};
    in[1] = (struct cf_tensor){.dtype = c->dtype, .rank = 2, .dim = {n, width}};
    out[0] = (struct cf_tensor){.dtype = c->dtype, .rank = 2, .dim = {v, width}};
    return 0;
}

static int draw(const struct cf_case *c, struct cf_tensor in[], struct cf_error *err)
{
    const struct cf_stream tokens = {.seed = c->seed, .stream = 0x746f6b65};
    const struct cf_fill *fill = cf_fill_find(c->fill);
    const int64_t n = in[1].dim[0], width = in[1].dim[1];
    struct cf_fill_place place = {.dtype = c->dtype,
                                  .operand = 1,
                                  .n_inputs = 1,
                                  .n = n,
                                  .n_terms = n,
                                  .digits = cf_dtype_digits(c->dtype),
                                  .seed = c->seed};

    (void)err; /* shape has checked everything */
    cf_tensor_alloc(&in[0]);
    cf_tensor_alloc(&in[1]);
    for (int64_t i = 0; i < n; ++i)
        cf_tensor_set(
            &in[0], i,
            (double)cf_stream_below(&tokens, (uint64_t)i, (uint64_t)cf_case_int(c, "v", 1)));
    for (int64_t i = 0; i < n * width; ++i) {
        place.line = i % width;
        place.j = i / width;
        cf_tensor_set(&in[1], i, fill->value(&place, (uint64_t)i));
    }
    return 0;
}

static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    const int64_t width = in[1].dim[1];
    int64_t used = 0;

    (void)o;
    cf_exact_zero(exact, cf_exact_precision(c->dtype, 0));
    cf_exact_zero(scale, cf_exact_precision(c->dtype, 0));
    for (int64_t row = 0; row < in[0].dim[0]; ++row)
        if (cf_tensor_get(&in[0], row) == (double)(i / width)) {
            cf_exact_add(exact, scale, cf_tensor_get(&in[1], row * width + i % width));
            ++used;
        }
    cf_exact_finish(exact, used);
}

static int64_t terms(const struct cf_case *c, int o, int64_t i)
{
    (void)o;
    (void)i;
    return cf_case_int(c, "n", 0);
}

const struct cf_op cf_op_embedding_bwd = {
    .grammar = {.op = "embedding_bwd", .dims = "n v c", .options = ""},
    .why = "gradient of an embedding: rows added up by their token",
    .source = "Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 4.2",
    .n_inputs = 2,
    .n_outputs = 1,
    .reduce_dim = {-1, 0},
    .shape = shape,
    .draw = draw,
    .element = element,
    .terms = terms,
    .integer_exact = 1};
