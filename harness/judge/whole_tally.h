/* whole_tally: the answers of one version, or two, of a function of a float, to millions of
 * arguments at a time: how many are not the correctly rounded value, how far the worst is off, and
 * where two versions differ, which is right.
 *
 * An argument goes one of two ways. The op's `values` gives f(x) within a proved relative error b;
 * when f(x) (1 - b) and f(x) (1 + b) round to the same float, that is the correctly rounded value.
 * Otherwise MPFR says it (Ziv, ACM TOMS 17(3), 1991). Of every CF_WHOLE_SAMPLE arguments MPFR also
 * computes one that was decided, and both the rounding and the bound b must hold: a breach is ours,
 * and stops the program. */
#ifndef CF_WHOLE_TALLY_H
#define CF_WHOLE_TALLY_H

#include "reference.h"

#define CF_WHOLE_SAMPLE 65536
#define CF_WHOLE_PIECE  4096

struct cf_whole_side {
    int64_t n_wrong; /* answers that are not the correctly rounded value; any NaN is as good */
    /* The largest abs(got - exact), in units in the last place of exact; an infinity counts as
     * 2^128. Infinite: a NaN for a number, or a number for what is NaN or infinite. */
    double worst;
    uint32_t x, got; /* where, as encodings */
};

/* Two answers of other bits, by who is right. */
enum cf_whole_who { CF_BOTH_WRONG, CF_OLD_RIGHT, CF_NEW_RIGHT, CF_BOTH_RIGHT, CF_N_WHO };

struct cf_whole_difference {
    int64_t n;
    uint32_t x, got[2], right; /* the first of them, as encodings */
};

struct cf_whole_tally {
    int64_t n, n_asked, n_sampled; /* arguments; decided by MPFR; decided without, and confirmed */
    struct cf_whole_side side[2];
    struct cf_whole_difference differ[CF_N_WHO]; /* CF_BOTH_RIGHT: NaNs of other bits */
};

/* Adds the answers got[0] and, where it is not NULL, got[1] to n arguments; all are encodings. */
void cf_whole_judge(struct cf_whole_tally *tally, const struct cf_op *op, const uint32_t x[],
                    const uint32_t *const got[2], int64_t n);

/* Adds the tally of another range, which lies behind. */
void cf_whole_add(struct cf_whole_tally *into, const struct cf_whole_tally *from);

/* The error of one answer by MPFR, in units in the last place of the exact value, and the encoding
 * of the correctly rounded one. */
double cf_whole_measure(const struct cf_op *op, uint32_t x, uint32_t got, uint32_t *right);

#endif
