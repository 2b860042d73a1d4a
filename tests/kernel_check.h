/* kernel_check: one kernel on one case, judged by the gates of the program, in this process. */
#ifndef CF_KERNEL_CHECK_H
#define CF_KERNEL_CHECK_H

#include "accuracy.h"
#include "kernel.h"

struct cf_check {
    enum cf_status status;
    struct cf_accuracy accuracy; /* when the status is CF_DONE */
};

/* Draws `line`, runs the kernel into poisoned outputs and judges every output by the rule of the
 * kernel's class. Aborts the test when the line is none, or when the two references disagree. */
struct cf_check cf_check_kernel(const struct cf_kernel *kernel, struct cf_library *library,
                                const char *line);

/* The gates that failed, as "S1 S3 ", into text. */
void cf_check_failures(char text[32], const struct cf_check *check);
double cf_check_rms(const struct cf_check *check); /* of error / (u scale) */

#endif
