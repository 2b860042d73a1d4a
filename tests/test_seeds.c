/* seeds: streams of their own, numbers known without those before them, pinned answers. */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "seeds.h"

static const struct cf_seeds ones = {{1, 1, 1, 1, 1}};

Test(seeds, purposes_and_epochs_have_streams_of_their_own)
{
    uint64_t seen[CF_N_PURPOSES * 3];
    int n = 0;

    for (int p = 0; p < CF_N_PURPOSES; ++p)
        for (int64_t epoch = 0; epoch < 3; ++epoch) {
            const struct cf_stream s = cf_seeds_stream(&ones, (enum cf_purpose)p, epoch);

            seen[n] = cf_stream_word(&s, 0);
            for (int i = 0; i < n; ++i)
                cr_expect_neq(seen[i], seen[n], "%s epoch %ld", cf_purpose_name(p), (long)epoch);
            ++n;
        }
}

Test(seeds, releasing_one_purpose_leaves_the_others)
{
    struct cf_seeds released = ones;

    released.seed[CF_DROPOUT] = 2;
    for (int p = 0; p < CF_N_PURPOSES; ++p) {
        const struct cf_stream a = cf_seeds_stream(&ones, (enum cf_purpose)p, 0);
        const struct cf_stream b = cf_seeds_stream(&released, (enum cf_purpose)p, 0);

        cr_expect_eq(cf_stream_word(&a, 7) == cf_stream_word(&b, 7), p != CF_DROPOUT, "%s",
                     cf_purpose_name(p));
    }
}

/* Philox4x32-10 by its definition, written again with 64-bit words only: a second opinion on the
 * stream that initialises weights. */
static uint64_t second_opinion(uint64_t seed, uint32_t stream, uint64_t i)
{
    uint64_t c[4] = {(uint32_t)(i / 2), i / 2 >> 32, stream, 0};
    uint64_t k[2] = {(uint32_t)seed, seed >> 32};
    const uint64_t mask = 0xffffffff;

    for (int round = 0; round < 10; ++round) {
        const uint64_t p = 0xD2511F53 * c[0], q = 0xCD9E8D57 * c[2];
        const uint64_t next[4] = {q >> 32 ^ c[1] ^ k[0], q & mask, p >> 32 ^ c[3] ^ k[1], p & mask};

        memcpy(c, next, sizeof c);
        k[0] = (k[0] + 0x9E3779B9) & mask;
        k[1] = (k[1] + 0xBB67AE85) & mask;
    }
    return i % 2 ? c[3] << 32 | c[2] : c[1] << 32 | c[0];
}

Test(seeds, words_agree_with_a_second_implementation)
{
    const struct cf_seeds seeds = {{0x123456789abcdef0, 2, 3, 4, 5}};

    for (int p = 0; p < CF_N_PURPOSES; ++p) {
        const struct cf_stream s = cf_seeds_stream(&seeds, (enum cf_purpose)p, 9);

        for (uint64_t i = 0; i < 40; ++i)
            cr_expect_eq(cf_stream_word(&s, i * i * i),
                         second_opinion(seeds.seed[p], s.stream, i * i * i));
    }
}

Test(seeds, numbers_have_their_distributions)
{
    const struct cf_stream s = cf_seeds_stream(&ones, CF_DROPOUT, 0);
    const int n = 20000;
    double sum = 0, squares = 0;
    int kept = 0;

    for (int i = 0; i < n; ++i) {
        const double x = cf_seeds_centred(&s, (uint64_t)i);

        cr_assert(x >= -1 && x < 1);
        sum += x;
        squares += x * x;
        kept += cf_seeds_keep(&s, (uint64_t)i, 30);
    }
    /* five standard deviations: 1/sqrt(3n), sqrt(4/45/n), sqrt(.21/n) */
    cr_expect(fabs(sum / n) < 5 / sqrt(3.0 * n), "%a", sum / n);
    cr_expect(fabs(squares / n - 1.0 / 3) < 5 * sqrt(4.0 / 45 / n), "%a", squares / n);
    cr_expect(fabs((double)kept / n - 0.7) < 5 * sqrt(0.21 / n), "%d", kept);
}
