/* The kernels for AVX-512; an empty table elsewhere, which is never asked for. */
#if defined(__x86_64__)

#include <immintrin.h>

#define KERNEL           __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")))
#define W                8
#define ROWS             8
#define HAS_FMA          1
#define TABLE            cf_kernels_avx512
#define PRODUCTS(kernel) kernel
#define FMA(a, b, c)     ((vd)_mm512_fmadd_pd((__m512d)(a), (__m512d)(b), (__m512d)(c)))
#define ADD(a, b)        FMA(a, splat(1), b)
#define SUB(a, b)        ((vd)_mm512_fmsub_pd((__m512d)(a), _mm512_set1_pd(1), (__m512d)(b)))
#define MINI(a, b)       ((vi)_mm512_min_epi64((__m512i)(a), (__m512i)(b)))
#define MAXI(a, b)       ((vi)_mm512_max_epi64((__m512i)(a), (__m512i)(b)))
#define PAIR_ADD         pair_add

#include <stdint.h>

KERNEL static inline void pair_add(uint64_t *sum, const uint64_t *s)
{
    const __m128i halves = _mm_cvtepu32_epi64(_mm_loadl_epi64((const __m128i *)s));

    _mm_store_si128((__m128i *)sum, _mm_add_epi64(_mm_load_si128((const __m128i *)sum), halves));
}

#include "kernels.inc.h"
#include "products.inc.h"
#include "tile.inc.h"

#else

#include "kernels.h"
const struct cf_kernels cf_kernels_avx512 = {0};

#endif
