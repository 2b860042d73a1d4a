/* support_conv: what the references of convolution and pooling share. Tensors are dense and in the
 * order [n, c, h, w], [k, c / groups, r, s], [n, k, p, q], whatever layout= says: layout is how a
 * kernel holds them while it computes, so that elements of one index have one meaning.
 *
 * y[n,k,p,q] = sum over c, r, s of x[n, c, p stride - pad + r dilation, q stride - pad + s
 * dilation]
 * * w[k,c,r,s], over the channels c of k's group and the taps in range. Cross-correlation, as in
 * Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, section 2; the two
 * backward operations are its adjoints in x and in w. A product of a tap with padding is no term:
 * it counts neither in the value (0 * Inf) nor in the bound. */
#ifndef CF_SUPPORT_CONV_H
#define CF_SUPPORT_CONV_H

#include "reference.h"

/* c and k count all groups. For pooling k = c, groups = c. */
struct cf_conv {
    int64_t n, c, h, w, k, r, s, p, q, stride, pad, dilation, groups;
};

enum cf_conv_way { CF_CONV_FWD, CF_CONV_BWD_DATA, CF_CONV_BWD_FILTER };

#define CF_CONV_DIMS    "n c h w k r s"
#define CF_CONV_OPTIONS "stride=1 pad=0 dilation=1 groups=1 layout=nchw"

/* From the keys of the case. -1 and a sentence when a dim is zero (n may be), when groups does not
 * divide c and k, or when the filter does not fit into the padded image. */
int cf_conv_read(struct cf_conv *g, const struct cf_case *c, struct cf_error *err);
/* The same for pooling, whose dims are n c h w r s; every window must hold a pixel. */
int cf_conv_read_pool(struct cf_conv *g, const struct cf_case *c, struct cf_error *err);
/* Refuses the variants of a channel axis (keys, ended by NULL) when there are groups. */
int cf_conv_check_channels(const struct cf_conv *g, const struct cf_case *c,
                           const char *const variants[], struct cf_error *err);
/* The keys, then n, c and k from the operands: one image or one channel alone (a variant) is
 * computed as it stands. */
void cf_conv_geometry(struct cf_conv *g, const struct cf_case *c, const struct cf_tensor in[],
                      enum cf_conv_way way);

/* x, w and y of a geometry; outputs of 16-bit cases are f32, the type of the sums. */
void cf_conv_shape_x(const struct cf_conv *g, enum cf_dtype dtype, struct cf_tensor *x);
void cf_conv_shape_w(const struct cf_conv *g, enum cf_dtype dtype, struct cf_tensor *w);
void cf_conv_shape_y(const struct cf_conv *g, enum cf_dtype dtype, struct cf_tensor *y);
enum cf_dtype cf_conv_output_type(enum cf_dtype dtype);

/* The row (or column) of the image under output p and tap r, or -1 in the padding. */
int64_t cf_conv_row(const struct cf_conv *g, int64_t p, int64_t r, int64_t extent);
/* The output whose tap r lies on row h, or -1. `extent` is the number of outputs. */
int64_t cf_conv_back(const struct cf_conv *g, int64_t h, int64_t r, int64_t extent);

/* The terms of output element i: ia[t] and ib[t] are flat indices into the first and second
 * operand, t = 0 .. the number returned - 1, at most cf_conv_most_taps. Both NULL: only counts. */
int64_t cf_conv_taps(const struct cf_conv *g, enum cf_conv_way way, int64_t i, int64_t *ia,
                     int64_t *ib);
int64_t cf_conv_most_taps(const struct cf_conv *g, enum cf_conv_way way);

/* The three ways: by MPFR, one element; exactly and fast, all of them; the number of terms. */
void cf_conv_element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                     const struct cf_tensor in[], enum cf_conv_way way, int64_t i);
void cf_conv_fast(struct cf_truth truth[], const struct cf_case *c, const struct cf_tensor in[],
                  enum cf_conv_way way, int threads);
int64_t cf_conv_terms(const struct cf_case *c, enum cf_conv_way way, int64_t i);

/* Defines cf_op.element, fast, terms and places of one way. */
#define CF_CONV_FUNCTIONS(WAY)                                                                     \
    static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,                       \
                        const struct cf_tensor in[], int o, int64_t i)                             \
    {                                                                                              \
        (void)o;                                                                                   \
        cf_conv_element(exact, scale, c, in, WAY, i);                                              \
    }                                                                                              \
    static void fast(struct cf_truth truth[], const struct cf_case *c,                             \
                     const struct cf_tensor in[], int o, int threads)                              \
    {                                                                                              \
        (void)o;                                                                                   \
        cf_conv_fast(truth, c, in, WAY, threads);                                                  \
    }                                                                                              \
    static int64_t terms(const struct cf_case *c, int o, int64_t i)                                \
    {                                                                                              \
        (void)o;                                                                                   \
        return cf_conv_terms(c, WAY, i);                                                           \
    }                                                                                              \
    static void places(const struct cf_case *c, const struct cf_tensor in[], int64_t i,            \
                       int64_t first[], int64_t second[])                                          \
    {                                                                                              \
        struct cf_conv g;                                                                          \
                                                                                                   \
        cf_conv_geometry(&g, c, in, WAY);                                                          \
        cf_conv_taps(&g, WAY, i, first, second);                                                   \
    }

#endif
