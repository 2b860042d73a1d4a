/* markdown: text inside a GitHub-flavoured Markdown page. */
#ifndef CF_MARKDOWN_H
#define CF_MARKDOWN_H

#include <stdio.h>

/* Writes text for a paragraph or a table cell: characters that start markup are escaped, raw HTML
 * and entities are not let through, a mention (@name) and a link (://) are broken by an escape,
 * control characters become U+FFFD. At most `limit` code points are written, then "..."; 0: all. */
void cf_markdown_text(FILE *out, const char *text, int limit);

/* Writes text as a code span whose fence is longer than any run of backticks in it; '|' is escaped
 * because a table cuts its cells before it looks for code. */
void cf_markdown_code(FILE *out, const char *text);

#endif
