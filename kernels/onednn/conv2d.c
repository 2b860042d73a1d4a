/* conv2d: oneDNN's convolutions. The order of operations is the implementation's own; its name is
 * read back (state "implementation.<op>", for one common shape). Kernels:
 *
 *   direct    algorithm direct, images in the layout asked for, filters as the library likes them
 *   blocked   algorithm direct, all operands as the library likes them
 *   gemm      the first implementation that calls a gemm
 *   ref       the library's own reference
 *   winograd  algorithm winograd; class fast. F(4,3) at most: the infinity norms of its transforms
 *             are 19, 1 and 10 (Lavin and Gray, Fast algorithms for convolutional neural networks,
 *             2016, section 4.3), squared for two dims: 36100
 *
 * Operands come in nchw and are reordered by the library, which rounds nothing. */
#include "onednn.h"

#include <string.h>

#define DIRECT   1
#define WINOGRAD 2

struct problem {
    struct cf_window g;
    enum cf_way way;
    int algorithm;
    struct cf_onednn_md x, w, y; /* as the primitive shall see them; 5 dims for grouped filters */
};

struct kind {
    const char *name;
    int algorithm, any; /* any: images too are as the library likes them */
    struct cf_onednn_choice choice;
};
static const struct kind kind_direct = {"direct", DIRECT, 0, {0}};
static const struct kind kind_blocked = {"blocked", DIRECT, 1, {0}};
static const struct kind kind_gemm = {"gemm", DIRECT, 0, {"gemm", 0}};
static const struct kind kind_ref = {"ref", DIRECT, 0, {"ref", 1}};
static const struct kind kind_winograd = {"winograd", WINOGRAD, 1, {0}};

typedef int forward_2(void *op, int prop, int algorithm, const void *x, const void *w,
                      const void *bias, const void *y, const int64_t *strides,
                      const int64_t *dilates, const int64_t *low, const int64_t *high);
typedef int data_2(void *op, int algorithm, const void *x, const void *w, const void *y,
                   const int64_t *strides, const int64_t *dilates, const int64_t *low,
                   const int64_t *high);
typedef int filter_2(void *op, int algorithm, const void *x, const void *w, const void *bias,
                     const void *y, const int64_t *strides, const int64_t *dilates,
                     const int64_t *low, const int64_t *high);
typedef int forward_3(void **pd, void *engine, int prop, int algorithm, const void *x,
                      const void *w, const void *bias, const void *y, const int64_t *strides,
                      const int64_t *dilates, const int64_t *low, const int64_t *high,
                      const void *attributes);
typedef int data_3(void **pd, void *engine, int algorithm, const void *x, const void *w,
                   const void *y, const int64_t *strides, const int64_t *dilates,
                   const int64_t *low, const int64_t *high, const void *hint,
                   const void *attributes);
typedef int filter_3(void **pd, void *engine, int algorithm, const void *x, const void *w,
                     const void *bias, const void *y, const int64_t *strides,
                     const int64_t *dilates, const int64_t *low, const int64_t *high,
                     const void *hint, const void *attributes);

static const char *const symbols[2][3] = {
    {"dnnl_dilated_convolution_forward_desc_init",
     "dnnl_dilated_convolution_backward_data_desc_init",
     "dnnl_dilated_convolution_backward_weights_desc_init"},
    {"dnnl_convolution_forward_primitive_desc_create",
     "dnnl_convolution_backward_data_primitive_desc_create",
     "dnnl_convolution_backward_weights_primitive_desc_create"}};

static int make_2(cf_onednn_function *f, const struct problem *p, const int64_t window[3][2],
                  char op[])
{
    const void *x = cf_onednn_md_at(&p->x), *w = cf_onednn_md_at(&p->w),
               *y = cf_onednn_md_at(&p->y);

    if (p->way == CF_FWD)
        return ((forward_2 *)f)(op, CF_ONEDNN_FORWARD_TRAINING, p->algorithm, x, w, NULL, y,
                                window[0], window[1], window[2], window[2]);
    if (p->way == CF_BWD_DATA)
        return ((data_2 *)f)(op, p->algorithm, x, w, y, window[0], window[1], window[2], window[2]);
    return ((filter_2 *)f)(op, p->algorithm, x, w, NULL, y, window[0], window[1], window[2],
                           window[2]);
}

static int make_3(struct cf_library *library, cf_onednn_function *f, const struct problem *p,
                  const int64_t window[3][2], const void *hint, void **pd)
{
    const void *x = cf_onednn_md_at(&p->x), *w = cf_onednn_md_at(&p->w),
               *y = cf_onednn_md_at(&p->y);

    if (p->way == CF_FWD)
        return ((forward_3 *)f)(pd, library->engine, CF_ONEDNN_FORWARD_TRAINING, p->algorithm, x, w,
                                NULL, y, window[0], window[1], window[2], window[2],
                                library->attributes);
    if (p->way == CF_BWD_DATA)
        return ((data_3 *)f)(pd, library->engine, p->algorithm, x, w, y, window[0], window[1],
                             window[2], window[2], hint, library->attributes);
    return ((filter_3 *)f)(pd, library->engine, p->algorithm, x, w, NULL, y, window[0], window[1],
                           window[2], window[2], hint, library->attributes);
}

struct asked {
    const struct problem *problem;
    const void *hint;
};

static int make(struct cf_library *library, const void *context, char op[], void **pd)
{
    const struct asked *asked = context;
    const struct cf_window *g = &asked->problem->g;
    const int64_t window[3][2] = {{g->stride, g->stride},
                                  {g->dilation - 1, g->dilation - 1}, /* oneDNN counts from 0 */
                                  {g->pad, g->pad}};
    cf_onednn_function *f = cf_onednn_find(library, symbols[op == NULL][asked->problem->way]);

    if (!f)
        return -1;
    return op ? make_2(f, asked->problem, window, op)
              : make_3(library, f, asked->problem, window, asked->hint, pd);
}

/* Types of x, w and y: the outputs of 16-bit operands are f32. */
static enum cf_dtype type_of(enum cf_way way, int role, enum cf_dtype input)
{
    const int output[] = {[CF_FWD] = 2, [CF_BWD_DATA] = 0, [CF_BWD_FILTER] = 1};

    return role == output[way] && input != CF_F64 ? CF_F32 : input;
}

/* Grouped filters have a dim for the groups; dense [k,c/groups,r,s] is dense [groups,k/groups,...]
 * too.
 */
static int filter_md(struct cf_library *library, struct cf_onednn_md *md, enum cf_dtype dtype,
                     const struct cf_window *g, int any)
{
    const int64_t kg = g->k / g->groups, cg = g->c / g->groups, window = g->r * g->s;
    const int64_t dims[] = {g->groups, kg, cg, g->r, g->s};
    const int64_t strides[] = {kg * cg * window, cg * window, window, g->s, 1};
    const int skip = g->groups == 1;

    return cf_onednn_md_make(library, md, dtype, 5 - skip, dims + skip,
                             any ? NULL : strides + skip);
}

static int image_md(struct cf_library *library, struct cf_onednn_md *md, enum cf_dtype dtype,
                    const int64_t dims[4], int any, int nhwc)
{
    int64_t strides[4];

    cf_onednn_strides(strides, dims, nhwc);
    return cf_onednn_md_make(library, md, dtype, 4, dims, any ? NULL : strides);
}

/* `user`: nchw and dense filters; else as the kernel wants them. */
static int describe_operands(struct cf_library *library, struct problem *p, enum cf_dtype input,
                             const struct kind *kind, int user)
{
    const struct cf_window *g = &p->g;
    const int64_t x[] = {g->n, g->c, g->h, g->w}, y[] = {g->n, g->k, g->p, g->q};
    const int any = !user && kind->any, nhwc = !user && g->nhwc;

    p->algorithm = kind->algorithm;
    return image_md(library, &p->x, type_of(p->way, 0, input), x, any, nhwc) ||
           filter_md(library, &p->w, type_of(p->way, 1, input), g, !user) ||
           image_md(library, &p->y, type_of(p->way, 2, input), y, any, nhwc);
}

static void free_operands(struct cf_library *library, struct problem *p)
{
    cf_onednn_md_free(library, &p->x);
    cf_onednn_md_free(library, &p->w);
    cf_onednn_md_free(library, &p->y);
}

/* The backward ways take the forward one as a hint: the same problem, its first implementation. */
static void *describe(struct cf_library *library, const struct problem *p, const struct kind *kind,
                      void **hint)
{
    struct problem forward = *p;
    const struct asked first = {.problem = &forward};
    const struct cf_onednn_description hint_what = {make, &first, {0}, NULL};

    forward.way = CF_FWD;
    *hint = p->way == CF_FWD ? NULL : cf_onednn_describe(library, &hint_what);
    const struct asked asked = {p, *hint};
    const struct cf_onednn_description what = {make, &asked, kind->choice, *hint};
    return cf_onednn_describe(library, &what);
}

static enum cf_status execute(struct cf_library *library, void *pd, const struct problem *user,
                              const struct cf_tensor in[], const struct cf_tensor out[])
{
    const struct cf_onednn_operand operands[3][3] = {
        [CF_FWD] = {{CF_ONEDNN_SRC, CF_ONEDNN_QUERY_SRC, 0, &user->x, in[0].bits, NULL},
                    {CF_ONEDNN_WEIGHTS, CF_ONEDNN_QUERY_WEIGHTS, 0, &user->w, in[1].bits, NULL},
                    {CF_ONEDNN_DST, CF_ONEDNN_QUERY_DST, 1, &user->y, out[0].bits, NULL}},
        [CF_BWD_DATA] = {{CF_ONEDNN_DIFF_DST, CF_ONEDNN_QUERY_DIFF_DST, 0, &user->y, in[0].bits,
                          NULL},
                         {CF_ONEDNN_WEIGHTS, CF_ONEDNN_QUERY_WEIGHTS, 0, &user->w, in[1].bits,
                          NULL},
                         {CF_ONEDNN_DIFF_SRC, CF_ONEDNN_QUERY_DIFF_SRC, 1,
                          &user->x, out[0].bits, NULL}},
        [CF_BWD_FILTER] = {
            {CF_ONEDNN_SRC, CF_ONEDNN_QUERY_SRC, 0, &user->x, in[0].bits, NULL},
            {CF_ONEDNN_DIFF_DST, CF_ONEDNN_QUERY_DIFF_DST, 0, &user->y, in[1].bits, NULL},
            {CF_ONEDNN_DIFF_WEIGHTS, CF_ONEDNN_QUERY_DIFF_WEIGHTS, 1, &user->w, out[0].bits,
             NULL}}};

    return cf_onednn_execute(library, pd, 3, operands[user->way]);
}

static enum cf_status run(enum cf_way way, const struct kind *kind, struct cf_library *library,
                          const struct cf_pairs *attributes, const struct cf_tensor in[],
                          struct cf_tensor out[])
{
    struct problem own = {.way = way}, user = {.way = way};
    enum cf_status status = CF_UNSUPPORTED;
    void *hint = NULL, *pd = NULL;

    if (cf_window_read(&own.g, way, attributes, in, out) != CF_DONE)
        return CF_UNSUPPORTED;
    if (cf_onednn_is_empty(in, 2) || cf_onednn_is_empty(out, 1))
        return cf_onednn_zero(out, 1);
    user.g = own.g;
    if (describe_operands(library, &own, in[0].dtype, kind, 0) == CF_ONEDNN_OK &&
        describe_operands(library, &user, in[0].dtype, kind, 1) == CF_ONEDNN_OK)
        pd = describe(library, &own, kind, &hint);
    if (pd)
        status = execute(library, pd, &user, in, out);
    if (pd)
        library->api.pd_destroy(pd);
    if (hint)
        library->api.pd_destroy(hint);
    free_operands(library, &own);
    free_operands(library, &user);
    return status;
}

static const struct kind *kind_of(const char *name)
{
    static const struct kind *const kinds[] = {&kind_blocked, &kind_gemm, &kind_ref,
                                               &kind_winograd};

    for (int i = 0; i < CF_COUNT(kinds); ++i)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return &kind_direct;
}

/* One shape that every network has: 64 to 64 channels, 3x3, 56x56. */
void cf_onednn_emit_implementations(struct cf_library *library,
                                    void (*emit)(void *, const char *, const char *), void *context)
{
    static const char *const keys[] = {"implementation.conv2d_fwd",
                                       "implementation.conv2d_bwd_data",
                                       "implementation.conv2d_bwd_filter"};

    const struct kind *kind = kind_of(library->kernel);

    for (int way = CF_FWD; way <= CF_BWD_FILTER; ++way) {
        struct problem p = {.way = (enum cf_way)way,
                            .g = {.n = 1,
                                  .c = 64,
                                  .h = 56,
                                  .w = 56,
                                  .k = 64,
                                  .r = 3,
                                  .s = 3,
                                  .p = 56,
                                  .q = 56,
                                  .stride = 1,
                                  .pad = 1,
                                  .dilation = 1,
                                  .groups = 1}};
        void *hint = NULL, *pd = NULL;

        if (describe_operands(library, &p, CF_F32, kind, 0) == CF_ONEDNN_OK)
            pd = describe(library, &p, kind, &hint);
        emit(context, keys[way], pd ? cf_onednn_implementation(library, pd) : "none");
        if (pd)
            library->api.pd_destroy(pd);
        if (hint)
            library->api.pd_destroy(hint);
        free_operands(library, &p);
    }
}

#define RUN(way, WAY, kind)                                                                        \
    static enum cf_status way##_##kind(struct cf_library *library,                                 \
                                       const struct cf_pairs *attributes,                          \
                                       const struct cf_tensor in[], struct cf_tensor out[])        \
    {                                                                                              \
        return run(WAY, &kind_##kind, library, attributes, in, out);                               \
    }
#define RUNS(kind)                                                                                 \
    RUN(fwd, CF_FWD, kind)                                                                         \
    RUN(bwd_data, CF_BWD_DATA, kind)                                                               \
    RUN(bwd_filter, CF_BWD_FILTER, kind)
RUNS(direct)
RUNS(blocked)
RUNS(gemm)
RUNS(ref)
RUNS(winograd)

#define ENTRY(way, kind, class_, growth_)                                                          \
    {                                                                                              \
        .op = "conv2d_" #way, .name = #kind, .backend = &cf_backend_onednn, .run = way##_##kind,   \
        .class = class_, .growth = growth_                                                         \
    }
#define ENTRIES(kind, class, growth)                                                               \
    ENTRY(fwd, kind, class, growth), ENTRY(bwd_data, kind, class, growth),                         \
        ENTRY(bwd_filter, kind, class, growth)

extern const struct cf_kernel cf_kernels_onednn_conv2d[];
const struct cf_kernel cf_kernels_onednn_conv2d[] = {
    ENTRIES(direct, CF_CLASSICAL, 0),  ENTRIES(blocked, CF_CLASSICAL, 0),
    ENTRIES(gemm, CF_CLASSICAL, 0),    ENTRIES(ref, CF_CLASSICAL, 0),
    ENTRIES(winograd, CF_FAST, 36100), {.op = NULL}};
