/* The table of kernels of one instruction set. A block is a run of at most CF_BLOCK terms. */
#ifndef CF_EXACT_KERNELS_H
#define CF_EXACT_KERNELS_H

#include "internal.h"

enum { CF_BLOCK = 4096, CF_LEVELS = 4, CF_BINS = 528, CF_BIN_TABLES = 2 };

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
    bool special, all_zero;
};

/* Bins of the terms by sign and exponent: [table][sign][bin][half]. A term is a significand shifted
 * by exponent mod 8, below 2^60; half 0 adds its low 32 bits, half 1 the others. */
struct cf_bins {
    uint64_t sum[CF_BIN_TABLES][2][CF_BINS][2];
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
