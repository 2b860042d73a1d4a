/* A plain matrix product in double arithmetic with a known order and hence a known bound. */
#ifndef CF_EXACT_PRODUCT_H
#define CF_EXACT_PRODUCT_H

#include "kernels.h"

/* What of an operand's elements enters a product. The slices: x = first + second + third, where
 * first is a multiple of 2^-bits, second of 2^(-2 bits), and for |x| < 1 the rests behind them are
 * at most half of those; later = second + third. */
enum cf_part {
    CF_PART_WHOLE,
    CF_PART_MAGNITUDE,
    CF_PART_FIRST,
    CF_PART_SECOND,
    CF_PART_LATER,
    CF_PART_THIRD
};

/* A dense row-major matrix of doubles, or of floats when narrow. */
struct cf_matrix {
    const void *data;
    int64_t rows, columns;
    bool narrow;
    int bits; /* of a slice */
};

/* c += a * b of the chosen parts; c: [a->rows][b->columns]. For each element: a chain over each
 * CF_PRODUCT_CHAIN terms in order, fused where the kernels are, and one addition to c for each
 * chain. The same bits for any number of threads. */
enum { CF_PRODUCT_CHAIN = 256 };
void cf_product_add(double *c, const struct cf_matrix *a, enum cf_part part_a,
                    const struct cf_matrix *b, enum cf_part part_b, int threads);

/* The product and the product of the magnitudes at once: c += a * b, magnitude += |a| * |b|. */
void cf_product_add_both(double *c, double *magnitude, const struct cf_matrix *a,
                         const struct cf_matrix *b, int threads);

/* How often a term of such a product meets a rounding at most, after `calls` calls with k terms
 * each. */
static inline double cf_product_roundings(int64_t k, int calls)
{
    const int64_t chains = (k + CF_PRODUCT_CHAIN - 1) / CF_PRODUCT_CHAIN;

    return (double)((k < CF_PRODUCT_CHAIN ? k : CF_PRODUCT_CHAIN) + calls * chains + 1);
}

/* Working memory for n objects, zeroed or not; aborts with a sentence when there is none. */
void *cf_exact_allocate(int64_t n, size_t size);
void *cf_exact_allocate_zeroed(int64_t n, size_t size);

#endif
