/* The file that was checked must be the file that runs. Device and inode of a file as fstat says
 * them differ from those of its mapping on some file systems (btrfs, overlayfs), so the file is
 * mapped once more and its own line of the map is compared with the others. */
#include "blas.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_writers(int fd, const char *path, struct cf_error *err)
{
    struct stat status;

    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return cf_fail(err, "%s is no file", path);
    if (status.st_mode & (S_IWGRP | S_IWOTH))
        return cf_fail(err,
                       "%s can be written by others than its owner; chmod go-w it, or say "
                       "flags=unsafe-paths",
                       path);
    return 0;
}

int cf_blas_file_open(const char *path, int unsafe, struct cf_error *err)
{
    int fd;

    if (path[0] != '/')
        return cf_fail(err, "lib=%s is no absolute path; libraries are never searched for", path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return cf_fail(err, "%s cannot be read: %s", path, strerror(errno));
    if (!unsafe && check_writers(fd, path, err) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

struct mapping {
    unsigned long start, inode;
    unsigned major, minor;
};

static int read_mapping(FILE *maps, struct mapping *m)
{
    char line[4352];

    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%*x %*s %*x %x:%x %lu", &m->start, &m->major, &m->minor, &m->inode) ==
            4)
            return 1;
    return 0;
}

/* Looks for `mine` by its start (and fills it), or for another mapping of the same file. */
static int scan(struct mapping *mine, int others)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    struct mapping m;
    int found = 0;

    while (maps && !found && read_mapping(maps, &m)) {
        if (!others)
            found = m.start == mine->start;
        else
            found = m.start != mine->start && m.inode == mine->inode && m.major == mine->major &&
                    m.minor == mine->minor;
    }
    if (found && !others)
        *mine = m;
    if (maps)
        fclose(maps);
    return found;
}

int cf_blas_file_is_mapped(int fd)
{
    const size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    struct mapping mine = {.start = (unsigned long)(uintptr_t)page};
    int found;

    if (page == MAP_FAILED)
        return 0;
    found = scan(&mine, 0) && scan(&mine, 1);
    munmap(page, size);
    return found;
}

/* The tables of one loaded object that say what it imports. */
struct imports {
    const ElfW(Sym) * symbols;
    const char *strings;
    const uint32_t *gnu_hash, *hash;
};

static void find_tables(struct imports *t, const struct dl_phdr_info *info)
{
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const ElfW(Dyn) *d = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);

        if (info->dlpi_phdr[i].p_type != PT_DYNAMIC)
            continue;
        for (; d->d_tag != DT_NULL; ++d) {
            const void *at = (const void *)d->d_un.d_ptr; /* glibc has relocated it */

            t->symbols = d->d_tag == DT_SYMTAB ? at : t->symbols;
            t->strings = d->d_tag == DT_STRTAB ? at : t->strings;
            t->gnu_hash = d->d_tag == DT_GNU_HASH ? at : t->gnu_hash;
            t->hash = d->d_tag == DT_HASH ? at : t->hash;
        }
    }
}

static int starts_threads(const char *name)
{
    return strcmp(name, "pthread_create") == 0 || strcmp(name, "thrd_create") == 0 ||
           strncmp(name, "GOMP_parallel", 13) == 0 || strncmp(name, "__kmpc_fork", 11) == 0;
}

/* libgfortran has threads for asynchronous input, libc has all; neither computes with them. */
static int is_system(const char *path)
{
    static const char *const system[] = {"libc.so",       "libm.so",     "libgfortran.so",
                                         "libpthread.so", "libgcc_s.so", "libquadmath.so",
                                         "ld-linux",      "libasan.so",  "libubsan.so",
                                         "libdl.so",      "libstdc++.so"};
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

    for (int i = 0; i < CF_COUNT(system); ++i)
        if (strncmp(name, system[i], strlen(system[i])) == 0)
            return 1;
    return !strchr(path, '/'); /* the program itself and the kernel's vdso */
}

static int inspect(struct dl_phdr_info *info, size_t size, void *context)
{
    struct imports t = {0};
    uint32_t n;

    (void)size;
    (void)context;
    if (is_system(info->dlpi_name))
        return 0;
    find_tables(&t, info);
    if (!t.symbols || !t.strings || (!t.gnu_hash && !t.hash))
        return 1;                               /* cannot be told: assume it could */
    n = t.gnu_hash ? t.gnu_hash[1] : t.hash[1]; /* imports come before gnu_hash's first symbol */
    for (uint32_t i = 1; i < n; ++i)
        if (t.symbols[i].st_shndx == SHN_UNDEF && starts_threads(t.strings + t.symbols[i].st_name))
            return 1;
    return 0;
}

int cf_blas_imports_threads(void)
{
    return dl_iterate_phdr(inspect, NULL);
}
