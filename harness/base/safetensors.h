/* safetensors: tensors in a file: the length of a JSON header as 8 little-endian bytes, the header
 * {name: {dtype, shape, data_offsets}, "__metadata__": ...}, raw bytes. The format is that of
 * Hugging Face's safetensors 0.4; a file that another program wrote is hostile until it is read. */
#ifndef CF_SAFETENSORS_H
#define CF_SAFETENSORS_H

#include "tensor.h"

#define CF_SAFETENSORS_MAX 16

struct cf_named_tensor {
    char name[32];
    struct cf_tensor tensor;
};

/* Tensors in the order of their bytes. Their bits lie in the mapped file, or in a copy when the
 * file does not align them to their element size; never to be written. */
struct cf_safetensors {
    int n;
    struct cf_named_tensor entry[CF_SAFETENSORS_MAX];
    void *map; /* the file; NULL: nothing is open */
    size_t n_bytes;
    int is_copy;                    /* map is memory of our own */
    void *copy[CF_SAFETENSORS_MAX]; /* NULL where the bits lie in the map */
};

/* Refuses with a sentence and -1: no regular file; a header longer than the file or than 1 MiB,
 * that is no JSON object, names a key twice, an unknown type, too many tensors or dims; offsets
 * that overlap, leave a hole or bytes at the end, or do not fit shape and type. */
int cf_safetensors_open(struct cf_safetensors *file, const char *path, struct cf_error *err);
/* The same over a copy of the file, which another process may cut off while it is read. */
int cf_safetensors_read(struct cf_safetensors *file, const char *path, struct cf_error *err);
void cf_safetensors_close(struct cf_safetensors *file);

/* The tensor of that name or NULL. It lives until the file is closed. */
const struct cf_tensor *cf_safetensors_get(const struct cf_safetensors *file, const char *name);

/* Writes PATH.tmp and renames it to PATH: there is never half a file under the final name. Not
 * synchronised: meant for the process next door, not for a reboot. -1 and a sentence on failure,
 * with nothing left behind. */
int cf_safetensors_write(const char *path, const struct cf_named_tensor tensors[], int n,
                         struct cf_error *err);

#endif
