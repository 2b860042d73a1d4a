/* versions: two or more ends of an upgrade brought into one store: what is run here, twice, and
 * what comes from a store of last month or of another machine; and its history. */
#ifndef CF_VERSIONS_H
#define CF_VERSIONS_H

#include "history.h"
#include "options.h"
#include "plan.h"

#define CF_ENDS_MAX 64

struct cf_end {
    char *line, *label;   /* canonical configuration; owned */
    char *store, *stored; /* path of the store that it comes from, and its text there; or NULL */
    char *effective;      /* as read back, JSON; owned; set by cf_versions_run */
};

struct cf_versions {
    int n;
    struct cf_end end[CF_ENDS_MAX];
    struct cf_plan plan;
    char *path; /* of the store of both; owned */
    int is_temporary;
    struct cf_store *store;
    struct cf_history history;
    int has_history;
};

/* A word is a store's path (PATH or PATH#LABEL), a configuration, or the name of a fetched library
 * followed by keys ("openblas-0.3.28 threads=2"); with `backend` a path of a library is one too.
 * -1 and a sentence. */
int cf_versions_add(struct cf_versions *v, const char *word, const char *backend,
                    struct cf_error *err);

/* The configuration that a word stands for: that of a fetched library ("openblas-0.3.28 threads=2")
 * or of a label; else the word itself. The caller frees. NULL and a sentence: it is not fetched. */
char *cf_versions_line(const char *word, struct cf_error *err);

/* Chooses cases (of a store, when an end is one; else by the options), runs what is not recorded
 * yet, each case in at least two processes, and reads the history. What cannot be compared is a
 * sentence that names it. 0; 130 or 143: interrupted; -1. */
int cf_versions_run(struct cf_versions *v, const struct cf_options *options, struct cf_error *err);
void cf_versions_free(struct cf_versions *v);

/* The folder of the reference adapters, beside the program; it may not be there. The caller frees.
 */
char *cf_adapters_folder(void);

/* The real path of a library that a user named. The caller frees; NULL and a sentence when it is
 * not there or is no ELF file. */
char *cf_versions_library(const char *path, struct cf_error *err);

/* A store for what nobody asked to keep, in TMPDIR; and its end, with its folder. */
char *cf_temporary_store(struct cf_error *err);
void cf_temporary_store_remove(const char *path);
/* Calls `run` with the path of --store, or of such a store, and returns what it returns. */
int cf_temporary_store_run(const struct cf_options *options, const struct cf_plan *plan,
                           int (*run)(const struct cf_options *, const struct cf_plan *,
                                      const char *path, struct cf_error *),
                           struct cf_error *err);

#endif
