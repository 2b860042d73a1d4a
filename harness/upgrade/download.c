#include "download.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "git.h"

#define DOWNLOAD_MS (20 * 60 * 1000)
#define UPDATE_MS   (5 * 60 * 1000)
#define WORDS_MAX   (1 << 20)
#define KEYRING     "/usr/share/keyrings/debian-archive-keyring.gpg"

static int put_file(const char *path, const char *text, struct cf_error *err)
{
    FILE *file = fopen(path, "w");
    int ok = file && fputs(text, file) >= 0;

    if (file && fclose(file) != 0)
        ok = 0;
    return ok ? 0 : cf_fail_with(err, 3, "%s cannot be written", path);
}

static int run(const char *const argv[], int timeout_ms)
{
    char *text = cf_command_output(argv, timeout_ms, WORDS_MAX, NULL);

    free(text);
    return text ? 0 : -1;
}

/* A wheel is for a Python, an interface and a platform; the newest platform that a pin needs is
 * named last. "py3" wheels are for any Python. */
int cf_download_wheel(const struct cf_pin *pin, const char *folder, struct cf_error *err)
{
    char *list = cf_format("%s/pins.txt", folder);
    char *line = cf_format("%s==%s --hash=sha256:%s\n", pin->package, pin->version, pin->sha256);
    const int any = strncmp(pin->from, "cp", 2) != 0;
    const char *const argv[] = {"python3",
                                "-m",
                                "pip",
                                "download",
                                "-q",
                                "--no-deps",
                                "--only-binary=:all:",
                                "--require-hashes",
                                "--disable-pip-version-check",
                                "-d",
                                folder,
                                "-r",
                                list,
                                "--platform=manylinux2014_x86_64",
                                "--platform=manylinux_2_17_x86_64",
                                "--platform=manylinux_2_27_x86_64",
                                "--platform=manylinux_2_28_x86_64",
                                "--platform=manylinux1_x86_64",
                                any ? NULL : "--implementation=cp",
                                "--python-version",
                                pin->from + 2,
                                NULL};
    int result = put_file(list, line, err);

    if (result == 0 && run(argv, DOWNLOAD_MS) != 0)
        result = cf_fail_with(err, 3,
                              "%s %s could not be downloaded: the machine is offline, the version "
                              "was withdrawn, its hash is another one, or python3 has no pip; "
                              "`python3 -m pip download --no-deps %s==%s` says which",
                              pin->package, pin->version, pin->package, pin->version);
    unlink(list);
    free(line);
    free(list);
    return result;
}

/* The archive that this machine's apt already uses for Debian, without the word at its end. The
 * caller frees; NULL: it is no Debian, or has no lists. */
static char *find_archive(void)
{
    static const char *const argv[] = {"apt-get", "indextargets", "--format",
                                       "$(ORIGIN) $(CODENAME) $(REPO_URI)", NULL};
    char *text = cf_command_output(argv, 20000, WORDS_MAX, NULL), *rest = NULL, *archive = NULL;

    for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line && !archive;
         line = strtok_r(NULL, "\n", &rest)) {
        char *codename = strchr(line, ' '), *site = codename ? strchr(codename + 1, ' ') : NULL;

        if (site && strncmp(line, "Debian ", 7) == 0 &&
            !memchr(codename, '-', (size_t)(site - codename)))
            archive = cf_strdup(site + 1);
    }
    free(text);
    return archive;
}

/* The options of apt-get that point it to a root of its own; as many as APT_OPTIONS. */
#define APT_OPTIONS 7

struct apt {
    char *root, *option[APT_OPTIONS];
};

static void forget(struct apt *apt)
{
    free(apt->root);
    for (int i = 0; i < APT_OPTIONS; ++i)
        free(apt->option[i]);
}

static int make_root(struct apt *apt, const char *suite, struct cf_error *err)
{
    static const char *const folders[] = {"lists/partial", "cache/archives/partial"};
    static const char *const options[APT_OPTIONS] = {"-oDir::Etc::sourcelist=%s/sources.list",
                                                     "-oDir::Etc::sourceparts=%s/none",
                                                     "-oDir::State::lists=%s/lists",
                                                     "-oDir::Cache=%s/cache",
                                                     "-oDir::State::status=%s/status",
                                                     "-oAPT::Sandbox::User=root",
                                                     "-oAPT::Architecture=amd64"};
    char *files = cf_files_folder(err);
    int result = files ? 0 : -1;

    *apt = (struct apt){.root = cf_format("%s/apt.%s", files ? files : "", suite)};
    free(files);
    for (int i = 0; i < 2 && result == 0; ++i) {
        char *folder = cf_format("%s/%s", apt->root, folders[i]);

        result = cf_folder_make(folder, err);
        free(folder);
    }
    for (int i = 0; i < APT_OPTIONS; ++i) {
        const char *place = strstr(options[i], "%s");

        apt->option[i] = place ? cf_format("%.*s%s%s", (int)(place - options[i]), options[i],
                                           apt->root, place + 2)
                               : cf_strdup(options[i]);
    }
    return result;
}

static int write_sources(const struct apt *apt, const char *suite, struct cf_error *err)
{
    char *archive = find_archive(), *path = cf_format("%s/sources.list", apt->root), *text;
    int result = -1;

    if (!archive || access(KEYRING, R_OK) != 0) {
        cf_fail_with(err, 3,
                     "packages of Debian cannot be had here: apt-get knows no Debian "
                     "archive, or debian-archive-keyring is not installed");
    } else {
        text = cf_format("deb [arch=amd64 signed-by=" KEYRING "] %s %s main\n", archive, suite);
        result = put_file(path, text, err);
        free(text);
        free(path);
        path = cf_format("%s/status", apt->root);
        if (result == 0)
            result = put_file(path, "", err);
    }
    free(path);
    free(archive);
    return result;
}

static int apt_get(const struct apt *apt, const char *folder, const char *verb, const char *word,
                   int timeout_ms)
{
    const char *argv[APT_OPTIONS + 8] = {"env", "-C", folder, "apt-get", "-q"};
    int n = 5;

    for (int i = 0; i < APT_OPTIONS; ++i)
        argv[n++] = apt->option[i];
    argv[n++] = verb;
    argv[n++] = word;
    argv[n] = NULL;
    return run(argv, timeout_ms);
}

int cf_download_deb(const struct cf_pin *pin, const char *folder, struct cf_error *err)
{
    char *what = cf_format("%s=%s", pin->package, pin->version);
    struct apt apt;
    int result = make_root(&apt, pin->from, err);

    if (result == 0)
        result = write_sources(&apt, pin->from, err);
    if (result == 0 && apt_get(&apt, folder, "download", what, DOWNLOAD_MS) != 0 &&
        (apt_get(&apt, folder, "update", NULL, UPDATE_MS) != 0 ||
         apt_get(&apt, folder, "download", what, DOWNLOAD_MS) != 0))
        result = cf_fail_with(err, 3,
                              "%s of Debian %s could not be downloaded: the machine is offline, or "
                              "the suite has another version now",
                              what, pin->from);
    forget(&apt);
    free(what);
    return result;
}
