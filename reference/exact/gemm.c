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
    const void *a, *b, *b_columns; /* b_columns: b transposed, or NULL */
    double *high, *low, *scale;
    const int *row, *column; /* NULL: all exponents are 0 */
    double bound_by_scale, bound_fixed;
    int64_t m, n, k;
    enum cf_exact_format format;
    bool wide; /* a and b are doubles */
    _Atomic int64_t n_fallback;
};

/* An element before rounding: |exact - (high + low)| <= bound. */
struct estimate {
    double high, low, bound;
};

/* Sets t to the number that everything within the bound rounds to; false when there is none. The
 * ends of the interval are moved outward when they are rounded to double, so that nothing rounds
 * twice. Zero is left to the exact dot, which knows its sign. */
static bool certify(struct cf_truth *t, const struct estimate *e, enum cf_exact_format format)
{
    const double limit = 0x1p-20 * cf_format_u(format) * t->scale;
    const double rest = e->bound + fabs(e->low);
    double below = e->high + (e->low - e->bound), above = e->high + (e->low + e->bound);

    if (!(e->bound <= limit) || !isfinite(e->high))
        return false;
    if (format != CF_EXACT_F64) {
        below = cf_round_double(nextafter(e->high - rest, -INFINITY), format);
        above = cf_round_double(nextafter(e->high + rest, INFINITY), format);
    }
    if (below != above || below == 0)
        return false;
    t->rounded = below;
    t->lo = isinf(below) ? 0 : (e->high - below) + e->low;
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
    e.bound = (g->scale[at] * g->bound_by_scale + g->bound_fixed) * unit;
    e.high *= unit;
    e.low *= unit;
    t->scale = g->scale[at] * unit;
    return certify(t, &e, g->format);
}

static void exact_element(struct gemm *g, int64_t i, int64_t j)
{
    const int64_t inc = g->b_columns != NULL ? 1 : g->n, from = g->b_columns != NULL ? j * g->k : j;
    const void *b = g->b_columns != NULL ? g->b_columns : g->b;
    struct cf_truth *t = &g->c[i * g->n + j];

    if (g->wide)
        cf_exact_dot_strided_f64(t, (const double *)g->a + i * g->k, 1, (const double *)b + from,
                                 inc, g->k, g->format, 1);
    else
        cf_exact_dot_strided_f32(t, (const float *)g->a + i * g->k, 1, (const float *)b + from, inc,
                                 g->k, g->format, 1);
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

static void *transposed(const struct gemm *g)
{
    const size_t size = g->wide ? sizeof(double) : sizeof(float);
    char *to = cf_exact_allocate(g->k * g->n, size);

    for (int64_t l = 0; l < g->k; ++l)
        for (int64_t j = 0; j < g->n; ++j)
            memcpy(to + (size_t)(j * g->k + l) * size,
                   (const char *)g->b + (size_t)(l * g->n + j) * size, size);
    return to;
}

static void finish(struct gemm *g, int threads, int64_t *n_fallback)
{
    const int parts = cf_parts(threads, g->m, ROWS_LEAST);
    void *b_columns = NULL;

    cf_parallel(parts, g->m, certify_rows, g);
    if (g->n_fallback >= TRANSPOSE_FROM)
        g->b_columns = b_columns = transposed(g);
    if (g->n_fallback > 0)
        cf_parallel(parts, g->m, fall_back_rows, g);
    free(b_columns);
    if (n_fallback != NULL)
        *n_fallback = g->n_fallback;
}

static double *magnitudes(const double *x, int64_t n)
{
    double *to = cf_exact_allocate(n, sizeof *to);

    for (int64_t i = 0; i < n; ++i)
        to[i] = fabs(x[i]);
    return to;
}

/* The sums of |a * b|, raised above all that rounding could have taken from them. */
static double *scales(const double *a, const double *b, int64_t m, int64_t n, int64_t k,
                      int threads)
{
    const double raise = 1 + 1.01 * 0x1p-53 * (cf_product_roundings(k, 1) + 4);
    double *a_abs = magnitudes(a, m * k), *b_abs = magnitudes(b, k * n);
    double *s = cf_exact_allocate(m * n, sizeof *s);

    cf_product_add(s, a_abs, b_abs, m, n, k, threads);
    for (int64_t i = 0; i < m * n; ++i)
        s[i] *= raise;
    free(a_abs);
    free(b_abs);
    return s;
}

static double *widened(const float *x, int64_t n)
{
    double *to = cf_exact_allocate(n, sizeof *to);

    for (int64_t i = 0; i < n; ++i)
        to[i] = x[i];
    return to;
}

/* Products of floats are exact in double and cannot leave its range: the roundings of the additions
 * are the whole error, fused or not (Higham 2002, section 3.1). */
static void by_one_product(struct gemm *g, const double *a, const double *b, int threads)
{
    g->scale = scales(a, b, g->m, g->n, g->k, threads);
    g->high = cf_exact_allocate(g->m * g->n, sizeof *g->high);
    cf_product_add(g->high, a, b, g->m, g->n, g->k, threads);
    g->bound_by_scale = 1.01 * 0x1p-53 * cf_product_roundings(g->k, 1);
}

/* One operand cut into slices: x = first + second + third, where first and second have few bits on
 * a common grid for each row of A or column of B, whose largest element is scaled below 1. */
struct sliced {
    double *whole, *first, *second, *third, *later; /* later: second + third */
    int *exponent;
};

static void sliced_free(struct sliced *s)
{
    free(s->whole);
    free(s->first);
    free(s->second);
    free(s->third);
    free(s->later);
    free(s->exponent);
}

/* Exponents such that |x| < 2^exponent over each group; 0 for a group of zeros or with no finite
 * maximum, whose elements the bound will leave open. Group of element (i, j): i, or j with
 * by_column. */
static void group_exponents(int *exponent, const double *x, int64_t rows, int64_t columns,
                            bool by_column)
{
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j) {
            int *e = &exponent[by_column ? j : i];
            int mine = INT32_MIN;

            if (x[i * columns + j] != 0 && isfinite(x[i * columns + j]))
                frexp(x[i * columns + j], &mine);
            *e = mine > *e ? mine : *e;
        }
}

static double on_grid(double x, int grid)
{
    const double anchor = 1.5 * cf_power_of_two(52 + grid);

    return (x + anchor) - anchor;
}

static struct sliced slice(const double *x, int64_t rows, int64_t columns, bool by_column, int bits)
{
    const int64_t n = rows * columns, groups = by_column ? columns : rows;
    struct sliced s = {
        cf_exact_allocate(n, sizeof(double)), cf_exact_allocate(n, sizeof(double)),
        cf_exact_allocate(n, sizeof(double)), cf_exact_allocate(n, sizeof(double)),
        cf_exact_allocate(n, sizeof(double)), cf_exact_allocate(groups, sizeof(int)),
    };

    for (int64_t i = 0; i < groups; ++i)
        s.exponent[i] = INT32_MIN;
    group_exponents(s.exponent, x, rows, columns, by_column);
    for (int64_t i = 0; i < groups; ++i)
        s.exponent[i] = s.exponent[i] == INT32_MIN ? 0 : s.exponent[i];
    for (int64_t i = 0; i < n; ++i) {
        s.whole[i] = ldexp(x[i], -s.exponent[by_column ? i % columns : i / columns]);
        s.first[i] = on_grid(s.whole[i], -bits);
        s.later[i] = s.whole[i] - s.first[i];
        s.second[i] = on_grid(s.later[i], -2 * bits);
        s.third[i] = s.later[i] - s.second[i];
    }
    return s;
}

static double *three_products(double *c, const struct gemm *g, const struct sliced *a,
                              const struct sliced *b, int threads)
{
    cf_product_add(c, a->second, b->later, g->m, g->n, g->k, threads);
    cf_product_add(c, a->first, b->third, g->m, g->n, g->k, threads);
    cf_product_add(c, a->third, b->whole, g->m, g->n, g->k, threads);
    return c;
}

/* high + low = first + middle + last, where the sum of the first two is split without error (Knuth,
 * The Art of Computer Programming 2, section 4.2.2) and the last is small. */
static void add_up(double *high, double *low, double first, double middle, double last)
{
    const double sum = first + middle, part = sum - first;
    const double error = (first - (sum - part)) + (middle - part), small = error + last;

    *high = sum + small;
    *low = small - (*high - sum);
}

/* With 2 bits + log2 k <= 53 the products first * first and first * second + second * first add up
 * without error: they are multiples of 2^(-2 bits) and 2^(-3 bits) below 2^53 of those units. What
 * is left has terms of at most 1.25 * 2^(-2 bits) in all for each l, and the usual bound. */
static void by_slices(struct gemm *g, const struct sliced *a, const struct sliced *b, int bits,
                      int threads)
{
    const int64_t size = g->m * g->n;
    double *middle = cf_exact_allocate(size, sizeof *middle),
           *last = cf_exact_allocate(size, sizeof *last);
    const double rest = 1.25 * (double)g->k * cf_power_of_two(-2 * bits);

    g->high = cf_exact_allocate(size, sizeof *g->high);
    g->low = cf_exact_allocate(size, sizeof *g->low);
    g->scale = scales(a->whole, b->whole, g->m, g->n, g->k, threads);
    cf_product_add(g->high, a->first, b->first, g->m, g->n, g->k, threads);
    cf_product_add(middle, a->first, b->second, g->m, g->n, g->k, threads);
    cf_product_add(middle, a->second, b->first, g->m, g->n, g->k, threads);
    three_products(last, g, a, b, threads);
    for (int64_t i = 0; i < size; ++i)
        add_up(&g->high[i], &g->low[i], g->high[i], middle[i], last[i]);
    g->bound_by_scale = 0x1p-100;
    g->bound_fixed = 1.01 * 0x1p-53 * (cf_product_roundings(g->k, 3) + 4) * rest + 0x1p-900;
    g->row = a->exponent;
    g->column = b->exponent;
    free(middle);
    free(last);
}

static int slice_bits(int64_t k)
{
    int log = 0;

    while (((int64_t)1 << log) < k)
        ++log;
    return (53 - log) / 2;
}

static void gemm_wide(struct gemm *g, const double *a, const double *b, int threads,
                      int64_t *n_fallback)
{
    const int bits = slice_bits(g->k);
    struct sliced sa = slice(a, g->m, g->k, false, bits), sb = slice(b, g->k, g->n, true, bits);

    by_slices(g, &sa, &sb, bits, threads);
    finish(g, threads, n_fallback);
    sliced_free(&sa);
    sliced_free(&sb);
    free(g->high);
    free(g->low);
    free(g->scale);
}

void cf_exact_gemm_f64(struct cf_truth *c, const double *a, const double *b, int64_t m, int64_t n,
                       int64_t k, enum cf_exact_format format, int threads, int64_t *n_fallback)
{
    struct gemm g = {
        .c = c, .a = a, .b = b, .m = m, .n = n, .k = k, .format = format, .wide = true};

    gemm_wide(&g, a, b, threads, n_fallback);
}

/* To the precision of double, a product of floats needs the slices too. */
void cf_exact_gemm_f32(struct cf_truth *c, const float *a, const float *b, int64_t m, int64_t n,
                       int64_t k, enum cf_exact_format format, int threads, int64_t *n_fallback)
{
    struct gemm g = {.c = c, .a = a, .b = b, .m = m, .n = n, .k = k, .format = format};
    double *a_wide = widened(a, m * k), *b_wide = widened(b, k * n);

    if (format == CF_EXACT_F64) {
        gemm_wide(&g, a_wide, b_wide, threads, n_fallback);
    } else {
        by_one_product(&g, a_wide, b_wide, threads);
        finish(&g, threads, n_fallback);
        free(g.high);
        free(g.scale);
    }
    free(a_wide);
    free(b_wide);
}
