/* html_parts: the sections of the page, in the reader's order. Each writes nothing when the
 * findings hold nothing for it, and answers whether it would write. */
#ifndef CF_HTML_PARTS_H
#define CF_HTML_PARTS_H

#include "report.h"

struct cf_html_part {
    const char *id, *heading, *short_name; /* short_name: for the list of sections */
    int folded;
    int (*has)(const struct cf_findings *f);
    void (*write)(FILE *out, const struct cf_findings *f);
};
extern const struct cf_html_part cf_html_parts[]; /* ended by id NULL */

/* One function a section; which file it is in is no concern of its caller. */
void cf_html_map(FILE *out, const struct cf_findings *f);
void cf_html_invariance(FILE *out, const struct cf_findings *f);
void cf_html_configurations(FILE *out, const struct cf_findings *f);
void cf_html_worst(FILE *out, const struct cf_findings *f);
void cf_html_classes(FILE *out, const struct cf_findings *f);
int cf_html_has_errors(const struct cf_findings *f);
void cf_html_errors(FILE *out, const struct cf_findings *f);
void cf_html_nodes(FILE *out, const struct cf_findings *f);
void cf_html_units(FILE *out, const struct cf_findings *f);
int cf_html_has_promises(const struct cf_findings *f);
void cf_html_promises(FILE *out, const struct cf_findings *f);
int cf_html_has_prices(const struct cf_findings *f);
void cf_html_prices(FILE *out, const struct cf_findings *f);
int cf_html_has_chosen(const struct cf_findings *f);
void cf_html_chosen(FILE *out, const struct cf_findings *f);
int cf_html_has_divergence(const struct cf_findings *f);
void cf_html_divergence(FILE *out, const struct cf_findings *f);
int cf_html_has_attribution(const struct cf_findings *f);
void cf_html_attribution(FILE *out, const struct cf_findings *f);
void cf_html_flips(FILE *out, const struct cf_findings *f);
void cf_html_environment(FILE *out, const struct cf_findings *f);
void cf_html_libraries(FILE *out, const struct cf_findings *f);
void cf_html_cases(FILE *out, const struct cf_findings *f);

/* The class of a gathered cell and a word beside it, as <span class="cell ...">. */
struct cf_view_cell;
void cf_html_cell(FILE *out, const struct cf_view_cell *cell, const char *words);

#endif
