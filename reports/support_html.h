/* html: one page of HTML that is XML at the same time (the polyglot syntax), so that any parser of
 * either reads the same tree. It holds no script and names no address: its policy lets nothing but
 * its own style through. */
#ifndef CF_HTML_H
#define CF_HTML_H

#include <stdint.h>
#include <stdio.h>

/* The one escaper: text for content or for an attribute in double quotes. & < > " ' become
 * references, control characters and broken bytes U+FFFD. NULL writes nothing. */
void cf_html_text(FILE *out, const char *text);

/* The same, cut in its middle when it has more than `limit` code points. */
void cf_html_short(FILE *out, const char *text, int limit);

/* `<tag class="kind">text</tag>`; kind NULL: no class. */
void cf_html_element(FILE *out, const char *tag, const char *kind, const char *text);

/* Head, style, and the start of the body; then sections; then the end. A section has an id, which
 * links name, and a heading; a folded one opens when its heading is chosen. */
void cf_html_begin(FILE *out, const char *title);
void cf_html_end(FILE *out);
void cf_html_section(FILE *out, const char *id, const char *heading, int folded);
void cf_html_section_end(FILE *out, int folded);

/* A table that scrolls inside its own frame, reached by the keyboard, when the page is too narrow.
 */
void cf_html_table(FILE *out, const char *kind, const char *caption);
void cf_html_table_end(FILE *out);

/* The style sheet, as lines ended by NULL. */
extern const char *const cf_html_style[];

#endif
