/* The table of kernels of one instruction set. A block is a run of at most CF_BLOCK terms. */
#ifndef CF_EXACT_KERNELS_H
#define CF_EXACT_KERNELS_H

#include "internal.h"

enum { CF_BLOCK = 4096, CF_LEVELS = 4, CF_BIN_TABLES = 2 };

/* What the terms of a block are. All but the products of doubles are exact doubles. */
enum cf_terms { CF_TERMS_F64, CF_TERMS_F32, CF_TERMS_F32_F32, CF_TERMS_F64_F64, CF_TERMS_KINDS };

/* The sums of one block on grids 2^(top - 40), 2^(top - 81), ...: integers in units of the grid. */
struct cf_window {
    int64_t value[CF_LEVELS], scale[CF_LEVELS];
};

static inline int cf_window_grid(int top, int level)
{
    return top - 40 - 41 * level;
}

/* The exponents that a block spans: of its largest term, and of its smallest that is not zero.
 * Special: a term is infinite or NaN, or (products of doubles) leaves the range in which it can be
 * split. */
struct cf_span {
    int highest, lowest;
    bool special;
};

/* Bins of the terms by sign and exponent. A bin takes numbers below 2^64 in two halves of 32 bits
 * that are added apart, so that 2^32 of them fit. Terms that are doubles: a significand of 53 bits,
 * shifted by its exponent field mod 8, into bin field / 8 of weight 2^(8 bin - 1075). Products of
 * doubles: the sum of the fields in the place of the field; the upper 54 bits of the product with
 * weight 2^(8 bin - 2098), the lower 52, shifted by 4 more, with weight 2^(8 bin - 2154). */
enum { CF_BINS = 256, CF_PRODUCT_BINS = 512 };

struct cf_bins {
    int low, high; /* bins outside low..high are zero */
    _Alignas(64) union {
        uint64_t term[CF_BIN_TABLES][2][CF_BINS][2]; /* [table][sign][bin][half] */
        uint64_t product[CF_BIN_TABLES][2][CF_PRODUCT_BINS]
                        [4]; /* the halves of the upper, of the lower part */
    } sum;
};

struct cf_kernels {
    /* Adds a block on `levels` grids below 2^top. False when that is not exact: a term of 2^(top -
     * 1) or more, or not finite, or one that has bits below the last grid. */
    bool (*window[CF_TERMS_KINDS])(struct cf_window *w, const void *x, const void *y, int n,
                                   int top, int levels);
    void (*span[CF_TERMS_KINDS])(struct cf_span *s, const void *x, const void *y, int n);
    /* Adds a block to bins of weight 2^(8 bin - offset). No term may be infinite or NaN; for
     * products of doubles those, and subnormal factors, go to `odd`. */
    void (*bins[CF_TERMS_KINDS])(struct cf_bins *b, struct cf_accumulator *odd, const void *x,
                                 const void *y, int n);
    /* c[i][j] += sum over l of a[l][i] * b[l][j]: one chain in l for each element, and one addition
     * to c. a: [k][rows], b: [k][columns], c: rows of `stride`. */
    void (*tile)(double *c, int64_t stride, const double *a, const double *b, int64_t k);
    int rows, columns;
    bool fused; /* the chain uses FMA */
};

extern const struct cf_kernels cf_kernels_portable, cf_kernels_avx2, cf_kernels_avx512;
const struct cf_kernels *cf_kernels_get(void);

#endif
