#include "libraries.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pairs.h"

/* The file as it stands, inside the program: no path is needed to find it. */
__asm__(".section .rodata\n"
        ".globl cf_libraries_text\n"
        "cf_libraries_text: .incbin \"" CF_LIBRARIES_PATH "\"\n"
        ".byte 0\n"
        ".previous\n");
extern const char cf_libraries_text[];

#define COLUMNS 7

static int take_line(struct cf_pins *pins, char *line, struct cf_error *err)
{
    const char *column[COLUMNS];
    int n = 0;

    if (*line == '#' || *line == '\0')
        return 0;
    for (char *at = line; at && n < COLUMNS; ++n) {
        char *tab = strchr(at, '\t');

        column[n] = at;
        if (tab)
            *tab = '\0';
        at = tab ? tab + 1 : NULL;
    }
    if (n != COLUMNS || strlen(column[5]) != 64)
        return cf_fail(err, "the pin `%.60s` has not seven columns and a SHA-256", line);
    pins->pin = cf_realloc(pins->pin, (size_t)(pins->n + 1) * sizeof pins->pin[0]);
    pins->pin[pins->n++] = (struct cf_pin){column[0], column[1], column[2], column[3],
                                           column[4], column[5], column[6]};
    return 0;
}

int cf_pins_parse(struct cf_pins *pins, const char *table, struct cf_error *err)
{
    char *rest = NULL;

    *pins = (struct cf_pins){.text = cf_strdup(table)};
    for (char *line = strtok_r(pins->text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (take_line(pins, line, err) != 0) {
            cf_pins_free(pins);
            return -1;
        }
    return 0;
}

void cf_pins_load(struct cf_pins *pins)
{
    CF_CHECK(cf_pins_parse(pins, cf_libraries_text, NULL) == 0);
}

void cf_pins_free(struct cf_pins *pins)
{
    free(pins->pin);
    free(pins->text);
    *pins = (struct cf_pins){0};
}

int cf_pins_find(const struct cf_pins *pins, const char *name)
{
    for (int i = 0; i < pins->n; ++i)
        if (strcmp(pins->pin[i].name, name) == 0)
            return i;
    return -1;
}

char *cf_libraries_folder(void)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    if (base && *base == '/')
        return cf_format("%s/conform/libraries", base);
    return home && *home == '/' ? cf_format("%s/.cache/conform/libraries", home) : cf_strdup("");
}

/* The note of completeness: its name is the pin's digest, so that another pin of that name is
 * another library. */
static int is_whole(const struct cf_pins *pins, const char *name, const char *folder)
{
    int n = 0, n_there = 0;

    for (int i = 0; i < pins->n; ++i) {
        char *note;

        if (strcmp(pins->pin[i].name, name) != 0)
            continue;
        note = cf_format("%s/.unpacked/%s", folder, pins->pin[i].sha256);
        ++n;
        n_there += access(note, F_OK) == 0;
        free(note);
    }
    return n > 0 && n == n_there;
}

char *cf_library_folder(const struct cf_pins *pins, const char *name)
{
    char *base = cf_libraries_folder(), *folder = cf_format("%s/%s", base, name);

    free(base);
    if (is_whole(pins, name, folder))
        return folder;
    free(folder);
    return NULL;
}

char *cf_library_file(const struct cf_pins *pins, const char *name)
{
    const int i = cf_pins_find(pins, name);
    char *folder = i < 0 ? NULL : cf_library_folder(pins, name), *pattern, *path = NULL;
    glob_t found = {0};

    if (!folder || strcmp(pins->pin[i].file, "-") == 0) {
        free(folder);
        return NULL;
    }
    pattern = cf_format("%s/%s", folder, pins->pin[i].file);
    if (glob(pattern, 0, NULL, &found) == 0)
        path = realpath(found.gl_pathv[0], NULL);
    globfree(&found);
    free(pattern);
    free(folder);
    return path;
}

/* A folder that came with libc6 starts the worker by its own loader. */
static int has_loader(const struct cf_pins *pins, const char *name)
{
    for (int i = 0; i < pins->n; ++i)
        if (strcmp(pins->pin[i].name, name) == 0 && strcmp(pins->pin[i].package, "libc6") == 0)
            return 1;
    return 0;
}

static const char *backend_of(const char *name)
{
    static const char *const backends[][2] = {
        {"openblas", "blas"}, {"mkl-", "blas"},     {"blis", "blas"},    {"onednn", "onednn"},
        {"glibc", "libm"},    {"numpy", "adapter"}, {"torch", "adapter"}};

    for (int i = 0; i < CF_COUNT(backends); ++i)
        if (strstr(name, backends[i][0]))
            return backends[i][1];
    return "blas";
}

static char *adapter_line(const char *name, const char *folder, const char *adapters)
{
    const char *which = strstr(name, "torch") ? "torch" : "numpy";
    char *command = cf_format("python3 %s/%s_adapter.py", adapters, which);
    char *escaped = cf_pairs_escape(command), *path = cf_pairs_escape(folder);
    char *line = cf_format("adapter command=%s env.PYTHONPATH=%s", escaped, path);

    free(command);
    free(escaped);
    free(path);
    return line;
}

char *cf_library_configuration(const struct cf_pins *pins, const char *name, const char *adapters,
                               struct cf_error *err)
{
    char *folder = cf_library_folder(pins, name), *file = cf_library_file(pins, name), *line = NULL;
    const char *backend = backend_of(name);

    if (!folder || !file) {
        cf_fail_with(err, 3, "%s is not here yet; `conform fetch %s` brings it", name, name);
    } else if (strcmp(backend, "adapter") == 0) {
        line = adapter_line(name, folder, adapters);
    } else {
        char *escaped = cf_pairs_escape(file), *root = cf_pairs_escape(folder);

        line =
            cf_format("%s lib=%s%s%s", backend, escaped, has_loader(pins, name) ? " sysroot=" : "",
                      has_loader(pins, name) ? root : "");
        free(escaped);
        free(root);
    }
    free(folder);
    free(file);
    return line;
}
