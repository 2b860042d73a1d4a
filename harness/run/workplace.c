#include "workplace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "capture.h"

#define NAME "conform-run-"

/* No folder lies in a workplace: adapters that make one keep it. */
static void empty(int folder)
{
    const int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(folder, entry->d_name, 0);
    if (dir)
        closedir(dir);
    else if (copy >= 0)
        close(copy);
}

/* One that nobody holds, and that is ours. */
static void remove_if_stale(int parent, const char *name)
{
    const int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;

    if (folder < 0)
        return;
    if (fstat(folder, &status) == 0 && status.st_uid == geteuid() &&
        flock(folder, LOCK_EX | LOCK_NB) == 0) {
        empty(folder);
        unlinkat(parent, name, AT_REMOVEDIR);
    }
    close(folder);
}

static void remove_stale(const char *root)
{
    DIR *dir = opendir(root);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        if (strncmp(entry->d_name, NAME, strlen(NAME)) == 0)
            remove_if_stale(dirfd(dir), entry->d_name);
    if (dir)
        closedir(dir);
}

/* Its name goes into requests, between quotes. */
static int is_plain(const char *root)
{
    return cf_is_printable(root) && !strpbrk(root, "\"\\");
}

static int has_room(const char *root, uint64_t n_bytes)
{
    struct statvfs room;

    return access(root, W_OK | X_OK) == 0 && statvfs(root, &room) == 0 &&
           (uint64_t)room.f_bavail * room.f_frsize >= n_bytes;
}

/* Another run that tidies up may take a folder for a stale one before it is locked: then it is gone
 * and a new one is made. */
static int make_locked(struct cf_workplace *place, const char *root)
{
    for (int tries = 0; tries < 10; ++tries) {
        struct stat status;

        place->path = cf_format("%s/" NAME "XXXXXX", root);
        if (!mkdtemp(place->path))
            break;
        place->lock = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (place->lock >= 0 && flock(place->lock, LOCK_EX | LOCK_NB) == 0 &&
            fstat(place->lock, &status) == 0 && status.st_nlink > 0)
            return 0;
        if (place->lock >= 0)
            close(place->lock);
        free(place->path);
    }
    place->path = NULL;
    return -1;
}

int cf_workplace_make(struct cf_workplace *place, uint64_t n_bytes, struct cf_error *err)
{
    const char *temporary = getenv("TMPDIR");
    const char *const roots[] = {"/dev/shm", temporary && *temporary ? temporary : P_tmpdir};

    *place = (struct cf_workplace){NULL, -1};
    for (int i = 0; i < CF_COUNT(roots); ++i) {
        remove_stale(roots[i]);
        if (is_plain(roots[i]) && has_room(roots[i], n_bytes) && make_locked(place, roots[i]) == 0)
            return 0;
    }
    return cf_fail_with(
        err, 3,
        "neither /dev/shm nor %s has room for %llu MiB of inputs and outputs, or "
        "they cannot be written, or have odd names; set TMPDIR to a folder that has",
        roots[1], (unsigned long long)(n_bytes >> 20));
}

void cf_workplace_empty(const struct cf_workplace *place)
{
    empty(place->lock);
}

void cf_workplace_remove(struct cf_workplace *place)
{
    if (!place->path)
        return;
    empty(place->lock);
    rmdir(place->path);
    close(place->lock);
    free(place->path);
    *place = (struct cf_workplace){NULL, -1};
}
