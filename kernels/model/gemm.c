/* gemm: c[i,j] = sum over l of a[i,l] * b[l,j], a [m,k], b [k,n]; gemv: b [k]; dot: rows of a with
 * rows of b, [m,n] each. */
#include <stdlib.h>

#include "model.h"

/* Which reductions: element (i, j) of [rows, columns] sums row i of x with row j (or i) of y, n
 * products each. */
struct problem {
    int64_t rows, columns, n;
    int y_of_row, y_transposed;
};

static int is_vector(const struct cf_tensor *t, int64_t n)
{
    return t->rank == 1 && t->dim[0] == n;
}

static int is_matrix(const struct cf_tensor *t, int64_t rows, int64_t columns)
{
    return t->rank == 2 && t->dim[0] == rows && t->dim[1] == columns;
}

static int read_gemm(struct problem *p, const struct cf_tensor in[], const struct cf_tensor *out)
{
    *p = (struct problem){in[0].dim[0], out->dim[1], in[0].dim[1], 0, 1};
    return in[0].rank == 2 && is_matrix(&in[1], p->n, p->columns) &&
           is_matrix(out, p->rows, p->columns);
}

static int read_gemv(struct problem *p, const struct cf_tensor in[], const struct cf_tensor *out)
{
    *p = (struct problem){in[0].dim[0], 1, in[0].dim[1], 0, 0};
    return in[0].rank == 2 && is_vector(&in[1], p->n) && is_vector(out, p->rows);
}

static int read_dot(struct problem *p, const struct cf_tensor in[], const struct cf_tensor *out)
{
    *p = (struct problem){in[0].dim[0], 1, in[0].dim[1], 1, 0};
    return in[0].rank == 2 && is_matrix(&in[1], p->rows, p->n) && is_vector(out, p->rows);
}

static enum cf_status run_f32(const struct cf_tensorcore *core, const struct problem *p,
                              const struct cf_tensor in[], float *out)
{
    const struct cf_tc_parameters *parameters = &core->parameters;
    const int64_t y_rows = p->y_of_row ? p->rows : p->columns;
    struct cf_tc_operand *x =
        cf_model_take(in[0].bits, p->rows, p->n, 0, core->type, parameters->flush_in);
    struct cf_tc_operand *y =
        cf_model_take(in[1].bits, p->y_transposed ? p->n : y_rows, p->y_transposed ? y_rows : p->n,
                      p->y_transposed, core->type, parameters->flush_in);

    for (int64_t i = 0; x && y && i < p->rows; ++i)
        for (int64_t j = 0; j < p->columns; ++j)
            out[i * p->columns + j] = cf_tc_dot(parameters, core->type, 0, x + i * p->n,
                                                y + (p->y_of_row ? i : j) * p->n, p->n);
    free(x);
    free(y);
    return x && y ? CF_DONE : CF_NO_MEMORY;
}

static enum cf_status run_f64(const struct cf_tensorcore *core, const struct problem *p,
                              const struct cf_tensor in[], double *out)
{
    const double *x = in[0].bits, *y = in[1].bits;
    double *row = malloc((size_t)(p->n + 1) * sizeof row[0]);

    for (int64_t j = 0; row && j < p->columns; ++j)
        for (int64_t i = 0; i < p->rows; ++i) {
            for (int64_t l = 0; l < p->n; ++l)
                row[l] =
                    p->y_transposed ? y[l * p->columns + j] : y[(p->y_of_row ? i : j) * p->n + l];
            out[i * p->columns + j] = cf_tc_dot_f64(&core->parameters, 0, x + i * p->n, row, p->n);
        }
    free(row);
    return row ? CF_DONE : CF_NO_MEMORY;
}

static enum cf_status run(const struct cf_tensorcore *core,
                          int (*read)(struct problem *, const struct cf_tensor in[],
                                      const struct cf_tensor *out),
                          const struct cf_tensor in[], struct cf_tensor out[])
{
    const enum cf_dtype dtype = core && core->type == CF_TC_F64 ? CF_F64 : CF_F32;
    struct problem p;

    if (!core || in[0].dtype != dtype || in[1].dtype != dtype || out[0].dtype != dtype ||
        !read(&p, in, &out[0]))
        return CF_UNSUPPORTED;
    return dtype == CF_F64 ? run_f64(core, &p, in, out[0].bits)
                           : run_f32(core, &p, in, out[0].bits);
}

#define RUN(op, name, CORE)                                                                        \
    static enum cf_status op##_##name(struct cf_library *library,                                  \
                                      const struct cf_pairs *attributes,                           \
                                      const struct cf_tensor in[], struct cf_tensor out[])         \
    {                                                                                              \
        (void)attributes;                                                                          \
        return run(CORE, read_##op, in, out);                                                      \
    }
#define RUN_ALL(name, CORE) RUN(gemm, name, CORE) RUN(gemv, name, CORE) RUN(dot, name, CORE)
#define RUNS(name, TYPE)    RUN_ALL(name, cf_tensorcore_find(library->device, TYPE))
CF_MODEL_TYPES(RUNS)
RUN_ALL(half, cf_tensorcore_find_half(library->device))

#define ENTRY(op_, name_, function)                                                                \
    {                                                                                              \
        .op = #op_, .name = name_, .backend = &cf_backend_model, .run = op_##_##function           \
    }
#define ENTRIES(name, TYPE)                                                                        \
    ENTRY(gemm, #name, name), ENTRY(gemv, #name, name), ENTRY(dot, #name, name),

extern const struct cf_kernel cf_kernels_model_gemm[];
const struct cf_kernel cf_kernels_model_gemm[] = {CF_MODEL_TYPES(ENTRIES)
                                                      ENTRY(gemm, "f16-f16", half),
                                                  ENTRY(gemv, "f16-f16", half),
                                                  ENTRY(dot, "f16-f16", half),
                                                  {.op = NULL}};
