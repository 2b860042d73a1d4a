/* utf8: text that somebody else wrote, one code point at a time. Every escaper of this folder reads
 * through it, so that no report has its own idea of what a broken or hostile name is. */
#ifndef CF_UTF8_H
#define CF_UTF8_H

#include <stdint.h>
#include <stdio.h>

#define CF_UTF8_REPLACEMENT 0xFFFDu

/* The code point at *text, which moves past it; 0 at the end. A byte that starts no well-formed
 * sequence (RFC 3629, section 4: overlong forms, surrogates and values above U+10FFFF are none)
 * gives U+FFFD and moves by one. */
uint32_t cf_utf8_next(const char **text);

/* Is it a control character: C0, DEL, C1 (which holds a one-character CSI), a line or paragraph
 * separator, a mark that changes the direction of text, or a byte order mark? */
int cf_utf8_is_control(uint32_t point);

/* Writes one code point; returns nothing because the stream keeps its own error. */
void cf_utf8_put(FILE *out, uint32_t point);

/* The text with every control character and every broken byte replaced by U+FFFD, and NULL read as
 * "". The caller frees. */
char *cf_utf8_clean(const char *text);

#endif
