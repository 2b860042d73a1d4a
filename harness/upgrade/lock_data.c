/* Data sets of a lock: files, and folders with everything below them. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "lock.h"
#include "md5.h"

#define FILES_MAX 20000

static json_t *entry_of(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    unsigned char *block = cf_alloc(1 << 16);
    char sha256[65] = "", md5_text[33];
    struct cf_md5 md5;
    json_int_t size = 0;
    ssize_t n = -1;

    cf_md5_init(&md5);
    while (fd >= 0 && (n = read(fd, block, 1 << 16)) > 0) {
        cf_md5_add(&md5, block, (size_t)n);
        size += n;
    }
    free(block);
    if (n == 0 && cf_file_sha256(fd, sha256) != 0)
        n = -1;
    if (fd >= 0)
        close(fd);
    if (n != 0)
        return NULL;
    cf_md5_end(&md5, md5_text);
    return json_pack("{s:s,s:s,s:I}", "sha256", sha256, "md5", md5_text, "size", size);
}

static int add_below(json_t *data, const char *root, struct cf_error *err)
{
    char *const roots[] = {(char *)root, NULL};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    FTSENT *at;
    int result = 0;

    while (result == 0 && tree && (at = fts_read(tree)) != NULL) {
        json_t *entry = at->fts_info == FTS_F ? entry_of(at->fts_path) : NULL;

        if (entry)
            json_object_set_new(data, at->fts_path, entry);
        if (at->fts_info == FTS_F ? !entry
                                  : at->fts_info == FTS_DNR || at->fts_info == FTS_ERR ||
                                        at->fts_info == FTS_SLNONE || at->fts_info == FTS_NS)
            result = cf_fail(err, "the data %s cannot be read: %s", at->fts_path, strerror(errno));
        if (json_object_size(data) > FILES_MAX)
            result = cf_fail(err, "the data %s hold more than %d files; lock an archive of them",
                             root, FILES_MAX);
    }
    if (tree)
        fts_close(tree);
    return result;
}

int cf_lock_add_data(json_t *document, const char *path, int may_be_gone, struct cf_error *err)
{
    json_t *data = json_object_get(document, "data"),
           *roots = json_object_get(document, "data_roots");
    char *real = realpath(path, NULL);
    int result;

    if (!data) {
        data = json_object();
        roots = json_array();
        json_object_set_new(document, "data", data);
        json_object_set_new(document, "data_roots", roots);
    }
    if (!real && may_be_gone)
        return 0;
    if (!real)
        return cf_fail(err, "the data %s cannot be read: %s", path, strerror(errno));
    json_array_append_new(roots, cf_lock_text(real));
    result = add_below(data, real, err);
    free(real);
    return result;
}
