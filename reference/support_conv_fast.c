/* The fast exact path: every group of every image (of every filter, for bwd_filter) is one exact
 * matrix product of the operands laid out by tap, with zeros where a tap falls into the padding.
 * Those zeros change no finite value; where they could (an infinite or NaN factor, the sign of an
 * exact zero) the element is summed again from its taps alone. */
#include "support_conv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* left: [m][k]; right: [k][n]; both owned, row-major. */
struct product {
    int64_t m, n, k;
    double *left, *right;
};

static void product_start(struct product *job, int64_t m, int64_t n, int64_t k)
{
    *job = (struct product){.m = m, .n = n, .k = k};
    job->left = cf_alloc_zero((size_t)(m * k + 1) * sizeof job->left[0]);
    job->right = cf_alloc_zero((size_t)(k * n + 1) * sizeof job->right[0]);
}

static void product_stop(struct product *job)
{
    free(job->left);
    free(job->right);
}

/* f32 and narrower values are floats: half the memory, and the faster kernel. */
static float *narrowed(const double *from, int64_t n)
{
    float *to = cf_alloc((size_t)(n + 1) * sizeof to[0]);

    for (int64_t i = 0; i < n; ++i)
        to[i] = (float)from[i];
    return to;
}

static void multiply(struct cf_truth truth[], const struct product *job, enum cf_dtype dtype,
                     int threads)
{
    const int64_t m = job->m, n = job->n, k = job->k;
    const int team =
        m * n * k < 1000000 ? 1 : threads; /* a start costs as much as such a product */

    if (dtype == CF_F64) {
        cf_exact_gemm_f64(truth, job->left, job->right, m, n, k, CF_EXACT_F64, team, NULL);
        return;
    }
    float *left = narrowed(job->left, m * k), *right = narrowed(job->right, k * n);
    cf_exact_gemm_f32(truth, left, right, m, n, k, CF_EXACT_F32, team, NULL);
    free(left);
    free(right);
}

/* The operands widened once, and what is multiplied: one group of one image (or of all, for
 * filters). */
struct lay {
    const struct cf_conv *g;
    const double *first, *second;
    int64_t n, group;
};

/* left [k of the group][c r s] = w; right [c r s][p q] = x under the taps. */
static void lay_fwd(struct product *job, const struct lay *l)
{
    const struct cf_conv *g = l->g;
    const int64_t cg = g->c / g->groups, kg = g->k / g->groups, taps = cg * g->r * g->s;

    product_start(job, kg, g->p * g->q, taps);
    memcpy(job->left, l->second + l->group * kg * taps, (size_t)(kg * taps) * sizeof job->left[0]);
    for (int64_t row = 0; row < taps; ++row) {
        const int64_t c = l->group * cg + row / g->s / g->r;
        const double *plane = l->first + (l->n * g->c + c) * g->h * g->w;

        for (int64_t p = 0; p < g->p; ++p) {
            const int64_t h = cf_conv_row(g, p, row / g->s % g->r, g->h);

            for (int64_t q = 0; h >= 0 && q < g->q; ++q) {
                const int64_t w = cf_conv_row(g, q, row % g->s, g->w);

                if (w >= 0)
                    job->right[row * job->n + p * g->q + q] = plane[h * g->w + w];
            }
        }
    }
}

/* left [c of the group][k r s] = w with its first two dims exchanged; right [k r s][h w] = dy. */
static void lay_bwd_data(struct product *job, const struct lay *l)
{
    const struct cf_conv *g = l->g;
    const int64_t cg = g->c / g->groups, kg = g->k / g->groups, window = g->r * g->s;

    product_start(job, cg, g->h * g->w, kg * window);
    for (int64_t row = 0; row < kg * window; ++row) {
        const int64_t k = l->group * kg + row / window, r = row / g->s % g->r, s = row % g->s;
        const double *plane = l->first + (l->n * g->k + k) * g->p * g->q;

        for (int64_t c = 0; c < cg; ++c)
            job->left[c * job->k + row] = l->second[(k * cg + c) * window + row % window];
        for (int64_t h = 0; h < g->h; ++h) {
            const int64_t p = cf_conv_back(g, h, r, g->p);

            for (int64_t w = 0; p >= 0 && w < g->w; ++w) {
                const int64_t q = cf_conv_back(g, w, s, g->q);

                if (q >= 0)
                    job->right[row * job->n + h * g->w + w] = plane[p * g->q + q];
            }
        }
    }
}

/* left [k of the group][n p q] = dy; right [n p q][c r s] = x under the taps. */
static void lay_bwd_filter(struct product *job, const struct lay *l)
{
    const struct cf_conv *g = l->g;
    const int64_t cg = g->c / g->groups, kg = g->k / g->groups, pq = g->p * g->q;

    product_start(job, kg, cg * g->r * g->s, g->n * pq);
    for (int64_t k = 0; k < kg; ++k)
        for (int64_t n = 0; n < g->n; ++n)
            memcpy(job->left + k * job->k + n * pq, l->second + (n * g->k + l->group * kg + k) * pq,
                   (size_t)pq * sizeof job->left[0]);
    for (int64_t row = 0; row < g->n * pq; ++row)
        for (int64_t c = 0; c < cg; ++c) {
            const double *plane = l->first + (row / pq * g->c + l->group * cg + c) * g->h * g->w;
            double *to = job->right + row * job->n + c * g->r * g->s;

            for (int64_t r = 0; r < g->r; ++r) {
                const int64_t h = cf_conv_row(g, row % pq / g->q, r, g->h);

                for (int64_t s = 0; h >= 0 && s < g->s; ++s) {
                    const int64_t w = cf_conv_row(g, row % g->q, s, g->w);

                    if (w >= 0)
                        to[r * g->s + s] = plane[h * g->w + w];
                }
            }
        }
}

/* A zero of padding times `left` must be zero. */
static int all_finite(const struct product *job)
{
    for (int64_t i = 0; i < job->m * job->k; ++i)
        if (!isfinite(job->left[i]))
            return 0;
    return 1;
}

/* Sums again, from their taps, the elements base .. base + n - 1 that padding may have touched. */
static void mend(struct cf_truth truth[], const struct lay *l, enum cf_conv_way way,
                 enum cf_exact_format format, int64_t base, int64_t n, int all)
{
    const int64_t most = cf_conv_most_taps(l->g, way);
    int64_t *indices = NULL;

    for (int64_t i = 0; i < n; ++i) {
        if (!all && isfinite(truth[i].rounded) && truth[i].scale > 0)
            continue;
        if (!indices)
            indices = cf_alloc((size_t)(2 * most + 1) * sizeof indices[0]);
        cf_exact_dot_gather_f64(&truth[i], l->first, indices, l->second, indices + most,
                                cf_conv_taps(l->g, way, base + i, indices, indices + most), format);
    }
    free(indices);
}

static double *widened(const struct cf_tensor *t)
{
    const int64_t n = cf_tensor_count(t);
    double *to = cf_alloc((size_t)(n + 1) * sizeof to[0]);

    for (int64_t i = 0; i < n; ++i)
        to[i] = cf_tensor_get(t, i);
    return to;
}

void cf_conv_fast(struct cf_truth truth[], const struct cf_case *c, const struct cf_tensor in[],
                  enum cf_conv_way way, int threads)
{
    static void (*const lay_out[])(struct product *,
                                   const struct lay *) = {[CF_CONV_FWD] = lay_fwd,
                                                          [CF_CONV_BWD_DATA] = lay_bwd_data,
                                                          [CF_CONV_BWD_FILTER] = lay_bwd_filter};
    double *first = widened(&in[0]), *second = widened(&in[1]);
    struct cf_conv g;

    cf_conv_geometry(&g, c, in, way);
    for (int64_t i = 0; i < (way == CF_CONV_BWD_FILTER ? 1 : g.n) * g.groups; ++i) {
        const struct lay lay = {&g, first, second, i / g.groups, i % g.groups};
        struct product job;

        lay_out[way](&job, &lay);
        const int64_t size = job.m * job.n;
        multiply(truth + i * size, &job, c->dtype, threads);
        mend(truth + i * size, &lay, way, c->dtype == CF_F64 ? CF_EXACT_F64 : CF_EXACT_F32,
             i * size, size, !all_finite(&job));
        product_stop(&job);
    }
    free(first);
    free(second);
}
