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

/* A new row; its label is compared with those before it. */
static int append_row(struct cf_matrix *m, const struct cf_config *config, const char *label)
{
    const size_t n = (size_t)m->n + 1;

    m->line = cf_realloc(m->line, n * sizeof m->line[0]);
    m->label = cf_realloc(m->label, n * sizeof m->label[0]);
    m->line[m->n] = cf_strdup(config->text);
    m->label[m->n] = unique_label(m, label ? cf_strdup(label) : cf_label_make(config));
    return m->n++;
}

static int add_one(const char *line, void *context)
{
    const struct adding *adding = context;
    struct cf_config config;
    int index, result = 0;

    if (cf_config_parse(&config, line, adding->err) != 0)
        return -1;
    index = find_line(adding->matrix, config.text);
    if (index < 0 && adding->matrix->n == CF_MATRIX_MAX)
        result =
            cf_fail(adding->err, "a matrix holds at most %d configurations; shorten the sweeps",
                    CF_MATRIX_MAX);
    else if (index < 0)
        index = append_row(adding->matrix, &config, adding->label);
    if (adding->first && *adding->first < 0)
        *adding->first = index;
    cf_config_free(&config);
    return result;
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
