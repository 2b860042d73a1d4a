/* listing: rows of words, printed as a table or as JSON. */
#ifndef CF_LISTING_H
#define CF_LISTING_H

#include <jansson.h>

#include "options.h"

#define CF_LISTING_COLUMNS 10

struct cf_listing {
    const char *column[CF_LISTING_COLUMNS]; /* names; unused ones are NULL */
    int n;
    char **cell; /* n rows of as many cells as there are columns. Owned */
};

/* Adds a row; the words are copied. One word a column. */
void cf_listing_add(struct cf_listing *listing, ...);
void cf_listing_free(struct cf_listing *listing);

/* Prints on the standard output, or as JSON (an array of objects) where --json says. `heading`: are
 * the columns' names printed? */
int cf_listing_print(const struct cf_listing *listing, const struct cf_options *options,
                     int heading, struct cf_error *err);

/* Writes a JSON value (taken) where --json says. */
int cf_listing_put_json(const char *path, json_t *value, struct cf_error *err);

#endif
