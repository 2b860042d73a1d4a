/* The lock as a file. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "libraries.h"
#include "lock.h"

#define BYTES_MAX (256L << 20)

static const char *const tier_names[] = {"files", "load", "state", "levels", "digests"};

const char *cf_tier_name(enum cf_tier tier)
{
    return tier_names[tier];
}

int cf_tier_parse(const char *name, enum cf_tier *tier)
{
    for (int i = 0; i < CF_N_TIERS; ++i)
        if (strcmp(name, tier_names[i]) == 0 ||
            (toupper((unsigned char)name[0]) == 'T' && name[1] == '0' + i && !name[2])) {
            *tier = (enum cf_tier)i;
            return 0;
        }
    return -1;
}

void cf_lock_place_init(struct cf_lock_place *place, const char *lock_path)
{
    char *copy = cf_strdup(lock_path), *here = realpath(dirname(copy), NULL),
         *folder = cf_libraries_folder(), *cache = realpath(folder, NULL);

    place->here = cf_strdup(here && here[1] ? here : "");
    place->cache = cf_strdup(cache ? cache : "");
    free(cache);
    free(folder);
    free(here);
    free(copy);
}

void cf_lock_place_free(struct cf_lock_place *place)
{
    free(place->here);
    free(place->cache);
}

/* Replaces `from` where it is followed by a slash or the end and is not the middle of a path. */
static char *replace(const char *text, const char *from, const char *to, int whole)
{
    const size_t n = strlen(from);
    char *out = NULL;
    size_t size;
    FILE *file = open_memstream(&out, &size);

    CF_CHECK(file != NULL);
    for (const char *at = text; *at;) {
        const char after = n > 0 && strncmp(at, from, n) == 0 ? at[n] : 'x';
        const char before = at > text ? at[-1] : ' ';

        if (n > 0 && strncmp(at, from, n) == 0 &&
            (!whole || ((after == '/' || after == '\0' || after == ' ' || after == ':') &&
                        !isalnum((unsigned char)before) && !strchr("/._-", before)))) {
            fputs(to, file);
            at += n;
        } else {
            fputc(*at++, file);
        }
    }
    fclose(file);
    return out;
}

char *cf_lock_portable(const struct cf_lock_place *place, const char *text)
{
    char *half = replace(text, place->cache, "${cache}", 1),
         *all = replace(half, place->here, "${here}", 1);

    free(half);
    return all;
}

char *cf_lock_local(const struct cf_lock_place *place, const char *text)
{
    char *half = replace(text, "${cache}", place->cache, 0),
         *all = replace(half, "${here}", place->here, 0);

    free(half);
    return all;
}

json_t *cf_lock_map(const struct cf_lock_place *place, json_t *document,
                    char *(*map)(const struct cf_lock_place *, const char *))
{
    json_t *made = document, *value;
    const char *key;
    size_t i;

    if (json_is_string(document)) {
        char *text = map(place, json_string_value(document));

        made = json_string(text);
        free(text);
    } else if (json_is_object(document)) {
        made = json_object();
        json_object_foreach(document, key, value)
        {
            char *name = map(place, key);

            json_object_set_new(made, name, cf_lock_map(place, json_incref(value), map));
            free(name);
        }
    } else if (json_is_array(document)) {
        made = json_array();
        json_array_foreach(document, i, value)
        {
            json_array_append_new(made, cf_lock_map(place, json_incref(value), map));
        }
    } else {
        return document;
    }
    json_decref(document);
    return made;
}

json_t *cf_lock_text(const char *bytes)
{
    json_t *text = json_string(bytes);
    char sha256[65], *words;

    if (text)
        return text;
    cf_bytes_sha256(bytes, strlen(bytes), sha256);
    words = cf_format("(no UTF-8) sha256:%s", sha256);
    text = json_string(words);
    free(words);
    return text;
}

void cf_lock_seal(const json_t *document, char sha256[65])
{
    json_t *copy = json_copy((json_t *)document);
    char *text;

    json_object_del(copy, "seal");
    text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
    CF_CHECK(text != NULL);
    cf_bytes_sha256(text, strlen(text), sha256);
    free(text);
    json_decref(copy);
}

char *cf_lock_print(json_t *document)
{
    char sha256[65], *text, *whole;

    cf_lock_seal(document, sha256);
    json_object_set_new(document, "seal", json_string(sha256));
    text = json_dumps(document, JSON_INDENT(1) | JSON_SORT_KEYS);
    CF_CHECK(text != NULL);
    whole = cf_format("%s\n", text);
    free(text);
    return whole;
}

/* All bytes and a NUL; NULL and a sentence. */
static char *read_all(const char *path, size_t *n, struct cf_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    char *text = NULL;
    ssize_t got = 0;

    *n = 0;
    if (fd < 0 && errno == ENOENT)
        cf_fail(err, "there is no lock %s; `conform lock` writes one", path);
    else if (fd < 0)
        cf_fail(err, "the lock %s cannot be read: %s", path, strerror(errno));
    else if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > BYTES_MAX)
        cf_fail(err, "%s is no lock: it is no plain file of a sensible size", path);
    else {
        text = cf_alloc((size_t)status.st_size + 1);
        while (*n < (size_t)status.st_size &&
               (got = read(fd, text + *n, (size_t)status.st_size - *n)) > 0)
            *n += (size_t)got;
        text[*n] = '\0';
    }
    if (fd >= 0)
        close(fd);
    return text;
}

static json_t *refuse(json_t *document, const char *path, const char *why, struct cf_error *err)
{
    json_decref(document);
    cf_fail(err, "the lock %s %s", path, why);
    return NULL;
}

static json_t *check(json_t *document, const char *path, struct cf_error *err)
{
    const json_t *version = json_object_get(document, "lock_version");
    const char *seal = json_string_value(json_object_get(document, "seal"));
    char sha256[65];

    if (!json_is_integer(version) || json_integer_value(version) < 1)
        return refuse(document, path, "has no lock_version: it is no lock of conform", err);
    if (json_integer_value(version) > CF_LOCK_VERSION)
        return refuse(document, path,
                      "was written by a later conform, whose locks this one cannot read; use that "
                      "one, or write the lock again",
                      err);
    cf_lock_seal(document, sha256);
    if (!seal || strcmp(seal, sha256) != 0)
        return refuse(document, path,
                      "was changed since conform wrote it (its seal does not hold); take it back "
                      "from version control, or write it again: conform lock --update",
                      err);
    return document;
}

json_t *cf_lock_read(const char *path, struct cf_error *err)
{
    json_error_t where;
    json_t *document;
    size_t n;
    char *text = read_all(path, &n, err);

    if (!text)
        return NULL;
    document = json_loadb(text, n, JSON_REJECT_DUPLICATES, &where);
    free(text);
    if (document)
        return check(document, path, err);
    if (json_error_code(&where) == json_error_premature_end_of_input)
        cf_fail(err, "the lock %s ends in the middle (line %d); take a whole copy", path,
                where.line);
    else
        cf_fail(err, "the lock %s is no JSON: line %d, column %d: %s", path, where.line,
                where.column, where.text);
    return NULL;
}
