/* The fast exact path: every group of every image (of every filter, for bwd_filter) is one exact
 * matrix product of the operands laid out by tap, with zeros where a tap falls into the padding.
 * Those zeros change no finite value; where they could (an infinite or NaN factor, the sign of an
 * exact zero) the element is summed again from its taps alone. */
#include "support_conv.h"

#include <math.h>
#include <stdlib.h>

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

/* left [k of the group][c r s] = w; right [c r s][p q] = x under the taps. */
static void lay_fwd(struct product *job, const struct cf_conv *g, const struct cf_tensor in[],
                    int64_t n, int64_t group)
{
    const int64_t cg = g->c / g->groups, kg = g->k / g->groups, taps = cg * g->r * g->s;

    product_start(job, kg, g->p * g->q, taps);
    for (int64_t i = 0; i < kg * taps; ++i)
        job->left[i] = cf_tensor_get(&in[1], group * kg * taps + i);
    for (int64_t row = 0; row < taps; ++row)
        for (int64_t col = 0; col < g->p * g->q; ++col) {
            const int64_t h = cf_conv_row(g, col / g->q, row / g->s % g->r, g->h);
            const int64_t w = cf_conv_row(g, col % g->q, row % g->s, g->w);
            const int64_t c = group * cg + row / g->s / g->r;

            if (h >= 0 && w >= 0)
                job->right[row * job->n + col] =
                    cf_tensor_get(&in[0], ((n * g->c + c) * g->h + h) * g->w + w);
        }
}

/* left [c of the group][k r s] = w with its first two dims exchanged; right [k r s][h w] = dy. */
static void lay_bwd_data(struct product *job, const struct cf_conv *g, const struct cf_tensor in[],
                         int64_t n, int64_t group)
{
    const int64_t cg = g->c / g->groups, kg = g->k / g->groups, window = g->r * g->s;

    product_start(job, cg, g->h * g->w, kg * window);
    for (int64_t c = 0; c < cg; ++c)
        for (int64_t row = 0; row < kg * window; ++row)
            job->left[c * job->k + row] = cf_tensor_get(
                &in[1], ((group * kg + row / window) * cg + c) * window + row % window);
    for (int64_t row = 0; row < kg * window; ++row)
        for (int64_t col = 0; col < g->h * g->w; ++col) {
            const int64_t p = cf_conv_back(g, col / g->w, row / g->s % g->r, g->p);
            const int64_t q = cf_conv_back(g, col % g->w, row % g->s, g->q);
            const int64_t k = group * kg + row / window;

            if (p >= 0 && q >= 0)
                job->right[row * job->n + col] =
                    cf_tensor_get(&in[0], ((n * g->k + k) * g->p + p) * g->q + q);
        }
}

/* left [k of the group][n p q] = dy; right [n p q][c r s] = x under the taps. */
static void lay_bwd_filter(struct product *job, const struct cf_conv *g,
                           const struct cf_tensor in[], int64_t group)
{
    const int64_t cg = g->c / g->groups, kg = g->k / g->groups, pq = g->p * g->q;

    product_start(job, kg, cg * g->r * g->s, g->n * pq);
    for (int64_t k = 0; k < kg; ++k)
        for (int64_t row = 0; row < g->n * pq; ++row)
            job->left[k * job->k + row] =
                cf_tensor_get(&in[1], (row / pq * g->k + group * kg + k) * pq + row % pq);
    for (int64_t row = 0; row < g->n * pq; ++row)
        for (int64_t col = 0; col < job->n; ++col) {
            const int64_t h = cf_conv_row(g, row % pq / g->q, col / g->s % g->r, g->h);
            const int64_t w = cf_conv_row(g, row % g->q, col % g->s, g->w);
            const int64_t c = row / pq * g->c + group * cg + col / g->s / g->r;

            if (h >= 0 && w >= 0)
                job->right[row * job->n + col] = cf_tensor_get(&in[0], (c * g->h + h) * g->w + w);
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

static struct cf_truth from_taps(const struct cf_conv *g, enum cf_conv_way way, const double *first,
                                 const double *second, enum cf_dtype dtype, int64_t i,
                                 int64_t *indices)
{
    int64_t *ia = indices, *ib = indices + cf_conv_most_taps(g, way);
    const int64_t n = cf_conv_taps(g, way, i, ia, ib);
    struct cf_truth truth;

    cf_exact_dot_gather_f64(&truth, first, ia, second, ib, n,
                            dtype == CF_F64 ? CF_EXACT_F64 : CF_EXACT_F32);
    return truth;
}

static double *widened(const struct cf_tensor *t)
{
    const int64_t n = cf_tensor_count(t);
    double *to = cf_alloc((size_t)(n + 1) * sizeof to[0]);

    for (int64_t i = 0; i < n; ++i)
        to[i] = cf_tensor_get(t, i);
    return to;
}

/* Sums again, from their taps, the elements base .. base + n - 1 that padding may have touched. */
static void mend(struct cf_truth truth[], const struct cf_conv *g, const struct cf_tensor in[],
                 enum cf_conv_way way, int64_t base, int64_t n, int all)
{
    double *first = NULL, *second = NULL;
    int64_t *indices = NULL;

    for (int64_t i = 0; i < n; ++i) {
        if (!all && isfinite(truth[i].rounded) && truth[i].scale > 0)
            continue;
        if (!indices) {
            first = widened(&in[0]);
            second = widened(&in[1]);
            indices = cf_alloc((size_t)(2 * cf_conv_most_taps(g, way) + 1) * sizeof indices[0]);
        }
        truth[i] = from_taps(g, way, first, second, in[0].dtype, base + i, indices);
    }
    free(first);
    free(second);
    free(indices);
}

void cf_conv_fast(struct cf_truth truth[], const struct cf_case *c, const struct cf_tensor in[],
                  enum cf_conv_way way, int threads)
{
    struct cf_conv g;

    cf_conv_geometry(&g, c, in, way);
    const int64_t images = way == CF_CONV_BWD_FILTER ? 1 : g.n;

    for (int64_t i = 0; i < images * g.groups; ++i) {
        struct product job;

        if (way == CF_CONV_FWD)
            lay_fwd(&job, &g, in, i / g.groups, i % g.groups);
        else if (way == CF_CONV_BWD_DATA)
            lay_bwd_data(&job, &g, in, i / g.groups, i % g.groups);
        else
            lay_bwd_filter(&job, &g, in, i % g.groups);
        const int64_t size = job.m * job.n;
        multiply(truth + i * size, &job, c->dtype, threads);
        mend(truth + i * size, &g, in, way, i * size, size, !all_finite(&job));
        product_stop(&job);
    }
}
