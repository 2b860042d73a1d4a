/* primitives: what the files of layers (pooling, norms, softmax, ...) share. Their order is
 * `forward`: every sum adds its terms from the first to the last in row-major order, starting from
 * +0, and rounds each step. Only nchw. */
#ifndef CF_PLAIN_PRIMITIVES_H
#define CF_PLAIN_PRIMITIVES_H

#include <string.h>

#include "plain.h"

/* The float nearest to 1e-5: what batch and layer norm add to the variance, for every type. */
#define CF_PLAIN_EPSILON 0x1.4f8b58p-17

static inline int cf_plain_is_nchw(const struct cf_pairs *attributes)
{
    const char *layout = cf_pairs_get(attributes, "layout");

    return !layout || strcmp(layout, "nchw") == 0;
}

/* f32 or f64, the same for all, and nchw. */
static inline int cf_plain_takes(const struct cf_pairs *attributes, const struct cf_tensor in[],
                                 int n_in, const struct cf_tensor out[], int n_out)
{
    for (int i = 0; i < n_in; ++i)
        if (in[i].dtype != in[0].dtype)
            return 0;
    for (int i = 0; i < n_out; ++i)
        if (out[i].dtype != in[0].dtype)
            return 0;
    return (in[0].dtype == CF_F32 || in[0].dtype == CF_F64) && cf_plain_is_nchw(attributes);
}

/* A run of one op by its typed body; n_in and n_out tensors. The body returns an enum cf_status. */
#define CF_PLAIN_LAYER(op, n_in, n_out)                                                            \
    static enum cf_status run_##op(struct cf_library *library, const struct cf_pairs *attributes,  \
                                   const struct cf_tensor in[], struct cf_tensor out[])            \
    {                                                                                              \
        (void)library;                                                                             \
        if (!cf_plain_takes(attributes, in, n_in, out, n_out))                                     \
            return CF_UNSUPPORTED;                                                                 \
        return in[0].dtype == CF_F64 ? op##_f64(attributes, in, out)                               \
                                     : op##_f32(attributes, in, out);                              \
    }

/* forward and canon. */
#define CF_PLAIN_BOTH(op) CF_PLAIN_ENTRY(op, forward), CF_PLAIN_ENTRY(op, canon)

#endif
