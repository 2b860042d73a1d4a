/* mma: d = c + a b by the matrix unit of a warp, `mma.sync`, one tile a warp. The instructions of a
 * tile follow one another by ascending k, each with the sums of the one before as its c:
 * m16n8k16 of f16 and bf16, m16n8k8 of tf32, m16n8k32 of e4m3 and e5m2, m8n8k4 of f64.
 *
 * Fragments: PTX ISA 9.0, "Warp-level matrix instructions", "Matrix fragments for mma.m16n8k16 with
 * floating point type" and those for m16n8k8, m16n8k32 and m8n8k4. Counted in words of 32 bits the
 * layout of a and b is one for all: lane 4 g + t holds the words t and t + 4 of the rows g and g +
 * 8 of a, the row the faster, and the words t and t + 4 of column g of b; of the sums the columns 2
 * t and 2 t + 1 of rows g and g + 8. Of f64 it holds one element of a, one of b, and two sums of
 * row g.
 *
 * On sm_90 ptxas makes f16 instructions and an addition of e4m3 and e5m2 (support_mma.c says
 * which): the unit for fp8 is reached by wgmma alone. */
#ifdef __CUDACC__
#define MMA(instruction, unit, d, a, b)                                                            \
    asm volatile("mma.sync.aligned." instruction                                                   \
                 " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"                \
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                  \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
#define MMA_HALF(d, a, b)                                                                          \
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16"                               \
                 " {%0, %1}, {%2, %3, %4, %5}, {%6, %7}, {%0, %1};"                                \
                 : "+r"(d[0]), "+r"(d[1])                                                          \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
#define MMA_DOUBLE(d, a, b)                                                                        \
    asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%0, %1};" \
                 : "+d"(d[0]), "+d"(d[1])                                                          \
                 : "d"(a[0]), "d"(b[0]))

CF_DEVICE unsigned cf_grid_narrow(float value)
{
    unsigned short bits;

    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
}

CF_DEVICE float cf_grid_widen(unsigned bits)
{
    const unsigned short narrow = (unsigned short)bits;
    float value;

    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(narrow));
    return value;
}
#else
#define MMA(instruction, unit, d, a, b) cf_grid_mma(unit, d, a, b)
#define MMA_HALF(d, a, b)               cf_grid_mma(CF_CUDA_MMA_F16_F16, d, a, b)
#define MMA_DOUBLE(d, a, b)             cf_grid_mma(CF_CUDA_MMA_F64, d, a, b)
#endif

/* Where the tile of this warp starts; 0: there is none. */
CF_DEVICE int mma_tile(const struct cf_cuda_mma *p, int rows, long long *row, long long *column)
{
    const long long warp =
        (long long)blockIdx.x * (blockDim.x / CF_CUDA_WARP) + threadIdx.x / CF_CUDA_WARP;
    const long long across = (p->n + 7) / 8;

    *row = p->diagonal ? warp * 8 : warp / across * rows;
    *column = p->diagonal ? warp * 8 : warp % across * 8;
    return *row < p->m;
}

/* The element of c and d at (row, column); -1: it is in no matrix. */
CF_DEVICE long long mma_element(const struct cf_cuda_mma *p, long long row, long long column)
{
    if (p->diagonal)
        return row == column && row < p->m ? row : -1;
    return row < p->m && column < p->n ? row * p->n + column : -1;
}

/* The element of sum i of this lane. */
CF_DEVICE long long mma_sum(const struct cf_cuda_mma *p, long long row, long long column, int i)
{
    const unsigned lane = threadIdx.x % CF_CUDA_WARP;

    return mma_element(p, row + lane / 4 + i / 2 * 8, column + lane % 4 * 2 + i % 2);
}

CF_DEVICE float mma_begin(const struct cf_cuda_mma *p, long long row, long long column, int i)
{
    const long long e = p->c ? mma_sum(p, row, column, i) : -1;

    return e < 0 ? 0 : ((const float *)p->c)[e];
}

CF_DEVICE void mma_end(const struct cf_cuda_mma *p, long long row, long long column, int i,
                       float sum)
{
    const long long e = mma_sum(p, row, column, i);

    if (e >= 0)
        ((float *)p->d)[e] = sum;
}

/* The lane's words of a and b from word l of k on. */
CF_DEVICE void mma_take(const struct cf_cuda_mma *p, long long row, long long column, long long l,
                        unsigned a[4], unsigned b[2])
{
    const unsigned lane = threadIdx.x % CF_CUDA_WARP, group = lane / 4, place = lane % 4;

    for (int w = 0; w < 4; ++w)
        a[w] = ((const unsigned *)p->a)[(row + group + w % 2 * 8) * p->k + l + place + w / 2 * 4];
    for (int w = 0; w < 2; ++w)
        b[w] = ((const unsigned *)p->b)[(column + group) * p->k + l + place + w * 4];
}

#define MMA_KERNEL(name, instruction, unit)                                                        \
    CF_KERNEL(name, struct cf_cuda_mma)                                                            \
    {                                                                                              \
        long long row, column;                                                                     \
        unsigned a[4], b[2];                                                                       \
        float d[4];                                                                                \
                                                                                                   \
        if (!mma_tile(&p, 16, &row, &column))                                                      \
            return;                                                                                \
        for (int i = 0; i < 4; ++i)                                                                \
            d[i] = mma_begin(&p, row, column, i);                                                  \
        for (long long l = 0; l < p.k; l += 8) {                                                   \
            mma_take(&p, row, column, l, a, b);                                                    \
            MMA(instruction, unit, d, a, b);                                                       \
        }                                                                                          \
        for (int i = 0; i < 4; ++i)                                                                \
            mma_end(&p, row, column, i, d[i]);                                                     \
    }
MMA_KERNEL(cf_cuda_mma_f16_f32, "m16n8k16.row.col.f32.f16.f16.f32", CF_CUDA_MMA_F16)
MMA_KERNEL(cf_cuda_mma_bf16_f32, "m16n8k16.row.col.f32.bf16.bf16.f32", CF_CUDA_MMA_BF16)
MMA_KERNEL(cf_cuda_mma_tf32_f32, "m16n8k8.row.col.f32.tf32.tf32.f32", CF_CUDA_MMA_TF32)
MMA_KERNEL(cf_cuda_mma_e4m3_f32, "m16n8k32.row.col.f32.e4m3.e4m3.f32", CF_CUDA_MMA_E4M3)
MMA_KERNEL(cf_cuda_mma_e5m2_f32, "m16n8k32.row.col.f32.e5m2.e5m2.f32", CF_CUDA_MMA_E5M2)

/* Two sums a word. */
CF_KERNEL(cf_cuda_mma_f16_f16, struct cf_cuda_mma)
{
    long long row, column;
    unsigned a[4], b[2], d[2];

    if (!mma_tile(&p, 16, &row, &column))
        return;
    for (int i = 0; i < 4; i += 2)
        d[i / 2] = cf_grid_narrow(mma_begin(&p, row, column, i)) |
                   cf_grid_narrow(mma_begin(&p, row, column, i + 1)) << 16;
    for (long long l = 0; l < p.k; l += 8) {
        mma_take(&p, row, column, l, a, b);
        MMA_HALF(d, a, b);
    }
    for (int i = 0; i < 4; ++i)
        mma_end(&p, row, column, i, cf_grid_widen(d[i / 2] >> i % 2 * 16 & 0xffff));
}

CF_KERNEL(cf_cuda_mma_f64, struct cf_cuda_mma)
{
    const unsigned lane = threadIdx.x % CF_CUDA_WARP, group = lane / 4, place = lane % 4;
    long long row, column, e[2];
    double a[1], b[1], d[2];

    if (!mma_tile(&p, 8, &row, &column))
        return;
    for (int i = 0; i < 2; ++i) {
        e[i] = mma_sum(&p, row, column, i);
        d[i] = p.c && e[i] >= 0 ? ((const double *)p.c)[e[i]] : 0;
    }
    for (long long l = 0; l < p.k; l += 4) {
        a[0] = ((const double *)p.a)[(row + group) * p.k + l + place];
        b[0] = ((const double *)p.b)[(column + group) * p.k + l + place];
        MMA_DOUBLE(d, a, b);
    }
    for (int i = 0; i < 2; ++i)
        if (e[i] >= 0)
            ((double *)p.d)[e[i]] = d[i];
}
