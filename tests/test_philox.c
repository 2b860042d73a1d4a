/* philox: the published known answers, and what streams promise. */
#include <criterion/criterion.h>

#include "philox.h"
#include "philox_words.h"

struct row {
    uint32_t counter[4], key[2], answer[4];
};

/* Random123 1.x, kat_vectors, philox4x32 10 rounds. */
static const struct row rows[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};

Test(philox, gives_the_published_answers)
{
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; ++r) {
        uint32_t out[4];

        cf_philox(out, rows[r].counter, rows[r].key);
        for (int i = 0; i < 4; ++i)
            cr_expect_eq(out[i], rows[r].answer[i], "row %zu word %d: %08x", r, i, out[i]);
    }
}

Test(philox, permutations_are_permutations)
{
    for (int64_t n = 0; n < 70; ++n) {
        int64_t order[70], seen[70] = {0};

        cf_stream_permutation(&(struct cf_stream){7, 3}, order, n);
        for (int64_t i = 0; i < n; ++i) {
            cr_assert(order[i] >= 0 && order[i] < n);
            ++seen[order[i]];
        }
        for (int64_t i = 0; i < n; ++i)
            cr_expect_eq(seen[i], 1, "n = %ld: %ld occurs %ld times", (long)n, (long)i,
                         (long)seen[i]);
    }
}

Test(philox, below_is_without_visible_bias)
{
    int count[5] = {0};

    for (uint64_t i = 0; i < 50000; ++i)
        ++count[cf_stream_below(&(struct cf_stream){1, 2}, i, 5)];
    for (int k = 0; k < 5; ++k) /* 10000 expected, standard deviation 89: six of them */
        cr_expect(abs(count[k] - 10000) < 540, "%d occurs %d times", k, count[k]);
}

Test(philox, streams_differ)
{
    const struct cf_stream a = {1, 0}, b = {1, 1}, c = {2, 0};
    int equal = 0;

    for (uint64_t i = 0; i < 1000; ++i)
        equal += cf_stream_word(&a, i) == cf_stream_word(&b, i) ||
                 cf_stream_word(&a, i) == cf_stream_word(&c, i);
    cr_expect_eq(equal, 0);
}

/* What a device draws: every thread of a grid its share, in any order of threads. */
Test(philox, any_grid_draws_the_same_words)
{
    static const int64_t grids[] = {1, 2, 3, 7, 32, 33, 256, 1000, 5000},
                         lengths[] = {0, 1, 2, 777, 1024};
    static uint64_t out[1026];

    for (size_t g = 0; g < sizeof grids / sizeof grids[0]; ++g)
        for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; ++l) {
            const int64_t n = lengths[l], n_threads = grids[g];
            const uint64_t first = 1ull << 33; /* the upper half of the counter too */

            for (int64_t i = 0; i < 1026; ++i)
                out[i] = 0xabad1deaabad1deaull;
            for (int64_t t = n_threads - 1; t >= 0; --t)
                cf_stream_share(7, 3, first, out, n, t, n_threads);
            for (int64_t i = 0; i < n; ++i)
                cr_assert_eq(out[i], cf_stream_word(&(struct cf_stream){7, 3}, first + (uint64_t)i),
                             "%lld threads, word %lld of %lld", (long long)n_threads, (long long)i,
                             (long long)n);
            cr_assert_eq(out[n], 0xabad1deaabad1deaull, "a word past the end is written");
        }
}

Test(philox, floats_of_words_are_exact)
{
    cr_expect_eq(cf_word_f32(0), 0);
    cr_expect_eq(cf_word_f32(UINT64_MAX), 0x1.fffffep-1f);
    cr_expect_eq(cf_word_f64(UINT64_MAX), 0x1.fffffffffffffp-1);
    cr_expect_eq(cf_word_f64(1ull << 63), 0.5);
    cr_expect(cf_word_drops(0, 1) && !cf_word_drops(1ull << 32, 1) && !cf_word_drops(0, 0));
}
