/* MIG: a GPU cut into instances. The driver lists at most one of them to a process, the first or
 * that of CUDA_VISIBLE_DEVICES, and gives its UUID without saying of what it is one; NVML knows
 * (NVML API reference, "Multi Instance GPU Management"). */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu_nvml.h"

#define MOST_INSTANCES 512

void *cf_gpu_mig_handle(void *nvml, const char *uuid)
{
    int (*init)(void);
    int (*by_uuid)(const char *, void **);
    void *handle = NULL;

    if (!nvml || !cf_gpu_nvml_find(nvml, "nvmlInit_v2", &init) ||
        !cf_gpu_nvml_find(nvml, "nvmlDeviceGetHandleByUUID", &by_uuid) || init() != 0 ||
        by_uuid(uuid, &handle) != 0)
        return NULL;
    return handle;
}

void *cf_gpu_mig_parent(void *nvml, void *instance)
{
    int (*parent_of)(void *, void **);
    void *parent = NULL;

    if (!cf_gpu_nvml_find(nvml, "nvmlDeviceGetDeviceHandleFromMigDeviceHandle", &parent_of) ||
        parent_of(instance, &parent) != 0)
        return NULL;
    return parent;
}

int cf_gpu_mig_number(void *nvml, void *instance, const char *name)
{
    int (*number_of)(void *, unsigned *);
    unsigned number = 0;

    return cf_gpu_nvml_find(nvml, name, &number_of) && number_of(instance, &number) == 0
               ? (int)number
               : -1;
}

/* NVML's entry points for a walk over all instances. */
struct walk {
    int (*count)(unsigned *);
    int (*device)(unsigned, void **);
    int (*mode)(void *, unsigned *, unsigned *);
    int (*most)(void *, unsigned *);
    int (*instance)(void *, unsigned, void **);
    int (*uuid)(void *, char *, unsigned);
};

static char *add_instances(const struct walk *walk, void *device, char *text)
{
    unsigned now = 0, pending = 0, most = 0;

    if (walk->mode(device, &now, &pending) != 0 || now == 0 || walk->most(device, &most) != 0)
        return text;
    for (unsigned i = 0; i < most && i < MOST_INSTANCES; ++i) {
        char uuid[96] = "", *longer;
        void *instance = NULL;

        if (walk->instance(device, i, &instance) != 0 || walk->uuid(instance, uuid, 96) != 0)
            continue; /* places without one */
        longer = cf_format("%s%s%s", text, *text ? " " : "", uuid);
        free(text);
        text = longer;
    }
    return text;
}

char *cf_gpu_mig_instances(void *nvml)
{
    struct walk walk;
    char *text = cf_strdup("");
    unsigned n = 0;

    if (!cf_gpu_nvml_find(nvml, "nvmlDeviceGetCount_v2", &walk.count) ||
        !cf_gpu_nvml_find(nvml, "nvmlDeviceGetHandleByIndex_v2", &walk.device) ||
        !cf_gpu_nvml_find(nvml, "nvmlDeviceGetMigMode", &walk.mode) ||
        !cf_gpu_nvml_find(nvml, "nvmlDeviceGetMaxMigDeviceCount", &walk.most) ||
        !cf_gpu_nvml_find(nvml, "nvmlDeviceGetMigDeviceHandleByIndex", &walk.instance) ||
        !cf_gpu_nvml_find(nvml, "nvmlDeviceGetUUID", &walk.uuid) || walk.count(&n) != 0)
        return text;
    for (unsigned i = 0; i < n; ++i) {
        void *device = NULL;

        if (walk.device(i, &device) == 0)
            text = add_instances(&walk, device, text);
    }
    return text;
}
