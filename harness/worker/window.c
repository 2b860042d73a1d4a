#include "kernel.h"

#include <string.h>

static int fits(const struct cf_window *g, int64_t extent, int64_t taps, int64_t outputs)
{
    const int64_t room = extent + 2 * g->pad - g->dilation * (taps - 1) - 1;

    return room >= 0 && room / g->stride + 1 == outputs;
}

static int check(const struct cf_window *g)
{
    const int sane = g->stride >= 1 && g->dilation >= 1 && g->groups >= 1 && g->pad >= 0 &&
                     g->k % g->groups == 0 && g->c % g->groups == 0;

    return sane && fits(g, g->h, g->r, g->p) && fits(g, g->w, g->s, g->q) ? CF_DONE
                                                                          : CF_UNSUPPORTED;
}

static int read_attributes(struct cf_window *g, const struct cf_pairs *attributes)
{
    const char *layout = cf_pairs_get(attributes, "layout");

    g->stride = cf_attribute(attributes, "stride", 1);
    g->pad = cf_attribute(attributes, "pad", 0);
    g->dilation = cf_attribute(attributes, "dilation", 1);
    g->nhwc = layout && strcmp(layout, "nhwc") == 0;
    return !layout || g->nhwc || strcmp(layout, "nchw") == 0;
}

int cf_window_read(struct cf_window *g, enum cf_way way, const struct cf_pairs *attributes,
                   const struct cf_tensor in[], const struct cf_tensor out[])
{
    const struct cf_tensor *x = way == CF_BWD_DATA ? &out[0] : &in[0];
    const struct cf_tensor *w = way == CF_BWD_FILTER ? &out[0] : &in[1];
    const struct cf_tensor *y = way == CF_FWD ? &out[0] : &in[way == CF_BWD_FILTER];

    if (in[0].dtype != in[1].dtype || in[0].dtype > CF_BF16 ||
        out[0].dtype != (in[0].dtype == CF_F64 ? CF_F64 : CF_F32) || x->rank != 4 || w->rank != 4 ||
        y->rank != 4)
        return CF_UNSUPPORTED;
    *g = (struct cf_window){.n = x->dim[0],
                            .c = x->dim[1],
                            .h = x->dim[2],
                            .w = x->dim[3],
                            .k = w->dim[0],
                            .r = w->dim[2],
                            .s = w->dim[3],
                            .p = y->dim[2],
                            .q = y->dim[3],
                            .groups = cf_attribute(attributes, "groups", 1)};
    if (!read_attributes(g, attributes) || w->dim[1] * g->groups != g->c || y->dim[0] != g->n ||
        y->dim[1] != g->k)
        return CF_UNSUPPORTED;
    return check(g);
}

int cf_window_read_pool(struct cf_window *g, const struct cf_pairs *attributes,
                        const struct cf_tensor *image, const struct cf_tensor *pooled)
{
    if (image->dtype != pooled->dtype || image->rank != 4 || pooled->rank != 4 ||
        image->dim[0] != pooled->dim[0] || image->dim[1] != pooled->dim[1])
        return CF_UNSUPPORTED;
    *g = (struct cf_window){.n = image->dim[0],
                            .c = image->dim[1],
                            .h = image->dim[2],
                            .w = image->dim[3],
                            .k = image->dim[1],
                            .r = cf_attribute(attributes, "r", 1),
                            .s = cf_attribute(attributes, "s", 1),
                            .p = pooled->dim[2],
                            .q = pooled->dim[3],
                            .groups = image->dim[1]};
    return read_attributes(g, attributes) ? check(g) : CF_UNSUPPORTED;
}
