/* From an op to reductions: checks, terms, and the loop over the elements of the output. */
#ifndef REAL
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TYPED_FILE "support_terms.c"
#include "plain.h"

/* The shapes that the op promises, of one type. */
static int fits(enum cf_plain_op op, const struct cf_tensor in[], const struct cf_tensor *out)
{
    const struct cf_tensor *x = &in[0], *y = &in[1];
    const int two = op == CF_DOT || op == CF_GEMV || op == CF_GEMM;

    if ((x->dtype != CF_F32 && x->dtype != CF_F64) || out->dtype != x->dtype || x->rank != 2 ||
        out->dim[0] != x->dim[0] || out->rank != (op == CF_GEMM ? 2 : 1))
        return 0;
    if (two && y->dtype != x->dtype)
        return 0;
    switch (op) {
    case CF_DOT:
        return y->rank == 2 && y->dim[0] == x->dim[0] && y->dim[1] == x->dim[1];
    case CF_GEMV:
        return y->rank == 1 && y->dim[0] == x->dim[1];
    case CF_GEMM:
        return y->rank == 2 && y->dim[0] == x->dim[1] && y->dim[1] == out->dim[1];
    default:
        return 1;
    }
}

enum cf_status cf_plain_run(enum cf_plain_op op, const struct cf_plain_order *order,
                            struct cf_library *library, const struct cf_tensor in[],
                            struct cf_tensor out[])
{
    if (!fits(op, in, &out[0]))
        return CF_UNSUPPORTED;
    if (order->prepare && order->prepare(library, in[0].dim[1]) != CF_DONE)
        return CF_NO_MEMORY;
    return in[0].dtype == CF_F32 ? run_f32(op, order, library, in, out)
                                 : run_f64(op, order, library, in, out);
}
#else

/* Room for terms; never of size 0, so that NULL means no memory. */
static REAL *TYPED(room)(int64_t n)
{
    return malloc(((size_t)n + 1) * sizeof(REAL));
}

REAL TYPED(cf_plain_partial)(const struct TYPED(cf_plain_problem) * p, int64_t e, int64_t first,
                             int64_t last)
{
    const int64_t i = e / p->columns, j = e % p->columns;
    const REAL *x = p->x + i * p->n;
    const REAL *y = p->y ? p->y + (p->y_of_row ? i : j) * p->n : NULL;
    REAL sum = 0;

    for (int64_t l = first; l < last; ++l)
        sum += y ? x[l] * y[l] : x[l];
    return sum;
}

REAL TYPED(cf_plain_lanes)(const REAL *t, int64_t n, int lanes)
{
    REAL lane[16] = {0};
    int64_t i = 0;

    for (; i + lanes <= n; i += lanes)
        for (int l = 0; l < lanes; ++l)
            lane[l] += t[i + l];
    for (int l = 0; i + l < n; ++l)
        lane[l] += t[i + l];
    for (int half = lanes / 2; half > 0; half /= 2)
        for (int l = 0; l < half; ++l)
            lane[l] += lane[l + half];
    return lane[0];
}

/* One reduction after the other. */
static enum cf_status TYPED(solve_serially)(const struct cf_plain_order *order,
                                            const struct cf_library *library,
                                            const struct TYPED(cf_plain_problem) * p)
{
    REAL *term = TYPED(room)(p->y ? p->n : 0);

    if (!term)
        return CF_NO_MEMORY;
    for (int64_t i = 0; i < p->rows; ++i)
        for (int64_t j = 0; j < p->columns; ++j) {
            const REAL *x = p->x + i * p->n;
            const REAL *y = p->y ? p->y + (p->y_of_row ? i : j) * p->n : NULL;

            for (int64_t l = 0; y && l < p->n; ++l)
                term[l] = x[l] * y[l];
            p->out[i * p->columns + j] = order->TYPED(reduce)(library, y ? term : x, p->n);
        }
    free(term);
    return CF_DONE;
}

static enum cf_status TYPED(solve)(const struct cf_plain_order *order, struct cf_library *library,
                                   const struct TYPED(cf_plain_problem) * p)
{
    return order->TYPED(solve) ? order->TYPED(solve)(library, p)
                               : TYPED(solve_serially)(order, library, p);
}

static void TYPED(absolutes)(REAL *to, const REAL *from, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        to[i] = (REAL)fabs((double)from[i]);
}

/* to[j, i] = from[i, j], from [rows, columns]. */
static void TYPED(transpose)(REAL *to, const REAL *from, int64_t rows, int64_t columns)
{
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j)
            to[j * rows + i] = from[i * columns + j];
}

/* The exponent of the largest finite element of a row: 2^e <= max < 2^(e+1); 0 for a row of zeros.
 */
static int TYPED(scale_of)(const REAL *x, int64_t n)
{
    REAL largest = 0;

    for (int64_t i = 0; i < n; ++i) {
        const REAL a = (REAL)fabs((double)x[i]);

        largest = a > largest && !isinf(a) ? a : largest;
    }
    return largest > 0 ? ilogb((double)largest) : 0;
}

/* Rows scaled to a largest element in [1, 2): exact for all that the sum of squares can feel. */
static void TYPED(scale)(REAL *to, const REAL *from, int64_t n, int exponent)
{
    /* Two factors, for 2^1074 is no double. */
    const double first = ldexp(1, -exponent / 2), second = ldexp(1, -exponent + exponent / 2);

    for (int64_t i = 0; i < n; ++i)
        to[i] = (REAL)((double)from[i] * first * second);
}

static enum cf_status TYPED(run_nrm2)(const struct cf_plain_order *order,
                                      struct cf_library *library,
                                      struct TYPED(cf_plain_problem) * p, REAL *scaled)
{
    const REAL *x = p->x;
    enum cf_status status;

    for (int64_t i = 0; i < p->rows; ++i)
        TYPED(scale)(scaled + i * p->n, x + i * p->n, p->n, TYPED(scale_of)(x + i * p->n, p->n));
    p->x = p->y = scaled;
    p->y_of_row = 1;
    status = TYPED(solve)(order, library, p);
    for (int64_t i = 0; i < p->rows && status == CF_DONE; ++i)
        p->out[i] =
            (REAL)ldexp((double)(REAL)sqrt((double)p->out[i]), TYPED(scale_of)(x + i * p->n, p->n));
    return status;
}

static enum cf_status TYPED(run)(enum cf_plain_op op, const struct cf_plain_order *order,
                                 struct cf_library *library, const struct cf_tensor in[],
                                 struct cf_tensor out[])
{
    struct TYPED(cf_plain_problem) p = {.rows = in[0].dim[0],
                                        .columns = op == CF_GEMM ? out[0].dim[1] : 1,
                                        .n = in[0].dim[1],
                                        .x = in[0].bits,
                                        .y_of_row = op == CF_DOT,
                                        .out = out[0].bits};
    const int64_t n_copied = op == CF_GEMM                    ? p.columns * p.n
                             : op == CF_ASUM || op == CF_NRM2 ? p.rows * p.n
                                                              : 0;
    REAL *copy = TYPED(room)(n_copied);
    enum cf_status status;

    if (!copy)
        return CF_NO_MEMORY;
    if (op == CF_DOT || op == CF_GEMV)
        p.y = in[1].bits;
    if (op == CF_ASUM)
        TYPED(absolutes)(copy, p.x, n_copied), p.x = copy;
    if (op == CF_GEMM)
        TYPED(transpose)(copy, in[1].bits, p.n, p.columns), p.y = copy;
    status = op == CF_NRM2 ? TYPED(run_nrm2)(order, library, &p, copy)
                           : TYPED(solve)(order, library, &p);
    free(copy);
    return status;
}
#endif
