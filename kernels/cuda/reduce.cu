/* reduce: sums in the orders that GPUs use. Thread t of block b of B, of T threads each, adds the
 * terms b T + t, b T + t + B T, ... from the first to the last; then:
 *   tree     the block's tree in shared memory (s[t] += s[t + half]), one partial a block, and the
 *            same in one block over the partials (two launches)
 *   shuffle  the tree of each warp by shuffles, then that of the warps' sums; two launches
 *   last     tree; the block that comes last (a counter says so) reduces the partials
 *   grid     tree; all blocks wait for each other; block 0 reduces the partials
 *   atomic   each warp adds its sum to the result, in the order of arrival
 *   atomic_double  the same in an accumulator of type double
 *   fixed    terms become integers of CF_CUDA_LIMBS limbs below the largest exponent, added by
 *            integer atomics: no order matters (Demmel and Nguyen, Parallel reproducible summation,
 *            2015, section 3, for the idea of bins; here they are integers)
 */
CF_DEVICE REAL TYPED(add_term)(const struct cf_cuda_reduce *p, long long row, long long i, REAL sum)
{
    const REAL x = TYPED(load)(p->x, row * p->n + i);

    if (p->op == CF_CUDA_DOT)
        return CF_MULADD(x, TYPED(load)(p->y, row * p->n + i), sum);
    return sum + (p->op == CF_CUDA_ASUM && x < 0 ? -x : x);
}

CF_DEVICE REAL TYPED(own_sum)(const struct cf_cuda_reduce *p, long long row)
{
    const long long step = (long long)gridDim.x * blockDim.x;
    REAL sum = 0;

    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < p->n; i += step)
        sum = TYPED(add_term)(p, row, i, sum);
    return sum;
}

CF_DEVICE REAL TYPED(block_tree)(REAL value)
{
    CF_SHARED(REAL, s);
    REAL sum;

    s[threadIdx.x] = value;
    __syncthreads();
    for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
        if (threadIdx.x < half)
            s[threadIdx.x] += s[threadIdx.x + half];
        __syncthreads();
    }
    sum = s[0];
    __syncthreads();
    return sum;
}

CF_DEVICE REAL TYPED(warp_tree)(REAL value)
{
    for (unsigned down = CF_CUDA_WARP / 2; down > 0; down /= 2)
        value += __shfl_down_sync(0xffffffffu, value, down);
    return value;
}

/* Thread 0 has the sum. */
CF_DEVICE REAL TYPED(block_shuffle)(REAL value)
{
    CF_SHARED(REAL, s);
    const unsigned lane = threadIdx.x % CF_CUDA_WARP, warp = threadIdx.x / CF_CUDA_WARP;

    value = TYPED(warp_tree)(value);
    if (lane == 0)
        s[warp] = value;
    __syncthreads();
    if (warp == 0) {
        value = lane < blockDim.x / CF_CUDA_WARP ? s[lane] : 0;
        value = TYPED(warp_tree)(value);
    }
    return value;
}

/* What this thread adds of a row's partials. */
CF_DEVICE REAL TYPED(own_partials)(const struct cf_cuda_reduce *p, long long row)
{
    const REAL *partial = (const REAL *)p->partial + row * p->blocks;
    REAL sum = 0;

    for (int i = (int)threadIdx.x; i < p->blocks; i += (int)blockDim.x)
        sum += partial[i];
    return sum;
}

CF_KERNEL(TYPED(cf_cuda_tree), struct cf_cuda_reduce)
{
    const long long row = p.row + blockIdx.y;
    const REAL sum = TYPED(block_tree)(TYPED(own_sum)(&p, row));

    if (threadIdx.x == 0)
        ((REAL *)p.partial)[row * p.blocks + blockIdx.x] = sum;
}

CF_KERNEL(TYPED(cf_cuda_tree_end), struct cf_cuda_reduce)
{
    const long long row = p.row + blockIdx.y;
    const REAL sum = TYPED(block_tree)(TYPED(own_partials)(&p, row));

    if (threadIdx.x == 0)
        TYPED(store)(p.out, row, sum);
}

CF_KERNEL(TYPED(cf_cuda_shuffle), struct cf_cuda_reduce)
{
    const long long row = p.row + blockIdx.y;
    const REAL sum = TYPED(block_shuffle)(TYPED(own_sum)(&p, row));

    if (threadIdx.x == 0)
        ((REAL *)p.partial)[row * p.blocks + blockIdx.x] = sum;
}

CF_KERNEL(TYPED(cf_cuda_shuffle_end), struct cf_cuda_reduce)
{
    const long long row = p.row + blockIdx.y;
    const REAL sum = TYPED(block_shuffle)(TYPED(own_partials)(&p, row));

    if (threadIdx.x == 0)
        TYPED(store)(p.out, row, sum);
}

CF_KERNEL(TYPED(cf_cuda_last), struct cf_cuda_reduce)
{
    CF_SHARED(REAL, s);
    const long long row = p.row + blockIdx.y;
    REAL sum = TYPED(block_tree)(TYPED(own_sum)(&p, row));
    int is_last;

    if (threadIdx.x == 0) {
        ((REAL *)p.partial)[row * p.blocks + blockIdx.x] = sum;
        __threadfence(); /* the partial is seen before the count is */
        s[0] = atomicAdd(&p.counter[row], 1u) == gridDim.x - 1 ? 1 : 0;
    }
    __syncthreads();
    is_last = s[0] == 1;
    __syncthreads();
    if (!is_last)
        return;
    __threadfence();
    sum = TYPED(block_tree)(TYPED(own_partials)(&p, row));
    if (threadIdx.x == 0)
        TYPED(store)(p.out, row, sum);
}

CF_KERNEL(TYPED(cf_cuda_grid), struct cf_cuda_reduce)
{
    const long long row = p.row;
    REAL sum = TYPED(block_tree)(TYPED(own_sum)(&p, row));

    if (threadIdx.x == 0)
        ((REAL *)p.partial)[row * p.blocks + blockIdx.x] = sum;
    CF_GRID_SYNC();
    if (blockIdx.x > 0)
        return;
    sum = TYPED(block_tree)(TYPED(own_partials)(&p, row));
    if (threadIdx.x == 0)
        TYPED(store)(p.out, row, sum);
}

CF_KERNEL(TYPED(cf_cuda_atomic), struct cf_cuda_reduce)
{
    const long long row = p.row + blockIdx.y;
    const REAL sum = TYPED(warp_tree)(TYPED(own_sum)(&p, row));

    if (threadIdx.x % CF_CUDA_WARP == 0)
        atomicAdd((REAL *)p.out + row, sum); /* out is zero */
}

CF_KERNEL(TYPED(cf_cuda_atomic_double), struct cf_cuda_reduce)
{
    const long long row = p.row + blockIdx.y;
    const REAL sum = TYPED(warp_tree)(TYPED(own_sum)(&p, row));

    if (threadIdx.x % CF_CUDA_WARP == 0)
        atomicAdd((double *)p.partial + row, (double)sum); /* partial is zero */
}

CF_KERNEL(TYPED(cf_cuda_atomic_double_end), struct cf_cuda_reduce)
{
    const long long row = p.row + blockIdx.y;

    if (threadIdx.x == 0)
        TYPED(store)(p.out, row, (REAL)((const double *)p.partial)[row]);
}

/* ---- fixed ---- */

CF_DEVICE int TYPED(biased_exponent)(double value)
{
    unsigned long long bits;

    CF_BITS(bits, value);
    return (int)(bits >> 52 & 0x7ff);
}

/* 2^e for a normal double. */
CF_DEVICE double TYPED(power)(int e)
{
    const unsigned long long bits = (unsigned long long)(e + 1023) << 52;
    double value;

    CF_BITS(value, bits);
    return value;
}

CF_KERNEL(TYPED(cf_cuda_fixed_range), struct cf_cuda_reduce)
{
    const long long row = p.row + blockIdx.y, step = (long long)gridDim.x * blockDim.x;
    int most = 1, specials = 0;

    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < p.n; i += step) {
        const double term = (double)TYPED(add_term)(&p, row, i, 0);
        const int e = TYPED(biased_exponent)(term);

        if (e == 0x7ff)
            specials |= term != term ? 1 : term > 0 ? 2 : 4;
        else
            most = e > most ? e : most;
    }
    atomicMax(&p.range[2 * row], most);
    atomicOr(&p.range[2 * row + 1], specials);
}

/* |term| < 2^(most - 1022) becomes a fraction, and that its limbs. Each step is exact; what is left
 * after the last limb is dropped. */
CF_KERNEL(TYPED(cf_cuda_fixed), struct cf_cuda_reduce)
{
    const long long row = p.row + blockIdx.y, step = (long long)gridDim.x * blockDim.x;
    const int most = p.range[2 * row];
    const double up = TYPED(power)(p.width);
    long long limb[CF_CUDA_LIMBS] = {0, 0, 0};

    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < p.n; i += step) {
        const double term = (double)TYPED(add_term)(&p, row, i, 0);
        double rest =
            term * TYPED(power)((1022 - most) / 2) * TYPED(power)(1022 - most - (1022 - most) / 2);

        if (TYPED(biased_exponent)(term) == 0x7ff)
            continue;
        for (int l = 0; l < CF_CUDA_LIMBS; ++l) {
            const long long whole = (long long)(rest * up);

            limb[l] += whole;
            rest = rest * up - (double)whole;
        }
    }
    for (int l = 0; l < CF_CUDA_LIMBS; ++l)
        atomicAdd(&p.limb[row * CF_CUDA_LIMBS + l], (unsigned long long)limb[l]);
}

/* The encoding that both sides give to what is no number. */
CF_DEVICE REAL TYPED(no_number)(void)
{
    const unsigned long long wide = 0x7ff8000000000000ull;
    const unsigned narrow = 0x7fc00000u;
    REAL value;

    if (sizeof value == sizeof narrow)
        memcpy(&value, &narrow, sizeof narrow);
    else
        memcpy(&value, &wide, sizeof value);
    return value;
}

CF_KERNEL(TYPED(cf_cuda_fixed_end), struct cf_cuda_reduce)
{
    const long long row = p.row + blockIdx.y;
    const int e = p.range[2 * row] - 1022, specials = p.range[2 * row + 1];
    const double down = TYPED(power)(-p.width), infinity = TYPED(power)(1023) * 2;
    double sum = 0;

    if (threadIdx.x > 0)
        return;
    for (int l = CF_CUDA_LIMBS - 1; l >= 0; --l)
        sum = (sum + (double)(long long)p.limb[row * CF_CUDA_LIMBS + l]) * down;
    sum = sum * TYPED(power)(e / 2) * TYPED(power)(e - e / 2);
    if (specials & 6)
        sum = specials & 2 ? infinity : -infinity;
    TYPED(store)
    (p.out, row, (specials & 1) || (specials & 6) == 6 ? TYPED(no_number)() : (REAL)sum);
}

/* out = +0, where atomics add. */
CF_KERNEL(TYPED(cf_cuda_zero), struct cf_cuda_layer)
{
    const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;

    if (i < p.rows * p.columns)
        ((REAL *)p.y)[i] = 0;
}
