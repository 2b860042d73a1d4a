/* plain: the orders of operations, written out, so that a difference in bits has a name. One file
 * an order; each offers every op. sum, asum, nrm2  x [m,n] -> y [m]           dot   x [m,n], y
 * [m,n] -> [m], m vectors gemv  a [m,n], x [n] -> y [m]               gemm  a [m,k], b [k,n] -> c
 * [m,n] Every element of an output is one reduction over terms. A term is x[i], its absolute value,
 * or a product rounded once (not rounded in fma). Every order starts from +0, as the reference BLAS
 * does, so a reduction without terms is +0 and none is -0. asum and nrm2 prepare their terms before
 * any order sees them; nrm2 scales by an exact power of two, so nothing overflows or underflows
 * that the result does not. */
#ifndef CF_PLAIN_H
#define CF_PLAIN_H

#include "kernel.h"

extern const struct cf_backend cf_backend_plain;

struct cf_plain_pool;

struct cf_library {
    int threads;
    struct cf_plain_pool *pool; /* of threads - 1 threads beside the caller's */
    int64_t *order;             /* canon's permutation of n_order, the last that was used */
    int64_t n_order;
};

/* The reductions of one call. Element (i, j) of the output, [rows, columns], reduces row i of x
 * with row y_of_row ? i : j of y; rows have n elements. y is NULL where terms are the elements of
 * x. */
#define CF_PLAIN_PROBLEM(real, suffix)                                                             \
    struct cf_plain_problem_##suffix {                                                             \
        int64_t rows, columns, n;                                                                  \
        const real *x, *y;                                                                         \
        int y_of_row;                                                                              \
        real *out;                                                                                 \
    };
CF_PLAIN_PROBLEM(float, f32)
CF_PLAIN_PROBLEM(double, f64)

/* Either reduce (of n terms) or solve (of the whole problem, because threads share it). */
struct cf_plain_order {
    float (*reduce_f32)(const struct cf_library *library, const float *term, int64_t n);
    double (*reduce_f64)(const struct cf_library *library, const double *term, int64_t n);
    enum cf_status (*solve_f32)(struct cf_library *library,
                                const struct cf_plain_problem_f32 *problem);
    enum cf_status (*solve_f64)(struct cf_library *library,
                                const struct cf_plain_problem_f64 *problem);
    enum cf_status (*prepare)(struct cf_library *library, int64_t n); /* or NULL */
};

enum cf_plain_op { CF_SUM, CF_ASUM, CF_DOT, CF_NRM2, CF_GEMV, CF_GEMM };

/* Runs an op in an order: checks types and shapes, makes the terms, reduces. */
enum cf_status cf_plain_run(enum cf_plain_op op, const struct cf_plain_order *order,
                            struct cf_library *library, const struct cf_tensor in[],
                            struct cf_tensor out[]);

/* Calls body(context, thread) for threads 0 .. threads - 1, all of them at once. */
void cf_plain_parallel(struct cf_library *library, void (*body)(void *context, int thread),
                       void *context);
struct cf_plain_pool *cf_plain_pool_start(int threads); /* NULL: no such many threads */
void cf_plain_pool_stop(struct cf_plain_pool *pool);

/* Where part i of `parts` of n terms starts; part i + 1 is its end. */
static inline int64_t cf_plain_part(int64_t n, int i, int parts)
{
    return n / parts * i + n % parts * i / parts; /* floor(n * i / parts) without its overflow */
}

/* Terms first .. last - 1 of element e of the output, forward from +0. */
float cf_plain_partial_f32(const struct cf_plain_problem_f32 *problem, int64_t e, int64_t first,
                           int64_t last);
double cf_plain_partial_f64(const struct cf_plain_problem_f64 *problem, int64_t e, int64_t first,
                            int64_t last);

/* The sum over `lanes` (at most 16, a power of two) lanes; see lanes4.c. */
float cf_plain_lanes_f32(const float *term, int64_t n, int lanes);
double cf_plain_lanes_f64(const double *term, int64_t n, int lanes);

/* Defines cf_kernels_plain_<name>[] over a `struct cf_plain_order order`. */
#define CF_PLAIN_RUN(op, OP)                                                                       \
    static enum cf_status run_##op(struct cf_library *library, const struct cf_pairs *attributes,  \
                                   const struct cf_tensor in[], struct cf_tensor out[])            \
    {                                                                                              \
        (void)attributes;                                                                          \
        return cf_plain_run(OP, &order, library, in, out);                                         \
    }
#define CF_PLAIN_ENTRY(op_, name_)                                                                 \
    {                                                                                              \
        .op = #op_, .name = #name_, .backend = &cf_backend_plain, .run = run_##op_                 \
    }
#define CF_PLAIN_KERNELS(name)                                                                     \
    CF_PLAIN_RUN(sum, CF_SUM)                                                                      \
    CF_PLAIN_RUN(asum, CF_ASUM)                                                                    \
    CF_PLAIN_RUN(dot, CF_DOT)                                                                      \
    CF_PLAIN_RUN(nrm2, CF_NRM2)                                                                    \
    CF_PLAIN_RUN(gemv, CF_GEMV)                                                                    \
    CF_PLAIN_RUN(gemm, CF_GEMM)                                                                    \
    extern const struct cf_kernel cf_kernels_plain_##name[];                                       \
    const struct cf_kernel cf_kernels_plain_##name[] = {CF_PLAIN_ENTRY(sum, name),                 \
                                                        CF_PLAIN_ENTRY(asum, name),                \
                                                        CF_PLAIN_ENTRY(dot, name),                 \
                                                        CF_PLAIN_ENTRY(nrm2, name),                \
                                                        CF_PLAIN_ENTRY(gemv, name),                \
                                                        CF_PLAIN_ENTRY(gemm, name),                \
                                                        {.op = NULL}}

#endif

/* An order is written once, over REAL. A file that defines TYPED_FILE as its own name before it
 * includes this header is included twice from here, with REAL float and double, and TYPED(x) for
 * names of its own. */
#ifdef TYPED_FILE
#define REAL     float
#define TYPED(x) x##_f32
#include TYPED_FILE
#undef REAL
#undef TYPED
#define REAL     double
#define TYPED(x) x##_f64
#include TYPED_FILE
#undef REAL
#undef TYPED
#undef TYPED_FILE
#endif
