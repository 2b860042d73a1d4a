/* window: what the kernels of convolution and pooling share: reading the geometry, and convolution
 * by im2col over any gemm. Part of kernel.h.
 *
 * x [n,c,h,w], w [k,c/groups,r,s], y [n,k,p,q]; y[n,k,p,q] = sum over c, r, s of
 * x[n, c, p stride - pad + r dilation, q stride - pad + s dilation] w[k,c,r,s]. fwd reads x, w and
 * writes y; bwd_data reads dy, w and writes dx; bwd_filter reads x, dy and writes dw. Operands come
 * dense in this order whatever the layout; nhwc asks the kernel to compute in that layout. 16-bit
 * operands have f32 outputs. */
#ifndef CF_WINDOW_H
#define CF_WINDOW_H

#include <stdint.h>

enum cf_way { CF_FWD, CF_BWD_DATA, CF_BWD_FILTER };

struct cf_window {
    int64_t n, c, h, w, k, r, s, p, q, stride, pad, dilation, groups;
    int nhwc;
};

struct cf_kernel;
struct cf_library;
struct cf_pairs;
struct cf_tensor;

/* CF_UNSUPPORTED (non-zero) when types or shapes do not fit each other; else CF_DONE. */
int cf_window_read(struct cf_window *g, enum cf_way way, const struct cf_pairs *attributes,
                   const struct cf_tensor in[], const struct cf_tensor out[]);
/* The same for pooling: image [n,c,h,w] and pooled [n,c,p,q]; r and s are attributes; k = groups =
 * c.
 */
int cf_window_read_pool(struct cf_window *g, const struct cf_pairs *attributes,
                        const struct cf_tensor *image, const struct cf_tensor *pooled);

/* Input row under output p and tap r, or -1. */
static inline int64_t cf_window_row(const struct cf_window *g, int64_t p, int64_t r, int64_t extent)
{
    const int64_t h = p * g->stride - g->pad + r * g->dilation;

    return h >= 0 && h < extent ? h : -1;
}

/* Convolution as one product of matrices a group of an image, by the backend's own gemm kernel:
 *   fwd         y = w [k][c r s] * columns [c r s][p q]
 *   bwd_data    columns = transposed w [c r s][k] * dy [k][p q]; dx sums its columns over r, then s
 *   bwd_filter  dw = sum over n, in order, of dy [k][p q] * transposed columns [p q][c r s]
 * columns hold x under each tap, and zeros in the padding (Chellapilla, Puri and Simard, High
 * performance convolutional neural networks for document processing, 2006, section 2.1). Only nchw.
 * Returns an enum cf_status. */
int cf_im2col(enum cf_way way, const struct cf_kernel *gemm, struct cf_library *library,
              const struct cf_pairs *attributes, const struct cf_tensor in[],
              struct cf_tensor out[]);

#endif
