#include "kernel.h"

#include <stdlib.h>
#include <string.h>

/* One convolution. Operands are f32 or f64 (16-bit ones are widened into copies first). */
struct job {
    struct cf_window g;
    enum cf_dtype dtype;
    size_t size;           /* of an element */
    int64_t taps, outputs; /* of a group: c r s; of an image: p q */
    const struct cf_kernel *gemm;
    struct cf_library *library;
    char *columns, *product; /* [taps][outputs]; a matrix that a gemm gives */
};

static struct cf_tensor matrix(const struct job *job, int64_t rows, int64_t columns,
                               const void *bits)
{
    return (struct cf_tensor){
        .dtype = job->dtype, .rank = 2, .dim = {rows, columns}, .bits = (void *)(uintptr_t)bits};
}

/* c [m][n] = a [m][k] b [k][n]. */
static enum cf_status multiply(const struct job *job, const void *a, const void *b, void *c,
                               int64_t m, int64_t n, int64_t k)
{
    const struct cf_tensor in[] = {matrix(job, m, k, a), matrix(job, k, n, b)};
    struct cf_tensor out[] = {matrix(job, m, n, c)};
    const struct cf_pairs none = {0};

    return job->gemm->run(job->library, &none, in, out);
}

/* Input element under column (tap, output) of an image and group, or -1. */
static int64_t under(const struct job *job, int64_t n, int64_t group, int64_t tap, int64_t output)
{
    const struct cf_window *g = &job->g;
    const int64_t h = cf_window_row(g, output / g->q, tap / g->s % g->r, g->h);
    const int64_t w = cf_window_row(g, output % g->q, tap % g->s, g->w);
    const int64_t c = group * (g->c / g->groups) + tap / g->s / g->r;

    return h < 0 || w < 0 ? -1 : ((n * g->c + c) * g->h + h) * g->w + w;
}

/* columns [taps][outputs], or transposed [outputs][taps]. */
static void lay_columns(const struct job *job, const char *x, int64_t n, int64_t group,
                        int transposed)
{
    for (int64_t tap = 0; tap < job->taps; ++tap)
        for (int64_t output = 0; output < job->outputs; ++output) {
            const int64_t from = under(job, n, group, tap, output);
            const int64_t to = transposed ? output * job->taps + tap : tap * job->outputs + output;
            char *at = job->columns + (size_t)to * job->size;

            if (from >= 0)
                memcpy(at, x + (size_t)from * job->size, job->size);
            else
                memset(at, 0, job->size);
        }
}

static void add(const struct job *job, char *to, const char *from, int64_t n)
{
    if (job->dtype == CF_F32)
        for (int64_t i = 0; i < n; ++i)
            ((float *)(void *)to)[i] += ((const float *)(const void *)from)[i];
    else
        for (int64_t i = 0; i < n; ++i)
            ((double *)(void *)to)[i] += ((const double *)(const void *)from)[i];
}

/* dx += its columns: for each pixel over r, then s. */
static void add_columns(const struct job *job, char *dx, int64_t n, int64_t group)
{
    for (int64_t tap = 0; tap < job->taps; ++tap)
        for (int64_t output = 0; output < job->outputs; ++output) {
            const int64_t to = under(job, n, group, tap, output);

            if (to >= 0)
                add(job, dx + (size_t)to * job->size,
                    job->product + (size_t)(tap * job->outputs + output) * job->size, 1);
        }
}

/* to [columns][rows] = from [rows][columns] transposed. */
static void transpose(const struct job *job, char *to, const char *from, int64_t rows,
                      int64_t columns)
{
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j)
            memcpy(to + (size_t)(j * rows + i) * job->size,
                   from + (size_t)(i * columns + j) * job->size, job->size);
}

static enum cf_status run_group(const struct job *job, enum cf_way way, const char *const in[],
                                char *out, int64_t n, int64_t group)
{
    const struct cf_window *g = &job->g;
    const int64_t kg = g->k / g->groups;
    const size_t y_at = (size_t)((n * g->k + group * kg) * job->outputs) * job->size;
    const size_t w_at = (size_t)(group * kg * job->taps) * job->size;
    enum cf_status status;

    if (way == CF_FWD) {
        lay_columns(job, in[0], n, group, 0);
        return multiply(job, in[1] + w_at, job->columns, out + y_at, kg, job->outputs, job->taps);
    }
    if (way == CF_BWD_DATA) {
        transpose(job, job->columns, in[1] + w_at, kg, job->taps);
        status =
            multiply(job, job->columns, in[0] + y_at, job->product, job->taps, job->outputs, kg);
        add_columns(job, out, n, group);
        return status;
    }
    lay_columns(job, in[0], n, group, 1);
    status = multiply(job, in[1] + y_at, job->columns, job->product, kg, job->taps, job->outputs);
    add(job, out + w_at, job->product, kg * job->taps);
    return status;
}

/* 16-bit operands as f32; others as they are, and *copy NULL. NULL: no memory. */
static const char *widen(const struct cf_tensor *t, float **copy)
{
    const int64_t n = cf_tensor_count(t);

    *copy = NULL;
    if (t->dtype == CF_F32 || t->dtype == CF_F64)
        return t->bits;
    *copy = malloc((size_t)(n + 1) * sizeof(float));
    for (int64_t i = 0; *copy && i < n; ++i)
        (*copy)[i] = (float)cf_tensor_get(t, i);
    return (const char *)*copy;
}

/* Scratch for the largest of what the three ways keep. */
static int make_room(struct job *job)
{
    const int64_t kg = job->g.k / job->g.groups;
    const int64_t wide = job->outputs > kg ? job->outputs : kg;

    job->columns = malloc((size_t)(job->taps * wide + 1) * job->size);
    job->product = malloc((size_t)(job->taps * wide + 1) * job->size);
    return job->columns && job->product;
}

int cf_im2col(enum cf_way way, const struct cf_kernel *gemm, struct cf_library *library,
              const struct cf_pairs *attributes, const struct cf_tensor in[],
              struct cf_tensor out[])
{
    struct job job = {.dtype = out[0].dtype,
                      .size = cf_dtype_size(out[0].dtype),
                      .gemm = gemm,
                      .library = library};
    enum cf_status status = CF_NO_MEMORY;
    float *copy[2];

    if (!gemm || cf_window_read(&job.g, way, attributes, in, out) != CF_DONE || job.g.nhwc)
        return CF_UNSUPPORTED;
    job.taps = job.g.c / job.g.groups * job.g.r * job.g.s;
    job.outputs = job.g.p * job.g.q;
    const char *const bits[] = {widen(&in[0], &copy[0]), widen(&in[1], &copy[1])};
    if (bits[0] && bits[1] && make_room(&job)) {
        if (way != CF_FWD)
            memset(out[0].bits, 0, cf_tensor_bytes(&out[0]));
        status = CF_DONE;
        for (int64_t i = 0; i < job.g.n * job.g.groups && status == CF_DONE; ++i)
            status = run_group(&job, way, bits, out[0].bits, i / job.g.groups, i % job.g.groups);
    }
    free(copy[0]);
    free(copy[1]);
    free(job.columns);
    free(job.product);
    return status;
}
