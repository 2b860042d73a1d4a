/* inject: how small a wrong bit the checks see. Each bit of some elements of each operand of a
 * kernel is flipped, one at a time: of an output after the kernel has run, of an input before it
 * runs; and the checks that judge every run judge the result. Nothing is worked out by a formula.
 */
#ifndef CF_INJECT_H
#define CF_INJECT_H

#include "error.h"
#include "finding.h"

#define CF_INJECT_POSITIONS 3    /* the first element, one in the middle and the last */
#define CF_INJECT_TOLERANCE 1e-3 /* relative, of the check that is for comparison */

struct cf_inject_options {
    const char *worker; /* path of conform-worker */
    /* NULL and 0: cases of every op that has one exact answer an element, and every kernel that
     * needs no library. */
    const char *const *cases, *const *configurations; /* braces make products */
    int n_cases, n_configurations;
    volatile int *stopped; /* set by a signal: the rest is left out. May be NULL */
    void (*progress)(void *context, int64_t done, int64_t total, const char *what); /* or NULL */
    void *context;
};

struct cf_injection {
    int64_t n;
    struct cf_flip_finding *flip; /* in the order case, operand, configuration */
    int64_t n_not_measured;       /* pairs of case and configuration that did not run unflipped */
    char **text;                  /* memory of the texts, owned */
    int n_text;
};

/* -1 and a sentence: a case or configuration that is none, a worker that does not answer, or a
 * disagreement of two references (truth.h). */
int cf_inject(struct cf_injection *result, const struct cf_inject_options *options,
              struct cf_error *err);
void cf_injection_free(struct cf_injection *result);

#endif
