#include "safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEADER_MAX (1u << 20)
#define DATA_ALIGN 64

static const char *const dtypes[CF_N_DTYPES] = {"F64", "F32", "F16", "BF16", "I64", "I32", "U8"};

/* A tensor of the header: where its bytes are. */
struct span {
    uint64_t begin, end;
    int entry;
};

static int find_dtype(const char *name, enum cf_dtype *dtype)
{
    for (int i = 0; name && i < CF_N_DTYPES; ++i)
        if (strcmp(dtypes[i], name) == 0) {
            *dtype = (enum cf_dtype)i;
            return 0;
        }
    return -1;
}

/* Shape into the tensor; *n_bytes is what it needs. -1: no shape, or too large to count. */
static int take_shape(struct cf_tensor *tensor, const json_t *shape, uint64_t *n_bytes)
{
    const size_t rank = json_array_size(shape);

    if (!json_is_array(shape) || rank > CF_RANK_MAX)
        return -1;
    tensor->rank = (int)rank;
    *n_bytes = cf_dtype_size(tensor->dtype);
    for (size_t i = 0; i < rank; ++i) {
        const json_t *dim = json_array_get(shape, i);

        if (!json_is_integer(dim) || json_integer_value(dim) < 0)
            return -1;
        tensor->dim[i] = json_integer_value(dim);
        if (__builtin_mul_overflow(*n_bytes, (uint64_t)tensor->dim[i], n_bytes) ||
            *n_bytes > INT64_MAX)
            return -1;
    }
    return 0;
}

static int take_offsets(struct span *span, const json_t *offsets)
{
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);

    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
        json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin))
        return -1;
    span->begin = (uint64_t)json_integer_value(begin);
    span->end = (uint64_t)json_integer_value(end);
    return 0;
}

static int take_tensor(struct cf_named_tensor *entry, struct span *span, const char *name,
                       const json_t *json, const char *path, struct cf_error *err)
{
    uint64_t n_bytes;

    *entry = (struct cf_named_tensor){{0}, {0}};
    if (strlen(name) >= sizeof entry->name)
        return cf_fail(err, "%s: the tensor name `%.40s...` is longer than %d bytes", path, name,
                       (int)sizeof entry->name - 1);
    memcpy(entry->name, name, strlen(name) + 1);
    if (find_dtype(json_string_value(json_object_get(json, "dtype")), &entry->tensor.dtype) != 0)
        return cf_fail(err, "%s: the tensor `%s` has no known dtype", path, name);
    if (take_shape(&entry->tensor, json_object_get(json, "shape"), &n_bytes) != 0)
        return cf_fail(err, "%s: the shape of `%s` is no list of at most %d counts, or overflows",
                       path, name, CF_RANK_MAX);
    if (take_offsets(span, json_object_get(json, "data_offsets")) != 0)
        return cf_fail(err, "%s: the data_offsets of `%s` are no rising pair", path, name);
    if (span->end - span->begin != n_bytes)
        return cf_fail(err, "%s: `%s` needs %llu bytes and its data_offsets span %llu", path, name,
                       (unsigned long long)n_bytes, (unsigned long long)(span->end - span->begin));
    return 0;
}

static int by_offset(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

/* The spans must tile the data exactly: no hole, no overlap, nothing after the last. */
static int check_tiling(struct span spans[], int n, uint64_t n_data, const char *path,
                        struct cf_error *err)
{
    uint64_t at = 0;

    qsort(spans, (size_t)n, sizeof spans[0], by_offset);
    for (int i = 0; i < n; ++i) {
        if (spans[i].begin != at)
            return cf_fail(err, "%s: the tensors %s at byte %llu of the data", path,
                           spans[i].begin > at ? "leave a hole" : "overlap",
                           (unsigned long long)at);
        at = spans[i].end;
    }
    if (at != n_data)
        return cf_fail(err, "%s: the tensors need %llu bytes and the file holds %llu", path,
                       (unsigned long long)at, (unsigned long long)n_data);
    return 0;
}

/* Points a tensor at its bytes, or at an aligned copy of them. */
static int place(struct cf_safetensors *file, int i, const char *bytes, uint64_t n_bytes,
                 struct cf_error *err)
{
    struct cf_tensor *tensor = &file->entry[i].tensor;

    tensor->bits = (void *)(uintptr_t)bytes;
    if ((uintptr_t)bytes % cf_dtype_size(tensor->dtype) == 0)
        return 0;
    file->copy[i] = malloc(n_bytes + 1);
    if (!file->copy[i])
        return cf_fail_with(err, 3, "no memory for a tensor of %llu bytes",
                            (unsigned long long)n_bytes);
    tensor->bits = memcpy(file->copy[i], bytes, n_bytes);
    return 0;
}

static int take_header(struct cf_safetensors *file, json_t *header, uint64_t data_at,
                       const char *path, struct cf_error *err)
{
    struct cf_named_tensor entry[CF_SAFETENSORS_MAX];
    struct span spans[CF_SAFETENSORS_MAX];
    const char *name;
    json_t *json;
    int n = 0;

    json_object_foreach(header, name, json)
    {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        if (n == CF_SAFETENSORS_MAX)
            return cf_fail(err, "%s: more than %d tensors", path, CF_SAFETENSORS_MAX);
        if (take_tensor(&entry[n], &spans[n], name, json, path, err) != 0)
            return -1;
        spans[n].entry = n;
        ++n;
    }
    if (check_tiling(spans, n, file->n_bytes - data_at, path, err) != 0)
        return -1;
    for (file->n = 0; file->n < n; ++file->n) {
        const struct span *span = &spans[file->n];

        file->entry[file->n] = entry[span->entry];
        if (place(file, file->n, (const char *)file->map + data_at + span->begin,
                  span->end - span->begin, err) != 0)
            return -1;
    }
    return 0;
}

/* Everything that the file holds now, into memory of our own. 0, or -1 with errno. */
static int copy_file(struct cf_safetensors *file, int fd)
{
    size_t done = 0;
    ssize_t n = 1;

    file->map = malloc(file->n_bytes);
    while (file->map && n > 0 && done < file->n_bytes) {
        n = read(fd, (char *)file->map + done, file->n_bytes - done);
        done += n > 0 ? (size_t)n : 0;
    }
    file->is_copy = 1;
    if (file->map && n == 0)
        errno = ENODATA;
    return file->map && done == file->n_bytes ? 0 : -1;
}

static int map_file(struct cf_safetensors *file, int fd)
{
    file->map = mmap(NULL, file->n_bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (file->map != MAP_FAILED)
        return 0;
    file->map = NULL;
    return -1;
}

static int take_file(struct cf_safetensors *file, const char *path,
                     int (*take)(struct cf_safetensors *, int fd), struct cf_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    int result;

    if (fd < 0)
        return cf_fail_with(err, 3, "%s cannot be read: %s", path, strerror(errno));
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size < 8) {
        close(fd);
        return cf_fail(err, "%s is no file of at least 8 bytes", path);
    }
    file->n_bytes = (size_t)status.st_size;
    result = take(file, fd);
    if (result != 0)
        cf_fail_with(err, 3, "%s cannot be read: %s", path, strerror(errno));
    close(fd);
    return result;
}

static uint64_t little_endian(const unsigned char *bytes)
{
    uint64_t value = 0;

    for (int i = 7; i >= 0; --i)
        value = value << 8 | bytes[i];
    return value;
}

static int read_mapped(struct cf_safetensors *file, const char *path, struct cf_error *err)
{
    const uint64_t length = little_endian(file->map);
    json_t *header;
    int result;

    if (length > HEADER_MAX || length > file->n_bytes - 8)
        return cf_fail(err, "%s: a header of %llu bytes is longer than the file or than 1 MiB",
                       path, (unsigned long long)length);
    header = json_loadb((const char *)file->map + 8, length, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(header))
        result = cf_fail(err, "%s: the header is no JSON object with unique keys", path);
    else
        result = take_header(file, header, 8 + length, path, err);
    json_decref(header);
    return result;
}

static int open_by(struct cf_safetensors *file, const char *path,
                   int (*take)(struct cf_safetensors *, int fd), struct cf_error *err)
{
    *file = (struct cf_safetensors){0};
    if (take_file(file, path, take, err) == 0 && read_mapped(file, path, err) == 0)
        return 0;
    cf_safetensors_close(file);
    return -1;
}

int cf_safetensors_open(struct cf_safetensors *file, const char *path, struct cf_error *err)
{
    return open_by(file, path, map_file, err);
}

int cf_safetensors_read(struct cf_safetensors *file, const char *path, struct cf_error *err)
{
    return open_by(file, path, copy_file, err);
}

void cf_safetensors_close(struct cf_safetensors *file)
{
    for (int i = 0; i < CF_SAFETENSORS_MAX; ++i)
        free(file->copy[i]);
    if (file->is_copy)
        free(file->map);
    else if (file->map)
        munmap(file->map, file->n_bytes);
    *file = (struct cf_safetensors){0};
}

const struct cf_tensor *cf_safetensors_get(const struct cf_safetensors *file, const char *name)
{
    for (int i = 0; i < file->n; ++i)
        if (strcmp(file->entry[i].name, name) == 0)
            return &file->entry[i].tensor;
    return NULL;
}

static json_t *shape_of(const struct cf_tensor *tensor)
{
    json_t *shape = json_array();

    for (int i = 0; i < tensor->rank; ++i)
        json_array_append_new(shape, json_integer(tensor->dim[i]));
    return shape;
}

/* The header, its length before it, blanks behind it so that the data is aligned. The caller frees.
 */
static char *make_header(const struct cf_named_tensor tensors[], int n, size_t *n_bytes)
{
    json_t *header = json_object();
    json_int_t at = 0;
    char *text, *out;

    for (int i = 0; i < n; ++i) {
        const struct cf_tensor *tensor = &tensors[i].tensor;
        const json_int_t end = at + (json_int_t)cf_tensor_bytes(tensor);

        json_object_set_new(header, tensors[i].name,
                            json_pack("{s:s,s:o,s:[I,I]}", "dtype", dtypes[tensor->dtype], "shape",
                                      shape_of(tensor), "data_offsets", at, end));
        at = end;
    }
    text = json_dumps(header, JSON_COMPACT);
    json_decref(header);
    CF_CHECK(text != NULL);
    *n_bytes = (8 + strlen(text) + DATA_ALIGN - 1) / DATA_ALIGN * DATA_ALIGN;
    out = cf_alloc(*n_bytes);
    for (int i = 0; i < 8; ++i)
        out[i] = (char)((*n_bytes - 8) >> 8 * i & 0xff);
    memset(out + 8, ' ', *n_bytes - 8);
    memcpy(out + 8, text, strlen(text));
    free(text);
    return out;
}

/* Everything, over short writes. 0, or -1 with errno. */
static int write_all(int fd, struct iovec *part, int n)
{
    while (n > 0) {
        ssize_t written = writev(fd, part, n);

        if (written < 0 && errno != EINTR)
            return -1;
        while (n > 0 && written >= 0 && (size_t)written >= part->iov_len) {
            written -= (ssize_t)part->iov_len;
            ++part;
            --n;
        }
        if (n > 0 && written > 0) {
            part->iov_base = (char *)part->iov_base + written;
            part->iov_len -= (size_t)written;
        }
    }
    return 0;
}

static int write_file(const char *path, const struct cf_named_tensor tensors[], int n)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct iovec part[CF_SAFETENSORS_MAX + 1];
    char *header;
    int result;

    if (fd < 0)
        return -1;
    header = make_header(tensors, n, &part[0].iov_len);
    part[0].iov_base = header;
    for (int i = 0; i < n; ++i)
        part[i + 1] = (struct iovec){tensors[i].tensor.bits, cf_tensor_bytes(&tensors[i].tensor)};
    result = write_all(fd, part, n + 1);
    free(header);
    return close(fd) == 0 ? result : -1;
}

int cf_safetensors_write(const char *path, const struct cf_named_tensor tensors[], int n,
                         struct cf_error *err)
{
    char *temporary = cf_format("%s.tmp", path);
    int result;

    CF_CHECK(n <= CF_SAFETENSORS_MAX);
    result = write_file(temporary, tensors, n);
    if (result == 0)
        result = rename(temporary, path);
    if (result != 0) {
        cf_fail_with(err, 3, "%s cannot be written: %s", path, strerror(errno));
        unlink(temporary);
    }
    free(temporary);
    return result;
}
