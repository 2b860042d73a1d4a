/* kernel_check: one kernel on one case against the exact reference, in this process. */
#ifndef CF_KERNEL_CHECK_H
#define CF_KERNEL_CHECK_H

#include "kernel.h"
#include "reference.h"

/* What the gates of levels.md, section 5, would see. Ratios are errors over what is allowed. */
struct cf_check {
    enum cf_status status;
    int64_t n, n_inexact; /* outputs; those whose bits are not the rounded exact value's */
    int64_t n_unrounded;  /* outputs that do not round to the exact integer */
    double bound;         /* S3: the largest ratio; inf for an output that is no number */
    double normwise;      /* S3 of class fast, before growth */
    double rms;           /* root of the mean of (error / (u scale))^2 */
    int64_t n_terms;      /* the most of any output */
};

/* Draws `line`, runs the kernel into poisoned outputs, compares every output. Aborts the test when
 * the line is none. */
struct cf_check cf_check_kernel(const struct cf_kernel *kernel, struct cf_library *library,
                                const char *line);

#endif
