#include "librarian.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "capture.h"
#include "files.h"

/* What was found out of a file, and which file that was. */
struct known {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
    char sha256[65], build_id[81];
};

/* One process that was looked at. */
struct visit {
    struct visit *next;
    int64_t configuration;
    struct cf_code *code;
    struct known *result; /* one for each code */
    int n;
    char *own_path, *own_version;
};

struct cf_librarian {
    uv_loop_t *loop;
    uv_work_t work;
    void (*found)(void *, int64_t, const struct cf_mapped *);
    void *context;
    struct visit *first, **last; /* the first is in work */
    struct known *known;         /* only the one work in progress touches it */
    int n_known;
};

struct cf_librarian *cf_librarian_start(uv_loop_t *loop,
                                        void (*found)(void *, int64_t, const struct cf_mapped *),
                                        void *context)
{
    struct cf_librarian *l = cf_alloc_zero(sizeof *l);

    l->loop = loop;
    l->found = found;
    l->context = context;
    l->last = &l->first;
    l->work.data = l;
    return l;
}

static int is_same(const struct known *known, const struct stat *status)
{
    return known->device == status->st_dev && known->inode == status->st_ino &&
           known->size == status->st_size && known->changed.tv_sec == status->st_mtim.tv_sec &&
           known->changed.tv_nsec == status->st_mtim.tv_nsec;
}

static struct known find_out(struct cf_librarian *l, int fd)
{
    struct known known = {0};
    struct stat status;

    if (fd < 0 || fstat(fd, &status) != 0)
        return known;
    for (int i = 0; i < l->n_known; ++i)
        if (is_same(&l->known[i], &status))
            return l->known[i];
    known.device = status.st_dev;
    known.inode = status.st_ino;
    known.size = status.st_size;
    known.changed = status.st_mtim;
    cf_file_sha256(fd, known.sha256);
    cf_file_build_id(fd, known.build_id);
    l->known = cf_realloc(l->known, (size_t)(l->n_known + 1) * sizeof l->known[0]);
    return l->known[l->n_known++] = known;
}

static void work(uv_work_t *request)
{
    struct cf_librarian *l = request->data;
    struct visit *visit = l->first;

    for (int i = 0; i < visit->n; ++i)
        visit->result[i] = find_out(l, visit->code[i].fd);
}

static void free_visit(struct visit *visit)
{
    cf_code_free(visit->code, visit->n);
    free(visit->result);
    free(visit->own_path);
    free(visit->own_version);
    free(visit);
}

static void report(const struct cf_librarian *l, const struct visit *visit, int i)
{
    char *path = cf_printable_copy(visit->code[i].path);
    const struct known *known = &visit->result[i];
    char version[32];
    struct cf_mapped mapped = {path, known->sha256, version, known->build_id};

    cf_path_version(path, version);
    if (visit->own_path && visit->own_version && strcmp(path, visit->own_path) == 0)
        mapped.version = visit->own_version;
    l->found(l->context, visit->configuration, &mapped);
    free(path);
}

static void start_work(struct cf_librarian *l);

static void done(uv_work_t *request, int status)
{
    struct cf_librarian *l = request->data;
    struct visit *visit = l->first;

    l->first = visit->next;
    if (!l->first)
        l->last = &l->first;
    for (int i = 0; i < visit->n && status == 0; ++i)
        report(l, visit, i);
    free_visit(visit);
    if (l->first)
        start_work(l);
}

static void start_work(struct cf_librarian *l)
{
    CF_CHECK(uv_queue_work(l->loop, &l->work, work, done) == 0);
}

void cf_librarian_look(struct cf_librarian *l, int64_t configuration, pid_t pid,
                       const char *own_path, const char *own_version)
{
    struct visit *visit = cf_alloc_zero(sizeof *visit);
    const int idle = !l->first;

    visit->configuration = configuration;
    visit->code = cf_code_list(pid, &visit->n);
    visit->result = cf_alloc_zero((size_t)(visit->n + 1) * sizeof visit->result[0]);
    visit->own_path = own_path ? cf_strdup(own_path) : NULL;
    visit->own_version = own_version ? cf_strdup(own_version) : NULL;
    *l->last = visit;
    l->last = &visit->next;
    if (idle)
        start_work(l);
}

void cf_librarian_free(struct cf_librarian *l)
{
    if (!l)
        return;
    while (l->first) {
        struct visit *next = l->first->next;

        free_visit(l->first);
        l->first = next;
    }
    free(l->known);
    free(l);
}
