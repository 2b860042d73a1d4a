/* matrix: the set of configurations of a run, one of them the baseline; and the YAML file in which
 * people write it (docs/matrix.md). */
#ifndef CF_MATRIX_H
#define CF_MATRIX_H

#include "config.h"

#define CF_MATRIX_MAX 4096

struct cf_matrix {
    int n, baseline;      /* baseline: an index; 0 unless somebody said otherwise */
    char **line, **label; /* canonical configurations, each once; labels are unique. Owned */
};

/* Adds every configuration that the line's braces stand for. A label of NULL is made from the
 * configuration. One that is there already is not added again. *first (may be NULL) receives the
 * index of the first one. */
int cf_matrix_add(struct cf_matrix *matrix, const char *line, const char *label, int *first,
                  struct cf_error *err);
void cf_matrix_free(struct cf_matrix *matrix);

/* Reads a matrix file. Every complaint is one sentence that starts with FILE:LINE:COLUMN. Paths of
 * libraries are relative to the file's folder; a glob stands for every file that it matches, and
 * symbolic links are followed once, here. */
int cf_matrix_read(struct cf_matrix *matrix, const char *path, struct cf_error *err);

/* The matrix file that applies when none was named: the nearest conform.yaml from the working
 * directory upwards (up to the top of a git repository, the home directory or the file system),
 * else conform/config.yaml in $XDG_CONFIG_HOME. NULL without a sentence when there is none. One
 * that belongs to another user, or that others may write, is a sentence: it names code to be run.
 * The caller frees. */
char *cf_matrix_find(struct cf_error *err);

/* "openblas-pthread 0.3.21 threads=2": short words for a configuration. The caller frees. */
char *cf_label_make(const struct cf_config *config);
/* The configuration that this machine's discovery, or a report, calls by these words
 * ("blis-pthread 0.9.0 threads=1"; the version may be left out); NULL: none, or more than one. The
 * caller frees. */
char *cf_label_line(const char *words);
/* cf_matrix_add of what somebody wrote: a configuration, such a label, or a
 * fetched library, with braces or without.
 */
int cf_matrix_add_words(struct cf_matrix *matrix, const char *words, struct cf_error *err);

#endif
