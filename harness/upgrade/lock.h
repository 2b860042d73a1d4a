/* lock: what an environment was when somebody vouched for it, as one JSON file: files with their
 * SHA-256, variables, versions, states read back, levels and digests of results. The document that
 * is written and the one that is made of here and now have one shape (docs/lock.md); verifying is
 * comparing the two, tier by tier. */
#ifndef CF_LOCK_H
#define CF_LOCK_H

#include <jansson.h>

#include "error.h"
#include "finding.h"
#include "store.h"

#define CF_LOCK_VERSION     1
#define CF_LOCK_NO_PACKAGES "did not say its packages" /* in place of an interpreter's version */

/* From what costs nothing to what costs a run. A tier is looked at when all before it held. */
enum cf_tier {
    CF_TIER_FILES,   /* files, variables, packages, uncommitted work: no subject is run */
    CF_TIER_LOAD,    /* every configuration does with the first case what it did */
    CF_TIER_STATE,   /* and reads back the same state */
    CF_TIER_LEVELS,  /* each op keeps its level against the baseline, or a better one */
    CF_TIER_DIGESTS, /* and each case its bits, where the platform is the locked one */
    CF_N_TIERS
};
const char *cf_tier_name(enum cf_tier tier);             /* "files" ... "digests" */
int cf_tier_parse(const char *name, enum cf_tier *tier); /* also "T0" .. "T4"; 0, or -1 */

/* In the file, paths below the lock's folder and below the cache of fetched libraries start with
 * ${here} and ${cache}, so that a lock holds in another checkout. In memory all are local. */
struct cf_lock_place {
    char *here, *cache; /* owned; "" : none */
};
void cf_lock_place_init(struct cf_lock_place *place, const char *lock_path);
void cf_lock_place_free(struct cf_lock_place *place);
/* A text with both written as their names, and back. The caller frees. */
char *cf_lock_portable(const struct cf_lock_place *place, const char *text);
char *cf_lock_local(const struct cf_lock_place *place, const char *text);
/* Every key and every text of a document through one of the two. Takes it, gives another. */
json_t *cf_lock_map(const struct cf_lock_place *place, json_t *document,
                    char *(*map)(const struct cf_lock_place *, const char *));

/* Any bytes as a JSON text: what is no UTF-8 becomes its SHA-256, so that it still compares. */
json_t *cf_lock_text(const char *bytes);

/* The object under a name of the document, made where it is not yet; borrowed. */
json_t *cf_lock_section(json_t *document, const char *name);

/* NULL and a sentence (exit 2): it is not there, cannot be read, ends in the middle, is of a later
 * version, or was changed since it was written (its seal does not hold). The caller decrefs. */
json_t *cf_lock_read(const char *path, struct cf_error *err);
/* The document's bytes as a file: sorted keys, one line an entry, sealed. A seal says that nobody
 * edited it by mistake; it is no signature. The caller frees. */
char *cf_lock_print(json_t *document);
/* The seal of a document: SHA-256 over its compact form without "seal". */
void cf_lock_seal(const json_t *document, char sha256[65]);

/* What there is to be said of here and now without running a subject. */
struct cf_lock_request {
    const char *path, *worker, *matrix; /* the lock; conform-worker; a matrix file, or NULL */
    const char *image;                  /* the container's image as the user knows it, or NULL */
    const char *lister;                 /* adapters/packages.py */
    int n_data;
    const char *const *data; /* files and folders */
    int may_be_gone;         /* data that are not there are no mistake, but a difference */
    const json_t *files;     /* object whose keys are the files to be hashed, or NULL */
    const json_t *commands;  /* object: key as in "python", value the words to ask; or NULL */
};
/* Sections tool, platform, machine, variables, container, git, matrix, data, data_roots, files,
 * python; local paths. NULL and a sentence when data cannot be read. */
json_t *cf_lock_collect(const struct cf_lock_request *request, struct cf_error *err);

/* The parts of it: a file's entry {sha256, build_id, version} or NULL when it is gone; the packages
 * of an interpreter. */
json_t *cf_lock_file(const char *path);
int cf_lock_add_data(json_t *document, const char *path, int may_be_gone, struct cf_error *err);
/* Adds to files and to python what an adapter's command line uses. `path`: its PYTHONPATH or NULL.
 */
void cf_lock_add_command(json_t *document, const char *command, const char *python_path,
                         const char *lister);

/* What a store says: section configurations (text, fate of the first case, effective state, mapped
 * files); with findings also levels, and section cases (numbers and digests). The files that were
 * mapped, the worker left out, are added to `files` with the Debian package that owns them; pins
 * of fetched ones to `fetched`. */
int cf_lock_add_store(json_t *document, struct cf_store *store, const struct cf_findings *findings,
                      const char *worker, struct cf_error *err);

/* Says of each file in `files` which Debian package owns it ("libc6=2.36-9+deb12u14"), where dpkg
 * knows. */
void cf_lock_add_owners(json_t *document);

/* One difference. A note is named and not held against the environment. */
struct cf_drift {
    enum cf_tier tier;
    int is_note;
    char *what;     /* "variable OMP_NUM_THREADS"; owned */
    char *was, *is; /* owned */
    char *sentence; /* owned */
};
struct cf_drifts {
    int n;
    struct cf_drift *drift;
    int not_comparable; /* digests: the platform is another one */
};
/* Adds what differs at one tier between two documents. Returns how many are no
 * notes. */
int cf_drifts_find(struct cf_drifts *drifts, const json_t *locked, const json_t *now,
                   enum cf_tier tier);
void cf_drifts_free(struct cf_drifts *drifts);

#endif
