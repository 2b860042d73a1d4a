/* flips: which flipped bits the checks saw, gathered over kernels, for reports that people read. */
#ifndef CF_REPORT_FLIPS_H
#define CF_REPORT_FLIPS_H

#include "report.h"

/* From `first` on, how many flips of the findings are of the same case and, with `whole`, of the
 * same operand ("output 1"), else of the same kind of operand ("output"). */
int64_t cf_flips_alike(const struct cf_findings *findings, int64_t first, int whole);

/* What one check saw of n flips: "9", the lowest bit from which on each flip was caught; "7-10",
 * for the best and the worst of several kernels; "none" when not even the highest bit of the
 * exponent was; "*" behind it when a flipped sign was missed; "-" where the check has no opinion;
 * "fails" when it fails unflipped results of all kernels. The caller frees. */
char *cf_flips_word(const struct cf_flip_finding flips[], int64_t n, enum cf_sight sight);

/* What all flips came to, in sentences; the words of a table's cells explained. The caller frees
 * the first. */
char *cf_flips_summary(const struct cf_findings *findings);
extern const char *const cf_flips_legend;

/* The table for a terminal; nothing when no bit was flipped. */
void cf_text_flips(FILE *out, const struct cf_findings *findings, const struct cf_page *page);

#endif
