/* terminal: what the two streams are, and the one line of progress. */
#ifndef CF_TERMINAL_H
#define CF_TERMINAL_H

#include <stdint.h>

#include "options.h"

/* How the standard output looks: 100 columns without colour unless it is a terminal. Colour:
 * --color, else NO_COLOR, else CLICOLOR_FORCE, else a terminal that is not TERM=dumb. */
struct cf_page cf_terminal_page(const struct cf_options *options);

/* A bar on the standard error: only on a terminal, never when CI is set, with --quiet or with
 * --no-progress. */
struct cf_progress {
    int shown, width, drawn;
    int64_t start_ns, drawn_ns, done_at_start;
};
void cf_progress_start(struct cf_progress *progress, const struct cf_options *options);
/* The callback of run and judge; the context is the progress. */
void cf_progress_show(void *progress, int64_t done, int64_t total, const char *what);
/* Takes the line away, so that what follows starts at a line of its own. */
void cf_progress_clear(struct cf_progress *progress);

/* The text of the line: "[####    ] 1234 of 3600  340/s  0:07 left  what", at most `width` columns.
 * The caller frees. */
char *cf_progress_line(int64_t done, int64_t total, double elapsed_s, int64_t done_at_start,
                       const char *what, int width);

/* Nanoseconds of a clock that never steps back. */
int64_t cf_terminal_clock(void);

#endif
