/* librarian: which files a worker executes code of, with their digests. Hashing is done beside the
 * loop, each file once a run. */
#ifndef CF_LIBRARIAN_H
#define CF_LIBRARIAN_H

#include <sys/types.h>
#include <uv.h>

#include "store.h"

struct cf_librarian;

/* `found` is called from the loop for each file of each process that was looked at. */
struct cf_librarian *cf_librarian_start(uv_loop_t *loop,
                                        void (*found)(void *context, int64_t configuration,
                                                      const struct cf_mapped *),
                                        void *context);

/* Notes now what the process has mapped; the rest follows. `own_path` and `own_version` name the
 * library under test and the version that it says it has (both may be NULL). */
void cf_librarian_look(struct cf_librarian *, int64_t configuration, pid_t pid,
                       const char *own_path, const char *own_version);

/* After the loop has ended. */
void cf_librarian_free(struct cf_librarian *);

#endif
