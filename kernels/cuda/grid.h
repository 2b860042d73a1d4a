/* grid: the language of this folder's kernels (*.cu): CUDA C, compiled twice. nvcc compiles it for
 * a device. The C compiler compiles the same lines for the host, where support_grid.c runs the
 * threads of a grid one after another, each until it waits for others, in a schedule that is fixed
 * or drawn anew for each launch. So every kernel has a twin on the host that shares each line of
 * it: an order that does not depend on the schedule gives the same bits on both, because + - * /
 * sqrt and fma are IEEE operations on both.
 *
 * A kernel takes one struct by value. CF_MULADD is a product and a sum, rounded twice or once: on a
 * device as the module was compiled (--fmad), on the host as the launch says. CF_PRODUCT is a
 * product that is never contracted, CF_FMA one that always is. */
#ifndef CF_GRID_H
#define CF_GRID_H

#ifdef __CUDACC__

#include <cooperative_groups.h>

extern __shared__ double cf_shared[];

#define CF_KERNEL(name, parameters) extern "C" __global__ void name(const parameters p)
#define CF_DEVICE                   static __device__ __forceinline__
#define CF_SHARED(type, name)       type *name = (type *)cf_shared
#define CF_GRID_SYNC()              cooperative_groups::this_grid().sync()
#define CF_MULADD(a, b, c)          ((a) * (b) + (c))
#define CF_PRODUCT(a, b)            cf_product(a, b)
#define CF_BITS(to, from)           memcpy(&(to), &(from), sizeof(to))

#define CF_FMA(a, b, c) fma(a, b, c)
#define CF_PROCESSOR()  cf_processor()

static __device__ __forceinline__ unsigned cf_processor(void)
{
    unsigned number;

    asm volatile("mov.u32 %0, %%smid;" : "=r"(number));
    return number;
}
static __device__ __forceinline__ float cf_product(float a, float b)
{
    return __fmul_rn(a, b);
}
static __device__ __forceinline__ double cf_product(double a, double b)
{
    return __dmul_rn(a, b);
}

#else

#include <math.h>
#include <string.h>

struct cf_grid_index {
    unsigned x, y, z;
};

/* What the thread that runs now is; set by the scheduler. */
struct cf_grid_place {
    struct cf_grid_index thread, block, block_size, grid_size;
    void *shared; /* of the block */
    int fma;
};
extern struct cf_grid_place cf_grid_now;

typedef void cf_grid_entry(const void *parameters);

/* A kernel of this folder's, by name; NULL: there is none. */
cf_grid_entry *cf_grid_find(const char *name);

struct cf_grid_launch {
    cf_grid_entry *entry;
    const void *parameters;
    struct cf_grid_index grid, block; /* block.x is a multiple of 32; y and z are 1 */
    unsigned shared_bytes;
    int cooperative; /* all blocks are resident: grid sync works */
    int shuffled;    /* warps, lanes and blocks in a random order; else in theirs */
    int fma;
};

/* Runs the grid to its end. 0, or -1: no memory, or threads that wait for one another for ever. */
int cf_grid_run(const struct cf_grid_launch *launch);

void cf_grid_block_sync(void);
void cf_grid_sync(void);
/* The value of the lane `offset` above in the warp, or one's own past its end; all 32 call it. */
double cf_grid_shuffle_down(double value, unsigned offset);

/* What all lanes of the warp give: CF_GRID_WORDS each, lane by lane; all 32 call it. Valid until
 * the next call. */
#define CF_GRID_WORDS 8
const unsigned *cf_grid_share(const unsigned words[CF_GRID_WORDS]);

/* mma.sync of a warp for the host (support_mma.c): d += a b, where a, b and d are this lane's
 * fragments, as the PTX ISA lays them out. f16 as two a word; d float [4], of f16 sums words [2],
 * of f64 double [2]. */
void cf_grid_mma(int unit, void *d, const void *a, const void *b);
/* A float that f16 can hold as its bits, and back; NaN becomes 0x7fffffff. */
unsigned cf_grid_narrow(float value);
float cf_grid_widen(unsigned bits);

#define CF_KERNEL(name, parameters) CF_KERNEL_(name, parameters) /* TYPED() is expanded first */
#define CF_KERNEL_(name, parameters)                                                               \
    static void name##_body(const parameters p);                                                   \
    static void name(const void *p)                                                                \
    {                                                                                              \
        name##_body(*(const parameters *)p);                                                       \
    }                                                                                              \
    static void name##_body(const parameters p)
#define CF_DEVICE             static inline
#define CF_SHARED(type, name) type *name = (type *)cf_grid_now.shared
#define CF_GRID_SYNC()        cf_grid_sync()
#define CF_BITS(to, from)     memcpy(&(to), &(from), sizeof(to))
#define CF_PRODUCT(a, b)      ((a) * (b))
#define CF_MULADD(a, b, c)    (!cf_grid_now.fma ? (a) * (b) + (c) : CF_FMA(a, b, c))

#define CF_FMA(a, b, c)                                                                            \
    (sizeof(REAL) == 4 ? (REAL)fmaf((float)(a), (float)(b), (float)(c))                            \
                       : (REAL)fma((double)(a), (double)(b), (double)(c)))
/* The host has none: numbers of 132 that are not the block's. */
#define CF_PROCESSOR() ((blockIdx.x * 5 + 3) % 132)

#define threadIdx (cf_grid_now.thread)
#define blockIdx  (cf_grid_now.block)
#define blockDim  (cf_grid_now.block_size)
#define gridDim   (cf_grid_now.grid_size)

#define __syncthreads()                     cf_grid_block_sync()
#define __threadfence()                     ((void)0)
#define __shfl_down_sync(mask, value, down) ((REAL)cf_grid_shuffle_down((double)(value), down))

/* Threads take turns only where they wait, so a read and a write are one step here. */
#define CF_ATOMIC(name, type, expression)                                                          \
    static inline type name(type *at, type value)                                                  \
    {                                                                                              \
        const type old = *at;                                                                      \
                                                                                                   \
        *at = (expression);                                                                        \
        return old;                                                                                \
    }
CF_ATOMIC(cf_atomic_add_float, float, old + value)
CF_ATOMIC(cf_atomic_add_double, double, old + value)
CF_ATOMIC(cf_atomic_add_unsigned, unsigned, old + value)
CF_ATOMIC(cf_atomic_add_long, unsigned long long, old + value)
CF_ATOMIC(atomicMax, int, value > old ? value : old)
CF_ATOMIC(atomicOr, int, old | value)
#define atomicAdd(at, value)                                                                       \
    _Generic(*(at), float                                                                          \
             : cf_atomic_add_float, double                                                         \
             : cf_atomic_add_double, unsigned                                                      \
             : cf_atomic_add_unsigned, unsigned long long                                          \
             : cf_atomic_add_long)(at, value)

#endif
#endif
