/* adapter_check: does a program speak conform-adapter/1 (docs/adapter.md)? Each check starts from a
 * healthy process; what a library computes is looked at only where an op is offered whose exact
 * answer is known here. */
#ifndef CF_ADAPTER_CHECK_H
#define CF_ADAPTER_CHECK_H

#include "error.h"

struct cf_adapter_check {
    const char *name, *promise;
    int passed, skipped;
    char reason[400]; /* of a failure or a skip */
};

/* Runs all checks on a command (a program and its arguments, ended by NULL); `tell` gets each one.
 * Returns how many failed, or -1 and a sentence when nothing could be started. */
int cf_adapter_check(const char *const argv[], int timeout_ms,
                     void (*tell)(void *context, const struct cf_adapter_check *), void *context,
                     struct cf_error *err);

#endif
