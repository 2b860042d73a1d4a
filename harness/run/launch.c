#include "launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"

/* The folder of the machine's libraries comes first: a link there is relative, while the one in
 * lib64 may be absolute and lead out of the sysroot. */
#if defined __x86_64__
#define TRIPLET "x86_64-linux-gnu"
#define LOADER  "ld-linux-x86-64.so.2"
#elif defined __aarch64__
#define TRIPLET "aarch64-linux-gnu"
#define LOADER  "ld-linux-aarch64.so.1"
#else
#define TRIPLET "."
#define LOADER  "ld.so.1"
#endif

static const char *const folders[] = {"lib/" TRIPLET, "usr/lib/" TRIPLET, "lib64", "usr/lib64",
                                      "lib",          "usr/lib"};

/* The first of the folders that has the loader. The caller frees; NULL: none has. */
static char *find_loader(const char *root)
{
    for (int i = 0; i < CF_COUNT(folders); ++i) {
        char *path = cf_format("%s/%s/%s", root, folders[i], LOADER);

        if (access(path, X_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

static char *library_path(const char *root)
{
    char *path = cf_strdup("");

    for (int i = 0; i < CF_COUNT(folders); ++i) {
        char *longer = cf_format("%s%s%s/%s", path, i > 0 ? ":" : "", root, folders[i]);

        free(path);
        path = longer;
    }
    return path;
}

static void set_memory(struct cf_launch *launch, int64_t memory_mb)
{
    snprintf(launch->memory, sizeof launch->memory, "--memory-mb=%lld", (long long)memory_mb);
}

/* Three quarters of the memory of the machine, or of the control group: what eats more is stopped
 * before the kernel looks for somebody to kill. */
static int64_t default_memory_mb(void)
{
    int64_t bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    char text[64];
    long long most;

    if (cf_cgroup_read("memory.max", text, (int)sizeof text) == 0 &&
        sscanf(text, "%lld", &most) == 1 && most > 0 && most < bytes)
        bytes = most;
    return (bytes >> 20) * 3 / 4;
}

int cf_launch_limits(struct cf_launch *launch, const char *worker, int64_t memory_mb,
                     const char *cpus)
{
    int n = 0;

    set_memory(launch, memory_mb > 0 ? memory_mb : default_memory_mb());
#if defined __SANITIZE_ADDRESS__
    set_memory(launch, INT32_MAX); /* its shadow takes more than any other limit leaves */
#endif
    launch->argv[n++] = worker;
    launch->argv[n++] = "--confine";
    launch->argv[n++] = launch->memory;
    if (cpus) {
        launch->argv[n++] = "--cpus";
        launch->argv[n++] = cpus;
    }
    launch->argv[n++] = "--";
    launch->argv[n] = NULL;
    return n;
}

static int use_command(struct cf_launch *launch, const struct cf_config *config, const char *worker,
                       int64_t memory_mb, struct cf_error *err)
{
    const char *command = cf_config_get(config, "command");
    const int first = cf_launch_limits(launch, worker, memory_mb, cf_config_get(config, "cpus"));
    char *rest = NULL;
    int n = first;

    launch->text = cf_strdup(command);
    for (char *word = strtok_r(launch->text, " \t", &rest); word;
         word = strtok_r(NULL, " \t", &rest))
        if (n - first == CF_LAUNCH_WORDS)
            return cf_fail(err, "command=%s has more than %d words; put them into a script",
                           command, CF_LAUNCH_WORDS);
        else
            launch->argv[n++] = word;
    launch->argv[n] = NULL;
    return n > first ? 0 : cf_fail(err, "command= names no program");
}

/* The words that follow each other in one text, with a NUL between two; "" is left out. */
static void use_words(struct cf_launch *launch, const char *const words[], int n_words)
{
    size_t length = 1, at = 0;
    int n = 0;

    for (int i = 0; i < n_words; ++i)
        length += strlen(words[i]) + 1;
    launch->text = cf_alloc(length);
    for (int i = 0; i < n_words; ++i) {
        const size_t n_bytes = strlen(words[i]) + 1;

        if (n_bytes == 1)
            continue;
        launch->argv[n++] = memcpy(launch->text + at, words[i], n_bytes);
        at += n_bytes;
    }
}

static int use_sysroot(struct cf_launch *launch, const struct cf_config *config, const char *worker,
                       struct cf_error *err)
{
    const char *root = cf_config_get(config, "sysroot");
    char *loader = find_loader(root), *path;

    if (!loader)
        return cf_fail(err, "sysroot=%s holds no %s; unpack libc6 of that release there", root,
                       LOADER);
    path = library_path(root);
    use_words(
        launch,
        (const char *const[]){loader, "--library-path", path, worker, launch->memory, config->text},
        6);
    free(path);
    free(loader);
    return 0;
}

static void add_descriptor(struct cf_launch *launch)
{
    int n = 0;

    while (launch->environment[n])
        ++n;
    launch->environment =
        cf_realloc(launch->environment, (size_t)(n + 2) * sizeof launch->environment[0]);
    launch->environment[n] = cf_strdup("CONFORM_FD=3");
    launch->environment[n + 1] = NULL;
}

int cf_launch_make(struct cf_launch *launch, const struct cf_config *config, const char *worker,
                   int64_t memory_mb, struct cf_error *err)
{
    int result = 0;

    *launch = (struct cf_launch){0};
    if (memory_mb > 0)
        set_memory(launch, memory_mb);
    if (cf_config_get(config, "command"))
        result = use_command(launch, config, worker, memory_mb, err);
    else if (cf_config_get(config, "sysroot"))
        result = use_sysroot(launch, config, worker, err);
    else
        use_words(launch, (const char *const[]){worker, launch->memory, config->text}, 3);
    if (result != 0) {
        cf_launch_free(launch);
        return -1;
    }
    launch->environment = cf_config_environment(config);
    add_descriptor(launch);
    return 0;
}

void cf_launch_free(struct cf_launch *launch)
{
    free(launch->text);
    cf_config_environment_free(launch->environment);
    *launch = (struct cf_launch){0};
}
