/* philox_words: Philox4x32-10 (philox.h) and its streams as code that C, C++ and CUDA devices
 * share, so that a device draws what the CPU draws, bit for bit, on any grid: a word depends on
 * (seed, stream, its number) alone, never on the thread that computes it. Integers only; the two
 * conversions to floats are exact. Included by philox.c; the one header besides kernel.h that
 * device code may include. */
#ifndef CF_PHILOX_WORDS_H
#define CF_PHILOX_WORDS_H

#include <stdint.h>

#ifdef __CUDACC__
#define CF_SHARED static inline __host__ __device__
#else
#define CF_SHARED static inline
#endif

CF_SHARED void cf_philox_words(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
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

/* Both words of block `block` of a stream: words 2 block and 2 block + 1. */
CF_SHARED void cf_stream_words(uint64_t seed, uint32_t stream, uint64_t block, uint64_t word[2])
{
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), stream, 0};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t out[4];

    cf_philox_words(out, counter, key);
    word[0] = (uint64_t)out[1] << 32 | out[0];
    word[1] = (uint64_t)out[3] << 32 | out[2];
}

/* In [0, 1): the top 24 or 53 bits of a word, without rounding. */
CF_SHARED float cf_word_f32(uint64_t word)
{
    return (float)(word >> 40) * (1.0f / 16777216.0f);
}
CF_SHARED double cf_word_f64(uint64_t word)
{
    return (double)(word >> 11) * (1.0 / 9007199254740992.0);
}

/* Is an element dropped that is dropped with the probability `numerator` / 2^32? No float decides.
 */
CF_SHARED int cf_word_drops(uint64_t word, uint32_t numerator)
{
    return (uint32_t)(word >> 32) < numerator;
}

/* What thread `thread` of `n_threads` writes of out[0 .. n-1] = words first .. first + n - 1 of a
 * stream: blocks are dealt out in turn, and every thread skips what is outside. All threads
 * together write every word once, for any number of threads. first is even. */
CF_SHARED void cf_stream_share(uint64_t seed, uint32_t stream, uint64_t first, uint64_t out[],
                               int64_t n, int64_t thread, int64_t n_threads)
{
    const int64_t n_blocks = n / 2 + n % 2;

    for (int64_t i = thread; i < n_blocks; i += n_threads) {
        uint64_t word[2];

        cf_stream_words(seed, stream, first / 2 + (uint64_t)i, word);
        out[2 * i] = word[0];
        if (2 * i + 1 < n)
            out[2 * i + 1] = word[1];
    }
}

#endif
