/* mma: out[i] = c[i] + sum over l of a[i,l] * b[i,l], each row on its own; a, b [rows,k], c
 * [rows]. */
#include <stdlib.h>
#include <string.h>

#include "model.h"

static int fits(const struct cf_tensor in[], const struct cf_tensor *out, enum cf_dtype dtype)
{
    const int64_t rows = in[0].dim[0], k = in[0].dim[1];

    for (int o = 0; o < 3; ++o)
        if (in[o].dtype != dtype || in[o].rank != (o < 2 ? 2 : 1) || in[o].dim[0] != rows)
            return 0;
    return in[1].dim[1] == k && out->dtype == dtype && out->rank == 1 && out->dim[0] == rows;
}

static enum cf_status sum_floats(const struct cf_tensorcore *core, const struct cf_tensor in[],
                                 float *out)
{
    const int64_t rows = in[0].dim[0], k = in[0].dim[1];
    const int flush = core->parameters.flush_in;
    struct cf_tc_operand *a = cf_model_take(in[0].bits, rows, k, 0, core->type, flush);
    struct cf_tc_operand *b = cf_model_take(in[1].bits, rows, k, 0, core->type, flush);
    const float *c = in[2].bits;

    for (int64_t i = 0; a && b && i < rows; ++i)
        out[i] = cf_tc_dot(&core->parameters, core->type, c[i], a + i * k, b + i * k, k);
    free(a);
    free(b);
    return a && b ? CF_DONE : CF_NO_MEMORY;
}

static enum cf_status run(const struct cf_tensorcore *core, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[])
{
    const char *asked = cf_pairs_get(attributes, "type");
    double *to = out[0].bits;

    if (!core || strcmp(asked ? asked : "f16", cf_tc_type_name(core->type)) != 0 ||
        !fits(in, &out[0], core->type == CF_TC_F64 ? CF_F64 : CF_F32))
        return CF_UNSUPPORTED;
    if (core->type != CF_TC_F64)
        return sum_floats(core, in, out[0].bits);
    for (int64_t i = 0, k = in[0].dim[1]; i < in[0].dim[0]; ++i)
        to[i] = cf_tc_dot_f64(&core->parameters, ((const double *)in[2].bits)[i],
                              (const double *)in[0].bits + i * k,
                              (const double *)in[1].bits + i * k, k);
    return CF_DONE;
}

#define RUN(name, CORE)                                                                            \
    static enum cf_status run_##name(struct cf_library *library,                                   \
                                     const struct cf_pairs *attributes,                            \
                                     const struct cf_tensor in[], struct cf_tensor out[])          \
    {                                                                                              \
        return run(CORE, attributes, in, out);                                                     \
    }
#define RUN_TYPE(name, TYPE) RUN(name, cf_tensorcore_find(library->device, TYPE))
CF_MODEL_TYPES(RUN_TYPE)
RUN(half, cf_tensorcore_find_half(library->device))

#define ENTRY(name_, TYPE)                                                                         \
    {.op = "mma", .name = #name_, .backend = &cf_backend_model, .run = run_##name_},

extern const struct cf_kernel cf_kernels_model_mma[];
const struct cf_kernel cf_kernels_model_mma[] = {
    CF_MODEL_TYPES(ENTRY){
        .op = "mma", .name = "f16-f16", .backend = &cf_backend_model, .run = run_half},
    {.op = NULL}};
