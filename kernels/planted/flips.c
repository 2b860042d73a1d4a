/* flips: dot x, y [m,n] -> [m], f32, term after term, and then one bit of one output turns over, as
 * in a register that a particle hit: kernel=flipped-BIT, 0 .. 22 of the significand, 23 .. 30 of
 * the exponent, 31 the sign. The output is that in the middle. */
#include "planted.h"

#include <stdlib.h>
#include <string.h>

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[])
{
    const char *digits = strchr(cf_opened()->kernel ? cf_opened()->kernel : "", '-');
    const int bit = digits ? atoi(digits + 1) : 32;
    uint32_t bits;

    (void)library;
    (void)attributes;
    if (bit < 0 || bit > 31 || in[0].dtype != CF_F32 || in[1].dtype != CF_F32 || in[0].rank != 2)
        return CF_UNSUPPORTED;
    for (int64_t i = 0; i < in[0].dim[0]; ++i) {
        float sum = 0;

        for (int64_t l = 0; l < in[0].dim[1]; ++l)
            sum += ((const float *)in[0].bits)[i * in[0].dim[1] + l] *
                   ((const float *)in[1].bits)[i * in[0].dim[1] + l];
        memcpy(&bits, &sum, sizeof bits);
        bits ^= i == in[0].dim[0] / 2 ? UINT32_C(1) << bit : 0;
        memcpy((float *)out[0].bits + i, &bits, sizeof bits);
    }
    return CF_DONE;
}

#define FLIP(bit)                                                                                  \
    {                                                                                              \
        .op = "dot", .name = "flipped-" #bit, .backend = &cf_backend_planted, .run = run           \
    }

extern const struct cf_kernel cf_kernels_planted_flips[];
const struct cf_kernel cf_kernels_planted_flips[] = {
    FLIP(0),  FLIP(1),  FLIP(2),  FLIP(3),  FLIP(4),  FLIP(5),     FLIP(6),  FLIP(7),  FLIP(8),
    FLIP(9),  FLIP(10), FLIP(11), FLIP(12), FLIP(13), FLIP(14),    FLIP(15), FLIP(16), FLIP(17),
    FLIP(18), FLIP(19), FLIP(20), FLIP(21), FLIP(22), FLIP(23),    FLIP(24), FLIP(25), FLIP(26),
    FLIP(27), FLIP(28), FLIP(29), FLIP(30), FLIP(31), {.op = NULL}};
