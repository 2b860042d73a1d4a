#include "md5.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Section 3.4: the amounts of the rotations, four a round. */
static const unsigned char amount[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

/* F, G, H and I of section 3.4, by round. */
static uint32_t mix(int round, uint32_t b, uint32_t c, uint32_t d)
{
    if (round == 0)
        return (b & c) | (~b & d);
    if (round == 1)
        return (b & d) | (c & ~d);
    return round == 2 ? b ^ c ^ d : c ^ (b | ~d);
}

static void add_block(struct cf_md5 *md5)
{
    const unsigned char *block = md5->block;
    uint32_t *state = md5->state;
    static const int first[4] = {0, 1, 5, 0}, step[4] = {1, 5, 3, 7};
    uint32_t x[16], a = state[0], b = state[1], c = state[2], d = state[3];

    for (int i = 0; i < 16; ++i)
        x[i] = (uint32_t)block[4 * i] | (uint32_t)block[4 * i + 1] << 8 |
               (uint32_t)block[4 * i + 2] << 16 | (uint32_t)block[4 * i + 3] << 24;
    for (int i = 0; i < 64; ++i) {
        const int round = i / 16;
        const uint32_t sum = a + mix(round, b, c, d) +
                             x[(first[round] + step[round] * (i % 16)) % 16] + md5->sine[i];

        a = d;
        d = c;
        c = b;
        b += rotate(sum, amount[round][i % 4]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

void cf_md5_init(struct cf_md5 *md5)
{
    *md5 = (struct cf_md5){.state = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u}};
    for (int i = 0; i < 64; ++i)
        md5->sine[i] = (uint32_t)(int64_t)floor(4294967296.0 * fabs(sin(i + 1.0)));
}

void cf_md5_add(struct cf_md5 *md5, const void *bytes, size_t n_bytes)
{
    const unsigned char *at = bytes;

    while (n_bytes > 0) {
        const size_t held = md5->n_bytes % 64, room = 64 - held,
                     n = n_bytes < room ? n_bytes : room;

        memcpy(md5->block + held, at, n);
        md5->n_bytes += n;
        at += n;
        n_bytes -= n;
        if (md5->n_bytes % 64 == 0)
            add_block(md5);
    }
}

void cf_md5_end(struct cf_md5 *md5, char text[33])
{
    static const unsigned char padding[64] = {0x80};
    const uint64_t n_bits = md5->n_bytes * 8;
    unsigned char length[8];

    for (int i = 0; i < 8; ++i)
        length[i] = (unsigned char)(n_bits >> 8 * i);
    cf_md5_add(md5, padding, 1 + (119 - md5->n_bytes % 64) % 64);
    cf_md5_add(md5, length, sizeof length);
    for (int i = 0; i < 16; ++i)
        snprintf(text + 2 * i, 3, "%02x", md5->state[i / 4] >> 8 * (i % 4) & 0xff);
}
