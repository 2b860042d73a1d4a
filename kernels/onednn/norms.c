/* norms: oneDNN's batch norm of [n,c,h,w] and layer norm of [n,c], f32, with scale and shift. The
 * backward primitives take mean and variance from the forward one, which runs first. */
#include "onednn.h"

#include <stdlib.h>

/* The float nearest to 1e-5: what the definition adds to the variance. */
#define EPSILON 0x1.4f8b58p-17f

enum { SCALE = 51, SHIFT = 52, DIFF_SCALE = 255, DIFF_SHIFT = 256 };
enum kind { BATCH, LAYER };

typedef int batch_2(void *op, int prop, const void *x, float epsilon, unsigned flags);
typedef int batch_back_2(void *op, int prop, const void *dx, const void *x, float epsilon,
                         unsigned flags);
typedef int batch_3(void **pd, void *engine, int prop, const void *x, const void *y, float epsilon,
                    unsigned flags, const void *attributes);
typedef int batch_back_3(void **pd, void *engine, int prop, const void *dx, const void *dy,
                         const void *x, float epsilon, unsigned flags, const void *hint,
                         const void *attributes);
typedef int layer_2(void *op, int prop, const void *x, const void *statistics, float epsilon,
                    unsigned flags);
typedef int layer_back_2(void *op, int prop, const void *dx, const void *x, const void *statistics,
                         float epsilon, unsigned flags);
typedef int layer_3(void **pd, void *engine, int prop, const void *x, const void *y,
                    const void *statistics, float epsilon, unsigned flags, const void *attributes);
typedef int layer_back_3(void **pd, void *engine, int prop, const void *dx, const void *dy,
                         const void *x, const void *statistics, float epsilon, unsigned flags,
                         const void *hint, const void *attributes);

static const char *const symbols[2][2][2] = {
    [BATCH] = {{"dnnl_batch_normalization_forward_desc_init",
                "dnnl_batch_normalization_backward_desc_init"},
               {"dnnl_batch_normalization_forward_primitive_desc_create",
                "dnnl_batch_normalization_backward_primitive_desc_create"}},
    [LAYER] = {{"dnnl_layer_normalization_forward_desc_init",
                "dnnl_layer_normalization_backward_desc_init"},
               {"dnnl_layer_normalization_forward_primitive_desc_create",
                "dnnl_layer_normalization_backward_primitive_desc_create"}}};

struct problem {
    enum kind kind;
    int backward;
    struct cf_onednn_md x, statistics, gamma; /* as the primitive sees them */
    struct cf_onednn_md user;                 /* x in nchw */
    float *mean, *variance;
    void *hint;
};

static int make_2(cf_onednn_function *f, const struct problem *p, char op[])
{
    const void *x = cf_onednn_md_at(&p->x), *statistics = cf_onednn_md_at(&p->statistics);
    const unsigned flags = 8 | 16; /* dnnl_use_scale, dnnl_use_shift of version 2 */

    if (p->kind == BATCH)
        return p->backward ? ((batch_back_2 *)f)(op, CF_ONEDNN_BACKWARD, x, x, EPSILON, flags)
                           : ((batch_2 *)f)(op, CF_ONEDNN_FORWARD_TRAINING, x, EPSILON, flags);
    return p->backward
               ? ((layer_back_2 *)f)(op, CF_ONEDNN_BACKWARD, x, x, statistics, EPSILON, flags)
               : ((layer_2 *)f)(op, CF_ONEDNN_FORWARD_TRAINING, x, statistics, EPSILON, flags);
}

static int make_3(struct cf_library *library, cf_onednn_function *f, const struct problem *p,
                  void **pd)
{
    const void *x = cf_onednn_md_at(&p->x), *statistics = cf_onednn_md_at(&p->statistics);
    void *engine = library->engine, *attributes = library->attributes;
    const unsigned flags = 2 | 4; /* the same of version 3 */

    if (p->kind == BATCH)
        return p->backward ? ((batch_back_3 *)f)(pd, engine, CF_ONEDNN_BACKWARD, x, x, x, EPSILON,
                                                 flags, p->hint, attributes)
                           : ((batch_3 *)f)(pd, engine, CF_ONEDNN_FORWARD_TRAINING, x, x, EPSILON,
                                            flags, attributes);
    return p->backward ? ((layer_back_3 *)f)(pd, engine, CF_ONEDNN_BACKWARD, x, x, x, statistics,
                                             EPSILON, flags, p->hint, attributes)
                       : ((layer_3 *)f)(pd, engine, CF_ONEDNN_FORWARD_TRAINING, x, x, statistics,
                                        EPSILON, flags, attributes);
}

static int make(struct cf_library *library, const void *context, char op[], void **pd)
{
    const struct problem *p = context;
    cf_onednn_function *f = cf_onednn_find(library, symbols[p->kind][op == NULL][p->backward]);

    if (!f)
        return -1;
    return op ? make_2(f, p, op) : make_3(library, f, p, pd);
}

static void *describe(struct cf_library *library, struct problem *p, int backward)
{
    const struct cf_onednn_description what = {make, p, {0}, p->hint};

    p->backward = backward;
    return cf_onednn_describe(library, &what);
}

/* in: x, gamma, beta. Fills mean and variance. */
static enum cf_status forward(struct cf_library *library, const struct problem *p, const void *x,
                              const void *gamma, const void *beta, void *y)
{
    const struct cf_onednn_operand operands[] = {
        {CF_ONEDNN_SRC, CF_ONEDNN_QUERY_SRC, 0, &p->user, (void *)(uintptr_t)x, NULL},
        {SCALE, 0, 0, &p->gamma, (void *)(uintptr_t)gamma, NULL},
        {SHIFT, 0, 0, &p->gamma, (void *)(uintptr_t)beta, NULL},
        {CF_ONEDNN_MEAN, 0, 1, &p->statistics, p->mean, NULL},
        {CF_ONEDNN_VARIANCE, 0, 1, &p->statistics, p->variance, NULL},
        {CF_ONEDNN_DST, CF_ONEDNN_QUERY_DST, 1, &p->user, y, NULL}};

    return cf_onednn_execute(library, p->hint, 6, operands);
}

/* in: x, gamma, dy; out: dx, dgamma, dbeta. The forward pass uses gamma for beta, and dx for y:
 * neither touches mean and variance. */
static enum cf_status backward(struct cf_library *library, struct problem *p,
                               const struct cf_tensor in[], struct cf_tensor out[])
{
    enum cf_status status = forward(library, p, in[0].bits, in[1].bits, in[1].bits, out[0].bits);
    void *pd = status == CF_DONE ? describe(library, p, 1) : NULL;

    if (status != CF_DONE)
        return status;
    if (!pd)
        return CF_UNSUPPORTED;
    /* The shift is never read; layer norm asks for it, batch norm of version 3 refuses it. */
    const int asks = p->kind == LAYER || library->api.version()->major == 2;
    const struct cf_onednn_operand operands[] = {
        {CF_ONEDNN_SRC, CF_ONEDNN_QUERY_SRC, 0, &p->user, in[0].bits, NULL},
        {CF_ONEDNN_MEAN, 0, 0, &p->statistics, p->mean, NULL},
        {CF_ONEDNN_VARIANCE, 0, 0, &p->statistics, p->variance, NULL},
        {SCALE, 0, 0, &p->gamma, in[1].bits, NULL},
        {CF_ONEDNN_DIFF_DST, CF_ONEDNN_QUERY_DIFF_DST, 0, &p->user, in[2].bits, NULL},
        {CF_ONEDNN_DIFF_SRC, CF_ONEDNN_QUERY_DIFF_SRC, 1, &p->user, out[0].bits, NULL},
        {DIFF_SCALE, 0, 1, &p->gamma, out[1].bits, NULL},
        {DIFF_SHIFT, 0, 1, &p->gamma, out[2].bits, NULL},
        {SHIFT, 0, 0, &p->gamma, in[1].bits, NULL}};
    status = cf_onednn_execute(library, pd, 8 + asks, operands);
    library->api.pd_destroy(pd);
    return status;
}

static int start(struct cf_library *library, struct problem *p, const struct cf_tensor in[],
                 int nhwc)
{
    const struct cf_tensor statistics = {
        .dtype = CF_F32, .rank = 1, .dim = {in[0].dim[p->kind == BATCH]}};

    p->mean = malloc(cf_tensor_bytes(&statistics) + 1);
    p->variance = malloc(cf_tensor_bytes(&statistics) + 1);
    return p->mean && p->variance && cf_onednn_tensor_md(library, &p->x, &in[0], nhwc) == 0 &&
           cf_onednn_tensor_md(library, &p->user, &in[0], 0) == 0 &&
           cf_onednn_tensor_md(library, &p->gamma, &in[1], 0) == 0 &&
           cf_onednn_tensor_md(library, &p->statistics, &statistics, 0) == 0;
}

static void stop(struct cf_library *library, struct problem *p)
{
    if (p->hint)
        library->api.pd_destroy(p->hint);
    cf_onednn_md_free(library, &p->x);
    cf_onednn_md_free(library, &p->user);
    cf_onednn_md_free(library, &p->gamma);
    cf_onednn_md_free(library, &p->statistics);
    free(p->mean);
    free(p->variance);
}

static enum cf_status run(enum kind kind, int is_backward, struct cf_library *library,
                          const struct cf_pairs *attributes, const struct cf_tensor in[],
                          struct cf_tensor out[])
{
    struct problem p = {.kind = kind};
    enum cf_status status = CF_UNSUPPORTED;
    int nhwc;

    if (!cf_onednn_takes(attributes, in, 3, &nhwc) || in[0].rank != (kind == BATCH ? 4 : 2))
        return CF_UNSUPPORTED;
    if (cf_tensor_count(&in[0]) == 0)
        return cf_onednn_zero(out, is_backward ? 3 : 1);
    if (start(library, &p, in, nhwc))
        p.hint = describe(library, &p, 0);
    if (p.hint)
        status = is_backward
                     ? backward(library, &p, in, out)
                     : forward(library, &p, in[0].bits, in[1].bits, in[2].bits, out[0].bits);
    stop(library, &p);
    return status;
}

#define RUN(op, kind, is_backward)                                                                 \
    static enum cf_status op(struct cf_library *library, const struct cf_pairs *attributes,        \
                             const struct cf_tensor in[], struct cf_tensor out[])                  \
    {                                                                                              \
        return run(kind, is_backward, library, attributes, in, out);                               \
    }
RUN(batchnorm_fwd, BATCH, 0)
RUN(batchnorm_bwd, BATCH, 1)
RUN(layernorm_fwd, LAYER, 0)
RUN(layernorm_bwd, LAYER, 1)

#define ENTRY(op_)                                                                                 \
    {                                                                                              \
        .op = #op_, .name = "direct", .backend = &cf_backend_onednn, .run = op_                    \
    }

extern const struct cf_kernel cf_kernels_onednn_norms[];
const struct cf_kernel cf_kernels_onednn_norms[] = {ENTRY(batchnorm_fwd),
                                                    ENTRY(batchnorm_bwd),
                                                    ENTRY(layernorm_fwd),
                                                    ENTRY(layernorm_bwd),
                                                    {.op = NULL}};
