/* boundary: how often the judge of training grants equivalence where the truth lies exactly at the
 * margin, so that granting it is an error (docs/levels.md: the self-test). Losses of a real bank
 * are drawn with replacement, for a bank and for a configuration alike; the configuration's are
 * then moved or stretched until the margin is met in that very distribution. */
#ifndef CF_BOUNDARY_H
#define CF_BOUNDARY_H

#include <stdint.h>

enum cf_boundary_kind {
    CF_BOUNDARY_SHIFT,  /* P(Y_C > Y_B) = 3/4 or 1/4, seeds independent: regime U, location */
    CF_BOUNDARY_SPREAD, /* the same of abs(Y - median): regime U, dispersion */
    CF_BOUNDARY_PAIRED, /* every seed moves by 0.954 sigma, and little else: regime P */
    CF_BOUNDARY_NULL,   /* no change, seeds independent: here granting is right */
    CF_N_BOUNDARIES
};

struct cf_boundary {
    enum cf_boundary_kind kind;
    double factor;                  /* where the margin is met: in sigma; for the spread, a ratio */
    int n, n_pass, n_fail, n_first; /* trials; granted; failed; decided at the first look */
    double upper;                   /* Clopper-Pearson 95 % bound of the rate of grants */
    double lower;
};

const char *cf_boundary_name(enum cf_boundary_kind kind);
/* No trial yet. */
struct cf_boundary cf_boundary_start(enum cf_boundary_kind kind, const double *loss, int n_loss);
/* n more trials, with up to three looks each, on all CPUs. The counts depend on the seed and on the
 * number of trials alone. */
void cf_boundary_try(struct cf_boundary *boundary, const double *loss, int n_loss, int n,
                     uint64_t seed);
/* The bounds of the counts. */
void cf_boundary_bound(struct cf_boundary *boundary);

#endif
