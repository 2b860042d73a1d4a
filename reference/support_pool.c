#include "support_pool.h"

#include <stdlib.h>

int cf_pool_shape(struct cf_conv *g, const struct cf_case *c, struct cf_error *err)
{
    if (c->dtype != CF_F32 && c->dtype != CF_F64)
        return cf_fail(err, "case `%s`: %s is defined for f32 and f64", c->text, c->op);
    return cf_conv_read_pool(g, c, err);
}

void cf_pool_geometry(struct cf_conv *g, const struct cf_case *c, const struct cf_tensor in[])
{
    CF_CHECK(cf_conv_read_pool(g, c, NULL) == 0);
    g->n = in[0].dim[0];
    g->c = g->k = g->groups = in[0].dim[1];
}

int64_t cf_pool_pixels(const struct cf_conv *g, int64_t i, int64_t *pixels)
{
    const int64_t q = i % g->q, p = i / g->q % g->p, plane = i / g->q / g->p;
    int64_t n = 0;

    for (int64_t r = 0; r < g->r; ++r)
        for (int64_t s = 0; s < g->s; ++s) {
            const int64_t h = cf_conv_row(g, p, r, g->h), w = cf_conv_row(g, q, s, g->w);

            if (h >= 0 && w >= 0)
                pixels[n++] = (plane * g->h + h) * g->w + w;
        }
    return n;
}

/* From the last tap to the first, so that the outputs come in row-major order. */
int64_t cf_pool_windows(const struct cf_conv *g, int64_t i, int64_t *windows)
{
    const int64_t w = i % g->w, h = i / g->w % g->h, plane = i / g->w / g->h;
    int64_t n = 0;

    for (int64_t r = g->r - 1; r >= 0; --r)
        for (int64_t s = g->s - 1; s >= 0; --s) {
            const int64_t p = cf_conv_back(g, h, r, g->p), q = cf_conv_back(g, w, s, g->q);

            if (p >= 0 && q >= 0)
                windows[n++] = (plane * g->p + p) * g->q + q;
        }
    return n;
}

static int64_t count(const struct cf_case *c, int64_t i,
                     int64_t (*list)(const struct cf_conv *, int64_t, int64_t *))
{
    struct cf_conv g;
    int64_t *found, n;

    CF_CHECK(cf_conv_read_pool(&g, c, NULL) == 0);
    found = cf_alloc((size_t)(g.r * g.s) * sizeof found[0]);
    n = list(&g, i, found);
    free(found);
    return n;
}

int64_t cf_pool_pixels_terms(const struct cf_case *c, int o, int64_t i)
{
    (void)o;
    return count(c, i, cf_pool_pixels);
}

int64_t cf_pool_windows_terms(const struct cf_case *c, int o, int64_t i)
{
    (void)o;
    return count(c, i, cf_pool_windows);
}
