#include "confine.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* One CPU number; moves *at behind it. -1: none. */
static long take_cpu(const char **at)
{
    char *end;
    const long cpu = strtol(*at, &end, 10);

    if (end == *at || cpu < 0 || cpu >= CPU_SETSIZE || **at == '-' || **at == '+')
        return -1;
    *at = end;
    return cpu;
}

static int parse_cpus(cpu_set_t *set, const char *list)
{
    CPU_ZERO(set);
    for (const char *at = list;; ++at) {
        const long first = take_cpu(&at);
        long last = first;

        if (first >= 0 && *at == '-') {
            ++at;
            last = take_cpu(&at);
        }
        if (first < 0 || last < first)
            return -1;
        for (long cpu = first; cpu <= last; ++cpu)
            CPU_SET((size_t)cpu, set);
        if (*at != ',')
            return *at ? -1 : 0;
    }
}

static int bind_cpus(const char *list, struct cf_error *err)
{
    cpu_set_t set, effective;

    if (parse_cpus(&set, list) != 0)
        return cf_fail(err, "cpus=%s is no list of CPUs; write for example cpus=0-1,4", list);
    if (sched_setaffinity(0, sizeof set, &set) != 0 ||
        sched_getaffinity(0, sizeof effective, &effective) != 0 || !CPU_EQUAL(&set, &effective))
        return cf_fail_with(err, 3, "cpus=%s names CPUs that this process may not use", list);
    return 0;
}

/* The parent may have died between our start and the request for its signal. */
static void die_with_parent(void)
{
    const pid_t parent = getppid();

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        raise(SIGKILL);
}

/* Lowers a limit; one that is lower already stays. */
static void limit(int resource, rlim_t most)
{
    struct rlimit held;

    if (getrlimit((__rlimit_resource_t)resource, &held) != 0)
        return;
    held.rlim_max = held.rlim_max < most ? held.rlim_max : most;
    held.rlim_cur = held.rlim_cur < held.rlim_max ? held.rlim_cur : held.rlim_max;
    setrlimit((__rlimit_resource_t)resource, &held);
}

int cf_confine(int64_t memory_mb, const char *cpus, struct cf_error *err)
{
    const rlim_t bytes = (rlim_t)memory_mb << 20;
    const struct rlimit data = {bytes, bytes};

    die_with_parent();
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, CF_CONFINE_FILES);
    limit(RLIMIT_FSIZE, CF_CONFINE_FILE_BYTES);
    if (memory_mb > 0 && setrlimit(RLIMIT_DATA, &data) != 0)
        return cf_fail(err, "the memory limit of %lld MB cannot be set: %s", (long long)memory_mb,
                       strerror(errno));
    return cpus ? bind_cpus(cpus, err) : 0;
}
