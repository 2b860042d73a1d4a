/* conv: convolutions of the plain backend. x [n,c,h,w], w [k,c/groups,r,s], y [n,k,p,q].
 *
 * An order of a classical convolution is a sequence of taps: every element adds its terms in that
 * sequence, starting from +0, and skips the taps that fall into the padding. For the forward way a
 * tap is (channel of the group, r, s); for backward data (filter of the group, r, s); for backward
 * filter (n, p, q). 16-bit operands are widened to f32 first; the sums and the output are f32.
 *
 * layout=nhwc: the operands are copied into [n,h,w,c], [k,r,s,c/groups], [n,p,q,k], computed there,
 * and the output is copied back. */
#ifndef CF_PLAIN_CONV_H
#define CF_PLAIN_CONV_H

#include "plain.h"

struct cf_plain_tap {
    int64_t channel, r, s;
};

/* The four strides of a tensor in the order of its dims. */
struct cf_plain_strides {
    int64_t at[4];
};

/* One call: operands of one type in their layout. out is zeroed. */
#define CF_PLAIN_CONV(real, suffix)                                                                \
    struct cf_plain_conv_##suffix {                                                                \
        struct cf_window g;                                                                        \
        struct cf_plain_strides xs, ws, ys;                                                        \
        const real *x, *w, *y; /* the two that the way reads; the third is NULL */                 \
        real *out;                                                                                 \
        const struct cf_plain_tap *taps; /* n_taps; in the order under test */                     \
        int64_t n_taps;                                                                            \
        int fused; /* every step is one fma */                                                     \
    };
CF_PLAIN_CONV(float, f32)
CF_PLAIN_CONV(double, f64)

/* Fills taps[0 .. channels * r * s - 1]. */
struct cf_plain_sequence {
    void (*fill)(struct cf_plain_tap *taps, enum cf_way way, int64_t channels, int64_t r,
                 int64_t s);
    int fused;
};

enum cf_status cf_plain_convolve(enum cf_way way, const struct cf_plain_sequence *sequence,
                                 struct cf_library *library, const struct cf_pairs *attributes,
                                 const struct cf_tensor in[], struct cf_tensor out[]);

/* First and one-past-last q whose tap s is in range. */
static inline int64_t cf_plain_first(const struct cf_window *g, int64_t s)
{
    const int64_t short_of = g->pad - s * g->dilation;

    return short_of > 0 ? (short_of + g->stride - 1) / g->stride : 0;
}
static inline int64_t cf_plain_last(const struct cf_window *g, int64_t s, int64_t extent,
                                    int64_t outputs)
{
    const int64_t room = extent - 1 + g->pad - s * g->dilation;
    const int64_t last = room < 0 ? 0 : room / g->stride + 1;

    return last < outputs ? last : outputs;
}

#endif
