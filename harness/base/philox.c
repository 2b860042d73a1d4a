#include "philox.h"

void cf_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t a = counter[0], b = counter[1], c = counter[2], d = counter[3];
    uint32_t k0 = key[0], k1 = key[1];

    for (int round = 0; round < 10; ++round) {
        const uint64_t p = (uint64_t)0xD2511F53u * a, q = (uint64_t)0xCD9E8D57u * c;

        a = (uint32_t)(q >> 32) ^ b ^ k0;
        b = (uint32_t)q;
        c = (uint32_t)(p >> 32) ^ d ^ k1;
        d = (uint32_t)p;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = a;
    out[1] = b;
    out[2] = c;
    out[3] = d;
}

void cf_stream_block(const struct cf_stream *stream, uint64_t block, uint64_t word[2])
{
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), stream->stream, 0};
    const uint32_t key[2] = {(uint32_t)stream->seed, (uint32_t)(stream->seed >> 32)};
    uint32_t out[4];

    cf_philox(out, counter, key);
    word[0] = (uint64_t)out[1] << 32 | out[0];
    word[1] = (uint64_t)out[3] << 32 | out[2];
}

uint64_t cf_stream_word(const struct cf_stream *stream, uint64_t i)
{
    uint64_t word[2];

    cf_stream_block(stream, i >> 1, word);
    return word[i & 1];
}

uint64_t cf_stream_below(const struct cf_stream *stream, uint64_t i, uint64_t n)
{
    const uint64_t limit = UINT64_MAX - UINT64_MAX % n; /* a multiple of n */
    uint64_t word = cf_stream_word(stream, i);

    while (word >= limit)
        word = cf_stream_word(stream, i += 1000003);
    return word % n;
}

void cf_stream_permutation(const struct cf_stream *stream, int64_t *order, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        order[i] = i;
    for (int64_t i = n - 1; i > 0; --i) {
        const int64_t j = (int64_t)cf_stream_below(stream, (uint64_t)i, (uint64_t)i + 1);
        const int64_t swap = order[i];

        order[i] = order[j];
        order[j] = swap;
    }
}
