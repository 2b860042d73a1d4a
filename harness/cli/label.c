/* label: short words for a configuration, from its text alone: asking the library would mean to
 * load it, and the same plan must give the same labels on every machine. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "matrix.h"

/* "0.3.21" of "libopenblasp-r0.3.21.so", "3.10.3" of "libblas.so.3.10.3" or "2.6" of
 * "libdnnl.so.2.6"; NULL when the name has no version of three parts, or two after ".so.". The
 * caller frees. */
static char *version_of(const char *file)
{
    const char *suffix = strstr(file, ".so.");

    for (const char *at = file; *at; ++at) {
        const int enough = suffix && at >= suffix + 4 ? 1 : 2;
        const size_t length = *at == '.' ? 0 : strspn(at, "0123456789.");
        int dots = 0;

        for (size_t i = 0; i + 1 < length; ++i)
            dots += at[i] == '.' && isdigit((unsigned char)at[i + 1]);
        if (isdigit((unsigned char)*at) && dots >= enough && dots <= 2)
            return strndup(at, at[length - 1] == '.' ? length - 1 : length);
        if (length > 0)
            at += length - 1;
    }
    return NULL;
}

/* "openblas-pthread" of ".../openblas-pthread/libopenblasp-r0.3.21.so"; "openblas" of a file that
 * lies anywhere else. The caller frees. */
static char *name_of(const char *path, const char *file)
{
    static const char *const folders[] = {"openblas", "blis-", "atlas", "blas"};
    const char *end = file > path ? file - 1 : file, *start = end;
    char *folder;

    while (start > path && start[-1] != '/')
        --start;
    folder = strndup(start, (size_t)(end - start));
    for (int i = 0; i < CF_COUNT(folders); ++i)
        if (strncmp(folder, folders[i], strlen(folders[i])) == 0 &&
            (i < 2 || strcmp(folder, folders[i]) == 0)) {
            if (i < 3)
                return folder;
            free(folder);
            return cf_strdup("reference");
        }
    free(folder);
    file += strncmp(file, "lib", 3) == 0 ? 3 : 0;
    return strndup(file, strstr(file, ".so") ? (size_t)(strstr(file, ".so") - file) : strlen(file));
}

/* Appends and frees what was there. */
static char *join(char *text, const char *between, const char *more)
{
    char *longer = cf_format("%s%s%s", text, *text ? between : "", more);

    free(text);
    return longer;
}

static char *library_words(const char *backend, const char *path)
{
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    char *name = strcmp(backend, "libm") == 0 ? cf_strdup("libm") : name_of(path, file);
    char *version = version_of(file);

    if (version && !strstr(name, version))
        name = join(name, " ", version);
    free(version);
    return name;
}

char *cf_label_make(const struct cf_config *config)
{
    const char *library = cf_config_get(config, "lib"), *kernel = cf_config_get(config, "kernel");
    char *text = library ? library_words(config->backend, library) : cf_strdup(config->backend);

    if (kernel && strcmp(kernel, "cblas") != 0)
        text = join(text, " ", kernel);
    for (int i = 1; i < config->keys.n; ++i) {
        const struct cf_pair *p = &config->keys.pair[i];
        char *word;

        if (!p->key || strcmp(p->key, "lib") == 0 || strcmp(p->key, "kernel") == 0)
            continue;
        word = strcmp(p->key, "coretype") == 0 ? cf_strdup(p->value)
               : strcmp(p->key, "sysroot") == 0 && strrchr(p->value, '/')
                   ? cf_format("in %s", strrchr(p->value, '/') + 1)
                   : cf_format("%s=%s", p->key + 4 * (strncmp(p->key, "env.", 4) == 0), p->value);
        text = join(text, " ", word);
        free(word);
    }
    return text;
}
