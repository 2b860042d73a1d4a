/* confine: what the worker does to itself before any library is loaded. */
#ifndef CF_CONFINE_H
#define CF_CONFINE_H

#include <stdint.h>

#include "error.h"

#define CF_CONFINE_FILES      1024
#define CF_CONFINE_FILE_BYTES (8LL << 30) /* more than any output that a store takes */

/* At most so many open files, so many bytes in one (SIGXFSZ), no core file, no new privileges,
 * killed when the parent dies; RLIMIT_DATA of memory_mb (0: none); bound to `cpus` ("0-1,4"; NULL:
 * all). -1 and a sentence when the CPUs are none of ours or the list is none. */
int cf_confine(int64_t memory_mb, const char *cpus, struct cf_error *err);

/* Becomes another program, so confined: an adapter. Returns only when that failed, with an exit
 * code; whoever waits for an answer to hello has read why (CONFORM_FD). */
int cf_confine_exec(int64_t memory_mb, const char *cpus, char *const argv[]);

#endif
