#include "support_units.h"

#include <math.h>

#define STREAM 0x71756100u

int cf_units_shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                   struct cf_error *err)
{
    const int64_t n = cf_case_int(c, "n", 128), rounds = cf_case_int(c, "rounds", 1),
                  passes = cf_case_int(c, "passes", 1);

    if (n < 128 || n % 128 || rounds < 1 || passes < 1)
        return cf_fail(err, "`%s`: n must be a multiple of 128, rounds and passes at least 1",
                       c->text);
    in[0] = (struct cf_tensor){.dtype = c->dtype, .rank = 1, .dim = {n}};
    in[1] = (struct cf_tensor){.dtype = c->dtype, .rank = 1, .dim = {CF_UNITS_TABLE}};
    out[0] = (struct cf_tensor){.dtype = c->dtype, .rank = 2, .dim = {passes, n}};
    return 0;
}

static void draw_one(struct cf_tensor *x, const struct cf_stream *stream)
{
    cf_tensor_alloc(x);
    for (int64_t i = 0; i < cf_tensor_count(x); ++i) {
        const uint64_t word = cf_stream_word(stream, (uint64_t)i);

        if (x->dtype == CF_F64)
            ((double *)x->bits)[i] = ldexp((double)(int64_t)(word >> 10), -53) - 1;
        else if (x->dtype == CF_F32)
            ((float *)x->bits)[i] = (float)(ldexp((double)(int64_t)(word >> 39), -24) - 1);
        else if (x->dtype == CF_I64)
            ((uint64_t *)x->bits)[i] = word;
        else
            ((uint32_t *)x->bits)[i] = (uint32_t)(word >> 32);
    }
}

int cf_units_draw(const struct cf_case *c, struct cf_tensor in[], int n_inputs)
{
    for (int o = 0; o < n_inputs; ++o)
        draw_one(&in[o], &(struct cf_stream){c->seed, STREAM + (uint32_t)o});
    return 0;
}

int64_t cf_units_terms(const struct cf_case *c, int o, int64_t i)
{
    (void)c;
    (void)o;
    (void)i;
    return 0;
}
