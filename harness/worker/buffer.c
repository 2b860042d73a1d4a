#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#define GUARD      4096
#define PAGE       4096
#define GUARD_BYTE 0xC5

static const uint64_t poison[CF_N_DTYPES] = {
    [CF_F64] = 0x7ffcc0f0a5a5c0f1, [CF_F32] = 0x7fecc0f1, [CF_F16] = 0x7ef1, [CF_BF16] = 0x7fe1,
    [CF_I64] = 0x8001c0f0a5a5c0f1, [CF_I32] = 0x8001c0f1, [CF_U8] = 0xa5};

int cf_buffer_take(struct cf_buffer *buffer, size_t n_bytes, size_t align)
{
    const size_t around = GUARD + align + GUARD + PAGE;
    const size_t need = (n_bytes + around) / PAGE * PAGE;

    if (n_bytes > SIZE_MAX / 2 || align > SIZE_MAX / 4)
        return -1;
    if (need > buffer->capacity) {
        free(buffer->memory);
        buffer->memory = aligned_alloc(PAGE, need);
        buffer->capacity = buffer->memory ? need : 0;
    }
    if (!buffer->memory)
        return -1;
    buffer->data = buffer->memory + GUARD + align;
    buffer->n_bytes = n_bytes;
    memset(buffer->memory, GUARD_BYTE, GUARD + align);
    memset(buffer->data + n_bytes, GUARD_BYTE, GUARD);
    return 0;
}

void cf_buffer_free(struct cf_buffer *buffer)
{
    free(buffer->memory);
    *buffer = (struct cf_buffer){0};
}

/* All bytes equal the first when each equals its neighbour. */
static int intact(const char *zone, size_t n_bytes)
{
    return (unsigned char)zone[0] == GUARD_BYTE && memcmp(zone, zone + 1, n_bytes - 1) == 0;
}

const char *cf_buffer_damage(const struct cf_buffer *buffer)
{
    if (!intact(buffer->memory, (size_t)(buffer->data - buffer->memory)))
        return "before the start";
    if (!intact(buffer->data + buffer->n_bytes, GUARD))
        return "past the end";
    return NULL;
}

void cf_poison(struct cf_tensor *tensor)
{
    const size_t size = cf_dtype_size(tensor->dtype), n_bytes = cf_tensor_bytes(tensor);
    char *bytes = tensor->bits;

    if (n_bytes == 0)
        return;
    memcpy(bytes, &poison[tensor->dtype], size); /* little-endian: the low bytes come first */
    for (size_t done = size; done < n_bytes;) {
        const size_t more = done < n_bytes - done ? done : n_bytes - done;

        memcpy(bytes + done, bytes, more);
        done += more;
    }
}

/* The size is a constant in each use, so that the comparison is one instruction. */
static inline int64_t count(const char *bytes, int64_t n, size_t size, uint64_t pattern)
{
    int64_t found = 0;

    for (int64_t i = 0; i < n; ++i)
        found += memcmp(bytes + (size_t)i * size, &pattern, size) == 0;
    return found;
}

int64_t cf_poison_survivors(const struct cf_tensor *tensor)
{
    const int64_t n = cf_tensor_count(tensor);

    switch (cf_dtype_size(tensor->dtype)) {
    case 8:
        return count(tensor->bits, n, 8, poison[tensor->dtype]);
    case 4:
        return count(tensor->bits, n, 4, poison[tensor->dtype]);
    case 2:
        return count(tensor->bits, n, 2, poison[tensor->dtype]);
    default:
        return 0;
    }
}
