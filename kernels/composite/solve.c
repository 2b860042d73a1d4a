/* solve_cg: conjugate gradients from x = 0 (Hestenes and Stiefel, 1952):
 *   alpha = r'r / p'Ap; x += alpha p; r -= alpha Ap; p = r + (r'r / old r'r) p
 * solve_jacobi: x += D^-1 (b - A x) from x = 0, D the diagonal of A.
 * A [n,n], b [n], settings {square of the relative residual to reach, most iterations}; verdict
 * {converged, iterations}, x [n]. Products and dots are the backend's; the updates are one IEEE
 * operation at a time. */
#ifndef REAL
#include <stdlib.h>
#include <string.h>

#include "composite.h"

struct vectors {
    struct cf_training t;
    int64_t n;
    struct cf_tensor a, b, x, r, p, q, one; /* q: A p or A x; one: [1] */
};

/* dot(x, y), rounded as the backend does, widened. */
static double dot(struct vectors *v, struct cf_tensor x, struct cf_tensor y)
{
    struct cf_tensor in[2] = {x, y};

    for (int o = 0; o < 2; ++o) {
        in[o].rank = 2;
        in[o].dim[0] = 1;
        in[o].dim[1] = v->n;
    }
    cf_call(&v->t, "dot", 2, in, 1, &v->one);
    return v->t.status == CF_DONE ? cf_tensor_get(&v->one, 0) : 0;
}

static void multiply(struct vectors *v, struct cf_tensor x)
{
    const struct cf_tensor in[2] = {v->a, x};

    cf_call(&v->t, "gemv", 2, in, 1, &v->q);
}

#define TYPED_FILE "solve.c"
#include "typed.h"

static enum cf_status start(struct vectors *v, const struct cf_tensor in[])
{
    *v = (struct vectors){.t = {.dtype = in[0].dtype, .phase = CF_HELD_OUT_PASS},
                          .n = in[1].dim[0],
                          .a = in[0],
                          .b = in[1]};
    if ((in[0].dtype != CF_F32 && in[0].dtype != CF_F64) || in[0].rank != 2 ||
        in[0].dim[0] != v->n || in[0].dim[1] != v->n)
        return CF_UNSUPPORTED;
    v->x = cf_new(&v->t, v->n, 0);
    v->r = cf_new(&v->t, v->n, 0);
    v->p = cf_new(&v->t, v->n, 0);
    v->q = cf_new(&v->t, v->n, 0);
    v->one = cf_new(&v->t, 1, 0);
    return v->t.status;
}

static enum cf_status solve(const struct cf_tensor in[], struct cf_tensor out[],
                            int (*f32)(struct vectors *, double, int64_t, int64_t *),
                            int (*f64)(struct vectors *, double, int64_t, int64_t *))
{
    struct vectors v;
    int64_t *verdict = out[0].bits;
    enum cf_status status = start(&v, in);

    if (status == CF_DONE) {
        const double square = cf_tensor_get(&in[2], 0);
        const int64_t limit = (int64_t)cf_tensor_get(&in[2], 1);

        verdict[0] = (in[0].dtype == CF_F32 ? f32 : f64)(&v, square, limit, &verdict[1]);
        memcpy(out[1].bits, v.x.bits, cf_tensor_bytes(&out[1]));
        status = v.t.status;
    }
    cf_release(&v.t);
    free(v.t.memory);
    return status;
}

static enum cf_status run_cg(struct cf_library *library, const struct cf_pairs *attributes,
                             const struct cf_tensor in[], struct cf_tensor out[])
{
    (void)library; /* the primitives find it */
    (void)attributes;
    return solve(in, out, cg_f32, cg_f64);
}

static enum cf_status run_jacobi(struct cf_library *library, const struct cf_pairs *attributes,
                                 const struct cf_tensor in[], struct cf_tensor out[])
{
    (void)library;
    (void)attributes;
    return solve(in, out, jacobi_f32, jacobi_f64);
}

extern const struct cf_kernel cf_kernels_composite_solve[];
const struct cf_kernel cf_kernels_composite_solve[] = {
    {.op = "solve_cg", .name = "step", .backend = NULL, .run = run_cg},
    {.op = "solve_jacobi", .name = "step", .backend = NULL, .run = run_jacobi},
    {.op = NULL}};

#else

/* y += a x */
static void TYPED(add)(REAL *y, REAL a, const REAL *x, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        y[i] += a * x[i];
}

/* Has it converged? A NaN has not. */
static int TYPED(cg)(struct vectors *v, double square, int64_t limit, int64_t *iterations)
{
    REAL *r = v->r.bits, *p = v->p.bits, rr, goal;

    memcpy(r, v->b.bits, cf_tensor_bytes(&v->b));
    memcpy(p, v->b.bits, cf_tensor_bytes(&v->b));
    rr = (REAL)dot(v, v->r, v->r);
    goal = (REAL)square * rr;
    for (*iterations = 0; *iterations < limit && v->t.status == CF_DONE; ++*iterations) {
        REAL alpha, beta;

        if (rr <= goal)
            return 1;
        multiply(v, v->p);
        alpha = rr / (REAL)dot(v, v->p, v->q);
        TYPED(add)(v->x.bits, alpha, p, v->n);
        TYPED(add)(r, -alpha, v->q.bits, v->n);
        beta = 1 / rr;
        rr = (REAL)dot(v, v->r, v->r);
        beta *= rr;
        for (int64_t i = 0; i < v->n; ++i)
            p[i] = r[i] + beta * p[i];
    }
    return rr <= goal;
}

static int TYPED(jacobi)(struct vectors *v, double square, int64_t limit, int64_t *iterations)
{
    const REAL *a = v->a.bits, *b = v->b.bits;
    REAL *x = v->x.bits, *r = v->r.bits, rr;
    const REAL goal = (REAL)square * (REAL)dot(v, v->b, v->b);

    for (*iterations = 0;; ++*iterations) {
        const REAL *ax = v->q.bits;

        multiply(v, v->x);
        for (int64_t i = 0; i < v->n; ++i)
            r[i] = b[i] - ax[i];
        rr = (REAL)dot(v, v->r, v->r);
        if (rr <= goal || *iterations == limit || v->t.status != CF_DONE)
            return rr <= goal;
        for (int64_t i = 0; i < v->n; ++i)
            x[i] += r[i] / a[i * v->n + i];
    }
}
#endif
