#include "cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

/* Opens the file in the process's group or the nearest group above it. */
static FILE *open_nearest(const char *name)
{
    FILE *self = fopen("/proc/self/cgroup", "re"), *file = NULL;
    char line[1024] = "", *group = NULL;

    while (self && !group && fgets(line, sizeof line, self))
        if (strncmp(line, "0::/", 4) == 0) /* the unified hierarchy */
            group = line + 3;
    if (self)
        fclose(self);
    if (!group)
        return NULL;
    group[strcspn(group, "\n")] = '\0';
    for (;;) {
        char *path = cf_format("/sys/fs/cgroup%s/%s", group, name), *slash = strrchr(group, '/');

        file = fopen(path, "re");
        free(path);
        if (file || !slash)
            return file;
        *slash = '\0';
    }
}

int cf_cgroup_read(const char *name, char *text, int n)
{
    FILE *file = open_nearest(name);
    const int found = file && fgets(text, n, file);

    if (found)
        text[strcspn(text, "\n")] = '\0';
    if (file)
        fclose(file);
    return found ? 0 : -1;
}

long cf_cgroup_oom_kills(void)
{
    FILE *file = open_nearest("memory.events");
    char line[128];
    long n = 0;

    while (file && fgets(line, sizeof line, file))
        sscanf(line, "oom_kill %ld", &n);
    if (file)
        fclose(file);
    return n;
}
