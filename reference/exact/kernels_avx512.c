/* The kernels for AVX-512 with its 52-bit multiplication; an empty table elsewhere, which is never
 * asked for. */
#if defined(__x86_64__)

#include <immintrin.h>
#include <stdint.h>

#define KERNEL __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512ifma,avx2,fma")))

typedef uint64_t eight_unsigned __attribute__((vector_size(64)));

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

KERNEL static inline void interleave(uint64_t *to, __m512i a, __m512i b)
{
    const __m512i first = _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0);
    const __m512i last = _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4);

    _mm512_storeu_si512(to, _mm512_permutex2var_epi64(a, first, b));
    _mm512_storeu_si512(to + 8, _mm512_permutex2var_epi64(a, last, b));
}

/* The instruction takes the low 52 bits of its operands: fractions f and g of (2^52 + f) (2^52 +
 * g). */
KERNEL static inline void parts(eight_unsigned *upper, eight_unsigned *lower, __m512i x, __m512i y)
{
    const __m512i one = _mm512_set1_epi64((int64_t)1 << 52);
    const __m512i fraction = _mm512_set1_epi64(((int64_t)1 << 52) - 1);
    const __m512i f = _mm512_and_si512(x, fraction), g = _mm512_and_si512(y, fraction);
    const __m512i sum = _mm512_add_epi64(_mm512_add_epi64(f, one), g);

    *lower = (eight_unsigned)_mm512_madd52lo_epu64(_mm512_setzero_si512(), x, y);
    *upper = (eight_unsigned)_mm512_madd52hi_epu64(sum, x, y);
}

#define W                8
#define ROWS             8
#define HAS_FMA          1
#define TABLE            cf_kernels_avx512
#define WITH_FMA(kernel) kernel
#define FMA(a, b, c)     ((vd)_mm512_fmadd_pd((__m512d)(a), (__m512d)(b), (__m512d)(c)))
#define ADD(a, b)        FMA(a, splat(1), b)
#define SUB(a, b)        ((vd)_mm512_fmsub_pd((__m512d)(a), _mm512_set1_pd(1), (__m512d)(b)))
#define FLIP(q, x)                                                                                 \
    ((vd)_mm512_ternarylogic_epi64((__m512i)(q), (__m512i)(x), _mm512_set1_epi64(SIGN), 0x78))
#define MINI(a, b)                ((vi)_mm512_min_epi64((__m512i)(a), (__m512i)(b)))
#define MAXI(a, b)                ((vi)_mm512_max_epi64((__m512i)(a), (__m512i)(b)))
#define LOAD_FLOATS(p)            ((vd)_mm512_cvtps_pd(_mm256_loadu_ps(p)))
#define PAIR_ADD                  pair_add
#define QUAD_ADD                  quad_add
#define PARTS(upper, lower, x, y) parts(upper, lower, (__m512i)(x), (__m512i)(y))
#define INTERLEAVE(to, a, b)      interleave(to, (__m512i)(a), (__m512i)(b))

#include "kernels.inc.h"
#include "products.inc.h"
#include "tile.inc.h"

#else

#include "kernels.h"
const struct cf_kernels cf_kernels_avx512 = {0};

#endif
