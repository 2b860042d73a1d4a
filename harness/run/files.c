#include "files.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "error.h"

static void print_sha256(const unsigned char digest[crypto_hash_sha256_BYTES], char text[65])
{
    sodium_bin2hex(text, 65, digest, crypto_hash_sha256_BYTES);
}

int cf_file_sha256(int fd, char text[65])
{
    unsigned char digest[crypto_hash_sha256_BYTES], *block = cf_alloc(1 << 16);
    crypto_hash_sha256_state state;
    off_t at = 0;
    ssize_t n;

    text[0] = '\0';
    crypto_hash_sha256_init(&state);
    while ((n = pread(fd, block, 1 << 16, at)) > 0) {
        crypto_hash_sha256_update(&state, block, (unsigned long long)n);
        at += n;
    }
    free(block);
    if (n < 0)
        return -1;
    crypto_hash_sha256_final(&state, digest);
    print_sha256(digest, text);
    return 0;
}

int cf_path_sha256(const char *path, char text[65])
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    int answer;

    text[0] = '\0';
    if (fd < 0)
        return -1;
    answer = cf_file_sha256(fd, text);
    close(fd);
    return answer;
}

void cf_bytes_sha256(const void *bytes, size_t n_bytes, char text[65])
{
    unsigned char digest[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(digest, bytes, n_bytes);
    print_sha256(digest, text);
}

/* Names and descriptions of notes are padded to four bytes (System V ABI, "Note Section"). */
static size_t padded(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

static int find_note(const unsigned char *notes, size_t n_bytes, char text[81])
{
    size_t at = 0;

    while (at + sizeof(ElfW(Nhdr)) <= n_bytes) {
        ElfW(Nhdr) note;
        size_t name = at + sizeof note, description;

        memcpy(&note, notes + at, sizeof note);
        description = name + padded(note.n_namesz);
        if (description > n_bytes || note.n_descsz > n_bytes - description)
            return -1;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            memcmp(notes + name, "GNU", 4) == 0 && note.n_descsz <= 40) {
            sodium_bin2hex(text, 81, notes + description, note.n_descsz);
            return 0;
        }
        at = description + padded(note.n_descsz);
    }
    return -1;
}

static int read_notes(int fd, const ElfW(Phdr) * segment, char text[81])
{
    unsigned char notes[4096];
    const size_t wanted = segment->p_filesz < sizeof notes ? segment->p_filesz : sizeof notes;
    const ssize_t n = pread(fd, notes, wanted, (off_t)segment->p_offset);

    return n > 0 ? find_note(notes, (size_t)n, text) : -1;
}

void cf_file_build_id(int fd, char text[81])
{
    ElfW(Ehdr) header;
    ElfW(Phdr) segment;

    text[0] = '\0';
    if (pread(fd, &header, sizeof header, 0) != (ssize_t)sizeof header ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
        header.e_phentsize != sizeof segment)
        return;
    for (int i = 0; i < header.e_phnum; ++i) {
        const off_t at = (off_t)header.e_phoff + (off_t)i * (off_t)sizeof segment;

        if (pread(fd, &segment, sizeof segment, at) == (ssize_t)sizeof segment &&
            segment.p_type == PT_NOTE && read_notes(fd, &segment, text) == 0)
            return;
    }
}

void cf_path_version(const char *path, char text[32])
{
    const char *name = strrchr(path, '/'), *so, *start;

    text[0] = '\0';
    name = name ? name + 1 : path;
    so = strstr(name, ".so");
    if (!so)
        return;
    start = so + 3;
    if (*start == '.') {
        snprintf(text, 32, "%s", start + 1);
        return;
    }
    for (start = so; start > name && strchr("0123456789.", start[-1]);)
        --start;
    if (start < so && *start != '.')
        snprintf(text, 32, "%.*s", (int)(so - start), start);
}

/* A file may have been replaced under its name since it was mapped: same device, other inode (file
 * systems in layers show another device, and then the inode says nothing). In a container of the
 * worker's own the name means something else: it is looked up from the worker's root first. */
static int open_mapped(pid_t pid, const char *path, dev_t device, ino_t inode)
{
    char *inside = cf_format("/proc/%d/root%s", (int)pid, path);
    struct stat status;
    int fd = open(inside, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    free(inside);
    if (fd < 0)
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
                    (status.st_dev == device && status.st_ino != inode))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int has_path(const struct cf_code *code, int n, const char *path)
{
    for (int i = 0; i < n; ++i)
        if (strcmp(code[i].path, path) == 0)
            return 1;
    return 0;
}

struct cf_code *cf_code_list(pid_t pid, int *n)
{
    char *name = cf_format("/proc/%d/maps", (int)pid), *line = NULL;
    FILE *maps = fopen(name, "re");
    struct cf_code *code = NULL;
    size_t capacity = 0;

    *n = 0;
    free(name);
    while (maps && getline(&line, &capacity, maps) > 0) {
        char rights[5], *path = strchr(line, '/');
        unsigned major_, minor_;
        unsigned long long inode;

        if (!path || sscanf(line, "%*s %4s %*s %x:%x %llu", rights, &major_, &minor_, &inode) != 4)
            continue;
        path[strcspn(path, "\n")] = '\0';
        if (rights[2] != 'x' || inode == 0 || has_path(code, *n, path))
            continue;
        code = cf_realloc(code, (size_t)(*n + 1) * sizeof *code);
        code[*n].path = cf_strdup(path);
        code[*n].fd = open_mapped(pid, path, makedev(major_, minor_), (ino_t)inode);
        ++*n;
    }
    if (maps)
        fclose(maps);
    free(line);
    return code;
}

void cf_code_free(struct cf_code *code, int n)
{
    for (int i = 0; i < n; ++i) {
        free(code[i].path);
        if (code[i].fd >= 0)
            close(code[i].fd);
    }
    free(code);
}
