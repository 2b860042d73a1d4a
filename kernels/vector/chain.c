/* chain: see vector.h. */
#include "vector.h"

#include <math.h>
#include <string.h>
#ifdef CF_VECTOR_X86
#include <immintrin.h>
#endif

#define NAME         scalar_f64
#define TARGET       __attribute__((noinline))
#define V            v1d
#define T            double
#define W            1
#define FMA(a, b, c) scalar_fma_f64(a, b, c)
typedef double v1d __attribute__((vector_size(8)));
typedef float v1s __attribute__((vector_size(4)));
static inline v1d scalar_fma_f64(v1d a, v1d b, v1d c)
{
    return (v1d){fma(a[0], b[0], c[0])};
}
static inline v1s scalar_fma_f32(v1s a, v1s b, v1s c)
{
    return (v1s){fmaf(a[0], b[0], c[0])};
}
#include "chain_body.h"
#define NAME         scalar_f32
#define TARGET       __attribute__((noinline))
#define V            v1s
#define T            float
#define W            1
#define FMA(a, b, c) scalar_fma_f32(a, b, c)
#include "chain_body.h"

#ifdef CF_VECTOR_X86
typedef double v2d __attribute__((vector_size(16)));
typedef float v4s __attribute__((vector_size(16)));
typedef double v4d __attribute__((vector_size(32)));
typedef float v8s __attribute__((vector_size(32)));
typedef double v8d __attribute__((vector_size(64)));
typedef float v16s __attribute__((vector_size(64)));

/* SSE2 has no fused operation; run() never asks it for one. */
#define NAME         sse2_f64
#define TARGET       __attribute__((noinline))
#define V            v2d
#define T            double
#define W            2
#define FMA(a, b, c) (a)
#include "chain_body.h"
#define NAME         sse2_f32
#define TARGET       __attribute__((noinline))
#define V            v4s
#define T            float
#define W            4
#define FMA(a, b, c) (a)
#include "chain_body.h"
#define NAME         fma_f64
#define TARGET       __attribute__((noinline, target("fma")))
#define V            v2d
#define T            double
#define W            2
#define FMA(a, b, c) (v2d) _mm_fmadd_pd((__m128d)(a), (__m128d)(b), (__m128d)(c))
#include "chain_body.h"
#define NAME         fma_f32
#define TARGET       __attribute__((noinline, target("fma")))
#define V            v4s
#define T            float
#define W            4
#define FMA(a, b, c) (v4s) _mm_fmadd_ps((__m128)(a), (__m128)(b), (__m128)(c))
#include "chain_body.h"
#define NAME         avx2_f64
#define TARGET       __attribute__((noinline, target("avx2,fma")))
#define V            v4d
#define T            double
#define W            4
#define FMA(a, b, c) (v4d) _mm256_fmadd_pd((__m256d)(a), (__m256d)(b), (__m256d)(c))
#include "chain_body.h"
#define NAME         avx2_f32
#define TARGET       __attribute__((noinline, target("avx2,fma")))
#define V            v8s
#define T            float
#define W            8
#define FMA(a, b, c) (v8s) _mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c))
#include "chain_body.h"
#define NAME         avx512_f64
#define TARGET       __attribute__((noinline, target("avx512f,avx512dq")))
#define V            v8d
#define T            double
#define W            8
#define FMA(a, b, c) (v8d) _mm512_fmadd_pd((__m512d)(a), (__m512d)(b), (__m512d)(c))
#include "chain_body.h"
#define NAME         avx512_f32
#define TARGET       __attribute__((noinline, target("avx512f,avx512dq")))
#define V            v16s
#define T            float
#define W            16
#define FMA(a, b, c) (v16s) _mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c))
#include "chain_body.h"
#endif

static const struct set {
    const char *name;
    int unfused, fused;
    void (*f64)(double *, const double *, const double *, int64_t, int64_t, int);
    void (*f32)(float *, const float *, const float *, int64_t, int64_t, int);
} sets[] = {{"scalar", 1, 1, scalar_f64, scalar_f32},
#ifdef CF_VECTOR_X86
            {"sse2", 1, 0, sse2_f64, sse2_f32},
            {"fma", 0, 1, fma_f64, fma_f32},
            {"avx2", 1, 1, avx2_f64, avx2_f32},
            {"avx512", 1, 1, avx512_f64, avx512_f32}
#endif
};

static enum cf_status run(int which, const struct cf_pairs *attributes, const struct cf_tensor in[],
                          struct cf_tensor out[])
{
    const struct set *set = &sets[which];
    const int fused = cf_attribute(attributes, "fused", 1) != 0;
    const int64_t n = in[0].dim[0], rounds = cf_attribute(attributes, "rounds", 1);

    if (!cf_vector_has(set->name) || !(fused ? set->fused : set->unfused) ||
        !cf_vector_fits(in, &out[0], 128))
        return CF_UNSUPPORTED;
    for (int64_t p = 0; p < out[0].dim[0]; ++p) {
        if (in[0].dtype == CF_F64)
            set->f64((double *)out[0].bits + p * n, in[0].bits, in[1].bits, n, rounds, fused);
        else if (in[0].dtype == CF_F32)
            set->f32((float *)out[0].bits + p * n, in[0].bits, in[1].bits, n, rounds, fused);
        else
            return CF_UNSUPPORTED;
        CF_VECTOR_BARRIER();
    }
    return CF_DONE;
}

#define RUN(i)                                                                                     \
    static enum cf_status run_##i(struct cf_library *library, const struct cf_pairs *attributes,   \
                                  const struct cf_tensor in[], struct cf_tensor out[])             \
    {                                                                                              \
        (void)library;                                                                             \
        return run(i, attributes, in, out);                                                        \
    }
RUN(0)
#ifdef CF_VECTOR_X86
RUN(1)
RUN(2)
RUN(3)
RUN(4)
#endif

extern const struct cf_kernel cf_kernels_vector_chain[];
const struct cf_kernel cf_kernels_vector_chain[] = {
    {.op = "chain", .name = "scalar", .backend = &cf_backend_vector, .run = run_0},
#ifdef CF_VECTOR_X86
    {.op = "chain", .name = "sse2", .backend = &cf_backend_vector, .run = run_1},
    {.op = "chain", .name = "fma", .backend = &cf_backend_vector, .run = run_2},
    {.op = "chain", .name = "avx2", .backend = &cf_backend_vector, .run = run_3},
    {.op = "chain", .name = "avx512", .backend = &cf_backend_vector, .run = run_4},
#endif
    {.op = NULL}};
