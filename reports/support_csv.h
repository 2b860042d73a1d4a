/* csv: cells of comma-separated values (RFC 4180). */
#ifndef CF_CSV_H
#define CF_CSV_H

#include <stdio.h>

/* Writes a cell after its separator; `first`: none. Quoted when it holds a comma, a quote or a line
 * end; one that a spreadsheet would take for a formula (= + - @ first) gets a ' in front unless it
 * is a number; control characters become U+FFFD. */
void cf_csv_cell(FILE *out, const char *text, int first);

#endif
