#include "elf_names.h"

#include <ctype.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct image {
    const unsigned char *bytes;
    size_t n;
    ElfW(Ehdr) header;
};

/* A copy of what is at an offset; -1: it is not all there. */
static int take(const struct image *image, size_t at, void *out, size_t n)
{
    if (at > image->n || n > image->n - at)
        return -1;
    memcpy(out, image->bytes + at, n);
    return 0;
}

static int segment_at(const struct image *image, int i, ElfW(Phdr) * segment)
{
    return take(image, image->header.e_phoff + (size_t)i * sizeof *segment, segment,
                sizeof *segment);
}

/* Where an address of the running library lies in its file; SIZE_MAX: nowhere. */
static size_t offset_of(const struct image *image, ElfW(Addr) address)
{
    ElfW(Phdr) segment;

    for (int i = 0; i < image->header.e_phnum; ++i)
        if (segment_at(image, i, &segment) == 0 && segment.p_type == PT_LOAD &&
            address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz)
            return segment.p_offset + (address - segment.p_vaddr);
    return SIZE_MAX;
}

static void copy_text(const struct image *image, size_t at, char *text, size_t n)
{
    const size_t left = at < image->n ? image->n - at : 0;
    const size_t length = left > 0 ? strnlen((const char *)image->bytes + at, left) : 0;

    if (length < left && length < n)
        memcpy(text, image->bytes + at, length + 1);
}

/* Definitions are chained by offsets, the oldest first; those without a number (GLIBC_PRIVATE,
 * GLIBC_ABI_DT_RELR) are no versions. */
static void read_versions(const struct image *image, size_t at, size_t n, size_t strings,
                          char last[64])
{
    ElfW(Verdef) one;
    ElfW(Verdaux) name;

    for (; n > 0 && take(image, at, &one, sizeof one) == 0; --n) {
        char text[64] = "";

        if (take(image, at + one.vd_aux, &name, sizeof name) == 0 && !(one.vd_flags & VER_FLG_BASE))
            copy_text(image, strings + name.vda_name, text, sizeof text);
        if (strrchr(text, '_') && isdigit((unsigned char)strrchr(text, '_')[1]))
            memcpy(last, text, sizeof text);
        if (one.vd_next == 0)
            return;
        at += one.vd_next;
    }
}

static void read_dynamic(const struct image *image, const ElfW(Phdr) * segment,
                         struct cf_elf_names *names)
{
    size_t strings = SIZE_MAX, versions = SIZE_MAX, n_versions = 0, soname = SIZE_MAX;
    ElfW(Dyn) entry;

    for (size_t at = 0; at + sizeof entry <= segment->p_filesz; at += sizeof entry) {
        if (take(image, segment->p_offset + at, &entry, sizeof entry) != 0 ||
            entry.d_tag == DT_NULL)
            break;
        if (entry.d_tag == DT_STRTAB)
            strings = offset_of(image, entry.d_un.d_ptr);
        else if (entry.d_tag == DT_SONAME)
            soname = entry.d_un.d_val;
        else if (entry.d_tag == DT_VERDEF)
            versions = offset_of(image, entry.d_un.d_ptr);
        else if (entry.d_tag == DT_VERDEFNUM)
            n_versions = entry.d_un.d_val;
    }
    if (strings != SIZE_MAX && soname < image->n)
        copy_text(image, strings + soname, names->soname, sizeof names->soname);
    if (strings != SIZE_MAX && versions != SIZE_MAX)
        read_versions(image, versions, n_versions, strings, names->versions);
}

static void read_image(struct image *image, struct cf_elf_names *names)
{
    ElfW(Phdr) segment;

    if (take(image, 0, &image->header, sizeof image->header) != 0 ||
        memcmp(image->header.e_ident, ELFMAG, SELFMAG) != 0 ||
        image->header.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
        image->header.e_phentsize != sizeof segment)
        return;
    for (int i = 0; i < image->header.e_phnum; ++i)
        if (segment_at(image, i, &segment) == 0 && segment.p_type == PT_DYNAMIC)
            read_dynamic(image, &segment, names);
}

void cf_elf_names(const char *path, struct cf_elf_names *names)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct image image = {.n = 0};
    struct stat status;
    void *bytes = MAP_FAILED;

    *names = (struct cf_elf_names){.soname = ""};
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes != MAP_FAILED) {
        image.bytes = bytes;
        image.n = (size_t)status.st_size;
        read_image(&image, names);
        munmap(bytes, image.n);
    }
    if (fd >= 0)
        close(fd);
}
