/* figure: distance from the true trajectory over steps, one panel a training cell. A line and a
 * mark of its own for each configuration, its label at the line's end, the band of the baseline's
 * twins behind them; both axes logarithmic. Black ink alone (currentColor), so that it reads in
 * print and on dark pages. */
#ifndef CF_FIGURE_H
#define CF_FIGURE_H

#include <stdio.h>

#include "report.h"

#define CF_FIGURE_WIDTH  860
#define CF_FIGURE_HEIGHT 430

/* How many cells have curves; 0: there is nothing to draw. */
int cf_figure_panels(const struct cf_findings *findings);

/* One panel as an <svg> that brings its own style, for a page of HTML; panel is below
 * cf_figure_panels. At most six configurations are drawn: the baseline and those that end farthest
 * from the truth; the caption counts the others. */
void cf_figure_panel(FILE *out, const struct cf_findings *findings, int panel);

/* What the panel shows, in one sentence: the cell, and how to read it. The caller frees. */
char *cf_figure_caption(const struct cf_findings *findings, int panel);

#endif
