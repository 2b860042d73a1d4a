#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "archive.h"

#define END_SIZE     22
#define CENTRAL_SIZE 46
#define LOCAL_SIZE   30

struct reading {
    struct cf_unpacking out;
    const unsigned char *bytes;
    size_t n_bytes;
};

static unsigned two(const unsigned char *at)
{
    return (unsigned)at[0] | (unsigned)at[1] << 8;
}

static uint32_t four(const unsigned char *at)
{
    return two(at) | (uint32_t)two(at + 2) << 16;
}

/* The end record: the last thing in the file, before a comment of at most 65,535 bytes. */
static const unsigned char *find_end(const struct reading *r)
{
    for (size_t back = END_SIZE; back <= r->n_bytes && back <= END_SIZE + 65535; ++back) {
        const unsigned char *at = r->bytes + r->n_bytes - back;

        if (four(at) == 0x06054b50 && two(at + 20) == back - END_SIZE)
            return at;
    }
    return NULL;
}

/* Exactly `size` bytes, or NULL. The caller frees. */
static void *inflate_all(const unsigned char *from, size_t n, size_t size)
{
    unsigned char *to = cf_alloc(size + 1);
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)from,
                       .avail_in = (unsigned)n,
                       .next_out = to,
                       .avail_out = (unsigned)size};
    int ok = inflateInit2(&stream, -MAX_WBITS) == Z_OK;

    if (ok) {
        ok = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_out == size;
        inflateEnd(&stream);
    }
    if (ok)
        return to;
    free(to);
    return NULL;
}

static int write_member(struct reading *r, const char *name, const unsigned char *entry,
                        const unsigned char *data)
{
    const size_t packed = four(entry + 20), size = four(entry + 24);
    const unsigned mode = four(entry + 38) >> 16;
    unsigned char *own = NULL;
    int result;

    if (two(entry + 10) == 8)
        data = own = inflate_all(data, packed, size);
    else if (two(entry + 10) != 0 || packed != size)
        data = NULL;
    if (!data || crc32(crc32(0, NULL, 0), data, (unsigned)size) != four(entry + 16))
        result = cf_unpacking_refuse(&r->out, name, "is damaged or packed in an unknown way");
    else
        result = cf_unpacking_file(&r->out, name, mode & 07777, data, size);
    free(own);
    return result;
}

static int take_member(struct reading *r, const unsigned char *entry)
{
    const size_t packed = four(entry + 20), size = four(entry + 24), local = four(entry + 42);
    const unsigned n_name = two(entry + 28), mode = four(entry + 38) >> 16;
    char *name = strndup((const char *)entry + CENTRAL_SIZE, n_name);
    size_t data;
    int result;

    if (strlen(name) != n_name || (mode & S_IFMT && !S_ISREG(mode) && !S_ISDIR(mode)))
        result = cf_unpacking_refuse(&r->out, name, "is neither a file nor a folder");
    else if (two(entry + 8) & 1 || packed == UINT32_MAX || size == UINT32_MAX)
        result = cf_unpacking_refuse(&r->out, name, "is encrypted or larger than 4 GiB");
    else if (n_name > 0 && name[n_name - 1] == '/')
        result = cf_unpacking_folder(&r->out, name, mode & 07777);
    else if (local + LOCAL_SIZE > r->n_bytes || four(r->bytes + local) != 0x04034b50 ||
             (data = local + LOCAL_SIZE + two(r->bytes + local + 26) + two(r->bytes + local + 28)) >
                 r->n_bytes ||
             packed > r->n_bytes - data)
        result = cf_unpacking_refuse(&r->out, name, "lies beyond the end of the file");
    else
        result = write_member(r, name, entry, r->bytes + data);
    free(name);
    return result;
}

static int take_all(struct reading *r, const unsigned char *end)
{
    size_t at = four(end + 16);

    for (unsigned i = 0; i < two(end + 10); ++i) {
        const unsigned char *entry = r->bytes + at;
        size_t length;

        if (at + CENTRAL_SIZE > r->n_bytes || four(entry) != 0x02014b50)
            return cf_fail_with(r->out.err, 3, "the archive's directory is damaged");
        length = CENTRAL_SIZE + (size_t)two(entry + 28) + two(entry + 30) + two(entry + 32);
        if (length > r->n_bytes - at)
            return cf_fail_with(r->out.err, 3, "the archive's directory is cut off");
        if (take_member(r, entry) != 0)
            return -1;
        at += length;
    }
    return 0;
}

int cf_archive_unzip(const void *bytes, size_t n_bytes, const char *folder, struct cf_error *err)
{
    struct reading r = {.bytes = bytes, .n_bytes = n_bytes};
    const unsigned char *end = find_end(&r);
    int result;

    if (!end)
        return cf_fail_with(err, 3, "the file is no zip archive");
    if (cf_unpacking_start(&r.out, folder, err) != 0)
        return -1;
    result = take_all(&r, end);
    cf_unpacking_stop(&r.out);
    return result;
}
