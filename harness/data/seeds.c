#include "seeds.h"

#include <math.h>

#include "error.h"

const char *cf_purpose_name(int purpose)
{
    static const char *const names[] = {"init", "shuffle", "dropout", "augment", "sampling"};

    return names[purpose];
}

/* The top bit keeps them apart from the streams of fills and permutations. */
struct cf_stream cf_seeds_stream(const struct cf_seeds *seeds, enum cf_purpose purpose,
                                 int64_t epoch)
{
    CF_CHECK(epoch >= 0 && epoch < 1 << 24);
    return (struct cf_stream){seeds->seed[purpose],
                              0x80000000u | (uint32_t)purpose << 24 | (uint32_t)epoch};
}

double cf_seeds_centred(const struct cf_stream *stream, uint64_t i)
{
    return ldexp((double)(int64_t)(cf_stream_word(stream, i) >> 11), -52) - 1;
}

int cf_seeds_keep(const struct cf_stream *stream, uint64_t i, int percent)
{
    const uint64_t part = cf_stream_word(stream, i / 4) >> 16 * (i % 4) & 0xffff;

    return part * 100 >= (uint64_t)percent << 16;
}
