/* direct: convolutions by their definition, y = sum of x w, in three orders of the taps. A name
 * says the forward order, slowest first; the backward ways have its like:
 *
 *   name                fwd            bwd_data       bwd_filter
 *   direct-crs          c r s          k r s          n p q
 *   direct-rsc          r s c          r s k          p q n
 *   direct-crs-fma, direct-rsc-fma         the same, every step one fma
 *   direct-c16rsc-fma   c/16 r s c%16  k/16 r s k%16  n p q       every step one fma
 *
 *   canon               a permutation of the taps that depends on their number alone, as in canon.c
 *
 * The first is how the definition is read, the second how NHWC libraries run. A matrix product
 * whose kernel is one chain of fma in the order of its k dim gives the bits of direct-crs-fma under
 * im2col; a blocked convolution those of direct-rsc-fma or of direct-c16rsc-fma. */
#include "conv.h"

static void fill_crs(struct cf_plain_tap *taps, enum cf_way way, int64_t channels, int64_t r,
                     int64_t s)
{
    (void)way;
    for (int64_t t = 0; t < channels * r * s; ++t)
        taps[t] = (struct cf_plain_tap){t / s / r, t / s % r, t % s};
}

static void fill_rsc(struct cf_plain_tap *taps, enum cf_way way, int64_t channels, int64_t r,
                     int64_t s)
{
    (void)way;
    for (int64_t t = 0; t < channels * r * s; ++t)
        taps[t] = (struct cf_plain_tap){t % channels, t / channels / s, t / channels % s};
}

static void fill_c16rsc(struct cf_plain_tap *taps, enum cf_way way, int64_t channels, int64_t r,
                        int64_t s)
{
    int64_t t = 0;

    if (way == CF_BWD_FILTER) {
        fill_crs(taps, way, channels, r, s);
        return;
    }
    for (int64_t block = 0; block < channels; block += 16)
        for (int64_t rs = 0; rs < r * s; ++rs)
            for (int64_t c = block; c < channels && c < block + 16; ++c)
                taps[t++] = (struct cf_plain_tap){c, rs / s, rs % s};
}

/* Never to change, as canon.c's. */
static void fill_canon(struct cf_plain_tap *taps, enum cf_way way, int64_t channels, int64_t r,
                       int64_t s)
{
    const int64_t n = channels * r * s;
    const struct cf_stream stream = {.seed = (uint64_t)n, .stream = 0x63616e6f};

    fill_crs(taps, way, channels, r, s);
    for (int64_t i = n - 1; i > 0; --i) {
        const int64_t j = (int64_t)cf_stream_below(&stream, (uint64_t)i, (uint64_t)i + 1);
        const struct cf_plain_tap swap = taps[i];

        taps[i] = taps[j];
        taps[j] = swap;
    }
}

static const struct cf_plain_sequence canon = {fill_canon, 0};
static const struct cf_plain_sequence crs = {fill_crs, 0}, rsc = {fill_rsc, 0};
static const struct cf_plain_sequence crs_fma = {fill_crs, 1}, rsc_fma = {fill_rsc, 1};
static const struct cf_plain_sequence c16rsc = {fill_c16rsc, 1};

#define RUN(way, WAY, order)                                                                       \
    static enum cf_status way##_##order(struct cf_library *library,                                \
                                        const struct cf_pairs *attributes,                         \
                                        const struct cf_tensor in[], struct cf_tensor out[])       \
    {                                                                                              \
        return cf_plain_convolve(WAY, &order, library, attributes, in, out);                       \
    }
#define RUNS(order)                                                                                \
    RUN(fwd, CF_FWD, order)                                                                        \
    RUN(bwd_data, CF_BWD_DATA, order)                                                              \
    RUN(bwd_filter, CF_BWD_FILTER, order)
RUNS(crs)
RUNS(rsc)
RUNS(crs_fma)
RUNS(rsc_fma)
RUNS(c16rsc)
RUNS(canon)

#define ENTRY(way, order, name_)                                                                   \
    {                                                                                              \
        .op = "conv2d_" #way, .name = name_, .backend = &cf_backend_plain, .run = way##_##order    \
    }
#define ENTRIES(order, name)                                                                       \
    ENTRY(fwd, order, name), ENTRY(bwd_data, order, name), ENTRY(bwd_filter, order, name)

extern const struct cf_kernel cf_kernels_plain_direct[];
const struct cf_kernel cf_kernels_plain_direct[] = {ENTRIES(crs, "direct-crs"),
                                                    ENTRIES(rsc, "direct-rsc"),
                                                    ENTRIES(crs_fma, "direct-crs-fma"),
                                                    ENTRIES(rsc_fma, "direct-rsc-fma"),
                                                    ENTRIES(c16rsc, "direct-c16rsc-fma"),
                                                    ENTRIES(canon, "canon"),
                                                    {.op = NULL}};
