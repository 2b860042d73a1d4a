/* Debian packages of locked files. */
#include <stdlib.h>
#include <string.h>

#include "git.h"
#include "lock.h"

/* dpkg-query fails when one of many is unknown to it, and tells of the others all the same. */
#define ASK_ALL "dpkg-query \"$@\" 2>/dev/null; true"

/* The answer of dpkg-query to words and the keys of an object; `twice`: also without their /usr, by
 * which dpkg knows some files. NULL, or text that the caller frees. */
static char *ask(const char *word, const char *format, const json_t *keys, int twice)
{
    const size_t n = json_object_size(keys);
    const char **argv = cf_alloc_zero((2 * n + 8) * sizeof *argv), *key;
    const char *const front[] = {"sh", "-c", ASK_ALL, "sh", word};
    json_t *unused;
    size_t at = 5;
    char *text;

    memcpy(argv, front, sizeof front);
    if (format)
        argv[at++] = format;
    json_object_foreach((json_t *)keys, key, unused)
    {
        argv[at++] = key;
        if (twice && strncmp(key, "/usr/", 5) == 0)
            argv[at++] = key + 4;
    }
    text = n > 0 ? cf_command_output(argv, 60000, 64L << 20, NULL) : NULL;
    free(argv);
    return text;
}

/* "libc6:amd64: /lib/x86_64-linux-gnu/libc.so.6": the package is left as text in `owner`. */
static void take_owner(json_t *files, json_t *owner, json_t *packages, char *line)
{
    char *colon = strstr(line, ": "), *path;

    if (!colon || strchr(line, ' ') < colon) /* several owners, or a diversion */
        return;
    *colon = '\0';
    path =
        json_object_get(files, colon + 2) ? cf_strdup(colon + 2) : cf_format("/usr%s", colon + 2);
    if (json_object_get(files, path)) {
        json_object_set_new(owner, path, json_string(line));
        json_object_set_new(packages, line, json_true());
    }
    free(path);
}

static void take_version(json_t *packages, char *line)
{
    char *equals = strchr(line, '=');

    if (!equals || !equals[1])
        return;
    *equals = '\0';
    json_object_set_new(packages, line, json_string(equals + 1));
}

void cf_lock_add_owners(json_t *document)
{
    json_t *files = json_object_get(document, "files"), *owner = json_object(),
           *packages = json_object(), *name;
    char *text = ask("-S", NULL, files, 1), *rest = NULL;
    const char *path;

    for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest))
        take_owner(files, owner, packages, line);
    free(text);
    text = ask("-W", "-f=${binary:Package}=${Version}\n", packages, 0);
    for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest))
        take_version(packages, line);
    free(text);
    json_object_foreach(owner, path, name)
    {
        const char *whole = json_string_value(name),
                   *version = json_string_value(json_object_get(packages, whole));

        if (version)
            json_object_set_new(json_object_get(files, path), "package",
                                json_sprintf("%.*s=%s", (int)strcspn(whole, ":"), whole, version));
    }
    json_decref(packages);
    json_decref(owner);
}
