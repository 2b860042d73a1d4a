/* json: values for jansson made of what findings hold. */
#ifndef CF_JSON_H
#define CF_JSON_H

#include <jansson.h>
#include <stdio.h>

/* Text with broken bytes replaced (jansson takes UTF-8 only); control characters are escaped by
 * jansson itself. NULL becomes null. */
json_t *cf_json_text(const char *text);

/* A number; NaN and infinities, which JSON does not have, become null. */
json_t *cf_json_real(double value);

/* The value that a text of JSON stands for; a text that is none becomes itself as a string. */
json_t *cf_json_embed(const char *text);

/* Writes keys sorted, one space of indent, no escaped slashes, 17 digits, a line feed at the end:
 * equal values give equal bytes. Takes the value. */
void cf_json_write(FILE *out, json_t *value);

#endif
