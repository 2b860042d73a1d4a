/* export: a lock in the words of other tools. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "commands.h"
#include "documents.h"
#include "download.h"
#include "export.h"
#include "locking.h"
#include "suggest.h"

static int put_file(const char *folder, const char *name, char *text, struct cf_error *err)
{
    char *path = cf_format("%s/%s", folder, name);
    const int result = cf_document_put(path, text, strlen(text), err);

    free(path);
    free(text);
    return result;
}

/* Takes the body. */
static int put_body(const char *folder, const char *name, json_t *body, struct cf_error *err)
{
    char *text = json_dumps(body, JSON_INDENT(1) | JSON_SORT_KEYS);

    CF_CHECK(text != NULL);
    json_decref(body);
    return put_file(folder, name, text, err);
}

static int put_batches(const char *folder, json_t *batches, struct cf_error *err)
{
    int result = 0;

    for (size_t i = 0; i < json_array_size(batches) && result == 0; ++i) {
        char *name = cf_format("log-batch-%03zu.json", i + 1);

        result = put_body(folder, name, json_incref(json_array_get(batches, i)), err);
        free(name);
    }
    json_decref(batches);
    return result;
}

static int export_mlflow(const struct cf_options *options, const json_t *lock,
                         const char *lock_path, struct cf_error *err)
{
    const char *folder = options->out ? options->out : "conform-mlflow";
    const json_int_t now_ms = (json_int_t)time(NULL) * 1000;
    json_t *sealed;
    char *script;
    int result = cf_folder_make(folder, err);

    if (result != 0 || !(sealed = cf_lock_read(lock_path, err)))
        return -1;
    result = put_file(folder, "conform.lock", cf_lock_print(sealed), err);
    json_decref(sealed);
    if (result == 0)
        result = put_body(folder, "runs-create.json", cf_export_mlflow_create(lock, now_ms), err);
    if (result == 0)
        result = put_batches(folder, cf_export_mlflow_batches(lock, now_ms), err);
    if (result == 0)
        result = put_body(folder, "runs-update.json", cf_export_mlflow_update(now_ms), err);
    if (result == 0)
        result = put_file(folder, "mlflow.sh", cf_strdup(cf_export_mlflow_script), err);
    script = cf_format("%s/mlflow.sh", folder);
    if (result == 0 && chmod(script, 0755) == 0 && !options->quiet)
        printf("%s sends the run that is described in %s; it needs MLFLOW_TRACKING_URI\n", script,
               folder);
    free(script);
    return result;
}

/* A .dvc file vouches for bytes: those that are locked, which must be those that are there. */
static int check_data(const json_t *lock, const char *root, struct cf_error *err)
{
    json_t *now = json_object();
    const char *path;
    json_t *entry;
    int result = cf_lock_add_data(now, root, 0, err);

    json_object_foreach(json_object_get(now, "data"), path, entry)
    {
        if (result == 0 && !json_equal(entry, json_object_get(json_object_get(lock, "data"), path)))
            result = cf_fail(err, "the data %s are not as locked; `conform verify` says how", path);
    }
    json_decref(now);
    return result;
}

static int export_dvc(const struct cf_options *options, const json_t *lock, const char *lock_path,
                      struct cf_error *err)
{
    const json_t *roots = json_object_get(lock, "data_roots");
    json_t *root;
    size_t i;

    (void)lock_path;
    if (json_array_size(roots) == 0)
        return cf_fail(err, "the lock holds no data; `conform lock --data=PATH` locks some");
    json_array_foreach(roots, i, root)
    {
        char *text, *path;
        int result = check_data(lock, json_string_value(root), err);

        text = result == 0 ? cf_export_dvc(lock, json_string_value(root), err) : NULL;
        if (!text)
            return -1;
        path = cf_format("%s.dvc", json_string_value(root));
        result = cf_document_put(path, text, strlen(text), err);
        if (result == 0 && !options->quiet)
            printf("%s\n", path);
        free(path);
        free(text);
        if (result != 0)
            return -1;
    }
    return 0;
}

/* Those that are one text. */
static int export_text(const struct cf_options *options, const json_t *lock,
                       char *(*make)(const json_t *, struct cf_error *), struct cf_error *err)
{
    char *text = make(lock, err);
    int result = -1;

    if (text)
        result = cf_document_put(options->out ? options->out : "-", text, strlen(text), err);
    free(text);
    return result;
}

static const struct {
    const char *name;
    char *(*make)(const json_t *, struct cf_error *);
    int (*put)(const struct cf_options *, const json_t *, const char *, struct cf_error *);
} kinds[] = {{"requirements", cf_export_requirements, NULL},
             {"conda", cf_export_conda, NULL},
             {"docker", cf_export_docker, NULL},
             {"mlflow", NULL, export_mlflow},
             {"dvc", NULL, export_dvc}};

static int find_kind(const char *word, struct cf_error *err)
{
    const char *names[CF_COUNT(kinds)];
    char *hint;

    for (int i = 0; i < CF_COUNT(kinds); ++i) {
        names[i] = kinds[i].name;
        if (strcmp(word, names[i]) == 0)
            return i;
    }
    hint = cf_suggest_words(word, names, CF_COUNT(kinds));
    cf_fail(err, "nothing is exported as `%s`%s", word,
            *hint ? hint : "; write requirements, conda, docker, mlflow or dvc");
    free(hint);
    return -1;
}

int cf_command_export(struct cf_options *options, struct cf_error *err)
{
    const char *path = options->rest.n > 1 ? options->rest.word[1] : "conform.lock";
    json_t *lock;
    int kind, result;

    if (options->rest.n < 1 || options->rest.n > 2)
        return cf_fail(err, "export needs what to write (requirements, conda, docker, mlflow or "
                            "dvc) and may have the lock");
    kind = find_kind(options->rest.word[0], err);
    lock = kind >= 0 ? cf_locking_read(path, err) : NULL;
    if (!lock)
        return -1;
    result = kinds[kind].make ? export_text(options, lock, kinds[kind].make, err)
                              : kinds[kind].put(options, lock, path, err);
    json_decref(lock);
    return result;
}
