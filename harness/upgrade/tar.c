#include <stdlib.h>
#include <string.h>

#include "archive.h"

#define BLOCK 512

struct reading {
    struct cf_unpacking out;
    const char *bytes;
    size_t n_bytes, at;
    char *long_name, *long_link; /* of the member that follows */
};

/* Octal, or GNU's base 256. -1: neither. */
static long long number(const char *field, int size)
{
    long long value = 0;

    if ((unsigned char)field[0] & 0x80) {
        value = field[0] & 0x3f;
        for (int i = 1; i < size; ++i) {
            if (value >> 47)
                return -1;
            value = value << 8 | (unsigned char)field[i];
        }
        return value;
    }
    for (int i = 0; i < size && field[i] && field[i] != ' '; ++i) {
        if (field[i] < '0' || field[i] > '7')
            return -1;
        value = value << 3 | (field[i] - '0');
    }
    return value;
}

static int checksum_is_right(const char *header)
{
    long long sum = 0;

    for (int i = 0; i < BLOCK; ++i)
        sum += i >= 148 && i < 156 ? ' ' : (unsigned char)header[i];
    return number(header + 148 + strspn(header + 148, " "), 7) == sum;
}

static void put(char **to, const char *text, size_t n)
{
    free(*to);
    *to = strndup(text, n);
}

/* "LENGTH KEY=VALUE\n" again and again. */
static void take_pax(struct reading *r, const char *text, size_t n)
{
    static const char path[] = "path=", linkpath[] = "linkpath=";

    while (n > 0) {
        char *end;
        const size_t length = strtoul(text, &end, 10), head = (size_t)(end - text) + 1;

        if (length > n || head >= length || *end != ' ')
            return;
        if (length - head > sizeof path && memcmp(text + head, path, sizeof path - 1) == 0)
            put(&r->long_name, text + head + sizeof path - 1, length - head - sizeof path);
        if (length - head > sizeof linkpath &&
            memcmp(text + head, linkpath, sizeof linkpath - 1) == 0)
            put(&r->long_link, text + head + sizeof linkpath - 1, length - head - sizeof linkpath);
        text += length;
        n -= length;
    }
}

static char *name_of(struct reading *r, const char *header)
{
    const char *prefix = memcmp(header + 257, "ustar\0", 6) == 0 ? header + 345 : "";

    if (r->long_name)
        return cf_strdup(r->long_name);
    return *prefix ? cf_format("%.155s/%.100s", prefix, header) : cf_format("%.100s", header);
}

static int take_member(struct reading *r, const char *header, const char *data, size_t n)
{
    char *name = name_of(r, header), *link;
    const unsigned mode = (unsigned)number(header + 100, 8) & 07777;
    int result;

    link = r->long_link ? cf_strdup(r->long_link) : cf_format("%.100s", header + 157);
    switch (header[156]) {
    case '0':
    case '\0':
    case '7':
        result = cf_unpacking_file(&r->out, name, mode, data, n);
        break;
    case '1':
    case '2':
        result = cf_unpacking_link(&r->out, name, link, header[156] == '1');
        break;
    case '5':
        result = cf_unpacking_folder(&r->out, name, mode);
        break;
    default:
        result = cf_unpacking_refuse(&r->out, name, "is a device, a pipe or of an unknown kind");
    }
    free(r->long_name);
    free(r->long_link);
    r->long_name = r->long_link = NULL;
    free(name);
    free(link);
    return result;
}

/* 1: the end. */
static int take(struct reading *r)
{
    const char *header = r->bytes + r->at, *data = header + BLOCK;
    long long size;

    if (r->n_bytes - r->at < BLOCK || *header == '\0')
        return 1;
    size = number(header + 124, 12);
    if (!checksum_is_right(header) || size < 0 || (size_t)size > r->n_bytes - r->at - BLOCK)
        return cf_fail_with(r->out.err, 3, "the archive is damaged at byte %zu", r->at);
    r->at += BLOCK + ((size_t)size + BLOCK - 1) / BLOCK * BLOCK;
    r->at = r->at > r->n_bytes ? r->n_bytes : r->at;
    if (header[156] == 'L' || header[156] == 'K')
        put(header[156] == 'L' ? &r->long_name : &r->long_link, data, (size_t)size);
    else if (header[156] == 'x')
        take_pax(r, data, (size_t)size);
    else if (header[156] != 'g')
        return take_member(r, header, data, (size_t)size);
    return 0;
}

int cf_archive_untar(const void *bytes, size_t n_bytes, const char *folder, struct cf_error *err)
{
    struct reading r = {.bytes = bytes, .n_bytes = n_bytes};
    int result = cf_unpacking_start(&r.out, folder, err);

    if (result != 0)
        return -1;
    while (result == 0)
        result = take(&r);
    free(r.long_name);
    free(r.long_link);
    cf_unpacking_stop(&r.out);
    return result < 0 ? -1 : 0;
}
