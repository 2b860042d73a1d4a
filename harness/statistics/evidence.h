/* evidence: one tested statement, with everything that a reader needs to doubt it.
 *
 * A statement is that a value lies inside a margin. It passes when the opposite is rejected
 * (p_pass <= alpha) and fails when the statement itself is rejected (p_fail <= alpha); otherwise
 * nothing is known yet. Both are written positively: a NaN rejects nothing, so it never passes.
 *
 * Every p is computed four times: with 128 and with 256 bits, and with the margin moved outwards
 * and inwards by 1e-9 of itself. A verdict that is not the same four times is `borderline`. */
#ifndef CF_EVIDENCE_H
#define CF_EVIDENCE_H

#include <stdbool.h>

#include "demand.h"

/* alpha of one side of one test; the three looks share it. */
#define CF_ALPHA 0.05

enum { CF_VARIANTS = 4 }; /* 128 bits, 256 bits, margin wider, margin narrower */

struct cf_evidence {
    enum cf_verdict verdict;
    bool borderline;
    double estimate, lower, upper;    /* interval at level 1 - 2 alpha; NaN where there is none */
    double low, high;                 /* the margin; -INFINITY or INFINITY: that side is free */
    double fail_low, fail_high;       /* what the value must be shown to lie outside of, to fail */
    const char *unit, *margin_source; /* static texts */
    double alpha;
    double p_pass[CF_VARIANTS], p_fail[CF_VARIANTS]; /* [0] is the one to print; p_fail counts both
                                                        sides of a two-sided margin */
    int n, n_needed;  /* seeds (or trials) used; about how many would be needed to pass with the
                         present estimates: n when it passed, 0 when no number would do */
    char reason[240]; /* one sentence */
};

/* The verdict of variant v when p_pass and p_fail are multiplied by these numbers (looks,
 * components); 1 and 1 for a statement on its own. */
enum cf_verdict cf_evidence_verdict(const struct cf_evidence *, int v, double times_pass,
                                    double times_fail);

/* Fills verdict and borderline from the four variants. */
void cf_evidence_decide(struct cf_evidence *);

/* A result without numbers: not comparable, or not testable. `format` makes the reason. */
struct cf_evidence cf_evidence_without(enum cf_verdict, int n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* All must hold (intersection-union): fail if one fails, else skip if one is skipped, else unknown
 * if one is unknown, else pass. n = 0 is unknown: nothing was shown. */
enum cf_verdict cf_evidence_all(const struct cf_evidence *const *, int n);

#endif
