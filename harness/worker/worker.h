/* worker: one process, one configuration, one library. It answers the requests of the adapter
 * protocol: hello opens the library and says what is in effect; run runs one kernel once. */
#ifndef CF_WORKER_H
#define CF_WORKER_H

#include "buffer.h"
#include "config.h"
#include "registry.h"
#include "state.h"

#define CF_WORKER_PROTOCOL 1
#define CF_WORKER_OPERANDS 16
#define CF_WORKER_RESERVE  ((size_t)1 << 20) /* bytes */

struct cf_worker {
    struct cf_config config;
    const struct cf_backend *backend; /* NULL until hello */
    struct cf_library *library;       /* NULL until hello has opened it */
    void *reserve;                    /* for the last words when a library has taken all memory */
    struct cf_error limits;           /* exit_code 0: the limits and CPUs asked for are set */
    int agreed;                       /* hello was answered with a result */
    int cwd_fd;                       /* the working directory that the worker started in */
    struct cf_state state;            /* as read last */
    struct cf_buffer in[CF_WORKER_OPERANDS], out[CF_WORKER_OPERANDS];
};

/* Both answer {"result": ...} or {"error": {"code", "message"}}, where code is the name of the fate
 * that the request has met. The caller owns the reference. */
json_t *cf_worker_hello(struct cf_worker *worker);
json_t *cf_worker_run(struct cf_worker *worker, const json_t *params);

/* {"error": ...} with a printed message. */
json_t *cf_worker_error(const char *code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Reads the state again: {"mxcsr", "changed"}; goes back to the first working directory and umask,
 * on which our own files depend. All else stays as the library left it: that is what is measured.
 */
json_t *cf_worker_state(struct cf_worker *worker);

#endif
