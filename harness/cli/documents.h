/* documents: findings, written in every format that was asked for. */
#ifndef CF_DOCUMENTS_H
#define CF_DOCUMENTS_H

#include "options.h"

/* Writes each document of the options; text goes to the standard output unless another document
 * does or --text=FILE was given. A file appears under its name only when it is whole. A stream that
 * cannot be written is a sentence (exit 3). */
int cf_documents_write(const struct cf_options *options, const struct cf_findings *findings,
                       struct cf_error *err);

/* Could each document of the options be written? Asked before anything runs: 0; -1 and a sentence
 * that names the first that could not. */
int cf_documents_check(const struct cf_options *options, struct cf_error *err);

/* Writes all of `text` to the path ("-": the standard output) in the same way. */
int cf_document_put(const char *path, const char *text, size_t n_bytes, struct cf_error *err);

#endif
