#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends.h"
#include "libraries.h"
#include "matrix.h"
#include "versions.h"

char *cf_adapters_folder(void)
{
    static const char *const places[] = {"../adapters", "adapters", "../share/conform/adapters"};
    char own[PATH_MAX], *path = NULL;
    const ssize_t n = readlink("/proc/self/exe", own, sizeof own - 1);

    own[n > 0 ? n : 0] = '\0';
    if (n > 0)
        *strrchr(own, '/') = '\0';
    for (int i = 0; i < CF_COUNT(places) && !path; ++i) {
        char *place = cf_format("%s/%s", own, places[i]);

        path = realpath(place, NULL);
        free(place);
    }
    return path ? path : cf_strdup("adapters");
}

char *cf_temporary_store(struct cf_error *err)
{
    const char *base = getenv("TMPDIR");
    char *folder = cf_format("%s/conform-gate.XXXXXX", base && *base ? base : P_tmpdir);
    char *path = NULL;

    if (mkdtemp(folder))
        path = cf_format("%s/gate.db", folder);
    else
        cf_fail_with(err, 3, "%s cannot be made; set TMPDIR or use --store=FILE", folder);
    free(folder);
    return path;
}

void cf_temporary_store_remove(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char *folder = cf_strdup(path);

    for (int i = 0; i < CF_COUNT(suffixes); ++i) {
        char *file = cf_format("%s%s", path, suffixes[i]);

        unlink(file);
        free(file);
    }
    *strrchr(folder, '/') = '\0';
    rmdir(folder);
    free(folder);
}

int cf_temporary_store_run(const struct cf_options *options, const struct cf_plan *plan,
                           int (*run)(const struct cf_options *, const struct cf_plan *,
                                      const char *path, struct cf_error *),
                           struct cf_error *err)
{
    char *path = options->store ? cf_strdup(options->store) : cf_temporary_store(err);
    const int result = path ? run(options, plan, path, err) : -1;

    if (path && !options->store)
        cf_temporary_store_remove(path);
    free(path);
    return result;
}

char *cf_versions_line(const char *word, struct cf_error *err)
{
    const size_t length = strcspn(word, " ");
    char *name = strndup(word, length), *adapters, *line, *whole = NULL;
    struct cf_pins pins;

    cf_pins_load(&pins);
    if (cf_pins_find(&pins, name) < 0) {
        whole = cf_label_line(word);
        whole = whole ? whole : cf_strdup(word);
    } else {
        adapters = cf_adapters_folder();
        line = cf_library_configuration(&pins, name, adapters, err);
        if (line)
            whole = cf_format("%s%s", line, word + length);
        free(line);
        free(adapters);
    }
    cf_pins_free(&pins);
    free(name);
    return whole;
}

/* label: how the user called it, or NULL. */
static int add_line(struct cf_versions *v, const char *line, const char *store, const char *label,
                    struct cf_error *err)
{
    struct cf_end *end = &v->end[v->n];
    struct cf_config config;

    if (v->n == CF_ENDS_MAX)
        return cf_fail(err, "more than %d versions", CF_ENDS_MAX);
    if (cf_config_parse(&config, line, err) != 0)
        return -1;
    if (cf_backends_check((const struct cf_config *[]){&config}, 1, err) != 0) {
        cf_config_free(&config);
        return -1;
    }
    *end = (struct cf_end){.line = cf_strdup(config.text),
                           .label = label ? cf_strdup(label) : cf_label_make(&config),
                           .store = store ? cf_strdup(store) : NULL};
    cf_config_free(&config);
    ++v->n;
    return 0;
}

/* A wrong file is said so before anything runs. */
static int is_elf(const char *path)
{
    char start[4] = "";
    FILE *file = fopen(path, "rb");
    const size_t n = file ? fread(start, 1, sizeof start, file) : 0;

    if (file)
        fclose(file);
    return n == sizeof start && memcmp(start, "\177ELF", 4) == 0;
}

char *cf_versions_library(const char *path, struct cf_error *err)
{
    char *real = realpath(path, NULL);

    if (!real)
        cf_fail(err, "there is no library %s", path);
    else if (!is_elf(real)) {
        cf_fail(err, "%s is no shared library (no ELF file)", path);
        free(real);
        real = NULL;
    }
    return real;
}

static int add_library(struct cf_versions *v, const char *path, const char *backend,
                       struct cf_error *err)
{
    char *real = cf_versions_library(path, err), *escaped, *line;
    int result;

    if (!real)
        return -1;
    escaped = cf_pairs_escape(real);
    line = cf_format("%s lib=%s", backend ? backend : "blas", escaped);
    result = add_line(v, line, NULL, strrchr(real, '/') + 1, err);
    free(line);
    free(escaped);
    free(real);
    return result;
}

struct finding_end {
    const char *label;
    char *baseline, *line;
};

static int find_configuration(void *context, const struct cf_plan_configuration *row)
{
    struct finding_end *f = context;
    const int wanted = f->label ? strcmp(row->label, f->label) == 0
                                : f->baseline && strcmp(row->text, f->baseline) == 0;

    if (wanted)
        f->line = cf_strdup(row->text);
    return wanted;
}

/* A configuration that comes from a store is another than the same one run here. */
static int add_store(struct cf_versions *v, const char *path, const char *label,
                     struct cf_error *err)
{
    struct cf_store *store = cf_store_open(path, CF_STORE_READ, err);
    struct finding_end f = {.label = label};
    int result = -1;

    if (!store)
        return -1;
    f.baseline = cf_store_get_meta(store, "baseline");
    cf_store_each_configuration(store, find_configuration, &f);
    cf_store_close(store);
    if (f.line) {
        char *line = cf_format("%s env.CONFORM_STORE=%d", f.line, v->n);

        result = add_line(v, line, path, NULL, err);
        if (result == 0)
            v->end[v->n - 1].stored = cf_strdup(f.line);
        free(line);
    } else
        cf_fail(err, "the store %s has no configuration `%s`", path,
                label ? label : "that is a baseline");
    free(f.line);
    free(f.baseline);
    return result;
}

static int is_store(const char *path)
{
    char start[16] = "";
    FILE *file = fopen(path, "rb");
    const size_t n = file ? fread(start, 1, sizeof start, file) : 0;

    if (file)
        fclose(file);
    return n == sizeof start && memcmp(start, "SQLite format 3", 16) == 0;
}

static int is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

int cf_versions_add(struct cf_versions *v, const char *word, const char *backend,
                    struct cf_error *err)
{
    const char *label = strrchr(word, '#');
    char *path = strndup(word, label ? (size_t)(label - word) : strlen(word)), *line;
    int result;

    if (is_file(path) && is_store(path))
        result = add_store(v, path, label ? label + 1 : NULL, err);
    else if (is_file(word))
        result = add_library(v, word, backend, err);
    else {
        line = cf_versions_line(word, err);
        result = line ? add_line(v, line, NULL, strcmp(line, word) == 0 ? NULL : word, err) : -1;
        if (line && result != 0 && !strpbrk(word, " ="))
            cf_fail(err,
                    "`%s` is no file and no backend, and `conform list libraries` does not have it",
                    word);
        free(line);
    }
    free(path);
    return result;
}
