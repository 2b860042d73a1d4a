/* philox: Philox4x32-10, a counter-based generator: any word of any stream without the words before
 * it, so the same numbers for any number of workers, on any machine. Salmon, Moraes, Dror and Shaw,
 * "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3; known answers in
 * tests/test_philox.c are those of the authors' Random123 distribution. */
#ifndef CF_PHILOX_H
#define CF_PHILOX_H

#include <stdint.h>

void cf_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/* A stream: 2^64 blocks of two 64-bit words. Purposes are told apart by `stream`. */
struct cf_stream {
    uint64_t seed;
    uint32_t stream;
};

/* Word i of the stream: word i & 1 of block i >> 1, with counter {block low, block high, stream, 0}
 * and key {seed low, seed high}. */
uint64_t cf_stream_word(const struct cf_stream *stream, uint64_t i);

/* Both words of a block, for the price of one. */
void cf_stream_block(const struct cf_stream *stream, uint64_t block, uint64_t word[2]);

/* An integer in 0 .. n-1 from words i, i+1000003, ... by rejection: without bias. n >= 1. */
uint64_t cf_stream_below(const struct cf_stream *stream, uint64_t i, uint64_t n);

/* order[0..n-1] becomes a permutation of 0..n-1 (Fisher-Yates from the top). */
void cf_stream_permutation(const struct cf_stream *stream, int64_t *order, int64_t n);

#endif
