/* Exports that install: pip, conda, Docker. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "git.h"
#include "libraries.h"

static const char *member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* "scipy_openblas32" and "scipy-openblas32" are one name (PEP 503). */
static char *plain_name(const char *name)
{
    char *plain = cf_strdup(name), *to = plain;

    for (const char *at = name; *at; ++at)
        if (strchr("-_.", *at))
            *to = '-', to += at[1] && !strchr("-_.", at[1]);
        else
            *to++ = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
    *to = '\0';
    return plain;
}

static char *pinned_digest(const char *name, const char *version)
{
    struct cf_pins pins;
    char *digest = NULL;

    cf_pins_load(&pins);
    for (int i = 0; i < pins.n && !digest; ++i) {
        char *plain = plain_name(pins.pin[i].package);

        if (strcmp(pins.pin[i].kind, "wheel") == 0 && strcmp(plain, name) == 0 &&
            strcmp(pins.pin[i].version, version) == 0)
            digest = cf_strdup(pins.pin[i].sha256);
        free(plain);
    }
    cf_pins_free(&pins);
    return digest;
}

/* What pip would install here, without installing: its report names the archive's digest. */
static char *asked_digest(const char *python, const char *name, const char *version)
{
    char *wanted = cf_format("%s==%s", name, version), *text, *digest = NULL;
    const char *const argv[] = {python,
                                "-m",
                                "pip",
                                "install",
                                "--quiet",
                                "--dry-run",
                                "--ignore-installed",
                                "--no-deps",
                                "--disable-pip-version-check",
                                "--report",
                                "-",
                                wanted,
                                NULL};
    json_t *report, *one;
    const char *hash;

    text = cf_command_output(argv, 120000, 16L << 20, NULL);
    report = text ? json_loads(text, 0, NULL) : NULL;
    one = json_array_get(json_object_get(report, "install"), 0);
    hash = member(
        json_object_get(json_object_get(json_object_get(one, "download_info"), "archive_info"),
                        "hashes"),
        "sha256");
    if (strlen(hash) == 64)
        digest = cf_strdup(hash);
    json_decref(report);
    free(text);
    free(wanted);
    return digest;
}

/* Adds name -> {version, sha256}. */
static int add_package(json_t *packages, const char *python, const char *called,
                       const char *version, struct cf_error *err)
{
    char *name = plain_name(called), *digest;
    const json_t *held = json_object_get(packages, name);
    int result = 0;

    if (held && strcmp(member(held, "version"), version) != 0)
        result = cf_fail(err,
                         "the lock holds %s %s and %s, which one environment cannot; lock each "
                         "version by itself",
                         name, member(held, "version"), version);
    if (!held) {
        digest = pinned_digest(name, version);
        if (!digest)
            digest = asked_digest(python, name, version);
        if (digest)
            json_object_set_new(packages, name,
                                json_pack("{s:s,s:s}", "version", version, "sha256", digest));
        else
            result = cf_fail_with(err, 3,
                                  "nobody here knows the digest of %s %s: it is no pinned wheel, "
                                  "and `%s -m pip` cannot ask an index for it",
                                  name, version, python);
        free(digest);
    }
    free(name);
    return result;
}

/* Owned object of packages; NULL and a sentence. Packages of the system are no archives of an
 * index: the same version from there would be another build. */
static json_t *list_packages(const json_t *lock, struct cf_error *err)
{
    json_t *packages = json_object(), *entry, *one;
    const char *key, *name;
    int result = 0;
    size_t i;

    json_object_foreach(json_object_get(lock, "fetched"), key, entry)
    {
        json_array_foreach(entry, i, one)
        {
            if (result == 0 && strcmp(member(one, "kind"), "wheel") == 0)
                result = add_package(packages, "python3", member(one, "package"),
                                     member(one, "version"), err);
        }
    }
    json_object_foreach(json_object_get(lock, "python"), key, entry)
    {
        char *python = strndup(key, strcspn(key, " "));

        json_object_foreach(json_object_get(entry, "packages"), name, one)
        {
            if (result == 0 && strcmp(member(one, "from"), "system") != 0)
                result = add_package(packages, python, name, member(one, "version"), err);
        }
        free(python);
    }
    if (result == 0)
        return packages;
    json_decref(packages);
    return NULL;
}

static char *requirement(const char *name, const json_t *one)
{
    return cf_format("%s==%s --hash=sha256:%s", name, member(one, "version"),
                     member(one, "sha256"));
}

/* "3.11.2" of the first interpreter, or "". */
static const char *python_version(const json_t *lock)
{
    const json_t *entry = json_object_iter_value(json_object_iter(json_object_get(lock, "python")));
    const char *text = member(entry, "interpreter"), *blank = strrchr(text, ' ');

    return blank && blank[1] >= '0' && blank[1] <= '9' ? blank + 1 : "";
}

static FILE *start(char **text, size_t *n, const json_t *lock, const char *what)
{
    FILE *out = open_memstream(text, n);

    CF_CHECK(out != NULL);
    fprintf(out, "# %s, written by `conform export` from the lock with seal %.12s.\n", what,
            member(lock, "seal"));
    return out;
}

/* Each package on a line of its own, after `before`. */
static void put_packages(FILE *out, json_t *packages, const char *before)
{
    const char *name;
    json_t *one;
    void *at;

    json_object_foreach_safe(packages, at, name, one)
    {
        char *line = requirement(name, one);

        fprintf(out, "%s%s\n", before, line);
        free(line);
    }
}

static void put_system(FILE *out, const json_t *lock)
{
    const char *key, *name;
    json_t *entry, *one;

    json_object_foreach(json_object_get(lock, "python"), key, entry)
    {
        json_object_foreach(json_object_get(entry, "packages"), name, one)
        {
            if (strcmp(member(one, "from"), "system") == 0)
                fprintf(out, "# %s %s comes from the system's packages, not from an index\n", name,
                        member(one, "version"));
        }
    }
}

char *cf_export_requirements(const json_t *lock, struct cf_error *err)
{
    json_t *packages = list_packages(lock, err);
    char *text = NULL;
    size_t n;
    FILE *out;

    if (!packages)
        return NULL;
    if (json_object_size(packages) == 0) {
        cf_fail(err, "the lock holds no Python package from an index: none of its configurations "
                     "is a fetched wheel, or an adapter in Python with such packages");
    } else {
        out = start(&text, &n, lock, "Python packages");
        fputs("# pip install --require-hashes --no-deps -r requirements.txt\n", out);
        if (*python_version(lock))
            fprintf(out, "# locked with Python %s\n", python_version(lock));
        put_system(out, lock);
        put_packages(out, packages, "");
        CF_CHECK(fclose(out) == 0);
    }
    json_decref(packages);
    return text;
}

/* A text in double quotes, for YAML and for Docker: `special` is escaped by a backslash too. */
static void put_quoted(FILE *out, const char *text, const char *special)
{
    fputc('"', out);
    for (; *text; ++text)
        if (*text == '\n')
            fputs("\\n", out);
        else
            fprintf(out, "%s%c",
                    *text == '"' || *text == '\\' || strchr(special, *text) ? "\\" : "", *text);
    fputc('"', out);
}

static void put_variables(FILE *out, const json_t *lock, const char *before, const char *between,
                          const char *special)
{
    const char *name;
    json_t *value;

    json_object_foreach(json_object_get(lock, "variables"), name, value)
    {
        fprintf(out, "%s%s%s", before, name, between);
        put_quoted(out, json_string_value(value) ? json_string_value(value) : "", special);
        fputc('\n', out);
    }
}

char *cf_export_conda(const json_t *lock, struct cf_error *err)
{
    json_t *packages = list_packages(lock, err);
    char *text = NULL;
    size_t n;
    FILE *out;

    if (!packages)
        return NULL;
    out = start(&text, &n, lock, "Conda environment");
    fprintf(out, "name: conform\nchannels:\n  - conda-forge\ndependencies:\n  - python%s%s\n",
            *python_version(lock) ? "=" : "", python_version(lock));
    put_system(out, lock);
    if (json_object_size(packages) > 0) {
        fputs("  - pip\n  - pip:\n", out); /* --hash implies --require-hashes */
        put_packages(out, packages, "      - ");
    }
    if (json_object_size(json_object_get(lock, "variables")) > 0)
        fputs("variables:\n", out);
    put_variables(out, lock, "  ", ": ", "");
    CF_CHECK(fclose(out) == 0);
    json_decref(packages);
    return text;
}

/* Each Debian package once, as apt-get wants it. */
static void put_debian(FILE *out, const json_t *lock)
{
    json_t *seen = json_object(), *file;
    const char *path, *name;
    void *at;

    json_object_foreach(json_object_get(lock, "files"), path, file)
    {
        if (*member(file, "package"))
            json_object_set_new(seen, member(file, "package"), json_true());
    }
    if (json_object_size(seen) > 0)
        fputs("RUN apt-get update \\\n && apt-get install -y --no-install-recommends", out);
    json_object_foreach_safe(seen, at, name, file)
    {
        fprintf(out, " \\\n      %s", name);
    }
    if (json_object_size(seen) > 0)
        fputs(" \\\n && rm -rf /var/lib/apt/lists/*\n", out);
    json_decref(seen);
}

/* Files that packages bring, by their digests; what lies in a user's folders is not there. */
static void put_checks(FILE *out, const json_t *lock)
{
    const char *path;
    json_t *file;
    int n = 0;

    json_object_foreach(json_object_get(lock, "files"), path, file)
    {
        if (*member(file, "package") && !strpbrk(path, "'\n\\"))
            fprintf(out, "%s      '%s  %s'", n++ ? " \\\n" : "RUN printf '%s\\n' \\\n",
                    member(file, "sha256"), path);
    }
    if (n > 0)
        fputs(" \\\n    | sha256sum --check --quiet\n", out);
}

char *cf_export_docker(const json_t *lock, struct cf_error *err)
{
    json_t *packages = list_packages(lock, err);
    char *text = NULL;
    size_t n;
    FILE *out;

    if (!packages)
        return NULL;
    out = start(&text, &n, lock, "Dockerfile fragment");
    fprintf(out, "# Put it after FROM. Locked on %s",
            member(json_object_get(lock, "machine"), "os.pretty"));
    if (*member(json_object_get(lock, "container"), "image"))
        fprintf(out, ", image %s", member(json_object_get(lock, "container"), "image"));
    fputs(".\n", out);
    put_debian(out, lock);
    if (json_object_size(packages) > 0)
        fputs("# requirements.txt: conform export requirements\n"
              "COPY requirements.txt ./requirements.txt\n"
              "RUN python3 -m pip --version > /dev/null 2>&1 \\\n"
              " || { apt-get update && apt-get install -y --no-install-recommends python3-pip \\\n"
              " && rm -rf /var/lib/apt/lists/*; }\n"
              "RUN PIP_BREAK_SYSTEM_PACKAGES=1 python3 -m pip install --require-hashes --no-deps "
              "-r requirements.txt\n",
              out);
    put_variables(out, lock, "ENV ", "=", "$");
    put_checks(out, lock);
    CF_CHECK(fclose(out) == 0);
    json_decref(packages);
    return text;
}
