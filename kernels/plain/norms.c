/* norms: batch norm of [n,c,h,w] over n, h, w, and layer norm of [n,c] over c. With m elements a
 * group: mean = (sum of x) / m; fwd y = gamma ((x - mean) / sigma) + beta, sigma = sqrt(variance +
 * epsilon); bwd  z = (x - mean) / sigma, dx = (dy' - (sum of dy') / m - z ((sum of dy' z) / m)) /
 * sigma, times gamma for batch norm; dgamma = sum of dy z, dbeta = sum of dy; dy' = dy (batch),
 * gamma dy (layer). forward: variance = (sum of (x - mean)^2) / m; onepass: (sum of x^2) / m -
 * mean^2, not below 0. */
#ifndef REAL
#include <math.h>
#include <stdlib.h>

#include "primitives.h"

/* Group g has elements (a * groups + g) * inner + b; gamma has one a group, or one an element of
 * it. */
struct grid {
    int64_t outer, groups, inner;
    int per_group, onepass;
};

static struct grid batch_grid(const struct cf_tensor *x, int onepass)
{
    return (struct grid){x->dim[0], x->dim[1], x->dim[2] * x->dim[3], 1, onepass};
}

static struct grid layer_grid(const struct cf_tensor *x, int onepass)
{
    return (struct grid){1, x->dim[0], x->dim[1], 0, onepass};
}

static int64_t index_of(const struct grid *g, int64_t group, int64_t j)
{
    return (j / g->inner * g->groups + group) * g->inner + j % g->inner;
}

#define TYPED_FILE "norms.c"
#include "plain.h"

#define NORM(op, name, kind, way, n_in, n_out, onepass)                                            \
    static enum cf_status run_##op##_##name(struct cf_library *library,                            \
                                            const struct cf_pairs *attributes,                     \
                                            const struct cf_tensor in[], struct cf_tensor out[])   \
    {                                                                                              \
        (void)library;                                                                             \
        if (!cf_plain_takes(attributes, in, n_in, out, n_out))                                     \
            return CF_UNSUPPORTED;                                                                 \
        const struct grid grid = kind##_grid(&in[0], onepass);                                     \
        return in[0].dtype == CF_F64 ? way##_f64(&grid, in, out) : way##_f32(&grid, in, out);      \
    }
NORM(batchnorm_fwd, forward, batch, norm_fwd, 3, 1, 0)
NORM(batchnorm_bwd, forward, batch, norm_bwd, 3, 3, 0)
NORM(layernorm_fwd, forward, layer, norm_fwd, 3, 1, 0)
NORM(layernorm_bwd, forward, layer, norm_bwd, 3, 3, 0)
NORM(batchnorm_fwd, canon, batch, norm_fwd, 3, 1, 0)
NORM(batchnorm_bwd, canon, batch, norm_bwd, 3, 3, 0)
NORM(layernorm_fwd, canon, layer, norm_fwd, 3, 1, 0)
NORM(layernorm_bwd, canon, layer, norm_bwd, 3, 3, 0)
NORM(batchnorm_fwd, onepass, batch, norm_fwd, 3, 1, 1)
NORM(batchnorm_bwd, onepass, batch, norm_bwd, 3, 3, 1)
NORM(layernorm_fwd, onepass, layer, norm_fwd, 3, 1, 1)
NORM(layernorm_bwd, onepass, layer, norm_bwd, 3, 3, 1)

#define ENTRY(op_, name_)                                                                          \
    {                                                                                              \
        .op = #op_, .name = #name_, .backend = &cf_backend_plain, .run = run_##op_##_##name_       \
    }
#define ENTRIES(name)                                                                              \
    ENTRY(batchnorm_fwd, name), ENTRY(batchnorm_bwd, name), ENTRY(layernorm_fwd, name),            \
        ENTRY(layernorm_bwd, name)

extern const struct cf_kernel cf_kernels_plain_norms[];
const struct cf_kernel cf_kernels_plain_norms[] = {
    ENTRIES(forward), ENTRIES(canon), ENTRIES(onepass), {.op = NULL}};
#else

static void TYPED(statistics)(REAL *mean, REAL *sigma, const struct grid *g, const REAL *x,
                              int64_t group)
{
    const int64_t m = g->outer * g->inner;
    REAL sum = 0, squares = 0;

    for (int64_t j = 0; j < m; ++j)
        sum += x[index_of(g, group, j)];
    *mean = sum / (REAL)m;
    for (int64_t j = 0; j < m; ++j) {
        const REAL away = x[index_of(g, group, j)] - (g->onepass ? 0 : *mean);

        squares += away * away;
    }
    squares = squares / (REAL)m - (g->onepass ? *mean * *mean : 0);
    squares = (squares > 0 ? squares : 0) + (REAL)CF_PLAIN_EPSILON;
    *sigma =
        sizeof(REAL) == sizeof(float) ? (REAL)sqrtf((float)squares) : (REAL)sqrt((double)squares);
}

static enum cf_status TYPED(norm_fwd)(const struct grid *g, const struct cf_tensor in[],
                                      struct cf_tensor out[])
{
    const REAL *x = in[0].bits, *gamma = in[1].bits, *beta = in[2].bits;
    REAL *y = out[0].bits, mean, sigma;

    for (int64_t group = 0; group < g->groups; ++group) {
        TYPED(statistics)(&mean, &sigma, g, x, group);
        for (int64_t j = 0; j < g->outer * g->inner; ++j) {
            const int64_t i = index_of(g, group, j), l = g->per_group ? group : j;

            y[i] = gamma[l] * ((x[i] - mean) / sigma) + beta[l];
        }
    }
    return CF_DONE;
}

static void TYPED(group_bwd)(const struct grid *g, const struct cf_tensor in[],
                             struct cf_tensor out[], int64_t group)
{
    const int64_t m = g->outer * g->inner;
    const REAL *x = in[0].bits, *gamma = in[1].bits, *dy = in[2].bits;
    REAL *dx = out[0].bits, *dgamma = out[1].bits, *dbeta = out[2].bits;
    REAL mean, sigma, sum = 0, sum_z = 0;

    TYPED(statistics)(&mean, &sigma, g, x, group);
    for (int64_t j = 0; j < m; ++j) {
        const int64_t i = index_of(g, group, j), l = g->per_group ? group : j;
        const REAL z = (x[i] - mean) / sigma, incoming = g->per_group ? dy[i] : gamma[l] * dy[i];

        dgamma[l] += dy[i] * z;
        dbeta[l] += dy[i];
        sum += incoming;
        sum_z += incoming * z;
    }
    sum /= (REAL)m;
    sum_z /= (REAL)m;
    for (int64_t j = 0; j < m; ++j) {
        const int64_t i = index_of(g, group, j);
        const REAL z = (x[i] - mean) / sigma;
        const REAL incoming = g->per_group ? dy[i] : gamma[j] * dy[i];

        dx[i] = (incoming - sum - z * sum_z) / sigma * (g->per_group ? gamma[group] : 1);
    }
}

static enum cf_status TYPED(norm_bwd)(const struct grid *g, const struct cf_tensor in[],
                                      struct cf_tensor out[])
{
    memset(out[1].bits, 0, cf_tensor_bytes(&out[1]));
    memset(out[2].bits, 0, cf_tensor_bytes(&out[2]));
    for (int64_t group = 0; group < g->groups; ++group)
        TYPED(group_bwd)(g, in, out, group);
    return CF_DONE;
}
#endif
