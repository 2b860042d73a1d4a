/* pooling: oneDNN's max and average pooling, f32. Max pooling backward runs the forward primitive
 * first, for its workspace remembers which pixel was taken. */
#include "onednn.h"

#include <stdlib.h>
#include <string.h>

enum { MAX = 0x1ff, AVERAGE_WINDOW = 0x2ff, AVERAGE_TAPS = 0x3ff };

typedef int forward_2(void *op, int prop, int algorithm, const void *x, const void *y,
                      const int64_t *strides, const int64_t *window, const int64_t *dilation,
                      const int64_t *low, const int64_t *high);
typedef int backward_2(void *op, int algorithm, const void *x, const void *y,
                       const int64_t *strides, const int64_t *window, const int64_t *dilation,
                       const int64_t *low, const int64_t *high);
typedef int forward_3(void **pd, void *engine, int prop, int algorithm, const void *x,
                      const void *y, const int64_t *strides, const int64_t *window,
                      const int64_t *dilation, const int64_t *low, const int64_t *high,
                      const void *attributes);
typedef int backward_3(void **pd, void *engine, int algorithm, const void *x, const void *y,
                       const int64_t *strides, const int64_t *window, const int64_t *dilation,
                       const int64_t *low, const int64_t *high, const void *hint,
                       const void *attributes);

static const char *const symbols[2][2] = {
    {"dnnl_pooling_v2_forward_desc_init", "dnnl_pooling_v2_backward_desc_init"},
    {"dnnl_pooling_forward_primitive_desc_create", "dnnl_pooling_backward_primitive_desc_create"}};

struct problem {
    struct cf_window g;
    int algorithm, backward;
    struct cf_onednn_md x, y; /* as the primitive sees them */
    void *hint;               /* of the backward one: the forward primitive descriptor */
};

static int make(struct cf_library *library, const void *context, char op[], void **pd)
{
    const struct problem *p = context;
    const struct cf_window *g = &p->g;
    const int64_t strides[] = {g->stride, g->stride}, window[] = {g->r, g->s};
    const int64_t dilation[] = {g->dilation - 1, g->dilation - 1}, pad[] = {g->pad, g->pad};
    const void *x = cf_onednn_md_at(&p->x), *y = cf_onednn_md_at(&p->y);
    cf_onednn_function *f = cf_onednn_find(library, symbols[op == NULL][p->backward]);

    if (!f)
        return -1;
    if (op && !p->backward)
        return ((forward_2 *)f)(op, CF_ONEDNN_FORWARD_TRAINING, p->algorithm, x, y, strides, window,
                                dilation, pad, pad);
    if (op)
        return ((backward_2 *)f)(op, p->algorithm, x, y, strides, window, dilation, pad, pad);
    if (!p->backward)
        return ((forward_3 *)f)(pd, library->engine, CF_ONEDNN_FORWARD_TRAINING, p->algorithm, x, y,
                                strides, window, dilation, pad, pad, library->attributes);
    return ((backward_3 *)f)(pd, library->engine, p->algorithm, x, y, strides, window, dilation,
                             pad, pad, p->hint, library->attributes);
}

static void *describe(struct cf_library *library, struct problem *p, int backward)
{
    const struct cf_onednn_description what = {make, p, {0}, p->hint};

    p->backward = backward;
    return cf_onednn_describe(library, &what);
}

/* The forward pass into `y`; max pooling fills *workspace, which the caller destroys. */
static enum cf_status forward(struct cf_library *library, void *pd, const struct problem *user,
                              const void *x, void *y, void **workspace)
{
    *workspace =
        user->algorithm == MAX ? cf_onednn_memory(library, pd, CF_ONEDNN_QUERY_WORKSPACE) : NULL;
    const struct cf_onednn_operand operands[] = {
        {CF_ONEDNN_SRC, CF_ONEDNN_QUERY_SRC, 0, &user->x, (void *)(uintptr_t)x, NULL},
        {CF_ONEDNN_DST, CF_ONEDNN_QUERY_DST, 1, &user->y, y, NULL},
        {CF_ONEDNN_WORKSPACE, 0, 0, NULL, NULL, *workspace}};

    return cf_onednn_execute(library, pd, *workspace ? 3 : 2, operands);
}

static enum cf_status backward(struct cf_library *library, struct problem *p,
                               const struct problem *user, const struct cf_tensor in[],
                               struct cf_tensor out[])
{
    const struct cf_tensor *dy = &in[p->algorithm == MAX];
    void *workspace = NULL, *y = NULL, *pd;
    enum cf_status status = CF_DONE;

    pd = describe(library, p, 1);
    if (!pd)
        return CF_UNSUPPORTED;
    if (p->algorithm == MAX) {
        y = malloc(cf_tensor_bytes(dy) + 1);
        status = y ? forward(library, p->hint, user, in[0].bits, y, &workspace) : CF_NO_MEMORY;
    }
    const struct cf_onednn_operand operands[] = {
        {CF_ONEDNN_DIFF_DST, CF_ONEDNN_QUERY_DIFF_DST, 0, &user->y, dy->bits, NULL},
        {CF_ONEDNN_DIFF_SRC, CF_ONEDNN_QUERY_DIFF_SRC, 1, &user->x, out[0].bits, NULL},
        {CF_ONEDNN_WORKSPACE, 0, 0, NULL, NULL, workspace}};
    if (status == CF_DONE)
        status = cf_onednn_execute(library, pd, workspace ? 3 : 2, operands);
    if (workspace)
        library->api.memory_destroy(workspace);
    library->api.pd_destroy(pd);
    free(y);
    return status;
}

static enum cf_status run(int algorithm, int is_backward, struct cf_library *library,
                          const struct cf_pairs *attributes, const struct cf_tensor in[],
                          struct cf_tensor out[])
{
    const int takes_x = algorithm == MAX || !is_backward;
    const struct cf_tensor *x = is_backward ? &out[0] : &in[0];
    const struct cf_tensor *y = is_backward ? &in[takes_x] : &out[0];
    const char *divisor = cf_pairs_get(attributes, "divisor");
    struct problem p = {.algorithm = algorithm}, user = {.algorithm = algorithm};
    enum cf_status status = CF_UNSUPPORTED;
    void *workspace = NULL;
    int nhwc;

    if (!cf_onednn_takes(attributes, in, 1 + (is_backward && takes_x), &nhwc) ||
        cf_window_read_pool(&p.g, attributes, x, y) != CF_DONE)
        return CF_UNSUPPORTED;
    if (cf_tensor_count(x) == 0)
        return CF_DONE;
    if (algorithm == AVERAGE_TAPS && divisor && strcmp(divisor, "window") == 0)
        p.algorithm = AVERAGE_WINDOW;
    if (cf_onednn_tensor_md(library, &p.x, x, nhwc) == 0 &&
        cf_onednn_tensor_md(library, &p.y, y, nhwc) == 0 &&
        cf_onednn_tensor_md(library, &user.x, x, 0) == 0 &&
        cf_onednn_tensor_md(library, &user.y, y, 0) == 0)
        p.hint = describe(library, &p, 0);
    if (p.hint) {
        status = is_backward ? backward(library, &p, &user, in, out)
                             : forward(library, p.hint, &user, in[0].bits, out[0].bits, &workspace);
        library->api.pd_destroy(p.hint);
    }
    if (workspace)
        library->api.memory_destroy(workspace);
    cf_onednn_md_free(library, &p.x);
    cf_onednn_md_free(library, &p.y);
    cf_onednn_md_free(library, &user.x);
    cf_onednn_md_free(library, &user.y);
    return status;
}

#define RUN(op, algorithm, is_backward)                                                            \
    static enum cf_status op(struct cf_library *library, const struct cf_pairs *attributes,        \
                             const struct cf_tensor in[], struct cf_tensor out[])                  \
    {                                                                                              \
        return run(algorithm, is_backward, library, attributes, in, out);                          \
    }
RUN(maxpool_fwd, MAX, 0)
RUN(maxpool_bwd, MAX, 1)
RUN(avgpool_fwd, AVERAGE_TAPS, 0)
RUN(avgpool_bwd, AVERAGE_TAPS, 1)

#define ENTRY(op_)                                                                                 \
    {                                                                                              \
        .op = #op_, .name = "direct", .backend = &cf_backend_onednn, .run = op_                    \
    }

extern const struct cf_kernel cf_kernels_onednn_pooling[];
const struct cf_kernel cf_kernels_onednn_pooling[] = {
    ENTRY(maxpool_fwd), ENTRY(maxpool_bwd), ENTRY(avgpool_fwd), ENTRY(avgpool_bwd), {.op = NULL}};
