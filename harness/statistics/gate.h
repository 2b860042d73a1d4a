/* gate: the one-sided questions. How often does something bad happen; is quality lost; is an error
 * larger than the declared arithmetic allows. */
#ifndef CF_GATE_H
#define CF_GATE_H

#include "evidence.h"
#include "sample.h"

/* "At most `limit` of all trials are bad", after `bad` of n: passes when the one-sided 95 %
 * Clopper-Pearson upper bound is <= limit, fails when the lower bound is > limit. n_needed is the
 * least n at which the same number of bad ones passes. margin_source is a static text. */
struct cf_evidence cf_gate_rate(long bad, long n, double limit, const char *margin_source);

/* The numerical level: one mismatch is a counterexample and fails; none in n passes when the bound
 * is <= limit, which takes 299 trials for 1 % (an op) and 59 for 5 % (training chains). */
struct cf_evidence cf_gate_identity(long mismatches, long n, double limit);

/* Gate F: the failure rate exceeds the bank's by at most `margin`. */
struct cf_evidence cf_gate_failures(long failed, long n, long bank_failed, long n_bank,
                                    double margin);

/* The largest number of failures that cf_gate_rate passes at n, or -1. */
long cf_gate_allowed(long n, double limit);

/* The exact probability that somewhere among the looks at n[0] < n[1] < ... the failures are at
 * most allowed[i], when each run fails with this rate. */
double cf_gate_false_pass(const int *n, const long *allowed, int looks, double rate);

/* Gate S5. ratio_log[k] = ln(RMS_C / max(RMS_B, RMS_canon)) of seed k: passes when mean + t(.95,
 * n-1) s / sqrt(n) < ln(limit), fails when mean - t s / sqrt(n) > ln(limit). Estimate, interval and
 * margin are ratios. -INFINITY (no error at all) in every seed passes; in some seeds it is unknown,
 * for the logarithm has no mean: pool more outputs into a seed. NaN or +INFINITY fails. */
struct cf_ratio {
    struct cf_evidence evidence;
    bool equivalent; /* the 90 % interval lies in 0.80 .. 1.25: the tag EQ, gating nothing */
    bool superior;   /* the upper limit is below 1 / limit */
};
struct cf_ratio cf_gate_ratio(const double *ratio_log, int n, double limit);

/* Quality is lost by less than `margin` (> 0, in units of the metric): one-sided t at alpha, on the
 * seeds' paired changes. The estimate is the change, negative where quality got worse, whichever
 * way the metric is good. A failed run makes it unknown: gate F counts it. */
struct cf_evidence cf_gate_quality_paired(const double *got, const double *base, int n,
                                          enum cf_better, double margin, double alpha,
                                          const char *source);

/* The same against a bank of other seeds, with the variances of both: Welch, Biometrika 34, 1947.
 */
struct cf_evidence cf_gate_quality_bank(const double *got, int n, const double *bank, int n_bank,
                                        enum cf_better, double margin, const char *source);

#endif
