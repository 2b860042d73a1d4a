#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu_nvml.h"

typedef void emitter(void *, const char *, const char *);

struct sink {
    emitter *emit;
    void *context;
    void *nvml, *device;
};

typedef void function(void); /* any; cast where it is called */

int cf_gpu_nvml_find(void *nvml, const char *name, void *to)
{
    void *symbol = dlsym(nvml, name);

    memcpy(to, &symbol, sizeof symbol);
    return symbol != NULL;
}

static function *find(const struct sink *sink, const char *name)
{
    function *found = NULL;

    cf_gpu_nvml_find(sink->nvml, name, &found);
    return found;
}

static void put(const struct sink *sink, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void put(const struct sink *sink, const char *key, const char *format, ...)
{
    char text[128];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sink->emit(sink->context, key, text);
}

static void put_switch(const struct sink *sink, const char *key, const char *name, int pair)
{
    function *f = find(sink, name);
    unsigned now = 0, pending = 0;
    int answer = -1;

    if (f && pair)
        answer = ((int (*)(void *, unsigned *, unsigned *))f)(sink->device, &now, &pending);
    else if (f)
        answer = ((int (*)(void *, unsigned *))f)(sink->device, &now);
    put(sink, key, "%s", answer != 0 ? "unknown" : now ? "on" : "off");
    if (answer == 0 && pair && now != pending)
        put(sink, "pending", "%s changes at the next reset", key);
}

static void put_clock(const struct sink *sink, const char *key, const char *name, int type)
{
    function *f = find(sink, name);
    unsigned mhz = 0;

    if (f && ((int (*)(void *, int, unsigned *))f)(sink->device, type, &mhz) == 0)
        put(sink, key, "%u", mhz);
}

static void put_temperature(const struct sink *sink)
{
    function *f = find(sink, "nvmlDeviceGetTemperature");
    unsigned celsius = 0;

    if (f && ((int (*)(void *, int, unsigned *))f)(sink->device, 0, &celsius) == 0)
        put(sink, "temperature_c", "%u", celsius); /* sensor 0: of the chip */
}

/* Reasons why clocks are lower than they could be (nvml.h, nvmlClocksEventReason...). */
static void put_reasons(const struct sink *sink)
{
    static const struct {
        unsigned long long bit;
        const char *word;
    } reasons[] = {{0x1, "idle"},
                   {0x2, "application-clocks"},
                   {0x4, "power-cap"},
                   {0x8, "hardware-slowdown"},
                   {0x10, "sync-boost"},
                   {0x20, "thermal-software"},
                   {0x40, "thermal-hardware"},
                   {0x80, "power-brake"},
                   {0x100, "display"}};
    function *f = find(sink, "nvmlDeviceGetCurrentClocksEventReasons");
    unsigned long long bits = 0;
    char text[128] = "none";
    size_t n = 0;

    if (!f)
        f = find(sink, "nvmlDeviceGetCurrentClocksThrottleReasons");
    if (!f || ((int (*)(void *, unsigned long long *))f)(sink->device, &bits) != 0)
        return;
    for (int i = 0; i < CF_COUNT(reasons); ++i)
        if (bits & reasons[i].bit)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? " " : "", reasons[i].word);
    put(sink, "throttle", "%s", text);
}

static void put_errors(const struct sink *sink)
{
    function *f = find(sink, "nvmlDeviceGetTotalEccErrors");
    unsigned long long count = 0;
    static const char *const keys[] = {"ecc_corrected", "ecc_uncorrected"};

    for (int kind = 0; kind < 2; ++kind) /* counters since the driver was loaded: kind 0 */
        if (f && ((int (*)(void *, int, int, unsigned long long *))f)(sink->device, kind, 0,
                                                                      &count) == 0)
            put(sink, keys[kind], "%llu", count);
}

static void put_text(const struct sink *sink, const char *key, const char *name)
{
    function *f = find(sink, name);
    char text[80] = "";

    if (f && ((int (*)(void *, char *, unsigned))f)(sink->device, text, sizeof text) == 0)
        put(sink, key, "%s", text);
}

/* What an instance is a part of; the rest is asked of the whole. */
static void put_instance(struct sink *sink)
{
    void *instance = sink->device, *whole = cf_gpu_mig_parent(sink->nvml, instance);

    put(sink, "gpu_instance", "%d",
        cf_gpu_mig_number(sink->nvml, instance, "nvmlDeviceGetGpuInstanceId"));
    put(sink, "compute_instance", "%d",
        cf_gpu_mig_number(sink->nvml, instance, "nvmlDeviceGetComputeInstanceId"));
    if (!whole)
        return;
    sink->device = whole;
    put_text(sink, "mig_parent", "nvmlDeviceGetUUID");
}

static void put_nvml(struct sink *sink, const char *uuid)
{
    function *version = find(sink, "nvmlSystemGetDriverVersion");
    char text[80] = "", *instances;

    sink->device = cf_gpu_mig_handle(sink->nvml, uuid);
    if (!sink->device) {
        put(sink, "nvml", "does not know the device");
        return;
    }
    if (strncmp(uuid, "MIG-", 4) == 0)
        put_instance(sink);
    instances = cf_gpu_mig_instances(sink->nvml);
    if (*instances)
        sink->emit(sink->context, "mig_instances", instances);
    free(instances);
    if (version && ((int (*)(char *, unsigned))version)(text, sizeof text) == 0)
        put(sink, "driver", "%s", text);
    put_text(sink, "vbios", "nvmlDeviceGetVbiosVersion");
    put_text(sink, "serial", "nvmlDeviceGetSerial");
    put_switch(sink, "ecc", "nvmlDeviceGetEccMode", 1);
    put_switch(sink, "mig", "nvmlDeviceGetMigMode", 1);
    put_switch(sink, "persistence", "nvmlDeviceGetPersistenceMode", 0);
    put_clock(sink, "clock_sm_mhz", "nvmlDeviceGetClockInfo", 1);
    put_clock(sink, "clock_memory_mhz", "nvmlDeviceGetClockInfo", 2);
    put_clock(sink, "clock_sm_max_mhz", "nvmlDeviceGetMaxClockInfo", 1);
    put_temperature(sink);
    put_reasons(sink);
    put_errors(sink);
}

void cf_gpu_state(const struct cf_gpu *gpu, emitter *emit, void *context)
{
    struct sink sink = {.emit = emit, .context = context, .nvml = gpu->nvml_file};
    char name[96] = "";
    size_t n_bytes = 0;
    int version = 0;

    emit(context, "device", gpu->device);
    if (!gpu->driver_file)
        return;
    gpu->driver.driver_version(&version);
    gpu->driver.device_name(name, sizeof name, gpu->handle);
    gpu->driver.device_memory(&n_bytes, gpu->handle);
    put(&sink, "driver_api", "%d.%d", version / 1000, version % 1000 / 10);
    put(&sink, "device_name", "%s", name);
    put(&sink, "device_uuid", "%s", gpu->uuid);
    put(&sink, "architecture", "sm_%d", gpu->architecture);
    put(&sink, "multiprocessors", "%d", gpu->n_processors);
    put(&sink, "memory_mb", "%zu", n_bytes >> 20);
    if (sink.nvml)
        put_nvml(&sink, gpu->uuid);
    else
        put(&sink, "nvml", "libnvidia-ml.so.1 is not found: clocks, ECC and MIG are unknown");
}
