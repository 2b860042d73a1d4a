/* equivalence: is a training metric of the configuration the same as the baseline's, up to noise?
 *
 * The baseline's bank holds N seeds (200 by design). The configuration runs the first R of them, so
 * that every seed is a pair. Planned looks are at R = 20, 40 and 80; each spends a third of alpha.
 *
 *  0. Identity: every value is bit-identical.
 *  1. Regime: U_D = SD(D) sqrt((R-1) / chi2(.05, R-1)), an upper 95 % bound on the SD of the paired
 *     differences D. If U_D < 0.5 sigma_L for all metrics the pairing carries the information and
 *     regime P is taken, otherwise regime U.
 *  2. P, paired TOST: |mean D| + t(1-alpha', R-1) SD(D) / sqrt(R) < 0.954 sigma_L passes;
 *     |mean D| - t(1-alpha'/2, R-1) SD(D) / sqrt(R) > 0.954 sigma_U fails. sigma_L, sigma_U: the
 *     95 % limits of the bank's SD, chi-square with 2 (N-1) / (kurtosis - 1) degrees of freedom
 *     where the bank's kurtosis is above 3 (Box, Biometrika 40, 1953), else with N - 1.
 *  3. U, rank TOST: theta = P(Y_C > Y_B) + P(equal) / 2, with the variance and the degrees of
 *     freedom of Brunner and Munzel, Biometrical Journal 42, 2000 (also DeLong et al., Biometrics
 *     44, 1988), from placements with mid-ranks; inside (0.25, 0.75) passes, both for the values
 *     (location) and for |Y - median of the bank| (dispersion). The Wald interval is the
 *     conservative one here. The margin 0.25 .. 0.75 is gamma = 0.75 of Bouthillier et al., MLSys
 *     2021; 0.954 = sqrt(2) z(0.75) is the shift of a normal law that gives it.
 *  4. F: failures (a non-finite metric, a crash) are counted by gate.h, ranked worst by 3, and
 *     never dropped.
 *
 * All components must pass. One component fails the look when its p times the number of components
 * is below alpha'. A p of the whole look is the worst component's times the 3 looks, except F's,
 * which is not divided over the looks (nothing could pass at R = 20 otherwise). */
#ifndef CF_EQUIVALENCE_H
#define CF_EQUIVALENCE_H

#include "evidence.h"
#include "sample.h"

enum { CF_LOOKS = 3, CF_MAX_METRICS = 3 };

extern const int cf_look_seeds[CF_LOOKS]; /* 20, 40, 80 */

struct cf_margins {
    double sigma;    /* a shift, in standard deviations of the bank */
    double theta;    /* theta must stay above this and below 1 minus it */
    double failures; /* by how much the failure rate may exceed the bank's */
    const char *source;
};
extern const struct cf_margins cf_margins_default; /* 0.954, 0.25, 0.15 */
extern const struct cf_margins cf_margins_strict;  /* 0.5, 0.362, 0.10 */

/* One metric of the baseline's bank, prepared once. */
struct cf_bank {
    const double *y; /* the caller's n values, kept in order of seeds; not owned */
    int n, n_failures;
    enum cf_better better;
    double median;              /* of the values as losses, failures worst */
    double sd, sd_low, sd_high; /* of the finite values, and its 95 % limits */
    double *losses, *spreads;   /* owned: sorted, |loss - median| sorted */
};

/* false when no margin can be made of it: fewer than 20 finite values, or no finite median. The
 * bank must then not be judged against; cf_bank_clear is allowed in any case. */
bool cf_bank_init(struct cf_bank *, const double *y, int n, enum cf_better);
void cf_bank_clear(struct cf_bank *);

/* sqrt((R-1) / chi2(.05, R-1)): an SD of R values times this is its upper 95 % bound. */
double cf_sd_upper_factor(int n);

struct cf_metric {
    const char *name;
    const struct cf_bank *bank;
    const struct cf_margins *margins;
    const double *got; /* the configuration's values, seed by seed as in the bank */
};

/* Components on their own, at one-sided level alpha. n is the number of seeds in got, n <= bank's.
 * Values are in the metric's own units, theta for ranks: above 1/2 the configuration is larger as
 * a loss, which is worse. */
struct cf_evidence cf_equivalence_paired(const struct cf_metric *, int n, double alpha);
struct cf_evidence cf_equivalence_location(const struct cf_metric *, int n, double alpha);
struct cf_evidence cf_equivalence_dispersion(const struct cf_metric *, int n, double alpha);

enum cf_regime { CF_REGIME_IDENTITY, CF_REGIME_PAIRED, CF_REGIME_RANK };
const char *cf_regime_name(enum cf_regime); /* "identity", "P", "U" */

struct cf_look {
    enum cf_verdict verdict;
    bool borderline;
    enum cf_regime regime;
    int look, n; /* which look, and its R */
    int n_components;
    struct {
        const char *metric; /* the metric's name; "runs" for F */
        const char *name;   /* "identity", "paired", "location", "dispersion", "F" */
        struct cf_evidence evidence;
    } component[2 * CF_MAX_METRICS + 1];
    double p_pass, p_fail; /* of the look, looks and components paid for */
    int n_failures;
    int n_needed;     /* seeds; 0: no number would do */
    char reason[400]; /* names the component that decided */
};

/* The decision at look 0, 1 or 2 from the first cf_look_seeds[look] seeds of every metric. unknown
 * before the last look means: go on to the next one. */
struct cf_look cf_equivalence_look(const struct cf_metric *, int n_metrics, int look);

/* Regime P: the least R at which a configuration with no shift passes with 99 % power,
 * t(.95) + t(.995) <= margin_sigma 0.924 sqrt(R) / sd_ratio, where sd_ratio = SD(D) / sigma. 0 if
 * beyond 10000. Gate F asks for 20 whatever this says. */
int cf_paired_seeds_needed(double margin_sigma, double sd_ratio);

#endif
