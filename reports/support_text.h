/* text: words for a terminal. Everything that came from outside goes through here: escape
 * sequences, C1 and the like become U+FFFD, so that a library's name cannot drive the terminal. */
#ifndef CF_TEXT_H
#define CF_TEXT_H

#include "report.h"

enum cf_colour { CF_PLAIN, CF_BOLD, CF_RED, CF_GREEN, CF_YELLOW, CF_DIM };

/* Cleaned text; NULL prints nothing. */
void cf_text_put(FILE *out, const char *text);

/* Cleaned text in exactly `width` columns: padded on the right (on the left when width is
 * negative), or with its middle replaced by "..." when it is longer. Returns the columns that the
 * whole text has. */
int cf_text_cell(FILE *out, const char *text, int width);
int cf_text_width(const char *text);

/* The same between the codes of a colour, when the page allows colour. */
void cf_text_paint(FILE *out, const struct cf_page *page, enum cf_colour colour, const char *text,
                   int width);

/* Cleaned text cut at blanks into lines of at most page->width columns; the first line goes on at
 * column `at`, the others start with `indent` blanks; a word longer than a line is not cut. Ends
 * the line. */
void cf_text_wrap(FILE *out, const struct cf_page *page, const char *text, int at, int indent);

/* Why each configuration has no higher level than it has, where another one than the bits was asked
 * for; and how often a level passed while a weaker one failed. */
void cf_text_steps(FILE *out, const struct cf_page *page, const struct cf_findings *findings);

/* The section of promises: one line a promise and family that were exercised; those that are
 * violated with their source. Nothing when there is none. */
void cf_text_prices(FILE *out, const struct cf_page *page, const struct cf_findings *findings);
void cf_text_promises(FILE *out, const struct cf_page *page, const struct cf_findings *findings);
/* The section of what the libraries chose to run. Nothing where none has said it. */
void cf_text_chosen(FILE *out, const struct cf_page *page, const struct cf_findings *findings);
/* Machines of a fleet, units of a qualification, flipped bits; nothing where there are none. */
void cf_text_machines(FILE *out, const struct cf_findings *findings, const struct cf_page *page);

#endif
