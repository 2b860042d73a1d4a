/* support_pool: the windows of pooling. x: [n,c,h,w]; y: [n,c,p,q], windows as in support_conv.h.
 */
#ifndef CF_SUPPORT_POOL_H
#define CF_SUPPORT_POOL_H

#include "support_conv.h"

#define CF_POOL_DIMS "n c h w r s"

/* f32 and f64 only. `backward`: in[0] = x, in[1] = dy (max) or in[0] = dy (average), out = dx. */
int cf_pool_shape(struct cf_conv *g, const struct cf_case *c, struct cf_error *err);
/* The keys, then n and c from the first operand. */
void cf_pool_geometry(struct cf_conv *g, const struct cf_case *c, const struct cf_tensor in[]);

/* Flat indices of the pixels of x under output i, in row-major order; at most r * s. */
int64_t cf_pool_pixels(const struct cf_conv *g, int64_t i, int64_t *pixels);
/* Flat indices of the outputs whose windows hold pixel i, in row-major order; at most r * s. */
int64_t cf_pool_windows(const struct cf_conv *g, int64_t i, int64_t *windows);

/* cf_op.terms: how many pixels an output has, and how many windows a pixel is in. */
int64_t cf_pool_pixels_terms(const struct cf_case *c, int o, int64_t i);
int64_t cf_pool_windows_terms(const struct cf_case *c, int o, int64_t i);

#endif
