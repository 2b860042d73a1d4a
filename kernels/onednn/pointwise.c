/* pointwise: oneDNN's ReLU of [n,c,h,w] and softmax of the rows of [n,c], f32. Softmax backward
 * takes y and dy, ReLU backward x and dy. */
#include "onednn.h"

typedef int relu_2(void *op, int prop, int algorithm, const void *x, float alpha, float beta);
typedef int relu_back_2(void *op, int algorithm, const void *dx, const void *x, float alpha,
                        float beta);
typedef int relu_3(void **pd, void *engine, int prop, int algorithm, const void *x, const void *y,
                   float alpha, float beta, const void *attributes);
typedef int relu_back_3(void **pd, void *engine, int algorithm, const void *dx, const void *dy,
                        const void *x, float alpha, float beta, const void *hint,
                        const void *attributes);
typedef int softmax_2(void *op, int prop, const void *x, int axis);
typedef int softmax_back_2(void *op, const void *dx, const void *y, int axis);
typedef int softmax_3(void **pd, void *engine, int prop, int algorithm, const void *x,
                      const void *y, int axis, const void *attributes);
typedef int softmax_back_3(void **pd, void *engine, int algorithm, const void *dx, const void *dy,
                           const void *y, int axis, const void *hint, const void *attributes);

enum kind { RELU, SOFTMAX };
enum { RELU_2 = 0x1f, RELU_3 = 0x20, SOFTMAX_ACCURATE = 0x30000 };

static const char *const symbols[2][2][2] = {
    [RELU] = {{"dnnl_eltwise_forward_desc_init", "dnnl_eltwise_backward_desc_init"},
              {"dnnl_eltwise_forward_primitive_desc_create",
               "dnnl_eltwise_backward_primitive_desc_create"}},
    [SOFTMAX] = {{"dnnl_softmax_forward_desc_init", "dnnl_softmax_backward_desc_init"},
                 {"dnnl_softmax_forward_primitive_desc_create",
                  "dnnl_softmax_backward_primitive_desc_create"}}};

/* All operands have one shape, and one descriptor. */
struct problem {
    enum kind kind;
    int backward;
    struct cf_onednn_md md;
    void *hint;
};

static int make_2(cf_onednn_function *f, const struct problem *p, const void *md, char op[])
{
    if (p->kind == RELU)
        return p->backward ? ((relu_back_2 *)f)(op, RELU_2, md, md, 0, 0)
                           : ((relu_2 *)f)(op, CF_ONEDNN_FORWARD_TRAINING, RELU_2, md, 0, 0);
    return p->backward ? ((softmax_back_2 *)f)(op, md, md, 1)
                       : ((softmax_2 *)f)(op, CF_ONEDNN_FORWARD_TRAINING, md, 1);
}

static int make_3(struct cf_library *library, cf_onednn_function *f, const struct problem *p,
                  const void *md, void **pd)
{
    void *engine = library->engine, *attributes = library->attributes;

    if (p->kind == RELU)
        return p->backward
                   ? ((relu_back_3 *)f)(pd, engine, RELU_3, md, md, md, 0, 0, p->hint, attributes)
                   : ((relu_3 *)f)(pd, engine, CF_ONEDNN_FORWARD_TRAINING, RELU_3, md, md, 0, 0,
                                   attributes);
    return p->backward ? ((softmax_back_3 *)f)(pd, engine, SOFTMAX_ACCURATE, md, md, md, 1, p->hint,
                                               attributes)
                       : ((softmax_3 *)f)(pd, engine, CF_ONEDNN_FORWARD_TRAINING, SOFTMAX_ACCURATE,
                                          md, md, 1, attributes);
}

static int make(struct cf_library *library, const void *context, char op[], void **pd)
{
    const struct problem *p = context;
    cf_onednn_function *f = cf_onednn_find(library, symbols[p->kind][op == NULL][p->backward]);

    if (!f)
        return -1;
    return op ? make_2(f, p, cf_onednn_md_at(&p->md), op)
              : make_3(library, f, p, cf_onednn_md_at(&p->md), pd);
}

static void *describe(struct cf_library *library, struct problem *p, int backward)
{
    const struct cf_onednn_description what = {make, p, {0}, p->hint};

    p->backward = backward;
    return cf_onednn_describe(library, &what);
}

static enum cf_status execute(struct cf_library *library, void *pd, const struct problem *p,
                              const struct cf_onednn_md *user, const struct cf_tensor in[],
                              const struct cf_tensor out[])
{
    const int first = p->kind == RELU || !p->backward ? CF_ONEDNN_SRC : CF_ONEDNN_DST;
    const int first_md =
        p->kind == RELU || !p->backward ? CF_ONEDNN_QUERY_SRC : CF_ONEDNN_QUERY_DST;
    const struct cf_onednn_operand forward[] = {
        {first, first_md, 0, user, in[0].bits, NULL},
        {CF_ONEDNN_DST, CF_ONEDNN_QUERY_DST, 1, user, out[0].bits, NULL}};
    const struct cf_onednn_operand backward[] = {
        {first, first_md, 0, user, in[0].bits, NULL},
        {CF_ONEDNN_DIFF_DST, CF_ONEDNN_QUERY_DIFF_DST, 0, user, p->backward ? in[1].bits : NULL,
         NULL},
        {CF_ONEDNN_DIFF_SRC, CF_ONEDNN_QUERY_DIFF_SRC, 1, user, out[0].bits, NULL}};

    return p->backward ? cf_onednn_execute(library, pd, 3, backward)
                       : cf_onednn_execute(library, pd, 2, forward);
}

static enum cf_status run(enum kind kind, int backward, struct cf_library *library,
                          const struct cf_pairs *attributes, const struct cf_tensor in[],
                          struct cf_tensor out[])
{
    struct problem p = {.kind = kind};
    enum cf_status status = CF_UNSUPPORTED;
    struct cf_onednn_md user = {0};
    void *pd = NULL;
    int nhwc;

    if (!cf_onednn_takes(attributes, in, 1 + backward, &nhwc))
        return CF_UNSUPPORTED;
    if (cf_tensor_count(&in[0]) == 0)
        return CF_DONE;
    if (cf_onednn_tensor_md(library, &p.md, &in[0], nhwc) == 0 &&
        cf_onednn_tensor_md(library, &user, &in[0], 0) == 0)
        p.hint = describe(library, &p, 0);
    if (p.hint)
        pd = backward ? describe(library, &p, 1) : p.hint;
    if (pd)
        status = execute(library, pd, &p, &user, in, out);
    if (pd && pd != p.hint)
        library->api.pd_destroy(pd);
    if (p.hint)
        library->api.pd_destroy(p.hint);
    cf_onednn_md_free(library, &p.md);
    cf_onednn_md_free(library, &user);
    return status;
}

#define RUN(op, kind, backward)                                                                    \
    static enum cf_status op(struct cf_library *library, const struct cf_pairs *attributes,        \
                             const struct cf_tensor in[], struct cf_tensor out[])                  \
    {                                                                                              \
        return run(kind, backward, library, attributes, in, out);                                  \
    }
RUN(relu_fwd, RELU, 0)
RUN(relu_bwd, RELU, 1)
RUN(softmax_fwd, SOFTMAX, 0)
RUN(softmax_bwd, SOFTMAX, 1)

#define ENTRY(op_)                                                                                 \
    {                                                                                              \
        .op = #op_, .name = "direct", .backend = &cf_backend_onednn, .run = op_                    \
    }

extern const struct cf_kernel cf_kernels_onednn_pointwise[];
const struct cf_kernel cf_kernels_onednn_pointwise[] = {
    ENTRY(relu_fwd), ENTRY(relu_bwd), ENTRY(softmax_fwd), ENTRY(softmax_bwd), {.op = NULL}};
