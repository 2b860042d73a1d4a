/* The kernels in plain C: two doubles in a vector, no FMA. */
#define KERNEL
#define W                2
#define ROWS             4
#define HAS_FMA          0
#define TABLE            cf_kernels_portable
#define PRODUCTS(kernel) NULL
#define FMA(a, b, c)     ((a) * (b) + (c))
#define ADD(a, b)        ((a) + (b))
#define SUB(a, b)        ((a) - (b))
#define MINI(a, b)       pick((a) < (b), a, b)
#define MAXI(a, b)       pick((a) > (b), a, b)
#define PAIR_ADD         pair_add

#include <stdint.h>

typedef int64_t pair_of_integers __attribute__((vector_size(16)));

static inline pair_of_integers pick(pair_of_integers mask, pair_of_integers a, pair_of_integers b)
{
    return (a & mask) | (b & ~mask);
}

static inline void pair_add(uint64_t *sum, const uint64_t *s)
{
    sum[0] += *s & 0xffffffff;
    sum[1] += *s >> 32;
}

#include "kernels.inc.h"
#include "products.inc.h"
#include "tile.inc.h"
