#include "matrix.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct adding {
    struct cf_matrix *matrix;
    const char *label;
    struct cf_error *err;
    int *first;
};

static int has_label(const struct cf_matrix *matrix, const char *label)
{
    for (int i = 0; i < matrix->n; ++i)
        if (strcmp(matrix->label[i], label) == 0)
            return 1;
    return 0;
}

static char *unique_label(const struct cf_matrix *matrix, char *label)
{
    for (int k = 2; has_label(matrix, label); ++k) {
        char *next = cf_format("%.*s (%d)", (int)strcspn(label, "("), label, k);

        free(label);
        label = next;
    }
    return label;
}

static int find_line(const struct cf_matrix *matrix, const char *line)
{
    for (int i = 0; i < matrix->n; ++i)
        if (strcmp(matrix->line[i], line) == 0)
            return i;
    return -1;
}

static int add_one(const char *line, void *context)
{
    const struct adding *adding = context;
    struct cf_matrix *m = adding->matrix;
    struct cf_config config;
    int index;

    if (cf_config_parse(&config, line, adding->err) != 0)
        return -1;
    index = find_line(m, config.text);
    if (index < 0) {
        index = m->n++;
        m->line = cf_realloc(m->line, (size_t)m->n * sizeof m->line[0]);
        m->label = cf_realloc(m->label, (size_t)m->n * sizeof m->label[0]);
        m->line[index] = cf_strdup(config.text);
        --m->n; /* the new label is compared with the others only */
        m->label[index] =
            unique_label(m, adding->label ? cf_strdup(adding->label) : cf_label_make(&config));
        ++m->n;
    }
    if (adding->first && *adding->first < 0)
        *adding->first = index;
    cf_config_free(&config);
    return 0;
}

int cf_matrix_add(struct cf_matrix *matrix, const char *line, const char *label, int *first,
                  struct cf_error *err)
{
    struct adding adding = {.matrix = matrix, .label = label, .err = err, .first = first};

    if (first)
        *first = -1;
    return cf_pairs_expand(line, add_one, &adding, err);
}

void cf_matrix_free(struct cf_matrix *matrix)
{
    for (int i = 0; i < matrix->n; ++i) {
        free(matrix->line[i]);
        free(matrix->label[i]);
    }
    free(matrix->line);
    free(matrix->label);
    *matrix = (struct cf_matrix){0};
}

/* Root's files are as trusted as the program itself. */
static int check_owner(const char *path, const struct stat *there, struct cf_error *err)
{
    if (there->st_uid != geteuid() && there->st_uid != 0)
        return cf_fail(err,
                       "%s belongs to another user and names programs to run; if you trust it, say "
                       "--matrix=%s",
                       path, path);
    if (there->st_mode & S_IWOTH)
        return cf_fail(err,
                       "%s can be written by anybody and names programs to run; if you trust it, "
                       "say --matrix=%s",
                       path, path);
    return 0;
}

/* *ends: the folder has the file, or is where the search stops. */
static char *look_in(const char *folder, int *ends, struct cf_error *err)
{
    char *path = cf_format("%s/conform.yaml", strcmp(folder, "/") == 0 ? "" : folder);
    char *git = cf_format("%s/.git", folder);
    const char *home = getenv("HOME");
    struct stat there;
    const int found = stat(path, &there) == 0;

    *ends = found || access(git, F_OK) == 0 || (home && strcmp(home, folder) == 0) ||
            strcmp(folder, "/") == 0;
    free(git);
    if (found && check_owner(path, &there, err) == 0)
        return path;
    free(path);
    return NULL;
}

static char *look_in_settings(struct cf_error *err)
{
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char *path = base && *base == '/'
                     ? cf_format("%s/conform/config.yaml", base)
                     : cf_format("%s/.config/conform/config.yaml", home ? home : "");
    struct stat there;

    if (stat(path, &there) == 0 && check_owner(path, &there, err) == 0)
        return path;
    free(path);
    return NULL;
}

char *cf_matrix_find(struct cf_error *err)
{
    char folder[PATH_MAX], *path = NULL;
    int ends = 0;

    err->text[0] = '\0';
    if (!getcwd(folder, sizeof folder))
        return look_in_settings(err);
    while (!ends) {
        char *slash;

        path = look_in(folder, &ends, err);
        slash = strrchr(folder, '/');
        slash[slash == folder] = '\0';
    }
    return path || *err->text ? path : look_in_settings(err);
}
