/* Products of matrices. For f32 one product in double arithmetic, whose error a bound limits; for
 * f64 the operands are first cut into slices, so that the leading parts of the product come out
 * without error. Where the bound shows that everything within it rounds to the same number, that
 * number is the truth; every other element goes through the exact dot. docs/reference.md has the
 * bounds. */
#include "parallel.h"
#include "product.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { ROWS_LEAST = 8, TRANSPOSE_FROM = 16 };

/* What the element-wise passes share. High, low, scale: [m][n], and high + low is the value up to
 * an error of bound_by_scale * scale + bound_fixed, all in units of 2^(row[i] + column[j]). */
struct gemm {
    struct cf_truth *c;
    struct cf_matrix a, b;
    const void *b_columns; /* b transposed, or NULL */
    double *high, *low, *scale;
    const int *row, *column; /* NULL: all exponents are 0 */
    double bound_by_scale, bound_fixed, raise;
    double limit; /* of the bound, in units of the scale */
    int64_t m, n, k;
    enum cf_exact_format format;
    _Atomic int64_t n_fallback;
};

/* An element before rounding: |exact - (high + low)| <= bound. */
struct estimate {
    double high, low, bound;
};

static double round_narrow(double x, enum cf_exact_format format)
{
    return format == CF_EXACT_F32 ? (double)(float)x : cf_round_double(x, format);
}

/* Sets t to the number that everything within the bound rounds to; false when there is none. The
 * ends of the interval are moved outward when they are rounded to double, so that nothing rounds
 * twice. Zero is left to the exact dot, which knows its sign. */
static bool certify(struct cf_truth *t, const struct estimate *e, const struct gemm *g)
{
    double below = e->high + (e->low - e->bound), above = e->high + (e->low + e->bound);

    if (!(e->bound <= g->limit * t->scale) || !(fabs(e->high) < INFINITY))
        return false;
    if (g->format != CF_EXACT_F64) {
        const double rest = e->bound + fabs(e->low) + 0x1p-52 * fabs(e->high);

        below = round_narrow(e->high - rest, g->format);
        above = round_narrow(e->high + rest, g->format);
    }
    if (below != above || below == 0)
        return false;
    t->rounded = below;
    t->lo = fabs(below) < INFINITY ? (e->high - below) + e->low : 0;
    return true;
}

/* Far from the ends of the range, where multiplying by a power of two is exact. */
static bool is_moderate(double x, int exponent)
{
    return fabs(x) >= 0x1p-300 && fabs(x) <= 0x1p300 && exponent > -500 && exponent < 500;
}

static bool certify_element(struct gemm *g, int64_t i, int64_t j)
{
    const int64_t at = i * g->n + j;
    struct cf_truth *t = &g->c[at];
    struct estimate e = {g->high[at], g->low != NULL ? g->low[at] : 0, 0};
    int exponent = 0;
    double unit = 1;

    if (g->row != NULL) {
        exponent = g->row[i] + g->column[j];
        if (!is_moderate(e.high, exponent))
            return false;
        unit = cf_power_of_two(exponent);
    }
    e.bound = (g->scale[at] * g->raise * g->bound_by_scale + g->bound_fixed) * unit;
    e.high *= unit;
    e.low *= unit;
    t->scale = g->scale[at] * g->raise * unit;
    return certify(t, &e, g);
}

static void exact_element(struct gemm *g, int64_t i, int64_t j)
{
    const int64_t inc = g->b_columns != NULL ? 1 : g->n, from = g->b_columns != NULL ? j * g->k : j;
    const void *b = g->b_columns != NULL ? g->b_columns : g->b.data;
    struct cf_truth *t = &g->c[i * g->n + j];

    if (!g->a.narrow)
        cf_exact_dot_strided_f64(t, (const double *)g->a.data + i * g->k, 1,
                                 (const double *)b + from, inc, g->k, g->format, 1);
    else
        cf_exact_dot_strided_f32(t, (const float *)g->a.data + i * g->k, 1, (const float *)b + from,
                                 inc, g->k, g->format, 1);
}

/* A scale of -1 marks an element that the bound left open. */
static void certify_rows(void *context, int64_t first, int64_t last, int part)
{
    struct gemm *g = context;
    int64_t n_open = 0;

    (void)part;
    for (int64_t i = first; i < last; ++i)
        for (int64_t j = 0; j < g->n; ++j)
            if (!certify_element(g, i, j)) {
                g->c[i * g->n + j].scale = -1;
                ++n_open;
            }
    g->n_fallback += n_open;
}

static void fall_back_rows(void *context, int64_t first, int64_t last, int part)
{
    struct gemm *g = context;

    (void)part;
    for (int64_t i = first; i < last; ++i)
        for (int64_t j = 0; j < g->n; ++j)
            if (g->c[i * g->n + j].scale == -1)
                exact_element(g, i, j);
}

static void *transposed(const struct cf_matrix *b)
{
    const size_t size = b->narrow ? sizeof(float) : sizeof(double);
    char *to = cf_exact_allocate(b->rows * b->columns, size);

    for (int64_t l = 0; l < b->rows; ++l)
        for (int64_t j = 0; j < b->columns; ++j)
            memcpy(to + (size_t)(j * b->rows + l) * size,
                   (const char *)b->data + (size_t)(l * b->columns + j) * size, size);
    return to;
}

static void finish(struct gemm *g, int threads, int64_t *n_fallback)
{
    const int parts = cf_parts(threads, g->m, ROWS_LEAST);
    void *b_columns = NULL;

    g->raise = 1 + 1.01 * 0x1p-53 * (cf_product_roundings(g->k, 1) + 4);
    g->limit = 0x1p-20 * cf_format_u(g->format);
    cf_parallel(parts, g->m, certify_rows, g);
    if (g->n_fallback >= TRANSPOSE_FROM)
        g->b_columns = b_columns = transposed(&g->b);
    if (g->n_fallback > 0)
        cf_parallel(parts, g->m, fall_back_rows, g);
    if (n_fallback != NULL)
        *n_fallback = g->n_fallback;
    free(b_columns);
    free(g->high);
    free(g->low);
    free(g->scale);
}

/* Products of floats are exact in double and cannot leave its range: the roundings of the additions
 * are the whole error, fused or not (Higham 2002, section 3.1). */
static void by_one_product(struct gemm *g, int threads)
{
    g->scale = cf_exact_allocate_zeroed(g->m * g->n, sizeof *g->scale);
    g->high = cf_exact_allocate_zeroed(g->m * g->n, sizeof *g->high);
    cf_product_add_both(g->high, g->scale, &g->a, &g->b, threads);
    g->bound_by_scale = 1.01 * 0x1p-53 * cf_product_roundings(g->k, 1);
}

enum {
    LEAST_EXPONENT = -1000
}; /* below it, 2^-exponent is no double; elements are just small then */

/* Exponents such that |x| < 2^exponent over each row, or each column; infinities and NaN make no
 * difference, since the bound leaves their elements open. */
static int *group_exponents(const struct cf_matrix *x, bool by_column)
{
    const int64_t groups = by_column ? x->columns : x->rows;
    const double *data = x->data;
    int *exponent = cf_exact_allocate(groups, sizeof *exponent);
    double *most = cf_exact_allocate_zeroed(groups, sizeof *most);

    for (int64_t i = 0; i < x->rows; ++i)
        for (int64_t j = 0; j < x->columns; ++j) {
            const double magnitude = fabs(data[i * x->columns + j]);
            double *group = &most[by_column ? j : i];

            *group = magnitude > *group && magnitude < INFINITY ? magnitude : *group;
        }
    for (int64_t i = 0; i < groups; ++i) {
        frexp(most[i], &exponent[i]);
        exponent[i] = exponent[i] > LEAST_EXPONENT ? exponent[i] : LEAST_EXPONENT;
    }
    free(most);
    return exponent;
}

/* The matrix with each row, or each column, scaled below 1. */
static struct cf_matrix scaled(const struct cf_matrix *x, const int *exponent, bool by_column,
                               int bits)
{
    const int64_t groups = by_column ? x->columns : x->rows;
    const double *data = x->data;
    double *to = cf_exact_allocate(x->rows * x->columns, sizeof *to);
    double *unit = cf_exact_allocate(groups, sizeof *unit);

    for (int64_t i = 0; i < groups; ++i)
        unit[i] = cf_power_of_two(-exponent[i]);
    for (int64_t i = 0; i < x->rows; ++i)
        for (int64_t j = 0; j < x->columns; ++j)
            to[i * x->columns + j] = data[i * x->columns + j] * unit[by_column ? j : i];
    free(unit);
    return (struct cf_matrix){to, x->rows, x->columns, false, bits};
}

/* high + low = first + middle + last, where the sum of the first two is split without error (Knuth,
 * The Art of Computer Programming 2, section 4.2.2) and the last is small. */
static void add_up(double *high, double *low, double middle, double last)
{
    const double first = *high, sum = first + middle, part = sum - first;
    const double error = (first - (sum - part)) + (middle - part), small = error + last;

    *high = sum + small;
    *low = small - (*high - sum);
}

/* With 2 bits + log2 k <= 53 the products first * first and first * second + second * first add up
 * without error: they are multiples of 2^(-2 bits) and 2^(-3 bits) below 2^53 of those units. What
 * is left has terms of at most 1.25 * 2^(-2 bits) in all for each l, and the usual bound. */
static void by_slices(struct gemm *g, const struct cf_matrix *a, const struct cf_matrix *b,
                      int threads)
{
    const int64_t size = g->m * g->n;
    const double rest = 1.25 * (double)g->k * cf_power_of_two(-2 * a->bits);
    double *middle = cf_exact_allocate_zeroed(size, sizeof *middle);
    double *last = cf_exact_allocate_zeroed(size, sizeof *last);

    g->high = cf_exact_allocate_zeroed(size, sizeof *g->high);
    g->scale = cf_exact_allocate_zeroed(size, sizeof *g->scale);
    cf_product_add(g->scale, a, CF_PART_MAGNITUDE, b, CF_PART_MAGNITUDE, threads);
    cf_product_add(g->high, a, CF_PART_FIRST, b, CF_PART_FIRST, threads);
    cf_product_add(middle, a, CF_PART_FIRST, b, CF_PART_SECOND, threads);
    cf_product_add(middle, a, CF_PART_SECOND, b, CF_PART_FIRST, threads);
    cf_product_add(last, a, CF_PART_SECOND, b, CF_PART_LATER, threads);
    cf_product_add(last, a, CF_PART_FIRST, b, CF_PART_THIRD, threads);
    cf_product_add(last, a, CF_PART_THIRD, b, CF_PART_WHOLE, threads);
    for (int64_t i = 0; i < size; ++i)
        add_up(&g->high[i], &last[i], middle[i], last[i]);
    g->low = last;
    g->bound_by_scale = 0x1p-100;
    g->bound_fixed = 1.01 * 0x1p-53 * (cf_product_roundings(g->k, 3) + 4) * rest + 0x1p-900;
    free(middle);
}

static int slice_bits(int64_t k)
{
    int log = 0;

    while (((int64_t)1 << log) < k)
        ++log;
    return (53 - log) / 2;
}

/* a, b: the operands as doubles. */
static void gemm_wide(struct gemm *g, const struct cf_matrix *a, const struct cf_matrix *b,
                      int threads, int64_t *n_fallback)
{
    int *row = group_exponents(a, false), *column = group_exponents(b, true);
    struct cf_matrix sa = scaled(a, row, false, slice_bits(g->k));
    struct cf_matrix sb = scaled(b, column, true, slice_bits(g->k));

    g->row = row;
    g->column = column;
    by_slices(g, &sa, &sb, threads);
    free((void *)sa.data);
    free((void *)sb.data);
    finish(g, threads, n_fallback);
    free(row);
    free(column);
}

static struct cf_matrix widened(const struct cf_matrix *x)
{
    const int64_t n = x->rows * x->columns;
    double *to = cf_exact_allocate(n, sizeof *to);

    for (int64_t i = 0; i < n; ++i)
        to[i] = ((const float *)x->data)[i];
    return (struct cf_matrix){to, x->rows, x->columns, false, 0};
}

void cf_exact_gemm_f64(struct cf_truth *c, const double *a, const double *b, int64_t m, int64_t n,
                       int64_t k, enum cf_exact_format format, int threads, int64_t *n_fallback)
{
    struct gemm g = {.c = c,
                     .a = {a, m, k, false, 0},
                     .b = {b, k, n, false, 0},
                     .m = m,
                     .n = n,
                     .k = k,
                     .format = format};

    gemm_wide(&g, &g.a, &g.b, threads, n_fallback);
}

/* To the precision of double, a product of floats needs the slices too. */
void cf_exact_gemm_f32(struct cf_truth *c, const float *a, const float *b, int64_t m, int64_t n,
                       int64_t k, enum cf_exact_format format, int threads, int64_t *n_fallback)
{
    struct gemm g = {.c = c,
                     .a = {a, m, k, true, 0},
                     .b = {b, k, n, true, 0},
                     .m = m,
                     .n = n,
                     .k = k,
                     .format = format};

    if (format == CF_EXACT_F64) {
        const struct cf_matrix wide_a = widened(&g.a), wide_b = widened(&g.b);

        gemm_wide(&g, &wide_a, &wide_b, threads, n_fallback);
        free((void *)wide_a.data);
        free((void *)wide_b.data);
    } else {
        by_one_product(&g, threads);
        finish(&g, threads, n_fallback);
    }
}
