/* request: what one run request asks for, checked, and its operands while it runs. */
#ifndef CF_REQUEST_H
#define CF_REQUEST_H

#include "safetensors.h"
#include "worker.h"

struct cf_request {
    const char *op, *in_path, *out_path; /* into the request's JSON, like the attributes */
    const struct cf_kernel *kernel;
    struct cf_pairs attributes;
    size_t align; /* bytes past a 64-byte boundary at which operands start */
    int n_in, n_out;
    const struct cf_tensor *source[CF_WORKER_OPERANDS]; /* the inputs as they came, into file */
    struct cf_tensor in[CF_WORKER_OPERANDS];            /* what the kernel gets */
    struct cf_named_tensor out[CF_WORKER_OPERANDS];
    struct cf_safetensors file;
    int64_t wall_ns; /* the kernel's own time */
};

/* NULL, or the error reply: protocol when the request makes no sense, not-offered when there is no
 * such kernel. Turns integers among the attributes into words, in place. */
json_t *cf_request_take(struct cf_request *request, const struct cf_worker *worker,
                        const json_t *params);

#endif
