/* qualify_gpu: the GPUs of this machine, as units of a qualification. They are looked for by
 * workers (the CUDA driver is never opened in this process); a machine without a driver or without
 * a GPU has one entry that says why. */
#ifndef CF_QUALIFY_GPU_H
#define CF_QUALIFY_GPU_H

#include "error.h"

#define CF_QUALIFY_ANY_GPU (-2) /* the entry stands for all that there may be */

struct cf_qualify_gpu {
    int index;  /* in the driver's list, or CF_QUALIFY_ANY_GPU */
    int wanted; /* it was asked for */
    const char
        *hung;     /* the test in which it did not answer in time, or NULL: nothing more is asked */
    char uuid[48]; /* "" when it cannot be opened */
    char model[96];
    char *state;      /* JSON: what the driver and NVML said of it before; owned */
    char reason[200]; /* why it cannot be opened; "": it can */
};

struct cf_qualify_gpus {
    int n, timeout_ms; /* for each request */
    struct cf_qualify_gpu *gpu;
};

/* `wanted`: "all", an index or a UUID. -1 and a sentence that names those that are there when it is
 * none of them. */
int cf_qualify_gpus_find(struct cf_qualify_gpus *gpus, const char *wanted, const char *worker,
                         int timeout_ms, struct cf_error *err);
void cf_qualify_gpus_free(struct cf_qualify_gpus *gpus);

/* The clock of the multiprocessors in what a worker said of its GPU (JSON), in MHz; NaN: nothing.
 */
double cf_qualify_gpu_mhz(const char *state);

/* Emits "gpu.<UUID>.<key>" for all that the driver and NVML say of the GPUs asked for: as they were
 * found, or (again) now. One that says nothing: "gpu.<index>" with the reason. */
void cf_qualify_gpus_read(const struct cf_qualify_gpus *gpus, int again, const char *worker,
                          void (*emit)(void *context, const char *key, const char *value),
                          void *context);

#endif
