#include "sensors.h"

#include <ctype.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

static const struct {
    const char *group, *pattern;
} sources[] = {{"clock", "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq"},
               {"temperature", "/sys/class/hwmon/hwmon*/temp*_input"},
               {"temperature", "/sys/class/thermal/thermal_zone*/temp"},
               {"ecc", "/sys/devices/system/edac/mc/mc*/[cu]e_count"},
               {"throttle", "/sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/*_throttle_count"}};

/* The first line of a file; 0 when there is none. */
static int first_line(const char *path, char line[], int size)
{
    FILE *in = fopen(path, "r");
    int got = 0;

    if (!in)
        return 0;
    got = fgets(line, size, in) != NULL;
    fclose(in);
    if (got)
        line[strcspn(line, "\n")] = '\0';
    return got && *line;
}

/* "cpu3.core_throttle_count": the file and the folder with a number that it belongs to. */
static char *name_of(const char *group, const char *path)
{
    const char *file = strrchr(path, '/') + 1, *folder = file - 1, *end;

    do { /* up to a folder whose name ends in a digit */
        end = folder;
        while (folder > path && folder[-1] != '/')
            --folder;
        if (isdigit((unsigned char)end[-1]))
            break;
        --folder;
    } while (folder > path);
    return cf_format("%s.%.*s.%s", group, (int)(end - folder), folder, file);
}

static int read_group(const char *group, const char *pattern,
                      void (*emit)(void *, const char *, const char *), void *context)
{
    glob_t found;
    int n = 0;
    char line[128];

    if (glob(pattern, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; i < found.gl_pathc; ++i)
        if (first_line(found.gl_pathv[i], line, sizeof line)) {
            char *key = name_of(group, found.gl_pathv[i]);

            emit(context, key, line);
            free(key);
            ++n;
        }
    globfree(&found);
    return n;
}

/* The sum of a row of /proc/interrupts over all CPUs: MCE (exceptions) and MCP (polls). */
static int read_machine_checks(void (*emit)(void *, const char *, const char *), void *context)
{
    FILE *in = fopen("/proc/interrupts", "r");
    char *line = NULL;
    size_t size = 0;
    int n = 0;

    while (in && getline(&line, &size, in) > 0) {
        const char *at = line + strspn(line, " ");
        long long sum = 0;
        char *end, *value;

        if (strncmp(at, "MCE:", 4) != 0)
            continue;
        for (at += 4;; at = end) {
            sum += strtoll(at, &end, 10);
            if (end == at)
                break;
        }
        value = cf_format("%lld", sum);
        emit(context, "machine-check.exceptions", value);
        free(value);
        ++n;
    }
    free(line);
    if (in)
        fclose(in);
    return n;
}

void cf_sensors_read(void (*emit)(void *context, const char *key, const char *value), void *context)
{
    for (int i = 0; i < CF_COUNT(sources);) {
        const char *group = sources[i].group;
        int n = 0;

        for (; i < CF_COUNT(sources) && strcmp(sources[i].group, group) == 0; ++i)
            n += read_group(group, sources[i].pattern, emit, context);
        if (n == 0)
            emit(context, group, "not offered");
    }
    if (read_machine_checks(emit, context) == 0)
        emit(context, "machine-check", "not offered");
}

double cf_sensors_mhz(int cpu)
{
    char *path = cf_format("/sys/devices/system/cpu/cpu%d/cpufreq/scaling_cur_freq", cpu);
    char line[256];
    double mhz = first_line(path, line, sizeof line) ? strtod(line, NULL) / 1000 : NAN;
    FILE *in = isnan(mhz) ? fopen("/proc/cpuinfo", "r") : NULL;
    int processor = -1;

    free(path);
    while (in && isnan(mhz) && fgets(line, sizeof line, in)) {
        sscanf(line, "processor : %d", &processor);
        if (processor == cpu && strncmp(line, "cpu MHz", 7) == 0 && strchr(line, ':'))
            mhz = strtod(strchr(line, ':') + 1, NULL);
    }
    if (in)
        fclose(in);
    return mhz > 0 ? mhz : NAN;
}

char *cf_sensors_ppin(int cpu)
{
    char *path = cf_format("/sys/devices/system/cpu/cpu%d/topology/ppin", cpu);
    char line[64] = "";
    const int got = first_line(path, line, sizeof line);

    free(path);
    return cf_strdup(got && strtoull(line, NULL, 16) != 0 ? line : "");
}
