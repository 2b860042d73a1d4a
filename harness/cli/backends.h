/* backends: what the worker of this build offers. Only the worker knows kernels, so it is asked. */
#ifndef CF_BACKENDS_H
#define CF_BACKENDS_H

#include <jansson.h>

#include "plan.h"

/* What `conform-worker --list` prints: {"backends": [{"name", "why", "kernels"}, ...]}. The caller
 * owns the reference. NULL and a sentence, exit 3: no worker, or one that gives no answer. */
json_t *cf_backends_ask(struct cf_error *err);

/* Does the worker have the backend of every configuration? 0; -1 and a sentence that names the
 * first that it has not, and the nearest that it has. */
int cf_backends_check(const struct cf_config *const config[], int n, struct cf_error *err);

#endif
