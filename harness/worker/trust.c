#include "trust.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* User-private groups have their user's number: Debian, Fedora and others make them so. */
static int others_write(const struct stat *status)
{
    if (S_ISDIR(status->st_mode) && status->st_mode & S_ISVTX)
        return 0;
    if (S_ISDIR(status->st_mode) && (status->st_gid == 0 || status->st_gid == status->st_uid))
        return (status->st_mode & S_IWOTH) != 0;
    return (status->st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

/* Every folder on the way, the root first, then the file. */
static int check_way(const char *path, struct cf_error *err)
{
    char *part = cf_strdup(path);
    int result = 0;

    for (size_t i = 1; result == 0 && i <= strlen(path); ++i) {
        struct stat status;

        if (path[i] != '/' && path[i] != '\0')
            continue;
        part[i] = '\0';
        if (stat(part, &status) == 0 && others_write(&status))
            result = cf_fail(
                err,
                "%s can be written by others than its owner%s; chmod go-w it, or say "
                "flags=unsafe-paths",
                part, S_ISDIR(status.st_mode) ? ", who could put another library there" : "");
        part[i] = path[i];
    }
    free(part);
    return result;
}

int cf_trust_path(const char *path, struct cf_error *err)
{
    char *real;
    int result;

    if (path[0] != '/')
        return 0;
    real = realpath(path, NULL);
    result = check_way(path, err);
    if (result == 0 && real && strcmp(real, path) != 0)
        result = check_way(real, err);
    free(real);
    return result;
}
