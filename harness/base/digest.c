#include "record.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

void cf_digest_of(struct cf_digest *digest, const void *bytes, uint64_t n_bytes)
{
    XXH128_canonical_t canonical;

    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, n_bytes));
    memcpy(digest->byte, canonical.digest, sizeof digest->byte);
}

void cf_digest_print(char text[33], const struct cf_digest *digest)
{
    for (int i = 0; i < 16; ++i)
        snprintf(text + 2 * i, 3, "%02x", digest->byte[i]);
}

int cf_digest_equal(const struct cf_digest *a, const struct cf_digest *b)
{
    return memcmp(a->byte, b->byte, sizeof a->byte) == 0;
}
