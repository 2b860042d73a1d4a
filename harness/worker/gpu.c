#include "gpu.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gpu_nvml.h"

#define DRIVER "libcuda.so.1"
#define NVML   "libnvidia-ml.so.1"

/* Of CUdevice_attribute. */
enum { PROCESSORS = 16, CAPABILITY_MAJOR = 75, CAPABILITY_MINOR = 76 };

static const char *const names[] = {
    "cuInit",
    "cuDriverGetVersion",
    "cuDeviceGetCount",
    "cuDeviceGet",
    "cuDeviceGetName",
    "cuDeviceGetUuid_v2",
    "cuDeviceGetAttribute",
    "cuDeviceTotalMem_v2",
    "cuDevicePrimaryCtxRetain",
    "cuDevicePrimaryCtxRelease_v2",
    "cuCtxSetCurrent",
    "cuCtxSynchronize",
    "cuModuleLoadData",
    "cuModuleGetFunction",
    "cuMemAlloc_v2",
    "cuMemFree_v2",
    "cuMemcpyHtoD_v2",
    "cuMemcpyDtoH_v2",
    "cuMemsetD8_v2",
    "cuLaunchKernel",
    "cuLaunchCooperativeKernel",
    "cuStreamCreate",
    "cuStreamDestroy_v2",
    "cuStreamBeginCapture_v2",
    "cuStreamEndCapture",
    "cuGraphGetNodes",
    "cuGraphInstantiateWithFlags",
    "cuGraphLaunch",
    "cuGraphDestroy",
    "cuGraphExecDestroy",
    "cuGetErrorName",
};
_Static_assert(sizeof names / sizeof names[0] * sizeof(void *) == sizeof(struct cf_gpu_driver),
               "a name for every entry point");

const char *cf_gpu_bind(void *file, void *table, const char *const name[], int n)
{
    for (int i = 0; i < n; ++i) {
        void *symbol = dlsym(file, name[i]);

        if (!symbol)
            return name[i];
        memcpy((char *)table + (size_t)i * sizeof symbol, &symbol, sizeof symbol);
    }
    return NULL;
}

static const char *error_name(const struct cf_gpu *gpu, int answer)
{
    const char *name = NULL;

    return gpu->driver.error_name(answer, &name) == 0 && name ? name : "an unknown error";
}

static int load(struct cf_gpu *gpu, struct cf_error *err)
{
    const char *missing;
    int answer;

    gpu->driver_file = dlopen(DRIVER, RTLD_NOW | RTLD_GLOBAL);
    if (!gpu->driver_file) {
        const char *words = dlerror();

        if (words && strstr(words, "cannot open shared object file: No such file"))
            return cf_fail(err, "no CUDA driver: " DRIVER " is not found");
        return cf_fail(err, "no CUDA driver: %s", words);
    }
    missing =
        cf_gpu_bind(gpu->driver_file, &gpu->driver, names, (int)(sizeof names / sizeof names[0]));
    if (missing)
        return cf_fail(err, "the CUDA driver is too old: " DRIVER " has no %s; CUDA 12.0 has",
                       missing);
    answer = gpu->driver.init(0);
    if (answer != 0)
        return cf_fail(err, "the CUDA driver finds no device that it can use: cuInit answers %s",
                       error_name(gpu, answer));
    return 0;
}

static int is_instance(const char *uuid)
{
    return strncasecmp(uuid, "MIG-", 4) == 0;
}

/* "GPU-" and the sixteen bytes in the usual groups. */
static void print_uuid(char text[48], const unsigned char uuid[16])
{
    int n = snprintf(text, 48, "GPU-");

    for (int i = 0; i < 16; ++i)
        n += snprintf(text + n, 48 - (size_t)n, "%s%02x",
                      i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}

/* Device number `ordinal`: its handle and UUID. */
static int look_at(struct cf_gpu *gpu, int ordinal)
{
    unsigned char uuid[16];

    if (gpu->driver.device_get(&gpu->handle, ordinal) != 0 ||
        gpu->driver.device_uuid(uuid, gpu->handle) != 0)
        return -1;
    print_uuid(gpu->uuid, uuid);
    return 0;
}

/* The driver gives an instance's UUID as it gives a GPU's; NVML tells them apart. Without NVML what
 * was asked for is believed. */
static void name_instance(struct cf_gpu *gpu)
{
    char uuid[sizeof gpu->uuid];

    memcpy(uuid, gpu->uuid, sizeof uuid);
    memcpy(uuid, "MIG-", 4);
    if (gpu->nvml_file ? cf_gpu_mig_handle(gpu->nvml_file, uuid) != NULL
                       : strcasecmp(uuid, gpu->device) == 0)
        memcpy(gpu->uuid, uuid, sizeof uuid);
}

static int find(struct cf_gpu *gpu, struct cf_error *err)
{
    const int by_uuid = strncasecmp(gpu->device, "GPU-", 4) == 0 || is_instance(gpu->device);
    char *end;
    const long ordinal = strtol(gpu->device, &end, 10);
    int count = 0;

    if (gpu->driver.device_count(&count) != 0 || count < 1)
        return cf_fail(err, "the CUDA driver has no device");
    if (!by_uuid && (*end || end == gpu->device))
        return cf_fail(err, "device=%s is neither cpu, a number nor a UUID (GPU-... or MIG-...)",
                       gpu->device);
    for (int i = 0; i < count; ++i)
        if (by_uuid || i == ordinal) {
            if (look_at(gpu, i) != 0)
                return cf_fail(err, "the CUDA driver does not say what device %d is", i);
            name_instance(gpu);
            if (!by_uuid || strcasecmp(gpu->uuid, gpu->device) == 0)
                return 0;
        }
    return cf_fail_with(err, 3, "device=%s was asked for; the CUDA driver has %d device%s",
                        gpu->device, count, count == 1 ? "" : "s");
}

static int make_current(struct cf_gpu *gpu, struct cf_error *err)
{
    int major = 0, minor = 0, answer;
    void *context = NULL;

    answer = gpu->driver.context_retain(&context, gpu->handle);
    if (answer == 0)
        answer = gpu->driver.context_set(context);
    if (answer != 0)
        return cf_fail(err, "device %s gives no context: %s", gpu->device, error_name(gpu, answer));
    gpu->driver.device_attribute(&major, CAPABILITY_MAJOR, gpu->handle);
    gpu->driver.device_attribute(&minor, CAPABILITY_MINOR, gpu->handle);
    gpu->driver.device_attribute(&gpu->n_processors, PROCESSORS, gpu->handle);
    gpu->architecture = 10 * major + minor;
    return 0;
}

static void take_keys(struct cf_gpu *gpu, const struct cf_pairs *keys)
{
    const char *device = cf_pairs_get(keys, "device");

    *gpu = (struct cf_gpu){.align = (size_t)cf_attribute(keys, "align", 0)};
    snprintf(gpu->device, sizeof gpu->device, "%s", device ? device : "0");
}

int cf_gpu_open(struct cf_gpu *gpu, const struct cf_pairs *keys, struct cf_error *err)
{
    take_keys(gpu, keys);
    if (is_instance(gpu->device)) /* before cuInit: this process sees no other */
        setenv("CUDA_VISIBLE_DEVICES", gpu->device, 1);
    if (load(gpu, err) != 0)
        return -1;
    gpu->nvml_file = dlopen(NVML, RTLD_NOW | RTLD_LOCAL);
    if (find(gpu, err) != 0)
        return -1;
    return make_current(gpu, err);
}

void cf_gpu_close(struct cf_gpu *gpu)
{
    if (gpu->driver_file)
        gpu->driver.context_release(gpu->handle);
}

/* ---- The host as a device: the driver's calls over the process's own memory ---- */

static int host_allocate(unsigned long long *pointer, size_t n_bytes)
{
    void *memory = aligned_alloc(256, (n_bytes + 255) / 256 * 256);

    *pointer = (unsigned long long)(uintptr_t)memory;
    return memory ? 0 : 2;
}

static int host_release(unsigned long long pointer)
{
    free((void *)(uintptr_t)pointer);
    return 0;
}

static int host_to_device(unsigned long long to, const void *from, size_t n_bytes)
{
    memcpy((void *)(uintptr_t)to, from, n_bytes);
    return 0;
}

static int host_to_host(void *to, unsigned long long from, size_t n_bytes)
{
    memcpy(to, (const void *)(uintptr_t)from, n_bytes);
    return 0;
}

static int host_set_bytes(unsigned long long to, unsigned char byte, size_t n)
{
    memset((void *)(uintptr_t)to, byte, n);
    return 0;
}

static int host_synchronize(void)
{
    return 0;
}

static int host_error_name(int error, const char **name)
{
    *name = error == 2 ? "no memory" : "an error";
    return 0;
}

void cf_gpu_open_host(struct cf_gpu *gpu, const struct cf_pairs *keys)
{
    take_keys(gpu, keys);
    gpu->driver = (struct cf_gpu_driver){.synchronize = host_synchronize,
                                         .allocate = host_allocate,
                                         .release = host_release,
                                         .to_device = host_to_device,
                                         .to_host = host_to_host,
                                         .set_bytes = host_set_bytes,
                                         .error_name = host_error_name};
}

/* ---- What the libraries of a device share ---- */

/* The word of flags= that starts at `at`: its length up to '+' or the end; 0: there is none. */
static size_t word_at(const char *at)
{
    return strcspn(at, "+");
}

/* Is the word NAME:NUMBER, and which number? */
static int is_flag(const char *word, size_t length, const char *name, int64_t *value)
{
    const size_t n = strlen(name);
    char *end;

    if (length <= n + 1 || strncmp(word, name, n) != 0 || word[n] != ':')
        return 0;
    *value = strtoll(word + n + 1, &end, 10);
    return end == word + length;
}

int64_t cf_gpu_flag(const struct cf_pairs *keys, const char *name, int64_t fallback)
{
    const char *at = cf_pairs_get(keys, "flags");
    int64_t value;

    for (; at && *at; at += word_at(at), at += *at == '+')
        if (is_flag(at, word_at(at), name, &value))
            return value;
    return fallback;
}

int cf_gpu_flags_check(const struct cf_pairs *keys, const char *const name[], struct cf_error *err)
{
    const char *at = cf_pairs_get(keys, "flags");
    char all[256] = "";
    size_t n = 0;

    for (; at && *at; at += word_at(at), at += *at == '+') {
        int known = 0;
        int64_t value;

        for (int i = 0; name[i]; ++i)
            known |= is_flag(at, word_at(at), name[i], &value);
        if (known)
            continue;
        for (int i = 0; name[i] && n < sizeof all; ++i)
            n += (size_t)snprintf(all + n, sizeof all - n, " %s:N", name[i]);
        return cf_fail_with(err, 3, "flags=%.*s is not known; joined by + there may be%s",
                            (int)word_at(at), at, all);
    }
    return 0;
}

struct cf_pairs *cf_gpu_flags_copy(const struct cf_pairs *keys, struct cf_error *err)
{
    const char *flags = cf_pairs_get(keys, "flags");
    struct cf_pairs *copy = cf_alloc_zero(sizeof *copy);
    char *line = cf_format("gpu %s%s", flags ? "flags=" : "", flags ? flags : "");
    const int failed = cf_pairs_parse(copy, "the configuration", line, err);

    free(line);
    if (!failed)
        return copy;
    cf_gpu_flags_free(copy);
    return NULL;
}

void cf_gpu_flags_free(struct cf_pairs *copy)
{
    if (copy)
        cf_pairs_free(copy);
    free(copy);
}

void *cf_gpu_library(const struct cf_pairs *keys, const char *what, struct cf_error *err)
{
    const char *path = cf_pairs_get(keys, "lib");
    void *file;

    if (!path)
        cf_fail(err, "%s needs lib=, the path of a %s", what, what);
    else if (path[0] != '/')
        cf_fail(err, "lib=%s is no absolute path; libraries are never searched for", path);
    else if (!(file = dlopen(path, RTLD_NOW | RTLD_GLOBAL)))
        cf_fail(err, "%s", dlerror());
    else
        return file;
    return NULL;
}
