/* mma: out[i] = c[i] + sum over l of a[i,l] * b[i,l]: the rows of a probe (probe.h), each on its
 * own.  a, b: [rows,k]; c, out: [rows]. Operands are exact in `type`, which is what a kernel holds
 * them in; f64 for type=f64, else f32.
 *
 * The bound is that of tensor cores which keep at least 23 bits below the largest term and add at
 * least four products at once: each of at most k + k/4 terms is cut by less than 2 u times the
 * largest, each of k/4 + 1 sums by less than 2 u of itself (Fasi, Higham, Mikaitis and Pranesh,
 * PeerJ Computer Science 7:e330, 2021, section 4): less than 4 (k + 2) u * scale. A narrower
 * accumulator is wrong here, and that is what it is. */
#include <stdlib.h>

#include "reference.h"

/* The probe that a case asks for; -1 and a sentence. */
static int probe_of(const struct cf_case *c, struct cf_probe *probe, struct cf_error *err)
{
    const char *type = cf_case_word(c, "type", "f16");

    *probe = (struct cf_probe){
        .number = (int)cf_case_int(c, "probe", 1), .k = cf_case_int(c, "k", 16), .seed = c->seed};
    if (cf_tc_type_parse(type, &probe->type) != 0)
        return cf_fail(err, "`%s`: type=%s is none of f16, bf16, tf32, e4m3, e5m2, f32, f64",
                       c->text, type);
    if (c->dtype != (probe->type == CF_TC_F64 ? CF_F64 : CF_F32))
        return cf_fail(err, "`%s`: operands of type=%s are given as %s", c->text, type,
                       probe->type == CF_TC_F64 ? "f64" : "f32");
    if (probe->k < 1 || probe->k > CF_PROBE_K_MAX)
        return cf_fail(err, "`%s`: k must be 1 to %d", c->text, CF_PROBE_K_MAX);
    if (cf_probe_count(probe) == 0)
        return cf_fail(err, "`%s`: probe=%d has no row for type=%s and k=%lld", c->text,
                       probe->number, type, (long long)probe->k);
    return 0;
}

static int shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                 struct cf_error *err)
{
    struct cf_probe probe;
    int64_t rows;

    if (probe_of(c, &probe, err) != 0)
        return -1;
    rows = cf_probe_count(&probe);
    in[0] = in[1] = (struct cf_tensor){.dtype = c->dtype, .rank = 2, .dim = {rows, probe.k}};
    in[2] = out[0] = (struct cf_tensor){.dtype = c->dtype, .rank = 1, .dim = {rows}};
    return 0;
}

static int draw(const struct cf_case *c, struct cf_tensor in[], struct cf_error *err)
{
    struct cf_probe_row *row = cf_alloc(sizeof *row);
    struct cf_probe probe;

    CF_CHECK(probe_of(c, &probe, err) == 0); /* shape has checked it */
    for (int o = 0; o < 3; ++o)
        cf_tensor_alloc(&in[o]);
    for (int64_t i = 0; cf_probe_make(&probe, i, row) == 0; ++i) {
        for (int64_t l = 0; l < probe.k; ++l) {
            cf_tensor_set(&in[0], i * probe.k + l, row->a[l]);
            cf_tensor_set(&in[1], i * probe.k + l, row->b[l]);
        }
        cf_tensor_set(&in[2], i, row->c);
    }
    free(row);
    return 0;
}

static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                    const struct cf_tensor in[], int o, int64_t i)
{
    const int64_t k = in[0].dim[1];

    (void)o;
    cf_exact_zero(exact, cf_exact_precision(c->dtype, 1));
    cf_exact_zero(scale, cf_exact_precision(c->dtype, 1));
    cf_exact_add(exact, scale, cf_tensor_get(&in[2], i));
    for (int64_t l = 0; l < k; ++l)
        cf_exact_add_product(exact, scale, cf_tensor_get(&in[0], i * k + l),
                             cf_tensor_get(&in[1], i * k + l));
    cf_exact_finish(exact, k + 1);
}

static int64_t terms(const struct cf_case *c, int o, int64_t i)
{
    (void)o;
    (void)i;
    return 4 * (cf_case_int(c, "k", 0) + 2);
}

const struct cf_op cf_op_mma = {
    .grammar = {.op = "mma", .dims = "k", .options = "probe=1 type=f16"},
    .why = "sums of products that make a matrix unit show how it adds: ten probes",
    .source = "Fasi, Higham, Mikaitis and Pranesh, PeerJ Computer Science 7:e330, 2021, section 4",
    .n_inputs = 3,
    .n_outputs = 1,
    .reduce_dim = {1, 1, -1},
    .shape = shape,
    .draw = draw,
    .element = element,
    .terms = terms};
