#include "environment.h"

#include <ctype.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <hwloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cgroup.h"
#include "error.h"
#include "files.h"
#include "git.h"

extern char **environ;

/* Where to and how. */
struct sink {
    void (*emit)(void *, const char *, const char *);
    void *context;
};

static void put(const struct sink *sink, const char *key, const char *value)
{
    if (value && *value)
        sink->emit(sink->context, key, value);
}

static void put_int(const struct sink *sink, const char *key, long long value)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", value);
    put(sink, key, text);
}

/* The first line of a file, without blanks at its ends; "" when there is none. */
static void read_line(const char *path, char *text, int n)
{
    FILE *file = fopen(path, "re");
    size_t length;

    text[0] = '\0';
    if (file && fgets(text, n, file)) {
        length = strlen(text);
        while (length > 0 && isspace((unsigned char)text[length - 1]))
            text[--length] = '\0';
    }
    if (file)
        fclose(file);
}

static void put_file(const struct sink *sink, const char *key, const char *path)
{
    char text[512];

    read_line(path, text, (int)sizeof text);
    put(sink, key, text);
}

static void put_tool(const struct sink *sink)
{
    char sha256[65];

    put(sink, "tool.version", CF_VERSION);
    put(sink, "tool.compiler", CF_COMPILER);
    put(sink, "tool.flags", CF_FLAGS);
    cf_path_sha256("/proc/self/exe", sha256);
    put(sink, "tool.sha256", sha256);
}

static void put_machine(const struct sink *sink)
{
    struct utsname name;

    if (uname(&name) == 0)
        put(sink, "machine.arch", name.machine);
    put_file(sink, "machine.vendor", "/sys/class/dmi/id/sys_vendor");
    put_file(sink, "machine.product", "/sys/class/dmi/id/product_name");
}

/* PRETTY_NAME="Debian GNU/Linux 12 (bookworm)" */
static void put_pretty(const struct sink *sink)
{
    FILE *file = fopen("/etc/os-release", "re");
    char line[512];

    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "PRETTY_NAME=", 12) == 0) {
            char *name = line + 12 + (line[12] == '"');

            name[strcspn(name, "\"\n")] = '\0';
            put(sink, "os.pretty", name);
        }
    if (file)
        fclose(file);
}

static const char *container(void)
{
    const char *named = getenv("container"); /* systemd's interface for container managers */

    if (named && *named)
        return named;
    if (access("/.dockerenv", F_OK) == 0)
        return "docker";
    if (access("/run/.containerenv", F_OK) == 0)
        return "podman";
    return getenv("KUBERNETES_SERVICE_HOST") ? "kubernetes" : NULL;
}

static void put_os(const struct sink *sink)
{
    struct utsname name;

    put_pretty(sink);
    if (uname(&name) == 0) {
        char *kernel = cf_format("%s %s %s", name.sysname, name.release, name.version);

        put(sink, "os.kernel", kernel);
        free(kernel);
    }
    put(sink, "os.libc", gnu_get_libc_version());
    put(sink, "os.proc", access("/proc/self/maps", R_OK) == 0 ? "yes" : "no");
    put(sink, "os.sys", access("/sys/devices", R_OK) == 0 ? "yes" : "no");
    put_file(sink, "os.thp", "/sys/kernel/mm/transparent_hugepage/enabled");
    put(sink, "os.container", container());
    put_file(sink, "os.vm", "/sys/hypervisor/type");
}

/* Words of the first processor in /proc/cpuinfo. */
static const struct {
    const char *word, *key;
} cpu_words[] = {{"vendor_id", "cpu.vendor"},
                 {"cpu family", "cpu.family"},
                 {"model", "cpu.model"},
                 {"model name", "cpu.name"},
                 {"stepping", "cpu.stepping"},
                 {"microcode", "cpu.microcode"},
                 {"CPU implementer", "cpu.vendor"},
                 {"CPU part", "cpu.model"},
                 {"CPU revision", "cpu.stepping"}};

/* x86-64-v1 .. v4: x86-64 psABI, section 3.1.1 (2020); the names are those of /proc/cpuinfo. */
static const char *const isa_flags[] = {" cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3",
                                        " avx avx2 bmi1 bmi2 f16c fma abm movbe xsave",
                                        " avx512f avx512bw avx512cd avx512dq avx512vl"};

static int has_flags(const char *flags, const char *wanted)
{
    char *padded = cf_format(" %s ", flags);
    int all = 1;

    while (*wanted && all) {
        const int length = (int)strcspn(wanted + 1, " ");
        char *word = cf_format(" %.*s ", length, wanted + 1);

        all = strstr(padded, word) != NULL;
        wanted += 1 + length;
        free(word);
    }
    free(padded);
    return all;
}

static void put_isa(const struct sink *sink, const char *flags)
{
    char text[16];
    int version = 1;

    if (!has_flags(flags, " lm cmov cx8 fpu fxsr mmx sse2"))
        return;
    while (version < 4 && has_flags(flags, isa_flags[version - 1]))
        ++version;
    snprintf(text, sizeof text, "x86-64-v%d", version);
    put(sink, "cpu.isa", text);
}

static void put_flags(const struct sink *sink, const char *flags)
{
    char sha256[65];

    cf_bytes_sha256(flags, strlen(flags), sha256);
    put(sink, "cpu.flags_sha256", sha256);
    put_isa(sink, flags);
    put(sink, "cpu.hypervisor", strstr(flags, " hypervisor") ? "yes" : "no");
}

static void put_cpu_line(const struct sink *sink, char *line)
{
    char *value = strchr(line, ':'), *end = value;

    if (!value)
        return;
    while (end > line && isspace((unsigned char)end[-1]))
        --end;
    *end = '\0';
    value += 1 + (value[1] == ' ');
    value[strcspn(value, "\n")] = '\0';
    for (int i = 0; i < CF_COUNT(cpu_words); ++i)
        if (strcmp(line, cpu_words[i].word) == 0)
            put(sink, cpu_words[i].key, value);
    if (strcmp(line, "flags") == 0 || strcmp(line, "Features") == 0)
        put_flags(sink, value);
}

static void put_cpu(const struct sink *sink)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char *line = NULL;
    size_t capacity = 0;

    while (file && getline(&line, &capacity, file) > 0 && line[0] != '\n')
        put_cpu_line(sink, line);
    if (file)
        fclose(file);
    free(line);
    put_file(sink, "cpu.governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    put_file(sink, "cpu.boost", "/sys/devices/system/cpu/cpufreq/boost");
    put_file(sink, "cpu.no_turbo", "/sys/devices/system/cpu/intel_pstate/no_turbo");
    put_file(sink, "cpu.smt", "/sys/devices/system/cpu/smt/active");
}

static void put_topology(const struct sink *sink)
{
    hwloc_topology_t topology;

    if (hwloc_topology_init(&topology) != 0)
        return;
    if (hwloc_topology_load(topology) == 0) {
        put_int(sink, "cpu.packages", hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PACKAGE));
        put_int(sink, "cpu.cores", hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE));
        put_int(sink, "cpu.threads", hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU));
        put_int(sink, "cpu.numa", hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_NUMANODE));
        put_int(sink, "memory.bytes", (long long)hwloc_get_root_obj(topology)->total_memory);
    }
    hwloc_topology_destroy(topology);
}

static int n_allowed(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                       : (int)sysconf(_SC_NPROCESSORS_ONLN);
}

static void put_limits(const struct sink *sink)
{
    char text[256];

    put_int(sink, "cpu.allowed", n_allowed());
    if (cf_cgroup_read("memory.max", text, (int)sizeof text) == 0)
        put(sink, "memory.limit", text);
    if (cf_cgroup_read("cpu.max", text, (int)sizeof text) == 0)
        put(sink, "cgroup.cpu_max", text);
    if (cf_cgroup_read("cpuset.cpus.effective", text, (int)sizeof text) == 0)
        put(sink, "cgroup.cpuset", text);
}

static int is_known(const char *variable)
{
    static const char *const prefixes[] = {
        "OMP_", "KMP_",   "GOMP_",           "OPENBLAS_",      "GOTO_",   "BLIS_",
        "MKL_", "DNNL_",  "ONEDNN_",         "ATEN_",          "NPY_",    "XLA_",
        "TF_",  "CUDA_",  "CUBLAS_",         "CUDNN_",         "NVIDIA_", "NCCL_",
        "LD_",  "ATLAS_", "GLIBC_TUNABLES=", "PYTHONHASHSEED="};

    for (int i = 0; i < CF_COUNT(prefixes); ++i)
        if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
            return 1;
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, so that the order of the environment does not show. */
static void put_variables(const struct sink *sink)
{
    char **sorted, *names = NULL, *key;
    size_t n = 0, n_names;
    FILE *others = open_memstream(&names, &n_names);

    CF_CHECK(others != NULL);
    while (environ[n])
        ++n;
    sorted = cf_alloc((n + 1) * sizeof *sorted);
    memcpy(sorted, environ, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_text);
    for (size_t i = 0; i < n; ++i) {
        const int length = (int)strcspn(sorted[i], "=");

        if (!is_known(sorted[i])) {
            fprintf(others, "%s%.*s", ftell(others) > 0 ? " " : "", length, sorted[i]);
            continue;
        }
        key = cf_format("variable.%.*s", length, sorted[i]);
        put(sink, key, sorted[i][length] ? sorted[i] + length + 1 : "");
        free(key);
    }
    fclose(others);
    put(sink, "variables", names);
    free(names);
    free(sorted);
}

static void put_git(const struct sink *sink)
{
    struct cf_git git;

    if (cf_git_read(&git) != 0)
        return;
    put(sink, "git.commit", git.commit);
    put(sink, "git.dirty", git.dirty ? "yes" : "no");
    put(sink, "git.diff_sha256", git.diff_sha256);
}

int cf_environment_collect(void (*emit)(void *, const char *, const char *), void *context)
{
    const struct sink sink = {emit, context};

    put_tool(&sink);
    put_machine(&sink);
    put_os(&sink);
    put_cpu(&sink);
    put_topology(&sink);
    put_limits(&sink);
    put_git(&sink);
    put_variables(&sink);
    return 0;
}

int cf_environment_cpus(void)
{
    const int allowed = n_allowed();
    long long quota, period;
    char text[256];

    if (cf_cgroup_read("cpu.max", text, (int)sizeof text) == 0 &&
        sscanf(text, "%lld %lld", &quota, &period) == 2 && period > 0 &&
        quota < (long long)allowed * period)
        return quota < period ? 1 : (int)(quota / period);
    return allowed > 0 ? allowed : 1;
}
