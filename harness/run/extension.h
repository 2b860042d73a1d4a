/* extension: cases that a run added to its plan after a look at what it had, for the configurations
 * that were still undecided. Other configurations are never asked for them, so that they are not
 * missing there. Kept in the store as meta "extensions": one line "FIRST END ID ID .." each, the
 * ids of cases FIRST .. END - 1 and of the configurations that are asked. */
#ifndef CF_EXTENSION_H
#define CF_EXTENSION_H

#include "store.h"

struct cf_extension {
    int first, end;     /* cases, by index */
    int n;              /* configurations that are asked */
    int *configuration; /* their indices. Owned */
};

struct cf_extensions {
    int n;
    struct cf_extension *all; /* owned */
};

/* Adds one; asked[i]: is configuration i of n_configurations asked? */
void cf_extensions_add(struct cf_extensions *, int first, int end, const char asked[],
                       int n_configurations);
void cf_extensions_free(struct cf_extensions *);

/* Is the configuration asked for the case? Yes, when the case is of no extension. */
int cf_extensions_ask(const struct cf_extensions *, int case_index, int configuration);

/* From and into the store; -1 and a sentence. A store without any gives none. */
int cf_extensions_read(struct cf_extensions *, struct cf_store *, struct cf_error *);
int cf_extensions_write(const struct cf_extensions *, struct cf_store *, struct cf_error *);

#endif
