/* conv2d by the convolution theorem. Three kinds of plane, each of the padded image's size or more:
 * an image (x at its place inside the padding), a filter (w at r dilation, s dilation), an output
 * (y at p stride, q stride). With ^ for the transform and * for the conjugate, fwd         y^[n,k]
 * = sum over c of x^[n,c] w^*[k,c] bwd_data    dx^[n,c] = sum over k of dy^[n,k] w^[k,c] bwd_filter
 * dw^[k,c] = sum over n of x^[n,c] dy^*[n,k] No index wraps round, for p stride + r dilation stays
 * inside the padded image. class fast: growth is 21 log2(N) sqrt(N) for planes of N = 2^16 pixels,
 * the largest that are taken, from the error of three transforms (Higham, Accuracy and Stability of
 * Numerical Algorithms, 2002, theorem 24.2) and norm 2 of a plane at most sqrt(N) times its largest
 * element. */
#ifndef REAL
#include <stdlib.h>
#include <string.h>

#include "fftw.h"

#define ESTIMATE   (1u << 6) /* FFTW_ESTIMATE */
#define PIXELS_MAX (1 << 16)
#define GROWTH     86016

/* Where the elements of one kind of plane lie. */
struct lattice {
    int64_t rows, columns, first, step;
};

static struct lattice image_of(const struct cf_window *g)
{
    return (struct lattice){g->h, g->w, g->pad, 1};
}

static struct lattice filter_of(const struct cf_window *g)
{
    return (struct lattice){g->r, g->s, 0, g->dilation};
}

static struct lattice output_of(const struct cf_window *g)
{
    return (struct lattice){g->p, g->q, 0, g->stride};
}

/* The next size whose prime factors are 2, 3 and 5. */
static int64_t smooth(int64_t n)
{
    for (;; ++n) {
        int64_t rest = n;

        for (int64_t f = 2; f <= 5; ++f)
            while (rest % f == 0)
                rest /= f;
        if (rest == 1)
            return n;
    }
}

#define TYPED_FILE "conv2d.c"
#include "fftw.h"

static enum cf_status run(enum cf_way way, struct cf_library *library,
                          const struct cf_pairs *attributes, const struct cf_tensor in[],
                          struct cf_tensor out[])
{
    struct cf_window g;

    if (cf_window_read(&g, way, attributes, in, out) != CF_DONE || g.nhwc ||
        in[0].dtype != library->dtype ||
        smooth(g.h + 2 * g.pad) * smooth(g.w + 2 * g.pad) > PIXELS_MAX)
        return CF_UNSUPPORTED;
    return in[0].dtype == CF_F64 ? convolve_f64(way, library, &g, in, out)
                                 : convolve_f32(way, library, &g, in, out);
}

#define RUN(way, WAY)                                                                              \
    static enum cf_status way(struct cf_library *library, const struct cf_pairs *attributes,       \
                              const struct cf_tensor in[], struct cf_tensor out[])                 \
    {                                                                                              \
        return run(WAY, library, attributes, in, out);                                             \
    }
RUN(fwd, CF_FWD)
RUN(bwd_data, CF_BWD_DATA)
RUN(bwd_filter, CF_BWD_FILTER)

#define ENTRY(way)                                                                                 \
    {                                                                                              \
        .op = "conv2d_" #way, .name = "fft", .backend = &cf_backend_fftw, .run = way,              \
        .class = CF_FAST, .growth = GROWTH                                                         \
    }

extern const struct cf_kernel cf_kernels_fftw_conv2d[];
const struct cf_kernel cf_kernels_fftw_conv2d[] = {
    ENTRY(fwd), ENTRY(bwd_data), ENTRY(bwd_filter), {.op = NULL}};
#else

/* One convolution. A spectrum has n_bins complex numbers as pairs. */
struct TYPED(job) {
    struct cf_library *library;
    int64_t rows, columns, n_bins;
    REAL *plane, *bins; /* what the plans transform */
    void *forward, *backward;
};

static void TYPED(stop)(struct TYPED(job) * j)
{
    if (j->forward)
        j->library->destroy_plan(j->forward);
    if (j->backward)
        j->library->destroy_plan(j->backward);
    free(j->plane);
    free(j->bins);
}

static int TYPED(start)(struct TYPED(job) * j, struct cf_library *library,
                        const struct cf_window *g)
{
    *j = (struct TYPED(job)){.library = library,
                             .rows = smooth(g->h + 2 * g->pad),
                             .columns = smooth(g->w + 2 * g->pad)};
    j->n_bins = j->rows * (j->columns / 2 + 1);
    j->plane = malloc((size_t)(j->rows * j->columns) * sizeof(REAL));
    j->bins = malloc((size_t)(2 * j->n_bins) * sizeof(REAL));
    if (!j->plane || !j->bins)
        return 0;
    j->forward = library->plan_forward((int)j->rows, (int)j->columns, j->plane, j->bins, ESTIMATE);
    j->backward =
        library->plan_backward((int)j->rows, (int)j->columns, j->bins, j->plane, ESTIMATE);
    return j->forward && j->backward;
}

/* spectrum = transform of the elements of one plane at their lattice. */
static void TYPED(transform)(const struct TYPED(job) * j, REAL *spectrum, const REAL *elements,
                             const struct lattice *at)
{
    memset(j->plane, 0, (size_t)(j->rows * j->columns) * sizeof(REAL));
    for (int64_t a = 0; a < at->rows; ++a)
        for (int64_t b = 0; b < at->columns; ++b)
            j->plane[(at->first + a * at->step) * j->columns + at->first + b * at->step] =
                elements[a * at->columns + b];
    j->library->execute(j->forward);
    memcpy(spectrum, j->bins, (size_t)(2 * j->n_bins) * sizeof(REAL));
}

static void TYPED(transform_back)(const struct TYPED(job) * j, REAL *elements, const REAL *spectrum,
                                  const struct lattice *at)
{
    const REAL n = (REAL)(j->rows * j->columns);

    memcpy(j->bins, spectrum, (size_t)(2 * j->n_bins) * sizeof(REAL));
    j->library->execute(j->backward);
    for (int64_t a = 0; a < at->rows; ++a)
        for (int64_t b = 0; b < at->columns; ++b)
            elements[a * at->columns + b] =
                j->plane[(at->first + a * at->step) * j->columns + at->first + b * at->step] / n;
}

/* sum += a b, or a times the conjugate of b. */
static void TYPED(add)(REAL *sum, const REAL *a, const REAL *b, int64_t n, REAL sign)
{
    for (int64_t i = 0; i < 2 * n; i += 2) {
        sum[i] += a[i] * b[i] - sign * (a[i + 1] * b[i + 1]);
        sum[i + 1] += a[i + 1] * b[i] + sign * (a[i] * b[i + 1]);
    }
}

/* Spectra of all planes of an operand; NULL: no memory. */
static REAL *TYPED(spectra)(const struct TYPED(job) * j, const struct cf_tensor *t,
                            const struct lattice *at)
{
    const int64_t n = t->dim[0] * t->dim[1];
    REAL *to = calloc((size_t)(2 * n * j->n_bins + 1), sizeof to[0]);

    for (int64_t i = 0; to && i < n; ++i)
        TYPED(transform)
    (j, to + 2 * i * j->n_bins, (const REAL *)t->bits + i * at->rows * at->columns, at);
    return to;
}

/* The planes of the output, each a sum over `n_terms` products; see the head of the file. */
static void TYPED(sum_planes)(const struct TYPED(job) * j, enum cf_way way,
                              const struct cf_window *g, const REAL *first, const REAL *second,
                              REAL *sum, struct cf_tensor *out, const struct lattice *at)
{
    const int64_t cg = g->c / g->groups, kg = g->k / g->groups;
    const int64_t n_terms[] = {cg, kg, g->n}, width[] = {g->k, g->c, cg};

    for (int64_t i = 0; i < out->dim[0] * out->dim[1]; ++i) {
        const int64_t a = i / width[way], b = i % width[way];

        memset(sum, 0, (size_t)(2 * j->n_bins) * sizeof(REAL));
        for (int64_t t = 0; t < n_terms[way]; ++t) {
            const int64_t group = way == CF_FWD ? b / kg : way == CF_BWD_DATA ? b / cg : a / kg;
            const int64_t left = way == CF_FWD        ? a * g->c + group * cg + t
                                 : way == CF_BWD_DATA ? a * g->k + group * kg + t
                                                      : t * g->c + group * cg + b;
            const int64_t right = way == CF_FWD        ? b * cg + t
                                  : way == CF_BWD_DATA ? (group * kg + t) * cg + b % cg
                                                       : t * g->k + a;

            TYPED(add)
            (sum, first + 2 * left * j->n_bins, second + 2 * right * j->n_bins, j->n_bins,
             way == CF_BWD_DATA ? 1 : -1);
        }
        TYPED(transform_back)(j, (REAL *)out->bits + i * at->rows * at->columns, sum, at);
    }
}

static enum cf_status TYPED(convolve)(enum cf_way way, struct cf_library *library,
                                      const struct cf_window *g, const struct cf_tensor in[],
                                      struct cf_tensor out[])
{
    const struct lattice image = image_of(g), filter = filter_of(g), output = output_of(g);
    const struct lattice *const role[3][3] = {[CF_FWD] = {&image, &filter, &output},
                                              [CF_BWD_DATA] = {&output, &filter, &image},
                                              [CF_BWD_FILTER] = {&image, &output, &filter}};
    REAL *first = NULL, *second = NULL, *sum = NULL;
    struct TYPED(job) job;
    int ready = TYPED(start)(&job, library, g);

    if (ready) {
        first = TYPED(spectra)(&job, &in[0], role[way][0]);
        second = TYPED(spectra)(&job, &in[1], role[way][1]);
        sum = malloc((size_t)(2 * job.n_bins) * sizeof sum[0]);
        ready = first && second && sum;
    }
    if (ready)
        TYPED(sum_planes)(&job, way, g, first, second, sum, &out[0], role[way][2]);
    free(first);
    free(second);
    free(sum);
    TYPED(stop)(&job);
    return ready ? CF_DONE : CF_NO_MEMORY;
}
#endif
