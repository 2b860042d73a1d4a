/* md5: RFC 1321 (1992), because DVC names data by it. It is no protection against anybody: locks
 * compare SHA-256. */
#ifndef CF_MD5_H
#define CF_MD5_H

#include <stddef.h>
#include <stdint.h>

struct cf_md5 {
    uint32_t state[4], sine[64];
    uint64_t n_bytes;
    unsigned char block[64];
};

void cf_md5_init(struct cf_md5 *md5);
void cf_md5_add(struct cf_md5 *md5, const void *bytes, size_t n_bytes);
void cf_md5_end(struct cf_md5 *md5, char text[33]); /* lower-case hexadecimal */

#endif
