/* A plain matrix product: operands packed into strips that fit a cache, tiles of C in registers. */
#include "product.h"
#include "parallel.h"

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
    double *c;
    const double *a, *b;
    int64_t m, n, k; /* as in memory: the strides are k, n, n */
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
    return memset(p, 0, bytes);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Strips of `tile` rows, term by term; rows that A does not have are zero. */
static void pack_a(double *to, const struct product *p, const struct piece *s, int tile)
{
    for (int64_t i = 0; i < s->rows; i += tile, to += tile * s->terms)
        for (int64_t r = 0; r < tile; ++r) {
            const double *from = p->a + (s->row + i + r) * p->k + s->term;
            const bool there = i + r < s->rows;

            for (int64_t l = 0; l < s->terms; ++l)
                to[l * tile + r] = there ? from[l] : 0;
        }
}

/* Strips of `tile` columns, term by term; columns that B does not have are zero. */
static void pack_b(double *to, const struct product *p, const struct piece *s, int tile)
{
    for (int64_t j = 0; j < s->columns; j += tile) {
        const int64_t width = least(tile, s->columns - j);

        for (int64_t l = 0; l < s->terms; ++l, to += tile) {
            memcpy(to, p->b + (s->term + l) * p->n + s->column + j, (size_t)width * sizeof *to);
            memset(to + width, 0, (size_t)(tile - width) * sizeof *to);
        }
    }
}

static void edge_tile(const struct product *p, double *c, int64_t rows, int64_t columns,
                      const double *a, const double *b, int64_t terms)
{
    const struct cf_kernels *k = p->kernels;
    double whole[TILE_MOST] = {0};

    k->tile(whole, k->columns, a, b, terms);
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j)
            c[i * p->n + j] += whole[i * k->columns + j];
}

static void tiles(const struct product *p, const struct piece *s, const double *a, const double *b)
{
    const struct cf_kernels *k = p->kernels;

    for (int64_t j = 0; j < s->columns; j += k->columns)
        for (int64_t i = 0; i < s->rows; i += k->rows) {
            const int64_t rows = least(k->rows, s->rows - i),
                          columns = least(k->columns, s->columns - j);
            double *c = p->c + (s->row + i) * p->n + s->column + j;
            const double *ai = a + i * s->terms, *bj = b + j * s->terms;

            if (rows == k->rows && columns == k->columns)
                k->tile(c, p->n, ai, bj, s->terms);
            else
                edge_tile(p, c, rows, columns, ai, bj, s->terms);
        }
}

static void rectangle(const struct product *p, int64_t row, int64_t rows, int64_t column,
                      int64_t columns)
{
    double *a = cf_exact_allocate((int64_t)(STRIP_ROWS + 8) * CF_PRODUCT_CHAIN, sizeof *a);
    double *b = cf_exact_allocate((int64_t)(STRIP_COLUMNS + 24) * CF_PRODUCT_CHAIN, sizeof *b);

    for (int64_t j = 0; j < columns; j += STRIP_COLUMNS)
        for (int64_t l = 0; l < p->k; l += CF_PRODUCT_CHAIN) {
            struct piece s = {.column = column + j,
                              .columns = least(STRIP_COLUMNS, columns - j),
                              .term = l,
                              .terms = least(CF_PRODUCT_CHAIN, p->k - l)};

            pack_b(b, p, &s, p->kernels->columns);
            for (int64_t i = 0; i < rows; i += STRIP_ROWS) {
                s.row = row + i;
                s.rows = least(STRIP_ROWS, rows - i);
                pack_a(a, p, &s, p->kernels->rows);
                tiles(p, &s, a, b);
            }
        }
    free(a);
    free(b);
}

static void some_rows(void *context, int64_t first, int64_t last, int part)
{
    const struct product *p = context;

    (void)part;
    rectangle(p, first, last - first, 0, p->n);
}

static void some_columns(void *context, int64_t first, int64_t last, int part)
{
    const struct product *p = context;

    (void)part;
    rectangle(p, 0, p->m, first, last - first);
}

void cf_product_add(double *c, const double *a, const double *b, int64_t m, int64_t n, int64_t k,
                    int threads)
{
    struct product p = {cf_kernels_get(), c, a, b, m, n, k};

    if (m >= n)
        cf_parallel(cf_parts(threads, m, PART_LEAST), m, some_rows, &p);
    else
        cf_parallel(cf_parts(threads, n, PART_LEAST), n, some_columns, &p);
}
