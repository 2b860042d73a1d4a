/* Checkpoints on disk. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"
#include "safetensors.h"

#define FORMAT "conform-checkpoint"

static char *path_of(const char *folder, int64_t step, const char *suffix)
{
    return cf_format("%s/step-%08" PRId64 "%s", folder, step, suffix);
}

static void hex_of(char hex[65], const void *bytes, size_t n_bytes)
{
    unsigned char hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, bytes, n_bytes);
    sodium_bin2hex(hex, 65, hash, sizeof hash);
}

/* The whole file, with a zero behind it; NULL if it cannot be read. The caller frees. */
static char *read_whole(const char *path, size_t *n_bytes)
{
    FILE *file = fopen(path, "rbe");
    struct stat status;
    char *bytes = NULL;

    if (file && fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode)) {
        *n_bytes = (size_t)status.st_size;
        bytes = cf_alloc_zero(*n_bytes + 1);
        if (fread(bytes, 1, *n_bytes, file) != *n_bytes) {
            free(bytes);
            bytes = NULL;
        }
    }
    if (file)
        fclose(file);
    return bytes;
}

static int sync_path(const char *path, int flags)
{
    const int fd = open(path, flags | O_CLOEXEC);
    const int result = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0)
        close(fd);
    return result;
}

/* PATH.tmp, to the disk, then the name. */
static int put_text(const char *path, const char *text, struct cf_error *err)
{
    char *temporary = cf_format("%s.tmp", path);
    const size_t n = strlen(text);
    FILE *file = fopen(temporary, "wbe");
    int failed = !file;

    if (file) {
        failed = fwrite(text, 1, n, file) != n || fflush(file) != 0 || fsync(fileno(file)) != 0;
        failed |= fclose(file) != 0;
    }
    failed = failed || rename(temporary, path) != 0;
    if (failed) {
        cf_fail_with(err, 3, "the checkpoint %s cannot be written: %s", path, strerror(errno));
        unlink(temporary);
    }
    free(temporary);
    return failed ? -1 : 0;
}

static json_t *number_text(uint64_t value)
{
    return json_sprintf("%016" PRIx64, value);
}

static json_t *describe_streams(const struct cf_checkpoint *k)
{
    json_t *rng = json_object();

    for (int p = 0; p < CF_N_PURPOSES; ++p)
        json_object_set_new(rng, cf_purpose_name(p),
                            json_pack("{s:o,s:o,s:I}", "seed", number_text(k->place[p].seed),
                                      "counter", number_text(k->place[p].counter), "epoch",
                                      (json_int_t)k->place[p].epoch));
    return rng;
}

static json_t *describe(const struct cf_checkpoint *k, const char *sha256)
{
    return json_pack("{s:s,s:i,s:s,s:s,s:I,s:I,s:I,s:o,s:o,s:o,s:s,s:s,s:s}", "format", FORMAT,
                     "version", CF_CHECKPOINT_VERSION, "case", k->case_text, "configuration",
                     k->configuration, "step", (json_int_t)k->step, "epoch", (json_int_t)k->epoch,
                     "position", (json_int_t)k->position, "link", number_text(k->link), "rate",
                     json_sprintf("%a", k->rate), "rng", describe_streams(k), "train", k->train,
                     "held", k->held, "tensors", sha256);
}

/* {"checkpoint": ..., "sha256": of the checkpoint's compact form with sorted keys}. */
static char *seal(json_t *checkpoint)
{
    char *compact = json_dumps(checkpoint, JSON_COMPACT | JSON_SORT_KEYS), *text, hex[65];
    json_t *sealed;

    hex_of(hex, compact, strlen(compact));
    sealed = json_pack("{s:o,s:s}", "checkpoint", checkpoint, "sha256", hex);
    text = json_dumps(sealed, JSON_INDENT(1) | JSON_SORT_KEYS);
    json_decref(sealed);
    free(compact);
    return text;
}

static int put_tensors(const struct cf_checkpoint *k, const char *path, char sha256[65],
                       struct cf_error *err)
{
    struct cf_named_tensor named[3] = {
        {"weights", k->weights}, {"state.m", k->weights}, {"state.v", k->weights}};
    const size_t half = cf_tensor_bytes(&k->weights);
    size_t n_bytes;
    char *bytes;

    named[1].tensor.bits = k->state.bits;
    named[2].tensor.bits = (char *)k->state.bits + half;
    if (cf_safetensors_write(path, named, 3, err) != 0)
        return -1;
    if (sync_path(path, O_RDONLY) != 0 || !(bytes = read_whole(path, &n_bytes)))
        return cf_fail_with(err, 3, "the checkpoint %s cannot be written: %s", path,
                            strerror(errno));
    hex_of(sha256, bytes, n_bytes);
    free(bytes);
    return 0;
}

/* The two highest steps that have a manifest; -1: none. */
static void find_newest(const char *folder, int64_t newest[2])
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;

    newest[0] = newest[1] = -1;
    while (directory && (entry = readdir(directory))) {
        long long step;
        int end = 0;

        if (sscanf(entry->d_name, "step-%8lld.json%n", &step, &end) != 1 || end == 0 ||
            entry->d_name[end])
            continue;
        if (step > newest[0]) {
            newest[1] = newest[0];
            newest[0] = step;
        } else if (step > newest[1]) {
            newest[1] = step;
        }
    }
    if (directory)
        closedir(directory);
}

/* Manifests first: tensors without a manifest are no checkpoint. */
static void remove_older(const char *folder, int64_t keep_from)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;

    while (directory && (entry = readdir(directory))) {
        long long step;

        if (sscanf(entry->d_name, "step-%8lld.", &step) == 1 && step < keep_from) {
            char *manifest = path_of(folder, step, ".json");
            char *tensors = path_of(folder, step, ".safetensors");

            unlink(manifest);
            unlink(tensors);
            free(manifest);
            free(tensors);
        }
    }
    if (directory)
        closedir(directory);
}

int cf_checkpoint_write(const struct cf_checkpoint *checkpoint, const char *folder,
                        struct cf_error *err)
{
    char *tensors = path_of(folder, checkpoint->step, ".safetensors");
    char *manifest = path_of(folder, checkpoint->step, ".json"), *text = NULL, sha256[65];
    int64_t newest[2];
    int result = -1;

    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        cf_fail_with(err, 3, "the folder %s cannot be made: %s", folder, strerror(errno));
    else
        result = put_tensors(checkpoint, tensors, sha256, err);
    if (result == 0) {
        text = seal(describe(checkpoint, sha256));
        result = put_text(manifest, text, err);
        sync_path(folder, O_RDONLY | O_DIRECTORY);
    }
    find_newest(folder, newest);
    if (result == 0 && newest[1] >= 0)
        remove_older(folder, newest[1]);
    free(text);
    free(manifest);
    free(tensors);
    return result;
}

/* Which component stands behind a key of the manifest, or -1. */
static int component_of(const char *key)
{
    for (int i = 0; i < CF_N_COMPONENTS; ++i)
        if (strcmp(cf_component_name(i), key) == 0)
            return i;
    return -1;
}

static int lacks(const char *key, struct cf_error *err)
{
    const int component = component_of(key);

    return cf_fail_with(err, 3, "the checkpoint lacks `%s`; going on without it: %s", key,
                        component >= 0 ? cf_component_cost(component)
                                       : "it cannot be told whether this is the same run");
}

static int take_text(char **to, const json_t *from, const char *key, struct cf_error *err)
{
    const char *text = json_string_value(json_object_get(from, key));

    if (!text)
        return lacks(key, err);
    *to = cf_strdup(text);
    return 0;
}

static int take_integer(int64_t *to, const json_t *from, const char *key, struct cf_error *err)
{
    const json_t *value = json_object_get(from, key);

    if (!json_is_integer(value))
        return lacks(key, err);
    *to = json_integer_value(value);
    return 0;
}

static int take_streams(struct cf_checkpoint *k, const json_t *from, struct cf_error *err)
{
    for (int p = 0; p < CF_N_PURPOSES; ++p) {
        const json_t *one = json_object_get(json_object_get(from, "rng"), cf_purpose_name(p));
        const char *seed = json_string_value(json_object_get(one, "seed"));
        const char *counter = json_string_value(json_object_get(one, "counter"));

        if (!seed || !counter || !json_is_integer(json_object_get(one, "epoch"))) {
            char key[32];

            snprintf(key, sizeof key, "rng.%s", cf_purpose_name(p));
            return lacks(key, err);
        }
        k->place[p].seed = strtoull(seed, NULL, 16);
        k->place[p].counter = strtoull(counter, NULL, 16);
        k->place[p].epoch = json_integer_value(json_object_get(one, "epoch"));
    }
    return 0;
}

static int take_manifest(struct cf_checkpoint *k, const json_t *from, struct cf_error *err)
{
    const char *link = json_string_value(json_object_get(from, "link"));
    const char *rate = json_string_value(json_object_get(from, "rate"));

    if (take_text(&k->case_text, from, "case", err) != 0 ||
        take_text(&k->configuration, from, "configuration", err) != 0 ||
        take_text(&k->train, from, "train", err) != 0 ||
        take_text(&k->held, from, "held", err) != 0 ||
        take_integer(&k->step, from, "step", err) != 0 ||
        take_integer(&k->epoch, from, "epoch", err) != 0 ||
        take_integer(&k->position, from, "position", err) != 0 || take_streams(k, from, err) != 0)
        return -1;
    if (!link || !rate)
        return lacks(link ? "rate" : "link", err);
    k->link = strtoull(link, NULL, 16);
    k->rate = strtod(rate, NULL);
    return 0;
}

static int take_tensor(struct cf_tensor *to, void *bits, const struct cf_safetensors *file,
                       const char *name, struct cf_error *err)
{
    const struct cf_tensor *found = cf_safetensors_get(file, name);

    if (!found)
        return lacks(name, err);
    if (!to->bits && !bits) {
        *to = *found;
        cf_tensor_alloc(to);
    }
    if (found->dtype != to->dtype || cf_tensor_bytes(found) != cf_tensor_bytes(to))
        return cf_fail_with(err, 3, "the checkpoint's `%s` has another shape than its weights",
                            name);
    memcpy(bits ? bits : to->bits, found->bits, cf_tensor_bytes(found));
    return 0;
}

static int take_tensors(struct cf_checkpoint *k, const struct cf_safetensors *file,
                        struct cf_error *err)
{
    if (take_tensor(&k->weights, NULL, file, "weights", err) != 0)
        return -1;
    k->state = (struct cf_tensor){
        .dtype = k->weights.dtype, .rank = 2, .dim = {2, cf_tensor_count(&k->weights)}};
    cf_tensor_alloc(&k->state);
    if (take_tensor(&k->weights, k->state.bits, file, "state.m", err) != 0)
        return -1;
    return take_tensor(&k->weights, (char *)k->state.bits + cf_tensor_bytes(&k->weights), file,
                       "state.v", err);
}

static int read_tensors(struct cf_checkpoint *k, const char *path, const char *sha256,
                        struct cf_error *err)
{
    struct cf_safetensors file;
    size_t n_bytes;
    char *bytes = read_whole(path, &n_bytes), hex[65];
    int result;

    if (!bytes)
        return cf_fail_with(err, 3, "%s cannot be read: %s", path, strerror(errno));
    hex_of(hex, bytes, n_bytes);
    free(bytes);
    if (strcmp(hex, sha256 ? sha256 : "") != 0)
        return cf_fail_with(err, 3, "%s was truncated or altered: its SHA-256 is %.12s, not %.12s",
                            path, hex, sha256 ? sha256 : "(none)");
    if (cf_safetensors_open(&file, path, err) != 0)
        return -1;
    result = take_tensors(k, &file, err);
    cf_safetensors_close(&file);
    return result;
}

/* The sealed object, or NULL and a sentence. The caller owns the reference to *whole. */
static const json_t *unseal(const char *path, json_t **whole, struct cf_error *err)
{
    json_error_t where;
    const json_t *inner;
    char *compact, hex[65];

    *whole = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    inner = json_object_get(*whole, "checkpoint");
    if (!json_is_object(inner)) {
        cf_fail_with(err, 3, "%s was truncated or altered: %s", path,
                     *whole ? "it holds no checkpoint" : where.text);
        return NULL;
    }
    compact = json_dumps(inner, JSON_COMPACT | JSON_SORT_KEYS);
    hex_of(hex, compact, strlen(compact));
    free(compact);
    if (strcmp(hex, json_string_value(json_object_get(*whole, "sha256"))
                        ? json_string_value(json_object_get(*whole, "sha256"))
                        : "") != 0) {
        cf_fail_with(err, 3, "%s was altered: it does not match its own SHA-256", path);
        return NULL;
    }
    return inner;
}

static int read_step(struct cf_checkpoint *k, const char *folder, int64_t step,
                     struct cf_error *err)
{
    char *manifest = path_of(folder, step, ".json"), *path = path_of(folder, step, ".safetensors");
    json_t *whole;
    const json_t *inner = unseal(manifest, &whole, err);
    const char *format = json_string_value(json_object_get(inner, "format"));
    int result = -1;

    if (inner && (!format || strcmp(format, FORMAT) != 0 ||
                  json_integer_value(json_object_get(inner, "version")) != CF_CHECKPOINT_VERSION))
        cf_fail_with(err, 3, "%s is no checkpoint of version %d", manifest, CF_CHECKPOINT_VERSION);
    else if (inner && take_manifest(k, inner, err) == 0)
        result = read_tensors(k, path, json_string_value(json_object_get(inner, "tensors")), err);
    if (result == 0 && k->step != step)
        result =
            cf_fail_with(err, 3, "%s is a checkpoint after step %" PRId64 " under another name",
                         manifest, k->step);
    json_decref(whole);
    free(manifest);
    free(path);
    return result;
}

int cf_checkpoint_read(struct cf_checkpoint *checkpoint, const char *folder, struct cf_error *err)
{
    int64_t newest[2];
    struct cf_error first = {{0}, 0};

    *checkpoint = (struct cf_checkpoint){0};
    find_newest(folder, newest);
    if (newest[0] < 0)
        return 0;
    if (read_step(checkpoint, folder, newest[0], &first) == 0)
        return 1;
    cf_checkpoint_free(checkpoint);
    if (newest[1] < 0)
        return cf_fail_with(err, 3, "%s; remove it to start over", first.text);
    return cf_fail_with(err, 3, "%s; remove it to go on from step %" PRId64, first.text, newest[1]);
}
