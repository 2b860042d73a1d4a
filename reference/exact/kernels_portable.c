/* The kernels in plain C: two doubles in a vector, no FMA. */
#include <stdint.h>

typedef int64_t two_integers __attribute__((vector_size(16)));
typedef uint64_t two_unsigned __attribute__((vector_size(16)));

static inline two_integers pick(two_integers mask, two_integers a, two_integers b)
{
    return (a & mask) | (b & ~mask);
}

static inline void pair_add(uint64_t *sum, const uint64_t *s)
{
    sum[0] += *s & 0xffffffff;
    sum[1] += *s >> 32;
}

static inline void quad_add(uint64_t *sum, const uint64_t *s)
{
    pair_add(sum, s);
    pair_add(sum + 2, s + 1);
}

static inline void interleave(uint64_t *to, two_unsigned a, two_unsigned b)
{
    to[0] = a[0];
    to[1] = b[0];
    to[2] = a[1];
    to[3] = b[1];
}

#define KERNEL
#define W                    2
#define ROWS                 4
#define HAS_FMA              0
#define TABLE                cf_kernels_portable
#define WITH_FMA(kernel)     NULL
#define FMA(a, b, c)         ((a) * (b) + (c))
#define ADD(a, b)            ((a) + (b))
#define SUB(a, b)            ((a) - (b))
#define FLIP(q, x)           ((vd)((vi)(q) ^ ((vi)(x)&SIGN)))
#define MINI(a, b)           pick((a) < (b), a, b)
#define MAXI(a, b)           pick((a) > (b), a, b)
#define MULTIPLY(a, b)       ((a) * (b))
#define LOAD_FLOATS(p)       ((vd){(double)(p)[0], (double)(p)[1]})
#define PAIR_ADD             pair_add
#define QUAD_ADD             quad_add
#define INTERLEAVE(to, a, b) interleave(to, a, b)

#include "kernels.inc.h"
#include "products.inc.h"
#include "tile.inc.h"
