/* A plain matrix product in double arithmetic with a known order and hence a known bound. */
#ifndef CF_EXACT_PRODUCT_H
#define CF_EXACT_PRODUCT_H

#include "kernels.h"

/* c += a * b.  a: [m][k], b: [k][n], c: [m][n], row-major and dense. For each element: a chain over
 * each CF_PRODUCT_CHAIN terms in order, fused where the kernels are, and one addition to c for each
 * chain. The same bits for any number of threads. */
enum { CF_PRODUCT_CHAIN = 256 };
void cf_product_add(double *c, const double *a, const double *b, int64_t m, int64_t n, int64_t k,
                    int threads);

/* How often a term of such a product meets a rounding at most, after `calls` calls with k terms
 * each. */
static inline double cf_product_roundings(int64_t k, int calls)
{
    const int64_t chains = (k + CF_PRODUCT_CHAIN - 1) / CF_PRODUCT_CHAIN;

    return (double)((k < CF_PRODUCT_CHAIN ? k : CF_PRODUCT_CHAIN) + calls * chains + 1);
}

/* Working memory for n objects, zeroed; aborts with a sentence when there is none. */
void *cf_exact_allocate(int64_t n, size_t size);

#endif
