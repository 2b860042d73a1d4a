#include "support_conv.h"

#include <stdlib.h>

static int64_t outputs_of(const struct cf_conv *g, int64_t extent, int64_t taps)
{
    const int64_t room = extent + 2 * g->pad - g->dilation * (taps - 1) - 1;

    return room < 0 ? 0 : room / g->stride + 1;
}

static int read_window(struct cf_conv *g, const struct cf_case *c, struct cf_error *err)
{
    *g = (struct cf_conv){.n = cf_case_int(c, "n", 1),
                          .c = cf_case_int(c, "c", 1),
                          .h = cf_case_int(c, "h", 1),
                          .w = cf_case_int(c, "w", 1),
                          .r = cf_case_int(c, "r", 1),
                          .s = cf_case_int(c, "s", 1),
                          .stride = cf_case_int(c, "stride", 1),
                          .pad = cf_case_int(c, "pad", 0),
                          .dilation = cf_case_int(c, "dilation", 1)};
    if (g->c < 1 || g->h < 1 || g->w < 1 || g->r < 1 || g->s < 1 || g->stride < 1 ||
        g->dilation < 1 || g->pad < 0)
        return cf_fail(err, "case `%s`: every dim but n must be at least 1, and pad at least 0",
                       c->text);
    g->p = outputs_of(g, g->h, g->r);
    g->q = outputs_of(g, g->w, g->s);
    if (g->p < 1 || g->q < 1)
        return cf_fail(err, "case `%s`: the window is larger than the padded image; raise pad",
                       c->text);
    return 0;
}

int cf_conv_read_pool(struct cf_conv *g, const struct cf_case *c, struct cf_error *err)
{
    if (read_window(g, c, err) != 0)
        return -1;
    g->k = g->groups = g->c;
    if (g->pad >= g->r || g->pad >= g->s)
        return cf_fail(err, "case `%s`: a window of padding alone has no value; lower pad",
                       c->text);
    return 0;
}

int cf_conv_read(struct cf_conv *g, const struct cf_case *c, struct cf_error *err)
{
    if (read_window(g, c, err) != 0)
        return -1;
    g->k = cf_case_int(c, "k", 1);
    g->groups = cf_case_int(c, "groups", 1);
    if (g->k < 1 || g->groups < 1 || g->c % g->groups != 0 || g->k % g->groups != 0)
        return cf_fail(err, "case `%s`: groups=%lld must divide c and k, and both be at least 1",
                       c->text, (long long)g->groups);
    return 0;
}

int cf_conv_check_channels(const struct cf_conv *g, const struct cf_case *c,
                           const char *const variants[], struct cf_error *err)
{
    for (int i = 0; g->groups > 1 && variants[i]; ++i)
        if (cf_pairs_get(&c->keys, variants[i]))
            return cf_fail(err,
                           "case `%s`: a channel belongs to its group, so %s= has no meaning when "
                           "groups > 1; leave it out",
                           c->text, variants[i]);
    return 0;
}

void cf_conv_shape_x(const struct cf_conv *g, enum cf_dtype dtype, struct cf_tensor *x)
{
    *x = (struct cf_tensor){.dtype = dtype, .rank = 4, .dim = {g->n, g->c, g->h, g->w}};
}

void cf_conv_shape_w(const struct cf_conv *g, enum cf_dtype dtype, struct cf_tensor *w)
{
    *w = (struct cf_tensor){.dtype = dtype, .rank = 4, .dim = {g->k, g->c / g->groups, g->r, g->s}};
}

void cf_conv_shape_y(const struct cf_conv *g, enum cf_dtype dtype, struct cf_tensor *y)
{
    *y = (struct cf_tensor){.dtype = dtype, .rank = 4, .dim = {g->n, g->k, g->p, g->q}};
}

enum cf_dtype cf_conv_output_type(enum cf_dtype dtype)
{
    return dtype == CF_F64 ? CF_F64 : CF_F32;
}

int64_t cf_conv_row(const struct cf_conv *g, int64_t p, int64_t r, int64_t extent)
{
    const int64_t h = p * g->stride - g->pad + r * g->dilation;

    return h >= 0 && h < extent ? h : -1;
}

int64_t cf_conv_back(const struct cf_conv *g, int64_t h, int64_t r, int64_t extent)
{
    const int64_t at = h + g->pad - r * g->dilation;

    return at >= 0 && at % g->stride == 0 && at / g->stride < extent ? at / g->stride : -1;
}

/* The list of pairs that grows; without arrays it only counts. */
struct taps {
    int64_t n, *ia, *ib;
};

static void put(struct taps *t, int64_t a, int64_t b)
{
    if (t->ia) {
        t->ia[t->n] = a;
        t->ib[t->n] = b;
    }
    ++t->n;
}

static void taps_fwd(struct taps *t, const struct cf_conv *g, int64_t i)
{
    const int64_t q = i % g->q, p = i / g->q % g->p, k = i / g->q / g->p % g->k,
                  n = i / g->q / g->p / g->k, cg = g->c / g->groups,
                  c0 = k / (g->k / g->groups) * cg;

    for (int64_t c = 0; c < cg; ++c)
        for (int64_t r = 0; r < g->r; ++r)
            for (int64_t s = 0; s < g->s; ++s) {
                const int64_t h = cf_conv_row(g, p, r, g->h), w = cf_conv_row(g, q, s, g->w);

                if (h >= 0 && w >= 0)
                    put(t, ((n * g->c + c0 + c) * g->h + h) * g->w + w,
                        ((k * cg + c) * g->r + r) * g->s + s);
            }
}

static void taps_bwd_data(struct taps *t, const struct cf_conv *g, int64_t i)
{
    const int64_t w = i % g->w, h = i / g->w % g->h, c = i / g->w / g->h % g->c,
                  n = i / g->w / g->h / g->c, cg = g->c / g->groups, kg = g->k / g->groups,
                  k0 = c / cg * kg;

    for (int64_t k = k0; k < k0 + kg; ++k)
        for (int64_t r = 0; r < g->r; ++r)
            for (int64_t s = 0; s < g->s; ++s) {
                const int64_t p = cf_conv_back(g, h, r, g->p), q = cf_conv_back(g, w, s, g->q);

                if (p >= 0 && q >= 0)
                    put(t, ((n * g->k + k) * g->p + p) * g->q + q,
                        ((k * cg + c % cg) * g->r + r) * g->s + s);
            }
}

static void taps_bwd_filter(struct taps *t, const struct cf_conv *g, int64_t i)
{
    const int64_t s = i % g->s, r = i / g->s % g->r, cg = g->c / g->groups,
                  k = i / g->s / g->r / cg, c = k / (g->k / g->groups) * cg + i / g->s / g->r % cg;

    for (int64_t n = 0; n < g->n; ++n)
        for (int64_t p = 0; p < g->p; ++p)
            for (int64_t q = 0; q < g->q; ++q) {
                const int64_t h = cf_conv_row(g, p, r, g->h), w = cf_conv_row(g, q, s, g->w);

                if (h >= 0 && w >= 0)
                    put(t, ((n * g->c + c) * g->h + h) * g->w + w,
                        ((n * g->k + k) * g->p + p) * g->q + q);
            }
}

int64_t cf_conv_taps(const struct cf_conv *g, enum cf_conv_way way, int64_t i, int64_t *ia,
                     int64_t *ib)
{
    static void (*const fill[])(struct taps *, const struct cf_conv *,
                                int64_t) = {[CF_CONV_FWD] = taps_fwd,
                                            [CF_CONV_BWD_DATA] = taps_bwd_data,
                                            [CF_CONV_BWD_FILTER] = taps_bwd_filter};
    struct taps t = {0, ia, ib};

    fill[way](&t, g, i);
    return t.n;
}

int64_t cf_conv_most_taps(const struct cf_conv *g, enum cf_conv_way way)
{
    const int64_t most[] = {[CF_CONV_FWD] = g->c / g->groups * g->r * g->s,
                            [CF_CONV_BWD_DATA] = g->k / g->groups * g->r * g->s,
                            [CF_CONV_BWD_FILTER] = g->n * g->p * g->q};

    return most[way];
}

/* Of the taps 0 .. taps - 1: those with a pixel under output `at`, or with an output over pixel
 * `at`.
 */
static int64_t in_range(const struct cf_conv *g, int64_t at, int64_t taps, int64_t extent,
                        int64_t (*find)(const struct cf_conv *, int64_t, int64_t, int64_t))
{
    int64_t n = 0;

    for (int64_t r = 0; r < taps; ++r)
        n += find(g, at, r, extent) >= 0;
    return n;
}

/* Outputs p whose tap r has a pixel. */
static int64_t outputs_in_range(const struct cf_conv *g, int64_t r, int64_t extent, int64_t outputs)
{
    int64_t n = 0;

    for (int64_t p = 0; p < outputs; ++p)
        n += cf_conv_row(g, p, r, extent) >= 0;
    return n;
}

/* As many as cf_conv_taps counts, without visiting them: rows times columns times channels. */
int64_t cf_conv_terms(const struct cf_case *c, enum cf_conv_way way, int64_t i)
{
    struct cf_conv g;

    CF_CHECK(cf_conv_read(&g, c, NULL) == 0);
    if (way == CF_CONV_FWD)
        return g.c / g.groups * in_range(&g, i / g.q % g.p, g.r, g.h, cf_conv_row) *
               in_range(&g, i % g.q, g.s, g.w, cf_conv_row);
    if (way == CF_CONV_BWD_DATA)
        return g.k / g.groups * in_range(&g, i / g.w % g.h, g.r, g.p, cf_conv_back) *
               in_range(&g, i % g.w, g.s, g.q, cf_conv_back);
    return g.n * outputs_in_range(&g, i / g.s % g.r, g.h, g.p) *
           outputs_in_range(&g, i % g.s, g.w, g.q);
}

void cf_conv_geometry(struct cf_conv *g, const struct cf_case *c, const struct cf_tensor in[],
                      enum cf_conv_way way)
{
    const struct cf_tensor *x = way == CF_CONV_BWD_DATA ? NULL : &in[0];
    const struct cf_tensor *w = way == CF_CONV_BWD_FILTER ? NULL : &in[1];
    const struct cf_tensor *y = way == CF_CONV_FWD ? NULL : &in[way == CF_CONV_BWD_FILTER];

    CF_CHECK(cf_conv_read(g, c, NULL) == 0);
    g->n = x ? x->dim[0] : y->dim[0];
    g->c = x ? x->dim[1] : w->dim[1] * g->groups;
    g->k = w ? w->dim[0] : y->dim[1];
}

void cf_conv_element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,
                     const struct cf_tensor in[], enum cf_conv_way way, int64_t i)
{
    const mpfr_prec_t precision = cf_exact_precision(c->dtype, 1);
    struct cf_conv g;
    int64_t n, *ia, *ib;

    cf_conv_geometry(&g, c, in, way);
    n = cf_conv_most_taps(&g, way);
    ia = cf_alloc((size_t)(2 * n + 1) * sizeof ia[0]);
    ib = ia + n;
    n = cf_conv_taps(&g, way, i, ia, ib);
    cf_exact_zero(exact, precision);
    cf_exact_zero(scale, precision);
    for (int64_t t = 0; t < n; ++t)
        cf_exact_add_product(exact, scale, cf_tensor_get(&in[0], ia[t]),
                             cf_tensor_get(&in[1], ib[t]));
    cf_exact_finish(exact, n);
    free(ia);
}
