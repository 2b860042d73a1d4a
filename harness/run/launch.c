#include "launch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static int add(struct cf_launch *launch, int *n, const char *word)
{
    if (*n == CF_LAUNCH_WORDS)
        return -1;
    launch->argv[(*n)++] = word;
    return 0;
}

static int use_command(struct cf_launch *launch, const char *command, struct cf_error *err)
{
    char *rest = NULL;
    int n = 0;

    launch->text = cf_strdup(command);
    for (char *word = strtok_r(launch->text, " \t", &rest); word;
         word = strtok_r(NULL, " \t", &rest))
        if (add(launch, &n, word) != 0)
            return cf_fail(err, "command=%s has more than %d words; put them into a script",
                           command, CF_LAUNCH_WORDS);
    return n > 0 ? 0 : cf_fail(err, "command= names no program");
}

/* The words that follow each other in one text, with a NUL between two. */
static void use_words(struct cf_launch *launch, const char *const words[], int n)
{
    size_t length = 1, at = 0;

    for (int i = 0; i < n; ++i)
        length += strlen(words[i]) + 1;
    launch->text = cf_alloc(length);
    for (int i = 0; i < n; ++i) {
        const size_t n_bytes = strlen(words[i]) + 1;

        launch->argv[i] = memcpy(launch->text + at, words[i], n_bytes);
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
    use_words(launch, (const char *const[]){loader, "--library-path", path, worker, config->text},
              5);
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
                   struct cf_error *err)
{
    const char *command = cf_config_get(config, "command");
    int result = 0;

    *launch = (struct cf_launch){0};
    if (command)
        result = use_command(launch, command, err);
    else if (cf_config_get(config, "sysroot"))
        result = use_sysroot(launch, config, worker, err);
    else
        use_words(launch, (const char *const[]){worker, config->text}, 2);
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
