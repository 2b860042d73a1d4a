/* wide: a sum in a fixed order that leaves memory enough to do. The terms of a row lie in vectors
 * of V = 16 bytes / the size of one. Thread t of block b of B, of T threads each, takes the vectors
 * b T
 * + t, b T + t + B T, ... from the first to the last, and adds term v of each to its sum v (the
 * last vector may be shorter); then its V sums (s[v] += s[v + half]), the block's tree, and the
 * tree of the blocks' partials (reduce.cu). Four vectors are asked for before the first is added.
 * Where a row does not start at a multiple of 16 bytes its vectors are read term by term: the same
 * order. */
#ifdef __CUDACC__
#define CF_ALIGNED __align__(16)
#else
#define CF_ALIGNED __attribute__((aligned(16)))
#endif

struct CF_ALIGNED TYPED(vector) {
    REAL term[16 / sizeof(REAL)];
};
#define TERMS  (16 / (int)sizeof(REAL))
#define FLIGHT 4
#define VECTOR struct TYPED(vector)

CF_DEVICE VECTOR TYPED(take)(const REAL *x, long long vector, int aligned)
{
    VECTOR value;

    if (aligned)
        return ((const VECTOR *)x)[vector];
    for (int v = 0; v < TERMS; ++v)
        value.term[v] = x[vector * TERMS + v];
    return value;
}

CF_DEVICE REAL TYPED(add_wide)(int op, REAL x, REAL y, REAL sum)
{
    if (op == CF_CUDA_DOT)
        return CF_MULADD(x, y, sum);
    return sum + (op == CF_CUDA_ASUM && x < 0 ? -x : x);
}

/* The thread's sum; op and aligned are constants where this is called. */
CF_DEVICE REAL TYPED(sum_wide)(const struct cf_cuda_reduce *p, long long row, int op, int aligned)
{
    const REAL *x = (const REAL *)p->x + row * p->n;
    const REAL *y = op == CF_CUDA_DOT ? (const REAL *)p->y + row * p->n : x;
    const long long whole = p->n / TERMS, step = (long long)gridDim.x * blockDim.x;
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    VECTOR a[FLIGHT], b[FLIGHT];
    REAL sum[TERMS];

    for (int v = 0; v < TERMS; ++v)
        sum[v] = 0;
    for (; i < whole; i += FLIGHT * step) {
        for (int f = 0; f < FLIGHT; ++f)
            if (i + f * step < whole) {
                a[f] = TYPED(take)(x, i + f * step, aligned);
                b[f] = op == CF_CUDA_DOT ? TYPED(take)(y, i + f * step, aligned) : a[f];
            }
        for (int f = 0; f < FLIGHT; ++f)
            for (int v = 0; v < TERMS && i + f * step < whole; ++v)
                sum[v] = TYPED(add_wide)(op, a[f].term[v], b[f].term[v], sum[v]);
    }
    /* The loop may have passed the thread's last vector by up to three steps. */
    if ((whole - ((long long)blockIdx.x * blockDim.x + threadIdx.x)) % step == 0)
        for (int v = 0; v < p->n % TERMS; ++v)
            sum[v] = TYPED(add_wide)(op, x[whole * TERMS + v], y[whole * TERMS + v], sum[v]);
    for (int half = TERMS / 2; half > 0; half /= 2)
        for (int v = 0; v < half; ++v)
            sum[v] += sum[v + half];
    return sum[0];
}

CF_DEVICE REAL TYPED(own_wide)(const struct cf_cuda_reduce *p, long long row)
{
    const size_t at =
        (size_t)((const REAL *)p->x + row * p->n) | (size_t)((const REAL *)p->y + row * p->n);
    const int aligned = at % 16 == 0;

    switch (p->op) {
    case CF_CUDA_DOT:
        return aligned ? TYPED(sum_wide)(p, row, CF_CUDA_DOT, 1)
                       : TYPED(sum_wide)(p, row, CF_CUDA_DOT, 0);
    case CF_CUDA_ASUM:
        return aligned ? TYPED(sum_wide)(p, row, CF_CUDA_ASUM, 1)
                       : TYPED(sum_wide)(p, row, CF_CUDA_ASUM, 0);
    default:
        return aligned ? TYPED(sum_wide)(p, row, CF_CUDA_SUM, 1)
                       : TYPED(sum_wide)(p, row, CF_CUDA_SUM, 0);
    }
}

CF_KERNEL(TYPED(cf_cuda_wide), struct cf_cuda_reduce)
{
    const long long row = p.row + blockIdx.y;
    const REAL sum = TYPED(block_tree)(TYPED(own_wide)(&p, row));

    if (threadIdx.x == 0)
        ((REAL *)p.partial)[row * p.blocks + blockIdx.x] = sum;
}
#undef CF_ALIGNED
#undef TERMS
#undef FLIGHT
#undef VECTOR
