#include <stdlib.h>
#include <string.h>

#include "cudnn.h"

#define OPERANDS 8

int cf_cudnn_layout(const struct cf_library *library, const struct cf_pairs *attributes)
{
    const char *layout = cf_pairs_get(attributes, "layout");

    if (cf_gpu_flag(library->keys, "nhwc", 0) != 0 || (layout && strcmp(layout, "nhwc") == 0))
        return 1;
    return !layout || strcmp(layout, "nchw") == 0 ? 0 : -1;
}

/* [a,b,c,d] to [a,c,d,b], or back. */
static void permute(void *to, const void *from, const struct cf_tensor *t, int back)
{
    const size_t size = cf_dtype_size(t->dtype);
    const int64_t inner = t->dim[2] * t->dim[3];

    for (int64_t a = 0; a < t->dim[0]; ++a)
        for (int64_t b = 0; b < t->dim[1]; ++b)
            for (int64_t i = 0; i < inner; ++i) {
                const size_t plain = (size_t)((a * t->dim[1] + b) * inner + i) * size;
                const size_t last = (size_t)((a * inner + i) * t->dim[1] + b) * size;

                memcpy((char *)to + (back ? plain : last),
                       (const char *)from + (back ? last : plain), size);
            }
}

/* A copy with the second dim last, where there are four; else the operand itself. */
static struct cf_tensor permuted(const struct cf_tensor *t, int *status)
{
    struct cf_tensor copy = *t;

    if (t->rank != 4)
        return copy;
    copy.bits = malloc(cf_tensor_bytes(t) + 1);
    if (copy.bits)
        permute(copy.bits, t->bits, t, 0);
    else
        *status = CF_NO_MEMORY;
    return copy;
}

int cf_cudnn_call(struct cf_library *library, int nhwc, const struct cf_tensor in[], int n_in,
                  struct cf_tensor out[], int n_out,
                  int (*body)(void *context, const struct cf_gpu_buffer *operand), void *context)
{
    struct cf_tensor copy[OPERANDS];
    int status = CF_DONE;

    if (!nhwc)
        return cf_gpu_call(&library->gpu, in, n_in, out, n_out, body, context);
    CF_CHECK(n_in + n_out <= OPERANDS);
    cf_chose("layout", "nhwc");
    for (int i = 0; i < n_in + n_out; ++i)
        copy[i] = permuted(i < n_in ? &in[i] : &out[i - n_in], &status);
    if (status == CF_DONE)
        status = cf_gpu_call(&library->gpu, copy, n_in, copy + n_in, n_out, body, context);
    for (int i = 0; i < n_in + n_out; ++i) {
        const struct cf_tensor *t = i < n_in ? &in[i] : &out[i - n_in];

        if (i >= n_in && status == CF_DONE && t->rank == 4)
            permute(t->bits, copy[i].bits, t, 1);
        if (t->rank == 4)
            free(copy[i].bits);
    }
    return status;
}
