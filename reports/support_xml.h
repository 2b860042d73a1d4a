/* xml: text inside XML 1.0. */
#ifndef CF_XML_H
#define CF_XML_H

#include <stdio.h>

/* Writes text for content or for an attribute in double quotes. The five special characters become
 * entities; control characters, which XML 1.0 forbids even as entities (section 2.2), become
 * U+FFFD; line feeds and tabs are kept when `lines` is set. NULL writes nothing. */
void cf_xml_text(FILE *out, const char *text, int lines);

/* ` name="text"` with its leading blank. */
void cf_xml_attribute(FILE *out, const char *name, const char *text);

#endif
