/* probe: operands that make a matrix unit show how it adds. A probe is a set of rows; a row is one
 * sum d = c + sum over l of a[l] * b[l] of k products, whose bits tell one feature. Every operand
 * is exact in the type that is probed (but in probe 7). Part of reference.h.
 *
 *   1  bits kept below the largest exponent: c = 1, p0 = -1, p1 = 2^-j for j = 1, 2, ... (for
 *      e4m3 2^14 stands for 1, here and below)
 *   2  rounding of the sum: 2 and a little more, both signs; sums that carry
 *   3  are small terms added to each other before they are cut? c = 1 and k terms 2^-s
 *   4  how many are added at once: p0 = M, pj = -M, all others a little; for j = 1 .. k-1
 *   5  subnormal operands and results
 *   6  is the sum monotone? c just below 1, and 1, with four terms 2^-s
 *   7  tf32: are operands rounded or cut? (1 + 2^-11 + 2^-12) * 1
 *   8  narrow accumulators (fp8): 1 + 2^-13 - 1; 31 ones and a little
 *   9  f64: is it a chain of fma along k? random operands
 *  10  in which order blocks follow each other: as 4, over several blocks, from both ends
 *
 * After Fasi, Higham, Mikaitis and Pranesh, PeerJ Computer Science 7:e330, 2021, section 4, and
 * Khattak and Mikaitis, arXiv 2512.07004, 2025; rows of our own. */
#ifndef CF_PROBE_H
#define CF_PROBE_H

#include "tensorcore.h"

#define CF_PROBES      10
#define CF_PROBE_K_MAX 256

struct cf_probe {
    enum cf_tc_type type;
    int number;    /* 1 .. 10 */
    int64_t k;     /* products a row */
    uint64_t seed; /* of probe 9 */
};

/* One row: value = c + sum of a[l] * b[l]. */
struct cf_probe_row {
    double c, a[CF_PROBE_K_MAX], b[CF_PROBE_K_MAX];
};

/* Rows of a probe; 0: it has no meaning for the type or for so few products. */
int64_t cf_probe_count(const struct cf_probe *probe);
/* Fills row i and returns 0; -1 when there is no such row. */
int cf_probe_make(const struct cf_probe *probe, int64_t i, struct cf_probe_row *row);

/* Products a row that show all of a probe for this type: 16, 32, or more in probe 10. */
int64_t cf_probe_k(int number, enum cf_tc_type type);

#endif
