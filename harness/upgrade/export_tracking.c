/* Exports that record: MLflow, DVC. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demand.h"
#include "export.h"
#include "md5.h"

/* Limits of runs/log-batch, and of the lengths of its texts. */
#define METRICS_MAX 1000
#define PARAMS_MAX  100
#define KEY_MAX     250
#define VALUE_MAX   500

const char cf_export_mlflow_script[] =
    "#!/bin/sh\n"
    "# mlflow.sh: sends this folder to an MLflow tracking server as one run. Needs curl and jq.\n"
    "set -eu\n"
    ": \"${MLFLOW_TRACKING_URI:?is not set; write for example http://localhost:5000}\"\n"
    "here=$(dirname \"$0\")\n"
    "experiment=${MLFLOW_EXPERIMENT_ID:-0}\n"
    "post() {\n"
    "    curl -fsS -X POST -H 'Content-Type: application/json' --data-binary @- \\\n"
    "        \"$MLFLOW_TRACKING_URI/api/2.0/mlflow/$1\"\n"
    "}\n"
    "run=$(jq --arg e \"$experiment\" '.experiment_id = $e' \"$here/runs-create.json\" |\n"
    "    post runs/create | jq -r .run.info.run_id)\n"
    "for body in \"$here\"/log-batch-*.json; do\n"
    "    jq --arg r \"$run\" '.run_id = $r' \"$body\" | post runs/log-batch > /dev/null\n"
    "done\n"
    "curl -fsS -X PUT --data-binary @\"$here/conform.lock\" \\\n"
    "    "
    "\"$MLFLOW_TRACKING_URI/api/2.0/mlflow-artifacts/artifacts/$experiment/$run/artifacts/"
    "conform.lock\" > /dev/null ||\n"
    "    echo 'mlflow.sh: this server takes no artifacts over HTTP; the lock was not sent' >&2\n"
    "jq --arg r \"$run\" '.run_id = $r' \"$here/runs-update.json\" | post runs/update > /dev/null\n"
    "echo \"$run\"\n";

static const char *member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* A key as MLflow takes it: letters, digits and "_-. /"; not taken yet. The caller frees. */
static char *key_of(json_t *taken, const char *text)
{
    char *key = cf_format("%.*s", KEY_MAX - 8, text), *other;

    for (char *at = key; *at; ++at)
        if (!strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-. /", *at))
            *at = '_';
    while (*key == '/' || *key == '.')
        memmove(key, key + 1, strlen(key));
    for (int i = 2; json_object_get(taken, key); ++i) {
        other = cf_format("%.*s %d", KEY_MAX - 8, key, i);
        free(key);
        key = other;
    }
    json_object_set_new(taken, key, json_true());
    return key;
}

static void put_text(json_t *list, json_t *taken, const char *name, const char *value)
{
    char *key = key_of(taken, name), *cut = cf_strdup(value);

    if (strlen(cut) > VALUE_MAX) {
        size_t n = VALUE_MAX;

        while (n > 0 && ((unsigned char)cut[n] & 0xc0) == 0x80)
            --n;
        cut[n] = '\0';
    }
    json_array_append_new(list, json_pack("{s:s,s:s}", "key", key, "value", cut));
    free(cut);
    free(key);
}

json_t *cf_export_mlflow_create(const json_t *lock, json_int_t now_ms)
{
    json_t *tags = json_array(), *taken = json_object();

    put_text(tags, taken, "mlflow.source.name", "conform");
    put_text(tags, taken, "conform.seal", member(lock, "seal"));
    put_text(tags, taken, "conform.level", member(lock, "level"));
    if (*member(json_object_get(lock, "git"), "commit"))
        put_text(tags, taken, "mlflow.source.git.commit",
                 member(json_object_get(lock, "git"), "commit"));
    json_decref(taken);
    return json_pack("{s:s,s:s,s:I,s:o}", "experiment_id", "0", "run_name", "conform", "start_time",
                     now_ms, "tags", tags);
}

/* Sections whose entries are parameters, under their own names. */
static json_t *list_params(const json_t *lock)
{
    static const char *const sections[] = {"tool", "platform", "variables", "container", "machine"};
    json_t *params = json_array(), *taken = json_object(), *value;
    const char *key;

    for (int i = 0; i < CF_COUNT(sections); ++i)
        json_object_foreach(json_object_get(lock, sections[i]), key, value)
        {
            char *name = cf_format("%s.%s", sections[i], key);

            put_text(params, taken, name, json_string_value(value) ? json_string_value(value) : "");
            free(name);
        }
    json_object_foreach(json_object_get(lock, "files"), key, value)
    {
        put_text(params, taken, key, member(value, "sha256"));
    }
    json_object_foreach(json_object_get(lock, "data"), key, value)
    {
        put_text(params, taken, key, member(value, "sha256"));
    }
    json_decref(taken);
    return params;
}

static double number_of(const char *level)
{
    char name[32] = "";
    enum cf_level value = CF_NONE;

    strncat(name, level, strcspn(level, ",") < 31 ? strcspn(level, ",") : 31);
    cf_level_parse(name, &value);
    return (double)value;
}

/* A level as a number: 4 numerical, 3 statistical, 2 scientific, 1 functional, 0 none. */
static json_t *list_metrics(const json_t *lock, json_int_t now_ms)
{
    json_t *metrics = json_array(), *taken = json_object(), *one, *value;
    const char *label, *group;

    json_object_foreach(json_object_get(lock, "configurations"), label, one)
    {
        json_object_foreach(json_object_get(one, "levels"), group, value)
        {
            char *name = cf_format("level/%s/%s", label, group), *key = key_of(taken, name);

            json_array_append_new(
                metrics,
                json_pack("{s:s,s:f,s:I,s:i}", "key", key, "value",
                          number_of(json_string_value(value) ? json_string_value(value) : "none"),
                          "timestamp", now_ms, "step", 0));
            free(key);
            free(name);
        }
    }
    json_decref(taken);
    return metrics;
}

static json_t *part(const json_t *list, size_t from, size_t n)
{
    json_t *made = json_array();

    for (size_t i = from; i < from + n && i < json_array_size(list); ++i)
        json_array_append(made, json_array_get(list, i));
    return made;
}

/* Parameters and metrics go apart, so that no body exceeds 1000 entries in all. */
json_t *cf_export_mlflow_batches(const json_t *lock, json_int_t now_ms)
{
    json_t *params = list_params(lock), *metrics = list_metrics(lock, now_ms),
           *batches = json_array();

    for (size_t i = 0; i < json_array_size(params); i += PARAMS_MAX)
        json_array_append_new(
            batches, json_pack("{s:s,s:o}", "run_id", "", "params", part(params, i, PARAMS_MAX)));
    for (size_t i = 0; i < json_array_size(metrics); i += METRICS_MAX)
        json_array_append_new(batches, json_pack("{s:s,s:o}", "run_id", "", "metrics",
                                                 part(metrics, i, METRICS_MAX)));
    json_decref(metrics);
    json_decref(params);
    return batches;
}

json_t *cf_export_mlflow_update(json_int_t now_ms)
{
    return json_pack("{s:s,s:s,s:I}", "run_id", "", "status", "FINISHED", "end_time", now_ms);
}

/* jansson writes \u00E9 and Python, whose text DVC digests, \u00e9. */
static void lower_escapes(char *text)
{
    for (char *at = text; *at; ++at) {
        if (*at != '\\')
            continue;
        ++at;
        for (int i = 1; *at == 'u' && i <= 4; ++i)
            if (at[i] >= 'A' && at[i] <= 'F')
                at[i] = (char)(at[i] - 'A' + 'a');
    }
}

/* The listing of a folder as DVC keeps it: [{"md5": ..., "relpath": ...}], by path. Adds up sizes
 * and files. */
static char *listing(const json_t *data, const char *root, json_int_t *size, int *n_files)
{
    const size_t length = strlen(root);
    json_t *paths = json_object(), *list = json_array(), *entry;
    const char *path, *relative;
    char *text;
    void *at;

    json_object_foreach((json_t *)data, path, entry)
    {
        if (strncmp(path, root, length) == 0 && path[length] == '/')
            json_object_set(paths, path + length + 1, entry);
    }
    text = json_dumps(paths, JSON_SORT_KEYS);
    json_decref(paths);
    paths = json_loads(text, 0, NULL);
    free(text);
    json_object_foreach_safe(paths, at, relative, entry)
    {
        *size += json_integer_value(json_object_get(entry, "size"));
        ++*n_files;
        json_array_append_new(
            list, json_pack("{s:s,s:s}", "md5", member(entry, "md5"), "relpath", relative));
    }
    text = json_dumps(list, JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    CF_CHECK(text != NULL);
    lower_escapes(text);
    json_decref(list);
    json_decref(paths);
    return text;
}

char *cf_export_dvc(const json_t *lock, const char *root, struct cf_error *err)
{
    const json_t *data = json_object_get(lock, "data"), *entry = json_object_get(data, root);
    const char *slash = strrchr(root, '/'), *name = slash ? slash + 1 : root;
    json_t *quoted = json_string(name);
    char *path = quoted ? json_dumps(quoted, JSON_ENCODE_ANY) : NULL, *text = NULL, *list;
    struct cf_md5 md5;
    json_int_t size = 0;
    char digest[33];
    int n_files = 0;

    json_decref(quoted);
    if (!path) {
        cf_fail(err, "the name of the data %s cannot be written in a .dvc file", root);
    } else if (entry) {
        text = cf_format("outs:\n- md5: %s\n  size: %lld\n  hash: md5\n  path: %s\n",
                         member(entry, "md5"),
                         (long long)json_integer_value(json_object_get(entry, "size")), path);
    } else {
        list = listing(data, root, &size, &n_files);
        cf_md5_init(&md5);
        cf_md5_add(&md5, list, strlen(list));
        cf_md5_end(&md5, digest);
        text = cf_format("outs:\n- md5: %s.dir\n  size: %lld\n  nfiles: %d\n  hash: md5\n  path: "
                         "%s\n",
                         digest, (long long)size, n_files, path);
        free(list);
    }
    free(path);
    return text;
}
