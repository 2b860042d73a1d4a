/* A plain matrix product: operands packed into strips that fit a cache, tiles of C in registers. */
#include "product.h"
#include "parallel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    STRIP_ROWS = 96, /* rows of A that are packed at once: 96 x 256 doubles stay in the L2 cache */
    STRIP_COLUMNS = 768, /* columns of B that are packed at once */
    TILE_MOST = 8 * 24,  /* the largest tile of any instruction set */
    PART_LEAST = 32      /* rows or columns that are worth a thread */
};

struct product {
    const struct cf_kernels *kernels;
    double *c, *magnitude; /* magnitude: of |a| * |b|, or NULL */
    const struct cf_matrix *a, *b;
    enum cf_part part_a, part_b;
};

/* A rectangle of C and a range of terms. */
struct piece {
    int64_t row, rows, column, columns, term, terms;
};

void *cf_exact_allocate(int64_t n, size_t size)
{
    const size_t bytes = ((size_t)(n > 0 ? n : 1) * size + 63) / 64 * 64;
    void *p = aligned_alloc(64, bytes);

    if (p == NULL) {
        fprintf(stderr, "exact product: no %zu bytes of memory for working space\n", bytes);
        abort();
    }
    return p;
}

void *cf_exact_allocate_zeroed(int64_t n, size_t size)
{
    return memset(cf_exact_allocate(n, size), 0, (size_t)n * size);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void magnitudes(double *x, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        x[i] = fabs(x[i]);
}

/* 1.5 * 2^(52 - bits): adding and taking away rounds to a multiple of 2^-bits. */
static double anchor_of(int bits)
{
    return 1.5 * cf_power_of_two(52 - bits);
}

/* x becomes the multiple of 2^-bits next to it, or what that leaves. */
static void round_to_grid(double *x, int64_t n, int bits)
{
    const double anchor = anchor_of(bits);

    for (int64_t i = 0; i < n; ++i)
        x[i] = (x[i] + anchor) - anchor;
}

static void take_from_grid(double *x, int64_t n, int bits)
{
    const double anchor = anchor_of(bits);

    for (int64_t i = 0; i < n; ++i)
        x[i] -= (x[i] + anchor) - anchor;
}

static void take_part(double *x, int64_t n, enum cf_part part, int bits)
{
    if (part == CF_PART_MAGNITUDE)
        magnitudes(x, n);
    if (part == CF_PART_FIRST)
        round_to_grid(x, n, bits);
    if (part == CF_PART_SECOND || part == CF_PART_LATER || part == CF_PART_THIRD)
        take_from_grid(x, n, bits);
    if (part == CF_PART_SECOND)
        round_to_grid(x, n, 2 * bits);
    if (part == CF_PART_THIRD)
        take_from_grid(x, n, 2 * bits);
}

static void copy_row(double *to, int64_t stride, const struct cf_matrix *m, int64_t row,
                     int64_t column, int64_t n)
{
    const int64_t at = row * m->columns + column;
    const float *narrow = m->data;
    const double *wide = m->data;

    for (int64_t i = 0; m->narrow && i < n; ++i)
        to[i * stride] = narrow[at + i];
    for (int64_t i = 0; !m->narrow && i < n; ++i)
        to[i * stride] = wide[at + i];
}

/* Strips of `tile` rows, term by term; rows that A does not have are zero. */
static void pack_a(double *to, const struct product *p, const struct piece *s, int tile)
{
    double *strip = to;

    for (int64_t i = 0; i < s->rows; i += tile, strip += tile * s->terms)
        for (int64_t r = 0; r < tile; ++r) {
            if (i + r < s->rows)
                copy_row(strip + r, tile, p->a, s->row + i + r, s->term, s->terms);
            for (int64_t l = 0; i + r >= s->rows && l < s->terms; ++l)
                strip[l * tile + r] = 0;
        }
    take_part(to, strip - to, p->part_a, p->a->bits);
}

/* Strips of `tile` columns, term by term; columns that B does not have are zero. */
static void pack_b(double *to, const struct product *p, const struct piece *s, int tile)
{
    double *row = to;

    for (int64_t j = 0; j < s->columns; j += tile) {
        const int64_t width = least(tile, s->columns - j);

        for (int64_t l = 0; l < s->terms; ++l, row += tile) {
            copy_row(row, 1, p->b, s->term + l, s->column + j, width);
            memset(row + width, 0, (size_t)(tile - width) * sizeof *row);
        }
    }
    take_part(to, row - to, p->part_b, p->b->bits);
}

static void edge_tile(const struct cf_kernels *k, double *c, int64_t stride, int64_t rows,
                      int64_t columns, const double *a, const double *b, int64_t terms)
{
    double whole[TILE_MOST] = {0};

    k->tile(whole, k->columns, a, b, terms);
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j)
            c[i * stride + j] += whole[i * k->columns + j];
}

static void tiles(double *c, const struct product *p, const struct piece *s, const double *a,
                  const double *b)
{
    const struct cf_kernels *k = p->kernels;
    const int64_t n = p->b->columns;

    for (int64_t j = 0; j < s->columns; j += k->columns)
        for (int64_t i = 0; i < s->rows; i += k->rows) {
            const int64_t rows = least(k->rows, s->rows - i);
            const int64_t columns = least(k->columns, s->columns - j);
            double *to = c + (s->row + i) * n + s->column + j;
            const double *ai = a + i * s->terms, *bj = b + j * s->terms;

            if (rows == k->rows && columns == k->columns)
                k->tile(to, n, ai, bj, s->terms);
            else
                edge_tile(k, to, n, rows, columns, ai, bj, s->terms);
        }
}

/* All rows against one packed strip of B. */
static void strip(const struct product *p, struct piece *s, int64_t row, int64_t rows, double *a,
                  double *b, double *b_magnitude)
{
    const int64_t columns = p->kernels->columns,
                  wide = (s->columns + columns - 1) / columns * columns;

    pack_b(b, p, s, p->kernels->columns);
    if (p->magnitude != NULL) {
        memcpy(b_magnitude, b, (size_t)(wide * s->terms) * sizeof *b);
        magnitudes(b_magnitude, wide * s->terms);
    }
    for (int64_t i = 0; i < rows; i += STRIP_ROWS) {
        s->row = row + i;
        s->rows = least(STRIP_ROWS, rows - i);
        pack_a(a, p, s, p->kernels->rows);
        tiles(p->c, p, s, a, b);
        if (p->magnitude != NULL) {
            magnitudes(a, (s->rows + 8) / 8 * 8 * s->terms);
            tiles(p->magnitude, p, s, a, b_magnitude);
        }
    }
}

static void rectangle(const struct product *p, int64_t row, int64_t rows, int64_t column,
                      int64_t columns)
{
    const int64_t b_size = (int64_t)(STRIP_COLUMNS + 24) * CF_PRODUCT_CHAIN;
    double *a = cf_exact_allocate_zeroed((int64_t)(STRIP_ROWS + 8) * CF_PRODUCT_CHAIN, sizeof *a);
    double *b = cf_exact_allocate(2 * b_size, sizeof *b);

    for (int64_t j = 0; j < columns; j += STRIP_COLUMNS)
        for (int64_t l = 0; l < p->a->columns; l += CF_PRODUCT_CHAIN) {
            struct piece s = {.column = column + j,
                              .columns = least(STRIP_COLUMNS, columns - j),
                              .term = l,
                              .terms = least(CF_PRODUCT_CHAIN, p->a->columns - l)};

            strip(p, &s, row, rows, a, b, b + b_size);
        }
    free(a);
    free(b);
}

static void some_rows(void *context, int64_t first, int64_t last, int part)
{
    const struct product *p = context;

    (void)part;
    rectangle(p, first, last - first, 0, p->b->columns);
}

static void some_columns(void *context, int64_t first, int64_t last, int part)
{
    const struct product *p = context;

    (void)part;
    rectangle(p, 0, p->a->rows, first, last - first);
}

static void run(struct product *p, int threads)
{
    const int64_t m = p->a->rows, n = p->b->columns;

    if (m >= n)
        cf_parallel(cf_parts(threads, m, PART_LEAST), m, some_rows, p);
    else
        cf_parallel(cf_parts(threads, n, PART_LEAST), n, some_columns, p);
}

void cf_product_add(double *c, const struct cf_matrix *a, enum cf_part part_a,
                    const struct cf_matrix *b, enum cf_part part_b, int threads)
{
    struct product p = {cf_kernels_get(), c, NULL, a, b, part_a, part_b};

    run(&p, threads);
}

void cf_product_add_both(double *c, double *magnitude, const struct cf_matrix *a,
                         const struct cf_matrix *b, int threads)
{
    struct product p = {cf_kernels_get(), c, magnitude, a, b, CF_PART_WHOLE, CF_PART_WHOLE};

    run(&p, threads);
}
