/* An NVML that knows the fake driver's two devices; device B runs hot. Lies: nvml-silent: it cannot
 * be initialized; mig: device A is cut into two instances, in places 0 and 2 of three. */
#include <stdio.h>

#include "fake.h"

EXPORT int nvmlInit_v2(void)
{
    return fake_lies("nvml-silent") ? 9 : 0;
}

static const char *const instances[3] = {"MIG-20212223-2425-2627-2829-2a2b2c2d2e2f", "",
                                         "MIG-30313233-3435-3637-3839-3a3b3c3d3e3f"};

EXPORT int nvmlDeviceGetHandleByUUID(const char *uuid, void **device)
{
    const int instance = strcmp(uuid, instances[0]) == 0   ? 3
                         : strcmp(uuid, instances[2]) == 0 ? 5
                                                           : 0;

    *device = (void *)(size_t)(instance                                       ? instance
                               : strncmp(uuid, "GPU-00010203-0405-", 18) == 0 ? 1
                                                                              : 2);
    if (strncmp(uuid, "MIG-", 4) == 0)
        return instance && fake_lies("mig") ? 0 : 6;
    return strlen(uuid) == 40 ? 0 : 6;
}

EXPORT int nvmlSystemGetDriverVersion(char *text, unsigned length)
{
    snprintf(text, length, "580.159");
    return 0;
}

EXPORT int nvmlDeviceGetVbiosVersion(void *device, char *text, unsigned length)
{
    snprintf(text, length, "96.00.%02d", device == (void *)1);
    return 0;
}

EXPORT int nvmlDeviceGetEccMode(void *device, unsigned *now, unsigned *pending)
{
    (void)device;
    *now = 1;
    *pending = device == (void *)1;
    return 0;
}

EXPORT int nvmlDeviceGetMigMode(void *device, unsigned *now, unsigned *pending)
{
    *now = *pending = fake_lies("mig") && device == (void *)1;
    return 0;
}

EXPORT int nvmlDeviceGetCount_v2(unsigned *n)
{
    *n = 2;
    return 0;
}

EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **device)
{
    *device = (void *)(size_t)(i + 1);
    return i < 2 ? 0 : 2;
}

EXPORT int nvmlDeviceGetMaxMigDeviceCount(void *device, unsigned *n)
{
    (void)device;
    *n = 3;
    return 0;
}

EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(void *device, unsigned i, void **instance)
{
    *instance = (void *)(size_t)(i + 3);
    return device == (void *)1 && i != 1 ? 0 : 6;
}

EXPORT int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(void *instance, void **device)
{
    *device = (void *)1;
    return (size_t)instance > 2 ? 0 : 2;
}

EXPORT int nvmlDeviceGetUUID(void *device, char *text, unsigned length)
{
    snprintf(text, length, "%s",
             (size_t)device > 2    ? instances[(size_t)device - 3]
             : device == (void *)1 ? "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f"
                                   : "GPU-10111213-1415-1617-1819-1a1b1c1d1e1f");
    return 0;
}

EXPORT int nvmlDeviceGetGpuInstanceId(void *instance, unsigned *id)
{
    *id = (unsigned)(size_t)instance + 4;
    return (size_t)instance > 2 ? 0 : 2;
}

EXPORT int nvmlDeviceGetComputeInstanceId(void *instance, unsigned *id)
{
    *id = 0;
    return (size_t)instance > 2 ? 0 : 2;
}

EXPORT int nvmlDeviceGetClockInfo(void *device, int type, unsigned *mhz)
{
    *mhz = type == 1 ? (device == (void *)1 ? 1980 : 345) : 3201;
    return 0;
}

EXPORT int nvmlDeviceGetMaxClockInfo(void *device, int type, unsigned *mhz)
{
    (void)device;
    (void)type;
    *mhz = 1980;
    return 0;
}

EXPORT int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *celsius)
{
    *celsius = device == (void *)1 ? 41 : 87;
    return sensor == 0 ? 0 : 2;
}

EXPORT int nvmlDeviceGetCurrentClocksEventReasons(void *device, unsigned long long *reasons)
{
    *reasons = device == (void *)1 ? 0 : 0x60;
    return 0;
}

EXPORT int nvmlDeviceGetTotalEccErrors(void *device, int type, int counter,
                                       unsigned long long *count)
{
    (void)counter;
    *count = device == (void *)1 ? 0 : (unsigned long long)(7 - 6 * type);
    return 0;
}
