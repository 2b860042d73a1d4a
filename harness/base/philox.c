#include "philox.h"

#include "philox_words.h"

void cf_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    cf_philox_words(out, counter, key);
}

void cf_stream_block(const struct cf_stream *stream, uint64_t block, uint64_t word[2])
{
    cf_stream_words(stream->seed, stream->stream, block, word);
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
