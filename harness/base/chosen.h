/* chosen: what a library chose to run for one request, where the choice is its own: words key=value
 * as "engine=40 numerical_notes=TENSOR_CORE". The value of a key is a set, its members parted by
 * '|': a request that calls the library several times has them all. "": nothing was said. */
#ifndef CF_CHOSEN_H
#define CF_CHOSEN_H

#define CF_CHOSEN_MAX 400 /* bytes of a text, with its end */

/* Adds the members of a value (parted by '|') to the set of a key. Blanks and what is not printable
 * become '_'. What finds no room is dropped, and the text then ends in " ...". */
void cf_chosen_add(char text[CF_CHOSEN_MAX], const char *key, const char *value);

/* The value of a key, copied to `value`; NULL: the text has no such key. */
const char *cf_chosen_get(const char *text, const char *key, char value[CF_CHOSEN_MAX]);

/* What is another choice in b: "engine from 40 to 20, knobs from - to 2:1". NULL when the two are
 * the same, or have no key in common: then they are of different libraries. The caller frees. */
char *cf_chosen_change(const char *a, const char *b);

#endif
