/* accuracy: one output of one case against the truth: the gates S1 to S4 of docs/levels.md, every
 * element. Absolute: no other configuration is looked at.
 *
 * With e = abs(got - exact), u and eta of the output's type, S = the truth's scale, n = terms and x
 * = extra_roundings of the op:
 *   S1  fills integer, spike (and small), ops that are exact there: got = the exact value.
 *   S2  the class map: NaN, infinities by sign, finite; the sign of an exact zero (+0 when terms
 *       cancel; free when all terms are zero); nothing flushed.
 *   S3  every finite element of every fill: e <= (n + x) u S + n eta / 2, for any order of
 *       operations (Higham, Accuracy and Stability, 2002, section 3.1, as sharpened by Jeannerod
 *       and Rump, 2013). A violation is a proof of an error.
 *   S4  fills normal, uniform, cancel*, wide: e <= (lambda sqrt(n) + x) u S (Higham and Mary, 2019;
 *       Ipsen and Zhou, 2020): a violation is improbable under a model, not impossible.
 * Flushed: the element breaks S3, and would keep it if each of its 2 n operations might lose less
 * than the smallest normal number. It fails S2, which caps the level at functional, and not S3: an
 * undeclared flush to zero is a property of the configuration, not a wrong sum.
 * A fast algorithm (kernel.h) has no bound of its own terms: S1 asks that results on the fill small
 * round to the exact integers (on larger ones they need not), S3 is normwise with its growth, and
 * S4 has no meaning. Every comparison accepts positively, so that a NaN passes nothing. */
#ifndef CF_ACCURACY_H
#define CF_ACCURACY_H

#include "truth.h"

enum cf_gate { CF_S1, CF_S2, CF_S3, CF_S4, CF_DECISIONS, CF_N_ELEMENT_GATES };

/* Of all elements that a gate judged, how many failed; and its worst: the failing one with the
 * largest error / allowed, else the passing one; NaN counts as larger than all. n_judged = 0: the
 * rest means nothing. */
struct cf_gate_tally {
    int64_t n_judged, n_failed, element;
    int output;
    double got, exact;     /* exact: correctly rounded */
    double error, allowed; /* in units of u * scale; NaN where the exact value is not finite */
};

struct cf_accuracy {
    struct cf_gate_tally gate[CF_N_ELEMENT_GATES];
    int64_t n_flushed;       /* of S2's failures */
    int64_t n_errors;        /* finite elements with scale > 0 */
    double sum_squares, sum; /* over those, of (got - exact) / (u * scale): RMS and bias */
    double largest;          /* of abs() of that; NaN if one is */
};

struct cf_accuracy_rule {
    double lambda; /* of S4: sqrt(2 ln(2 n_max N_out / 1e-3)) */
    double growth; /* of a fast algorithm; 0: classical */
};

/* Decisions (gate D, level scientific): counts into the tally those of one output that are certain
 * and those of them that `out` decides otherwise. See decisions.c. */
void cf_decisions_judge(struct cf_gate_tally *tally, const struct cf_reference *reference,
                        double lambda, const struct cf_tensor *out, int o);
/* Does the op have decisions? */
int cf_decisions_of(const struct cf_op *op);

/* lambda for the n_max and N_out of a suite's full plan; docs/levels.md. */
double cf_accuracy_lambda(double n_max, double n_outputs);

/* Judges the bits of all outputs, back to back (n_bytes must be what the shapes need). Before a
 * gate is failed MPFR confirms its worst element: -1 and a sentence when it does not. */
int cf_accuracy_judge(struct cf_accuracy *accuracy, const struct cf_reference *reference,
                      const struct cf_accuracy_rule *rule, const void *bits, uint64_t n_bytes,
                      struct cf_error *err);

/* (got - exact) / (u * scale), signed, of one element: 0 if equal, infinite if the scale is 0; NaN
 * where one of the two is not finite. */
double cf_accuracy_error(const struct cf_truth *truth, double got, enum cf_dtype dtype);

/* Does the fill of the case belong to gate S1 (or S4)? */
int cf_accuracy_is_exact_fill(const struct cf_case *c);
int cf_accuracy_is_random_fill(const struct cf_case *c);

/* Adds the tallies of another output or case; not 0 when the worst element is now that one's. */
int cf_gate_tally_add(struct cf_gate_tally *into, const struct cf_gate_tally *from);

#endif
