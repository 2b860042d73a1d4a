#include "documents.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "terminal.h"

static int put_all(int fd, const char *text, size_t n_bytes)
{
    while (n_bytes > 0) {
        const ssize_t n = write(fd, text, n_bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        text += n;
        n_bytes -= (size_t)n;
    }
    return 0;
}

static int cannot_write(const char *path, struct cf_error *err)
{
    return cf_fail_with(err, 3, "%s cannot be written: %s",
                        strcmp(path, "-") == 0 ? "the standard output" : path, strerror(errno));
}

/* A device or a pipe cannot be renamed over: it is written to as it is. */
static int put_directly(const char *path, const char *text, size_t n_bytes, struct cf_error *err)
{
    const int fd = strcmp(path, "-") == 0 ? STDOUT_FILENO : open(path, O_WRONLY | O_CLOEXEC);
    int result = fd < 0 ? -1 : put_all(fd, text, n_bytes);

    if (result != 0)
        cannot_write(path, err);
    if (fd > STDOUT_FILENO && close(fd) != 0 && result == 0)
        result = cannot_write(path, err);
    return result;
}

static int put_whole(const char *path, const char *text, size_t n_bytes, struct cf_error *err)
{
    char *aside = cf_format("%s.XXXXXX", path);
    const int fd = mkostemp(aside, O_CLOEXEC);
    const mode_t mask = umask(0);
    int result = -1;

    umask(mask);
    if (fd >= 0 && put_all(fd, text, n_bytes) == 0 && fchmod(fd, 0666 & ~mask) == 0 &&
        fsync(fd) == 0 && rename(aside, path) == 0)
        result = 0;
    else
        cannot_write(path, err);
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && result != 0)
        unlink(aside);
    free(aside);
    return result;
}

static int check_one(const char *path, struct cf_error *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : cf_strdup(".");
    struct stat there;
    int why = access(folder, W_OK) == 0 ? 0 : errno;

    if (why == 0 && stat(path, &there) == 0 && S_ISDIR(there.st_mode))
        why = EISDIR;
    free(folder);
    return why == 0 ||
                   (stat(path, &there) == 0 && !S_ISDIR(there.st_mode) && !S_ISREG(there.st_mode))
               ? 0
               : cf_fail(err, "%s cannot be written: %s; name another file", path, strerror(why));
}

int cf_documents_check(const struct cf_options *options, struct cf_error *err)
{
    for (int i = 0; cf_reports[i]; ++i)
        if (options->document[i] && strcmp(options->document[i], "-") != 0 &&
            check_one(options->document[i], err) != 0)
            return -1;
    return 0;
}

int cf_document_put(const char *path, const char *text, size_t n_bytes, struct cf_error *err)
{
    struct stat there;

    if (strcmp(path, "-") == 0 || (stat(path, &there) == 0 && !S_ISREG(there.st_mode)))
        return put_directly(path, text, n_bytes, err);
    return put_whole(path, text, n_bytes, err);
}

static int write_one(const struct cf_report *report, const char *path,
                     const struct cf_findings *findings, const struct cf_page *page,
                     struct cf_error *err)
{
    char *text = NULL;
    size_t n_bytes;
    FILE *out = open_memstream(&text, &n_bytes);
    int result;

    CF_CHECK(out != NULL);
    result = report->write(out, findings, page, err);
    CF_CHECK(fclose(out) == 0);
    if (result == 0)
        result = cf_document_put(path, text, n_bytes, err);
    free(text);
    return result;
}

int cf_documents_write(const struct cf_options *options, const struct cf_findings *findings,
                       struct cf_error *err)
{
    const struct cf_page terminal = cf_terminal_page(options), file = {CF_PAGE_WIDTH, 0};
    const int text = cf_report_index("text");
    int stdout_taken = 0, result = 0;

    for (int i = 0; cf_reports[i]; ++i)
        stdout_taken |= options->document[i] && strcmp(options->document[i], "-") == 0;
    for (int i = 0; cf_reports[i] && result == 0; ++i) {
        const char *path = options->document[i];

        if (!path && i == text && !stdout_taken)
            path = "-";
        if (path)
            result = write_one(cf_reports[i], path, findings,
                               strcmp(path, "-") == 0 ? &terminal : &file, err);
    }
    return result;
}
