#include "system.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "philox.h"

/* Streams of the case's seed. */
enum { STREAM_MATRIX = 0x53595301, STREAM_SOLUTION = 0x53595302 };

static double centred(uint64_t seed, uint32_t stream, int64_t i, int64_t reach)
{
    const struct cf_stream s = {seed, stream};

    return (double)cf_stream_below(&s, (uint64_t)i, (uint64_t)(2 * reach + 1)) - (double)reach;
}

int cf_system_is(const char *op)
{
    return strcmp(op, "solve_cg") == 0 || strcmp(op, "solve_jacobi") == 0;
}

int cf_system_shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                    struct cf_error *err)
{
    const int64_t n = cf_case_int(c, "n", 0), tolerance = cf_case_int(c, "tolerance", 16);

    if (n < 1 || n > CF_SYSTEM_MAX || tolerance < 1 || tolerance > 40)
        return cf_fail(err, "case `%s`: n must be 1..%d and tolerance 1..40", c->text,
                       CF_SYSTEM_MAX);
    if (strcmp(c->fill, "system") != 0 || (c->dtype != CF_F32 && c->dtype != CF_F64))
        return cf_fail(err, "case `%s`: solvers take f32 or f64 and fill=system", c->text);
    in[0] = (struct cf_tensor){.dtype = c->dtype, .rank = 2, .dim = {n, n}};
    in[1] = (struct cf_tensor){.dtype = c->dtype, .rank = 1, .dim = {n}};
    in[2] = (struct cf_tensor){.dtype = c->dtype, .rank = 1, .dim = {2}};
    out[0] = (struct cf_tensor){.dtype = CF_I64, .rank = 1, .dim = {2}};
    out[1] = in[1];
    return 0;
}

/* All of a[n,n], row by row. */
static void draw_symmetric(double *a, int64_t n, uint64_t seed)
{
    double *b = cf_alloc((size_t)(n * n) * sizeof b[0]);

    for (int64_t i = 0; i < n * n; ++i)
        b[i] = centred(seed, STREAM_MATRIX, i, 7);
    for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < n; ++j) {
            a[i * n + j] = i == j ? 2 : 0;
            for (int64_t l = 0; l < n; ++l)
                a[i * n + j] += b[i * n + l] * b[j * n + l];
        }
    free(b);
}

static void draw_dominant(double *a, int64_t n, uint64_t seed)
{
    const struct cf_stream s = {seed, STREAM_MATRIX};

    for (int64_t i = 0; i < n; ++i) {
        double sum = 0;

        for (int64_t j = 0; j < n; ++j)
            if (i != j)
                sum += a[i * n + j] = 1 + (double)cf_stream_below(&s, (uint64_t)(i * n + j), 8);
        a[i * n + i] = sum + ceil(sum / 8) + 1;
    }
}

void cf_system_solution(const struct cf_case *c, double x[])
{
    const int64_t n = cf_case_int(c, "n", 0);

    for (int64_t i = 0; i < n; ++i)
        x[i] = centred(c->seed, STREAM_SOLUTION, i, 8);
}

int cf_system_draw(enum cf_system_kind kind, const struct cf_case *c, struct cf_tensor in[],
                   struct cf_error *err)
{
    struct cf_tensor out[2];
    double x[CF_SYSTEM_MAX], *a;
    int64_t n;

    if (cf_system_shape(c, in, out, err) != 0)
        return -1;
    n = in[1].dim[0];
    for (int o = 0; o < 3; ++o)
        cf_tensor_alloc(&in[o]);
    a = cf_alloc((size_t)(n * n) * sizeof a[0]);
    (kind == CF_SYSTEM_CG ? draw_symmetric : draw_dominant)(a, n, c->seed);
    cf_system_solution(c, x);
    for (int64_t i = 0; i < n; ++i) {
        double b = 0;

        for (int64_t j = 0; j < n; ++j) {
            cf_tensor_set(&in[0], i * n + j, a[i * n + j]);
            b += a[i * n + j] * x[j];
        }
        cf_tensor_set(&in[1], i, b);
    }
    cf_tensor_set(&in[2], 0, ldexp(1, -2 * (int)cf_case_int(c, "tolerance", 16)));
    cf_tensor_set(&in[2], 1, (double)(8 * n));
    free(a);
    return 0;
}
