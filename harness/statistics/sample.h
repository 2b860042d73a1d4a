/* sample: means, standard deviations, medians and placements of metrics, independent of the order
 * of the values.
 *
 * Sums and sums of squares of doubles are exact (they fit in 4500 bits), so that the tool itself
 * does not depend on summation order; SD has n - 1 in it and nothing is trimmed. */
#ifndef CF_SAMPLE_H
#define CF_SAMPLE_H

#include <stdbool.h>

/* Which way a metric is good: a loss, or an accuracy. */
enum cf_better { CF_LOWER_IS_BETTER, CF_HIGHER_IS_BETTER };

struct cf_moments {
    int n;
    double mean, sd; /* the exact values, rounded once; NaN for a NaN or an infinity among the n,
                        sd also for n < 2 */
};

struct cf_moments cf_sample_moments(const double *y, int n);

/* Of y[i] - base[i], the differences taken exactly too. */
struct cf_moments cf_sample_differences(const double *y, const double *base, int n);

bool cf_sample_is_finite(const double *y, int n);
int cf_sample_failures(const double *y, int n); /* how many are not finite */

/* The middle value, or the mean of the middle two. NaN if one is NaN or n < 1. Allocates. */
double cf_sample_median(const double *y, int n);

void cf_sample_sort(double *y, int n); /* ascending; no NaN among them */

/* The value as a loss: lower is better, and a failed run (not finite) is worst, INFINITY. */
double cf_sample_loss(double y, enum cf_better);

/* Twice the number of the n sorted values that lie below y, ties counted half. */
long cf_sample_placement(const double *sorted, int n, double y);

#endif
