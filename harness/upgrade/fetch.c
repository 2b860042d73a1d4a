#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "download.h"
#include "files.h"
#include "git.h"
#include "libraries.h"

#define UNPACK_MS 300000
#define TAR_MAX   (3L << 30)

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    remove(path);
    return 0;
}

void cf_folder_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int cf_folder_make(const char *path, struct cf_error *err)
{
    char *copy = cf_strdup(path);
    int result = 0;

    for (char *slash = copy; result == 0 && slash;) {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = '\0';
        if (mkdir(copy, 0755) != 0 && errno != EEXIST)
            result =
                cf_fail_with(err, 3, "the folder %s cannot be made: %s", copy, strerror(errno));
        if (slash)
            *slash = '/';
    }
    free(copy);
    return result;
}

char *cf_files_folder(struct cf_error *err)
{
    char *base = cf_libraries_folder(), *folder = cf_format("%s/.files", base);
    int result = *base ? cf_folder_make(folder, err)
                       : cf_fail_with(err, 3,
                                      "neither XDG_CACHE_HOME nor HOME says where "
                                      "libraries are kept");

    free(base);
    if (result == 0)
        return folder;
    free(folder);
    return NULL;
}

static int is_right(const struct cf_pin *pin, const char *path, char got[65])
{
    return cf_path_sha256(path, got) == 0 && strcmp(got, pin->sha256) == 0;
}

/* Moves the one file that a download left to its place in the cache, if it is the one pinned. */
static int accept(const struct cf_pin *pin, const char *folder, const char *place,
                  struct cf_error *err)
{
    char *pattern = cf_format("%s/*.%s", folder, strcmp(pin->kind, "deb") == 0 ? "deb" : "whl");
    char got[65];
    glob_t found = {0};
    int result = 0;

    if (glob(pattern, 0, NULL, &found) != 0)
        result =
            cf_fail_with(err, 3, "the download of %s %s left no file", pin->package, pin->version);
    else if (!is_right(pin, found.gl_pathv[0], got))
        result = cf_fail_with(err, 3,
                              "%s %s was downloaded and refused: its SHA-256 is %s and not the "
                              "pinned %s",
                              pin->package, pin->version, got, pin->sha256);
    else if (rename(found.gl_pathv[0], place) != 0)
        result = cf_fail_with(err, 3, "%s cannot be written: %s", place, strerror(errno));
    globfree(&found);
    free(pattern);
    return result;
}

static int download(const struct cf_pin *pin, const char *files, const char *place,
                    struct cf_error *err)
{
    char *folder = cf_format("%s/new.XXXXXX", files);
    int result = -1;

    if (!mkdtemp(folder))
        cf_fail_with(err, 3, "%s cannot be made: %s", folder, strerror(errno));
    else if (strcmp(pin->kind, "wheel") == 0)
        result = cf_download_wheel(pin, folder, err);
    else if (strcmp(pin->kind, "deb") == 0)
        result = cf_download_deb(pin, folder, err);
    else
        cf_fail_with(err, 3, "the pin of %s is of the unknown kind `%s`", pin->name, pin->kind);
    if (result == 0)
        result = accept(pin, folder, place, err);
    cf_folder_remove(folder);
    free(folder);
    return result;
}

int cf_pin_download(const struct cf_pin *pin, char **path, struct cf_error *err)
{
    char *files = cf_files_folder(err), got[65];
    int result = 0;

    *path = NULL;
    if (!files)
        return -1;
    *path = cf_format("%s/%s", files, pin->sha256);
    if (access(*path, F_OK) != 0)
        result = download(pin, files, *path, err);
    else if (!is_right(pin, *path, got))
        result = cf_fail_with(err, 3,
                              "%s was kept in the cache and has changed: its SHA-256 is %s; "
                              "remove it and fetch again",
                              *path, got);
    free(files);
    if (result != 0) {
        free(*path);
        *path = NULL;
    }
    return result;
}

static int unpack_wheel(const char *path, const char *folder, struct cf_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    void *map = MAP_FAILED;
    int result;

    if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0)
        map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd >= 0)
        close(fd);
    if (map == MAP_FAILED)
        return cf_fail_with(err, 3, "%s cannot be read", path);
    result = cf_archive_unzip(map, (size_t)status.st_size, folder, err);
    munmap(map, (size_t)status.st_size);
    return result;
}

/* dpkg-deb only turns the package into a tar stream; it writes nothing. */
static int unpack_deb(const char *path, const char *folder, struct cf_error *err)
{
    const char *const argv[] = {"dpkg-deb", "--fsys-tarfile", path, NULL};
    long n;
    char *tar = cf_command_output(argv, UNPACK_MS, TAR_MAX, &n);
    int result;

    if (!tar)
        return cf_fail_with(err, 3, "dpkg-deb is missing or cannot read %s", path);
    result = cf_archive_untar(tar, (size_t)n, folder, err);
    free(tar);
    return result;
}

static int add_pin(const struct cf_pin *pin, const char *folder, struct cf_error *err)
{
    char *path, *note;
    int result = cf_pin_download(pin, &path, err), fd;

    if (result != 0)
        return -1;
    result = strcmp(pin->kind, "wheel") == 0 ? unpack_wheel(path, folder, err)
                                             : unpack_deb(path, folder, err);
    note = cf_format("%s/.unpacked/%s", folder, pin->sha256);
    fd = result == 0 ? open(note, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) : -1;
    if (result == 0 && fd < 0)
        result = cf_fail_with(err, 3, "%s cannot be written: %s", note, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(note);
    free(path);
    return result;
}

static int fill(const struct cf_pins *pins, const char *name, const char *folder,
                void (*say)(const char *), struct cf_error *err)
{
    char *notes = cf_format("%s/.unpacked", folder);
    int result = cf_folder_make(notes, err);

    for (int i = 0; i < pins->n && result == 0; ++i) {
        char *line;

        if (strcmp(pins->pin[i].name, name) != 0)
            continue;
        line = cf_format("%s: %s %s", name, pins->pin[i].package, pins->pin[i].version);
        if (say)
            say(line);
        free(line);
        result = add_pin(&pins->pin[i], folder, err);
    }
    free(notes);
    return result;
}

int cf_library_fetch(const struct cf_pins *pins, const char *name, void (*say)(const char *),
                     struct cf_error *err)
{
    char *here = cf_library_folder(pins, name), *base, *folder, *place;
    int result;

    if (here || cf_pins_find(pins, name) < 0) {
        result = here ? 0
                      : cf_fail(err,
                                "there is no library `%s`; `conform list libraries` names "
                                "those that can be fetched",
                                name);
        free(here);
        return result;
    }
    base = cf_libraries_folder();
    folder = cf_format("%s/.new.%ld.%s", base, (long)getpid(), name);
    place = cf_format("%s/%s", base, name);
    result = fill(pins, name, folder, say, err);
    if (result == 0) {
        cf_folder_remove(place); /* unpacked from other pins, or half */
        if (rename(folder, place) != 0)
            result = cf_fail_with(err, 3, "%s cannot be made: %s", place, strerror(errno));
    }
    if (result != 0)
        cf_folder_remove(folder);
    free(base);
    free(folder);
    free(place);
    return result;
}
