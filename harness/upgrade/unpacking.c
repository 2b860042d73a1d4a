#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"

int cf_unpacking_start(struct cf_unpacking *u, const char *folder, struct cf_error *err)
{
    *u = (struct cf_unpacking){.err = err};
    u->root = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (u->root >= 0)
        return 0;
    return cf_fail_with(err, 3, "%s cannot be opened: %s", folder, strerror(errno));
}

void cf_unpacking_stop(struct cf_unpacking *u)
{
    close(u->root);
}

int cf_unpacking_refuse(struct cf_unpacking *u, const char *name, const char *why)
{
    return cf_fail_with(u->err, 3, "the archive is refused: its member `%.200s` %s", name, why);
}

static int fail(struct cf_unpacking *u, const char *name)
{
    return cf_fail_with(u->err, 3, "the member `%.200s` cannot be unpacked: %s", name,
                        strerror(errno));
}

/* Not absolute, no `..`, not empty. Returns the name without a leading "./", or NULL. */
static const char *plain(const char *name)
{
    while (name[0] == '.' && name[1] == '/')
        name += 2 + strspn(name + 2, "/");
    if (*name == '/' || *name == '\0')
        return NULL;
    for (const char *at = name; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
            return NULL;
    }
    return name;
}

static const char *check(struct cf_unpacking *u, const char *name, unsigned mode, size_t n_bytes)
{
    const char *inside = plain(name);

    u->n_bytes += n_bytes;
    if (!inside)
        cf_unpacking_refuse(u, name, "is absolute, empty or has `..`");
    else if (mode & (S_ISUID | S_ISGID))
        inside = (cf_unpacking_refuse(u, name, "is set-user-id or set-group-id"), NULL);
    else if (++u->n_members > CF_ARCHIVE_MEMBERS || u->n_bytes > CF_ARCHIVE_BYTES)
        inside = (cf_unpacking_refuse(u, name, "is one too many"), NULL);
    return inside;
}

/* The descriptor of the folder that holds the last word of the name, made when it is missing; no
 * link is followed. *last points to that word. -1: errno. */
static int parent_of(struct cf_unpacking *u, const char *name, const char **last)
{
    char *copy = cf_strdup(name), *word = copy;
    int at = dup(u->root);

    for (char *slash; at >= 0 && (slash = strchr(word, '/')) && slash[strspn(slash, "/")];) {
        int next;

        *slash = '\0';
        if (*word && strcmp(word, ".") != 0) {
            if (mkdirat(at, word, 0755) != 0 && errno != EEXIST)
                next = -1;
            else
                next = openat(at, word, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            close(at);
            at = next;
        }
        word = slash + 1;
    }
    *last = name + (word - copy);
    free(copy);
    return at;
}

int cf_unpacking_folder(struct cf_unpacking *u, const char *name, unsigned mode)
{
    const char *inside, *last;
    char *word;
    int at, result = 0;

    if (strcmp(name, "./") == 0 || strcmp(name, ".") == 0)
        return 0;
    inside = check(u, name, mode & ~(unsigned)S_ISGID, 0);
    if (!inside)
        return -1;
    at = parent_of(u, inside, &last);
    if (at < 0)
        return fail(u, name);
    word = strndup(last, strcspn(last, "/"));
    if (mkdirat(at, word, 0755) != 0 && errno != EEXIST)
        result = fail(u, name);
    free(word);
    close(at);
    return result;
}

static int write_all(int fd, const char *bytes, size_t n_bytes)
{
    while (n_bytes > 0) {
        const ssize_t n = write(fd, bytes, n_bytes);

        if (n < 0 && errno != EINTR)
            return -1;
        bytes += n > 0 ? n : 0;
        n_bytes -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int cf_unpacking_file(struct cf_unpacking *u, const char *name, unsigned mode, const void *bytes,
                      size_t n_bytes)
{
    const char *inside = check(u, name, mode, n_bytes), *last;
    int at, fd, result = 0;

    if (!inside)
        return -1;
    at = parent_of(u, inside, &last);
    if (at < 0)
        return errno == ENOTDIR || errno == ELOOP
                   ? cf_unpacking_refuse(u, name, "lies behind a link or a file")
                   : fail(u, name);
    fd = openat(at, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        result = cf_unpacking_refuse(u, name, "is there twice");
    else if (fd < 0 || write_all(fd, bytes, n_bytes) != 0 ||
             fchmod(fd, mode & 0111 ? 0755 : 0644) != 0)
        result = fail(u, name);
    if (fd >= 0)
        close(fd);
    close(at);
    return result;
}

/* A hard link's target counts from the root of the archive. */
static int link_hard(struct cf_unpacking *u, int at, const char *last, const char *target)
{
    const char *inside = plain(target), *word;
    int from, result;

    if (!inside)
        return cf_unpacking_refuse(u, target, "is linked to, and leads out of the archive");
    from = parent_of(u, inside, &word);
    if (from < 0)
        return fail(u, target);
    result = linkat(from, word, at, last, 0) == 0 ? 0 : fail(u, target);
    close(from);
    return result;
}

int cf_unpacking_link(struct cf_unpacking *u, const char *name, const char *target, int is_hard)
{
    const char *inside = check(u, name, 0, 0), *last;
    int at, result = 0;

    if (!inside)
        return -1;
    if (!is_hard && !plain(target))
        return 0; /* the libraries that we open do not need it */
    at = parent_of(u, inside, &last);
    if (at < 0)
        return cf_unpacking_refuse(u, name, "lies behind a link or a file");
    if (is_hard)
        result = link_hard(u, at, last, target);
    else if (symlinkat(target, at, last) != 0)
        result = errno == EEXIST ? cf_unpacking_refuse(u, name, "is there twice") : fail(u, name);
    close(at);
    return result;
}
