/* promises: what vendors document of equal bits (data/promises.tsv, part of the program). A promise
 * says, of a library's operations under a condition, what is kept along a scope; the judge compares
 * it with what was seen (finding.h), and whoever wants no known non-determinism asks before a run.
 */
#ifndef CF_PROMISES_H
#define CF_PROMISES_H

#include "config.h"
#include "demand.h"

enum cf_promised {
    CF_PROMISED_SAME,       /* the same bits along the scope */
    CF_PROMISED_MAY_DIFFER, /* documented as not the same */
    CF_PROMISED_NOTHING,    /* the documents make no statement */
    CF_N_PROMISED
};
const char *cf_promised_name(enum cf_promised promised); /* "same", "may-differ", "nothing" */

struct cf_promise {
    const char *id;       /* "mkl-strict-thread" */
    const char *library;  /* its own name as read back (internal_api), or its backend */
    const char *versions; /* "*", ">=3.5", "<3.5" */
    const char *ops;      /* globs of ops, parted by '|' */
    const char *when; /* "key=globs;key!=globs", all of which hold; "-": always. A key is of what
                       * the library chose to run (chosen.h), else of the state read back, else
                       * of the configuration; globs are parted by '|';
                       * "(none)": the key is not there, which "*" does not stand for */
    enum cf_scope scope;
    enum cf_promised promised;
    const char *document, *section, *version, *date; /* where it is written */
    const char *says;                                /* what is written, in one sentence */
};

struct cf_promises {
    int n;
    struct cf_promise *promise; /* owned */
    char *text;                 /* that they point into; owned */
};

/* The promises of the program. */
void cf_promises_load(struct cf_promises *promises);
/* Those of a table of tab-separated columns in the order of struct cf_promise; lines that start
 * with '#' are remarks. -1 and a sentence when a line is none. */
int cf_promises_parse(struct cf_promises *promises, const char *table, struct cf_error *err);
void cf_promises_free(struct cf_promises *promises);

/* What a promise is held against. `state` gives what was read back under a key, or NULL; it may be
 * NULL itself, when nothing was read back yet. */
struct cf_promisee {
    const struct cf_config *config;
    const char *library, *version; /* as read back; "" or NULL: not known */
    const char *(*state)(const void *context, const char *key);
    const void *context;
};

/* Does it speak of this library, operation and scope, in this state? */
int cf_promise_applies(const struct cf_promise *promise, const struct cf_promisee *promisee,
                       const char *op, enum cf_scope scope);

/* Does its condition ask for a key of a choice (chosen.h)? */
int cf_promise_names(const struct cf_promise *promise, const char *chosen);

/* Before a run, from the configuration alone: the promise that documents this operation as not the
 * same from run to run, or NULL. Without `library` its name is taken from the backend or from
 * lib=. */
const struct cf_promise *cf_promises_nondeterministic(const struct cf_promises *promises,
                                                      const struct cf_config *config,
                                                      const char *op);

#endif
