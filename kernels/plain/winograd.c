/* winograd: 3x3 convolutions of stride 1 by minimal filtering, tiles of m x m outputs:
 *
 *   Y = A' [ sum over c of (G w G') * (B' x B) ] A     (' transposes; * is element by element)
 *
 * with the matrices of F(2,3) and F(4,3) of Lavin and Gray, Fast algorithms for convolutional
 * neural networks, 2016, sections 4.1 and 4.3. The order is: transform of the filter and of the
 * image, each by columns, then rows, terms left to right; the sum over c forward; the transform of
 * the sum. class fast: the products are no partial sums of the output, so that a large pixel leaves
 * its rounding error in outputs that it has no part in. growth: the infinity norms of A', G and B'
 * (3, 3/2, 2 and 19, 1, 10) multiplied, and squared for two dims; after Barabasz, Anderson,
 * Soodhalter and Gregg, Error analysis and improving the accuracy of Winograd convolution for deep
 * neural networks, 2020, section
 * 4. bwd_data is fwd of dy with the filters turned by 180 degrees and k and c exchanged. */
#ifndef REAL
#include <stdlib.h>

#include "conv.h"

#define T_MAX 6

/* Rows of m + 2 (a, b) or of 3 (g). */
struct minimal {
    int m;
    double a[4 * T_MAX], g[T_MAX * 3], b[T_MAX * T_MAX];
};

static const struct minimal f2x3 = {.m = 2,
                                    .a = {1, 1, 1, 0, 0, 1, -1, -1},
                                    .g = {1, 0, 0, .5, .5, .5, .5, -.5, .5, 0, 0, 1},
                                    .b = {1, 0, -1, 0, 0, 1, 1, 0, 0, -1, 1, 0, 0, 1, 0, -1}};

static const struct minimal f4x3 = {
    .m = 4,
    .a = {1, 1, 1, 1, 1, 0, 0, 1, -1, 2, -2, 0, 0, 1, 1, 4, 4, 0, 0, 1, -1, 8, -8, 1},
    .g = {1. / 4, 0, 0, -1. / 6, -1. / 6, -1. / 6, -1. / 6, 1. / 6, -1. / 6, 1. / 24, 1. / 12,
          1. / 6, 1. / 24, -1. / 12, 1. / 6, 0, 0, 1},
    .b = {4, 0,  -5, 0, 1, 0, 0, -4, -4, 1,  1, 0, 0, 4, -4, -1, 1, 0,
          0, -2, -1, 2, 1, 0, 0, 2,  -1, -2, 1, 0, 0, 4, 0,  -5, 0, 1}};

#define TYPED_FILE "winograd.c"
#include "plain.h"

/* Geometry of the forward problem that is computed: of itself, or of the turned one. */
static int takes(const struct cf_window *g)
{
    return g->r == 3 && g->s == 3 && g->stride == 1 && g->dilation == 1 && g->pad <= 2 && !g->nhwc;
}

static enum cf_status run(const struct minimal *f, enum cf_way way, struct cf_library *library,
                          const struct cf_pairs *attributes, const struct cf_tensor in[],
                          struct cf_tensor out[])
{
    struct cf_window g;

    if (cf_window_read(&g, way, attributes, in, out) != CF_DONE || !takes(&g))
        return CF_UNSUPPORTED;
    return in[0].dtype == CF_F64 ? convolve_f64(f, way, library, &g, in, out)
                                 : convolve_f32(f, way, library, &g, in, out);
}

#define RUN(way, WAY, f)                                                                           \
    static enum cf_status way##_##f(struct cf_library *library, const struct cf_pairs *attributes, \
                                    const struct cf_tensor in[], struct cf_tensor out[])           \
    {                                                                                              \
        return run(&f, WAY, library, attributes, in, out);                                         \
    }
RUN(fwd, CF_FWD, f2x3)
RUN(bwd_data, CF_BWD_DATA, f2x3)
RUN(fwd, CF_FWD, f4x3)
RUN(bwd_data, CF_BWD_DATA, f4x3)

#define ENTRY(way, f, growth_)                                                                     \
    {                                                                                              \
        .op = "conv2d_" #way, .name = "winograd-" #f, .backend = &cf_backend_plain,                \
        .run = way##_##f, .class = CF_FAST, .growth = growth_                                      \
    }

extern const struct cf_kernel cf_kernels_plain_winograd[];
const struct cf_kernel cf_kernels_plain_winograd[] = {ENTRY(fwd, f2x3, 81),
                                                      ENTRY(bwd_data, f2x3, 81),
                                                      ENTRY(fwd, f4x3, 36100),
                                                      ENTRY(bwd_data, f4x3, 36100),
                                                      {.op = NULL}};
#else

/* A forward problem: x [n][c][h][w], filters u [k][c/groups][t][t] transformed, y [n][k][p][q]. */
struct TYPED(job) {
    const struct minimal *f;
    int64_t n, c, h, w, k, p, q, pad, groups;
    const REAL *x, *u;
    REAL *y, *v; /* v: scratch of the threads */
    int threads;
};

/* to [rows][columns of right] = left [rows][inner] right [inner][columns], or right transposed. */
static void TYPED(product)(REAL *to, const double *left, const REAL *right, int rows, int inner,
                           int columns)
{
    for (int i = 0; i < rows; ++i)
        for (int j = 0; j < columns; ++j) {
            REAL sum = 0;

            for (int l = 0; l < inner; ++l)
                sum += (REAL)left[i * inner + l] * right[l * columns + j];
            to[i * columns + j] = sum;
        }
}

/* to [rows][rows] = M from M', M [rows][inner], from [inner][inner]. */
static void TYPED(transform)(REAL *to, const double *matrix, const REAL *from, int rows, int inner)
{
    REAL half[T_MAX * T_MAX] = {0}, turned[T_MAX * T_MAX] = {0}, whole[T_MAX * T_MAX];

    TYPED(product)(half, matrix, from, rows, inner, inner);
    for (int i = 0; i < rows; ++i)
        for (int l = 0; l < inner; ++l)
            turned[l * rows + i] = half[i * inner + l];
    TYPED(product)(whole, matrix, turned, rows, inner, rows);
    for (int i = 0; i < rows; ++i)
        for (int j = 0; j < rows; ++j)
            to[j * rows + i] = whole[i * rows + j];
}

/* The image under a tile, zeros in the padding. */
static void TYPED(look)(REAL *tile, const struct TYPED(job) * j, const REAL *plane, int64_t row,
                        int64_t column)
{
    const int t = j->f->m + 2;

    for (int a = 0; a < t; ++a)
        for (int b = 0; b < t; ++b) {
            const int64_t h = row - j->pad + a, w = column - j->pad + b;

            tile[a * t + b] = h >= 0 && h < j->h && w >= 0 && w < j->w ? plane[h * j->w + w] : 0;
        }
}

/* v [c][t][t]: the transformed tiles of all channels at one place. */
static void TYPED(look_at_all)(REAL *v, const struct TYPED(job) * j, int64_t n, int64_t row,
                               int64_t column)
{
    const int t = j->f->m + 2;
    REAL x[T_MAX * T_MAX];

    for (int64_t c = 0; c < j->c; ++c) {
        TYPED(look)(x, j, j->x + (n * j->c + c) * j->h * j->w, row, column);
        TYPED(transform)(v + c * t * t, j->f->b, x, t, t);
    }
}

static void TYPED(tile)(const struct TYPED(job) * j, const REAL *v, int64_t n, int64_t k,
                        int64_t row, int64_t column)
{
    const int m = j->f->m, t = m + 2;
    const int64_t cg = j->c / j->groups, c0 = k / (j->k / j->groups) * cg;
    REAL sum[T_MAX * T_MAX] = {0}, y[4 * 4];

    for (int64_t c = 0; c < cg; ++c) {
        const REAL *u = j->u + (k * cg + c) * t * t, *of_c = v + (c0 + c) * t * t;

        for (int i = 0; i < t * t; ++i)
            sum[i] += u[i] * of_c[i];
    }
    TYPED(transform)(y, j->f->a, sum, m, t);
    for (int a = 0; a < m && row + a < j->p; ++a)
        for (int b = 0; b < m && column + b < j->q; ++b)
            j->y[((n * j->k + k) * j->p + row + a) * j->q + column + b] = y[a * m + b];
}

/* Rows of tiles are shared among the threads; each has scratch of its own in j->v. */
static void TYPED(work)(void *context, int thread)
{
    const struct TYPED(job) *j = context;
    const int64_t m = j->f->m, rows = (j->p + m - 1) / m, n_units = j->n * rows;
    const int64_t last = cf_plain_part(n_units, thread + 1, j->threads);
    REAL *v = j->v + thread * j->c * (m + 2) * (m + 2);

    for (int64_t unit = cf_plain_part(n_units, thread, j->threads); unit < last; ++unit)
        for (int64_t column = 0; column < j->q; column += m) {
            TYPED(look_at_all)(v, j, unit / rows, unit % rows * m, column);
            for (int64_t k = 0; k < j->k; ++k)
                TYPED(tile)(j, v, unit / rows, k, unit % rows * m, column);
        }
}

static REAL *TYPED(widen)(const struct cf_tensor *t)
{
    const int64_t n = cf_tensor_count(t);
    REAL *to = malloc((size_t)(n + 1) * sizeof to[0]);

    for (int64_t i = 0; to && i < n; ++i)
        to[i] = (REAL)cf_tensor_get(t, i);
    return to;
}

/* Filters [k][c/groups] of the forward problem; turned: those of bwd_data out of w [k][c/groups].
 */
static REAL *TYPED(filters)(const struct TYPED(job) * j, const struct cf_tensor *w, int turned)
{
    const int t = j->f->m + 2;
    const int64_t cg = j->c / j->groups, kg = j->k / j->groups;
    REAL *u = malloc((size_t)(j->k * cg * t * t + 1) * sizeof u[0]);

    for (int64_t i = 0; u && i < j->k * cg; ++i) {
        const int64_t k = i / cg, c = i % cg, group = k / kg;
        /* Of the turned problem, k counts channels and c filters of the group. */
        const int64_t from = turned ? (group * cg + c) * kg + k % kg : i;
        REAL window[9];

        for (int l = 0; l < 9; ++l)
            window[l] = (REAL)cf_tensor_get(w, from * 9 + (turned ? 8 - l : l));
        TYPED(transform)(u + i * t * t, j->f->g, window, t, 3);
    }
    return u;
}

static enum cf_status TYPED(convolve)(const struct minimal *f, enum cf_way way,
                                      struct cf_library *library, const struct cf_window *g,
                                      const struct cf_tensor in[], struct cf_tensor out[])
{
    const int turned = way == CF_BWD_DATA;
    struct TYPED(job) job = {.f = f,
                             .n = g->n,
                             .c = turned ? g->k : g->c,
                             .h = turned ? g->p : g->h,
                             .w = turned ? g->q : g->w,
                             .k = turned ? g->c : g->k,
                             .p = turned ? g->h : g->p,
                             .q = turned ? g->w : g->q,
                             .pad = turned ? 2 - g->pad : g->pad,
                             .groups = g->groups,
                             .y = out[0].bits,
                             .threads = library->threads};
    REAL *x = TYPED(widen)(&in[0]), *u = TYPED(filters)(&job, &in[1], turned);

    job.x = x;
    job.u = u;
    job.v = malloc((size_t)(library->threads * job.c * T_MAX * T_MAX + 1) * sizeof job.v[0]);
    const int ready = x && u && job.v;
    if (ready)
        cf_plain_parallel(library, TYPED(work), &job);
    free(x);
    free(u);
    free(job.v);
    return ready ? CF_DONE : CF_NO_MEMORY;
}
#endif
