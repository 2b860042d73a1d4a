/* buffer: memory for one operand, kept between requests, with guard zones before and behind it. */
#ifndef CF_BUFFER_H
#define CF_BUFFER_H

#include "tensor.h"

struct cf_buffer {
    char *memory; /* owned */
    size_t capacity;
    char *data; /* `align` bytes past a 4096-byte boundary */
    size_t n_bytes;
};

/* Makes room for n_bytes and sets the guard zones; what data held is lost. -1: no memory. */
int cf_buffer_take(struct cf_buffer *buffer, size_t n_bytes, size_t align);
void cf_buffer_free(struct cf_buffer *buffer);

/* NULL when both guard zones are untouched, else "before the start" or "past the end". */
const char *cf_buffer_damage(const struct cf_buffer *buffer);

/* Fills a tensor with an encoding that no computation gives: a quiet NaN with a payload of our own,
 * or an odd large integer. */
void cf_poison(struct cf_tensor *tensor);
/* Elements that still hold it. An answer of type u8 may hold any value by right: 0. */
int64_t cf_poison_survivors(const struct cf_tensor *tensor);

#endif
