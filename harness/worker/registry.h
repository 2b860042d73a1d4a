/* registry: the backends and kernels that were built in: tables generated from kernels/. */
#ifndef CF_REGISTRY_H
#define CF_REGISTRY_H

#include <jansson.h>

#include "chosen.h"
#include "kernel.h"

extern const struct cf_backend *const cf_backends[];     /* generated; NULL-terminated */
extern const struct cf_kernel *const cf_kernel_tables[]; /* generated; each ended by op NULL */

/* What cf_opened answers from now on. */
void cf_registry_open(const struct cf_backend *backend, struct cf_library *library,
                      const char *kernel);

/* What the kernels have said by cf_chose since it was cleared; see chosen.h. */
void cf_registry_forget(void);
const char *cf_registry_chosen(void);

/* Is the name (up to a colon) that of a kernel that a configuration of this backend can get: its
 * own, a composite's, or one of plain, which composites take for what the backend has not? */
int cf_registry_knows(const struct cf_backend *backend, const char *kernel);

/* {"dot": ["forward", ...], ...} of a backend; {"backends": [{"name", "why", "kernels"}], ...} of
 * all. The caller owns the reference. */
json_t *cf_registry_kernels(const struct cf_backend *backend);
json_t *cf_registry_list(void);

#endif
