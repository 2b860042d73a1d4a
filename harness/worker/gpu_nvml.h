/* gpu_nvml: what the files of the GPU layer share of NVML. `nvml` is dlopen's. */
#ifndef CF_GPU_NVML_H
#define CF_GPU_NVML_H

#include "kernel.h"

/* Looks up an entry point into the pointer to a function at `to`. 0: there is none. */
int cf_gpu_nvml_find(void *nvml, const char *name, void *to);

/* NVML's handle of the device with this UUID; initializes NVML. NULL: it does not know it. */
void *cf_gpu_mig_handle(void *nvml, const char *uuid);
/* The GPU that a MIG instance is a part of, or NULL. */
void *cf_gpu_mig_parent(void *nvml, void *instance);
/* What an entry point of the form (handle, unsigned *) answers, or -1. */
int cf_gpu_mig_number(void *nvml, void *instance, const char *name);
/* The UUIDs of all MIG instances of this machine, with blanks between; "" for none. The caller
 * frees. */
char *cf_gpu_mig_instances(void *nvml);

#endif
