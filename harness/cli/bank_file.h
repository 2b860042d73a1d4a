/* bank_file: where banks lie, and how one gets into the store of a run. */
#ifndef CF_BANK_FILE_H
#define CF_BANK_FILE_H

#include "options.h"
#include "plan.h"

/* --bank, else $XDG_CACHE_HOME/conform/banks/SUITE-HASH.bank for the baseline (its folders are
 * made). NULL and a sentence. The caller frees. */
char *cf_bank_path(const struct cf_options *options, const char *suite, const char *baseline,
                   struct cf_error *err);

/* All of a file; NULL and a sentence. The caller frees. */
char *cf_bank_read(const char *path, struct cf_error *err);

/* Puts the bank of the plan's training cases into the store (meta "bank"), when the level asked for
 * needs one and there is one. A bank that was named and cannot be read is a sentence. */
int cf_bank_attach(const struct cf_options *options, const struct cf_plan *plan,
                   struct cf_store *store, struct cf_error *err);

#endif
