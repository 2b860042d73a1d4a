/* The kernels for AVX2 with FMA; an empty table elsewhere, which is never asked for. */
#if defined(__x86_64__)

#include <immintrin.h>
#include <stdint.h>

#define KERNEL __attribute__((target("avx2,fma")))

KERNEL static inline __m256i pick(__m256i a, __m256i b, __m256i choose_b)
{
    return _mm256_blendv_epi8(a, b, choose_b);
}

KERNEL static inline void pair_add(uint64_t *sum, const uint64_t *s)
{
    const __m128i halves = _mm_cvtepu32_epi64(_mm_loadl_epi64((const __m128i *)s));

    _mm_store_si128((__m128i *)sum, _mm_add_epi64(_mm_load_si128((const __m128i *)sum), halves));
}

KERNEL static inline void quad_add(uint64_t *sum, const uint64_t *s)
{
    const __m256i halves = _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)s));

    _mm256_store_si256((__m256i *)sum,
                       _mm256_add_epi64(_mm256_load_si256((const __m256i *)sum), halves));
}

KERNEL static inline void interleave(uint64_t *to, __m256i a, __m256i b)
{
    const __m256i even = _mm256_unpacklo_epi64(a, b), odd = _mm256_unpackhi_epi64(a, b);

    _mm256_storeu_si256((__m256i *)to, _mm256_permute2x128_si256(even, odd, 0x20));
    _mm256_storeu_si256((__m256i *)(to + 4), _mm256_permute2x128_si256(even, odd, 0x31));
}

#define W                    4
#define ROWS                 4
#define HAS_FMA              1
#define TABLE                cf_kernels_avx2
#define WITH_FMA(kernel)     kernel
#define FMA(a, b, c)         ((vd)_mm256_fmadd_pd((__m256d)(a), (__m256d)(b), (__m256d)(c)))
#define ADD(a, b)            FMA(a, splat(1), b)
#define SUB(a, b)            ((vd)_mm256_fmsub_pd((__m256d)(a), _mm256_set1_pd(1), (__m256d)(b)))
#define FLIP(q, x)           ((vd)((vi)(q) ^ ((vi)(x)&SIGN)))
#define MINI(a, b)           ((vi)pick((__m256i)(a), (__m256i)(b), (__m256i)((a) > (b))))
#define MAXI(a, b)           ((vi)pick((__m256i)(a), (__m256i)(b), (__m256i)((a) < (b))))
#define MULTIPLY(a, b)       ((vu)_mm256_mul_epu32((__m256i)(a), (__m256i)(b)))
#define LOAD_FLOATS(p)       ((vd)_mm256_cvtps_pd(_mm_loadu_ps(p)))
#define PAIR_ADD             pair_add
#define QUAD_ADD             quad_add
#define INTERLEAVE(to, a, b) interleave(to, (__m256i)(a), (__m256i)(b))

#include "kernels.inc.h"
#include "products.inc.h"
#include "tile.inc.h"

#else

#include "kernels.h"
const struct cf_kernels cf_kernels_avx2 = {0};

#endif
