/* cache: truths kept between runs, one file a case in $XDG_CACHE_HOME/conform/references (or
 * ~/.cache/conform/references). Never needed: a directory that is missing, full or read-only, or a
 * file that is damaged or of another version, means that the truth is computed again. */
#ifndef CF_CACHE_H
#define CF_CACHE_H

#include "exact.h"
#include "record.h"

/* Changes whenever a reference may give other truths for the same case: old files are then passed
 * over. */
#define CF_CACHE_VERSION 2

/* The name of a truth: the case's canonical text, the digest of its inputs, the versions. */
void cf_cache_key(struct cf_digest *key, const char *case_text, const struct cf_digest *inputs);

/* Fills truth[0..n-1]; returns 0 only when the file is there, whole, and of this very key. */
int cf_cache_read(const struct cf_digest *key, struct cf_truth truth[], int64_t n);
/* Writes by rename, so that no reader sees a part; in silence when it cannot. */
void cf_cache_write(const struct cf_digest *key, const struct cf_truth truth[], int64_t n);

#endif
