/* extend: a run that is undecided after a look goes on to the next one by itself. */
#ifndef CF_EXTEND_H
#define CF_EXTEND_H

#include "options.h"
#include "plan.h"

/* Adds to plan and store the seeds that the recorded ones leave undecided, and says so on the
 * standard error (unless quiet). Returns the number of cases that it added, 0 when the looks are
 * done, -1 and a sentence. A shard is never extended: it sees a part of the seeds. */
int cf_extend(const struct cf_options *, struct cf_plan *, struct cf_store *, struct cf_error *);

#endif
