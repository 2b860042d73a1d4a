/* An NVML that knows the fake driver's two devices; device B runs hot. Lie: nvml-silent: it cannot
 * be initialized. */
#include <stdio.h>

#include "fake.h"

EXPORT int nvmlInit_v2(void)
{
    return fake_lies("nvml-silent") ? 9 : 0;
}

EXPORT int nvmlDeviceGetHandleByUUID(const char *uuid, void **device)
{
    *device = (void *)(size_t)(strncmp(uuid, "GPU-00010203-0405-", 18) == 0 ? 1 : 2);
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
    (void)device;
    *now = *pending = 0;
    return 0;
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
