#include "listing.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "documents.h"

static int n_columns(const struct cf_listing *listing)
{
    int n = 0;

    while (n < CF_LISTING_COLUMNS && listing->column[n])
        ++n;
    return n;
}

void cf_listing_add(struct cf_listing *listing, ...)
{
    const int n = n_columns(listing);
    va_list words;

    listing->cell =
        cf_realloc(listing->cell, (size_t)(listing->n + 1) * (size_t)n * sizeof listing->cell[0]);
    va_start(words, listing);
    for (int i = 0; i < n; ++i)
        listing->cell[listing->n * n + i] = cf_strdup(va_arg(words, const char *));
    va_end(words);
    ++listing->n;
}

void cf_listing_free(struct cf_listing *listing)
{
    for (int i = 0; i < listing->n * n_columns(listing); ++i)
        free(listing->cell[i]);
    free(listing->cell);
    listing->cell = NULL;
    listing->n = 0;
}

/* Bytes that could drive a terminal become '?'; the rest of UTF-8 passes. */
static void put_clean(FILE *out, const char *text, int width)
{
    int n = 0;

    for (; *text; ++text, ++n)
        putc((unsigned char)*text < ' ' || *text == 0x7F ||
                     ((unsigned char)*text == 0xC2 && ((unsigned char)text[1] & 0xE0) == 0x80)
                 ? '?'
                 : *text,
             out);
    if (n < width)
        fprintf(out, "%*s", width - n, "");
}

static void put_row(FILE *out, const char *const cell[], const int width[], int n)
{
    for (int i = 0; i < n; ++i) {
        put_clean(out, cell[i], i < n - 1 ? width[i] : 0);
        fputs(i < n - 1 ? "  " : "\n", out);
    }
}

static char *as_table(const struct cf_listing *listing, int heading)
{
    const int n = n_columns(listing);
    int width[CF_LISTING_COLUMNS] = {0};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    CF_CHECK(out != NULL);
    for (int i = 0; i < n; ++i)
        width[i] = heading ? (int)strlen(listing->column[i]) : 0;
    for (int i = 0; i < listing->n * n; ++i)
        if ((int)strlen(listing->cell[i]) > width[i % n])
            width[i % n] = (int)strlen(listing->cell[i]);
    if (heading)
        put_row(out, listing->column, width, n);
    for (int i = 0; i < listing->n; ++i)
        put_row(out, (const char *const *)listing->cell + i * n, width, n);
    CF_CHECK(fclose(out) == 0);
    return text;
}

int cf_listing_put_json(const char *path, json_t *value, struct cf_error *err)
{
    char *dumped, *text;
    int result;

    CF_CHECK(value != NULL);
    dumped = json_dumps(value, JSON_SORT_KEYS | JSON_INDENT(1));
    CF_CHECK(dumped != NULL);
    text = cf_format("%s\n", dumped);
    result = cf_document_put(path, text, strlen(text), err);
    json_decref(value);
    free(dumped);
    free(text);
    return result;
}

static json_t *as_json(const struct cf_listing *listing)
{
    const int n = n_columns(listing);
    json_t *rows = json_array();

    for (int i = 0; i < listing->n; ++i) {
        json_t *row = json_object();

        for (int k = 0; k < n; ++k) {
            json_t *text = json_string(listing->cell[i * n + k]);

            json_object_set_new(row, listing->column[k], text ? text : json_string("(no UTF-8)"));
        }
        json_array_append_new(rows, row);
    }
    return rows;
}

int cf_listing_print(const struct cf_listing *listing, const struct cf_options *options,
                     int heading, struct cf_error *err)
{
    const int json = cf_report_index("json");
    char *text;
    int result;

    if (json >= 0 && options->document[json])
        return cf_listing_put_json(options->document[json], as_json(listing), err);
    text = as_table(listing, heading);
    result = cf_document_put("-", text, strlen(text), err);
    free(text);
    return result;
}
